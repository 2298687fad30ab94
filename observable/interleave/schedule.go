//go:build interleave

package interleave

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// failure is what is wrong with a run.
type failure struct {
	text  string
	left  threadSet // the threads that had not ended
	stuck bool      // one of them cannot be ended
}

// fail makes the run a failure, unless it is one already.
func (r *run) fail(format string, args ...any) {
	if r.failure == nil {
		r.failure = &failure{text: fmt.Sprintf(format, args...)}
	}
}

// schedule is who made the steps of a run. As a string it is a list of threads, with how many
// steps each one made in a row: 0x3,2,1x5.
type schedule []int

func (r *run) schedule() schedule {
	s := make(schedule, len(r.steps))
	for i, step := range r.steps {
		s[i] = step.thread
	}
	return s
}

func (s schedule) String() string {
	var parts []string
	for i := 0; i < len(s); {
		n := 1
		for i+n < len(s) && s[i+n] == s[i] {
			n++
		}
		part := strconv.Itoa(s[i])
		if n > 1 {
			part += "x" + strconv.Itoa(n)
		}
		parts = append(parts, part)
		i += n
	}
	return strings.Join(parts, ",")
}

func parseSchedule(text string) (s schedule, err error) {
	for part := range strings.SplitSeq(text, ",") {
		thread, times, many := strings.Cut(part, "x")
		t, err := strconv.Atoi(thread)
		n := 1
		if err == nil && many {
			n, err = strconv.Atoi(times)
		}
		if err != nil || t < 0 || t >= maxThreads || n < 1 || n > 1<<24 {
			return nil, fmt.Errorf("interleave: %q is no schedule: %q is neither a thread nor a thread x steps", text, part)
		}
		for range n {
			s = append(s, t)
		}
	}
	return s, nil
}

// follow is a strategy: the steps of a schedule, and then whoever is there.
type follow schedule

func (f follow) pick(r *run, able threadSet) int {
	i := len(r.steps)
	if i >= len(f) {
		return r.usual(able)
	}
	if !able.has(f[i]) {
		r.fail("the run does not follow the schedule: at step %d, thread %d cannot go on", i+1, f[i])
	}
	return f[i]
}

// usual returns the thread that goes on when nothing is decided: the one that made the last step, if it can.
func (r *run) usual(able threadSet) int {
	if r.last >= 0 && able.has(r.last) {
		return r.last
	}
	return able.first()
}

// trace tells of the steps of a traced run, and what the threads that were left are at.
func (r *run) trace() string {
	var b strings.Builder
	sources := sourceLines{}
	names := 0
	for _, t := range r.threads {
		names = max(names, len(t.name))
	}
	for i, s := range r.steps {
		if i > 0 && r.steps[i-1].thread != s.thread {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%5d  %-*s  %s", i+1, names, r.threads[s.thread].name, describe(s.action))
		for _, note := range s.notes {
			b.WriteString(" " + note)
		}
		if frames := userFrames(s.stack); len(frames) > 0 {
			fmt.Fprintf(&b, "\n       %-*s      %s", names, "", sources.at(frames[0]))
		}
		b.WriteString("\n")
	}
	if r.failure == nil {
		return b.String()
	}
	for t, self := range r.threads {
		if !r.failure.left.has(t) {
			continue
		}
		fmt.Fprintf(&b, "\n%s is at: %s", self.name, describe(r.next(t)))
		if m := self.object; self.next.kind == opLock && m.holder >= 0 {
			fmt.Fprintf(&b, ", held by %s", r.threads[m.holder].name)
		}
		if m := self.mutex; self.next.kind == opCondReturn {
			if !self.woken {
				b.WriteString(", not woken")
			} else if m.holder >= 0 {
				fmt.Fprintf(&b, ", its mutex #%d held by %s", m.number, r.threads[m.holder].name)
			}
		}
		b.WriteString("\n")
		for _, frame := range userFrames(self.next.stack) {
			b.WriteString("\t" + sources.at(frame) + "\n")
		}
	}
	return b.String()
}

func describe(a action) string {
	if a.object == 0 {
		return a.kind.String()
	}
	return fmt.Sprintf("%v #%d", a.kind, a.object)
}

// userFrames returns the frames of a stack that are neither this package's nor the runtime's.
func userFrames(pcs []uintptr) (user []runtime.Frame) {
	if len(pcs) == 0 {
		return nil
	}
	for frames := runtime.CallersFrames(pcs); ; {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, packagePath) && !strings.HasPrefix(frame.Function, "runtime.") {
			user = append(user, frame)
		}
		if !more {
			return user
		}
	}
}

const packagePath = "github.com/rxsocket/rxsocket/observable/interleave."

// sourceLines is the files that were read, by their names.
type sourceLines map[string][]string

// at returns where a frame is, with the line of the source if there is one.
func (s sourceLines) at(frame runtime.Frame) string {
	lines, known := s[frame.File]
	if !known {
		if text, err := os.ReadFile(frame.File); err == nil {
			lines = strings.Split(string(text), "\n")
		}
		s[frame.File] = lines
	}
	function := frame.Function[strings.LastIndex(frame.Function, "/")+1:]
	where := fmt.Sprintf("%s:%d %s", filepath.Base(frame.File), frame.Line, function)
	if frame.Line > 0 && frame.Line <= len(lines) {
		where += ": " + strings.TrimSpace(lines[frame.Line-1])
	}
	return where
}

// stacks returns the stacks of all goroutines.
func stacks() []byte {
	text := make([]byte, 1<<20)
	return text[:runtime.Stack(text, true)]
}
