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

// failure is the reason that a run has failed.
type failure struct {
	text  string
	stuck int  // a thread that cannot be ended, or -1
	once  bool // another run with the same schedule would not show it
}

// failf makes the run a failure, unless it is one already.
func (r *run) failf(format string, args ...any) {
	if r.failure == nil {
		r.failure = &failure{text: fmt.Sprintf(format, args...), stuck: -1}
	}
}

// schedule is the list of the threads that made the steps of a run. As a string it has
// the number of steps that each made in a row: 0x3,2,1x5.
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

// follow is a strategy: the steps of a schedule, and then any thread.
type follow schedule

func (f follow) pick(r *run, able threadSet) int {
	i := len(r.steps)
	if i >= len(f) {
		return r.usual(able)
	}
	if !able.has(f[i]) {
		r.failf("the run does not follow the schedule: at step %d, thread %d cannot go on", i+1, f[i])
	}
	return f[i]
}

// usual returns the thread that goes on when nothing is decided: the thread of the last
// step, if it can.
func (r *run) usual(able threadSet) int {
	if r.last >= 0 && able.has(r.last) {
		return r.last
	}
	return able.first()
}

// maxTraced is the number of steps that a trace shows at the beginning and at the end,
// and maxFrames the number of callers for each.
const (
	maxTraced = 200
	maxFrames = 3
)

// trace lists the steps of a traced run, and the operations of the threads that were
// left.
func (r *run) trace() string {
	var b strings.Builder
	sources := sourceLines{}
	width := 0
	for _, t := range r.threads {
		width = max(width, len(t.name()))
	}
	for i, s := range r.steps {
		if i >= maxTraced && i < len(r.steps)-maxTraced {
			if i == maxTraced {
				fmt.Fprintf(&b, "\n%d more steps\n", len(r.steps)-2*maxTraced)
			}
			continue
		}
		if i > 0 && r.steps[i-1].thread != s.thread {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%5d  %-*s  %v", i+1, width, r.threads[s.thread].name(), s.action)
		for _, note := range s.notes {
			b.WriteString(" " + note)
		}
		frames := userFrames(s.stack)
		for depth, frame := range frames[:min(len(frames), maxFrames)] {
			if depth == 0 {
				fmt.Fprintf(&b, "\n%*s%s\n", width+11, "", sources.at(frame))
			} else {
				fmt.Fprintf(&b, "%*s%s\n", width+13, "", place(frame))
			}
		}
	}
	if r.failure == nil {
		return b.String()
	}
	for t, self := range r.threads {
		if !self.left {
			continue
		}
		fmt.Fprintf(&b, "\n%s is at %v", self.name(), r.next(t))
		m := self.mutex
		if self.next.kind == opLock {
			m = self.object
		}
		switch {
		case self.next.kind == opCondReturn && !self.woken:
			b.WriteString(", and was not woken")
		case m != nil && m.holder >= 0:
			fmt.Fprintf(&b, ", and #%d is held by %s", m.number, r.threads[m.holder].name())
		}
		b.WriteString("\n")
		for _, frame := range userFrames(self.next.stack) {
			b.WriteString("\t" + sources.at(frame) + "\n")
		}
	}
	return b.String()
}

// String returns the action in words.
func (a action) String() string {
	if a.object == 0 {
		return a.kind.String()
	}
	return fmt.Sprintf("%v #%d", a.kind, a.object)
}

// userFrames returns the frames of a stack that are neither this package's nor the
// runtime's.
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

// sourceLines holds the lines of the files read, by their names.
type sourceLines map[string][]string

// at returns the place of a frame, with the line of the source if there is one.
func (s sourceLines) at(frame runtime.Frame) string {
	lines, known := s[frame.File]
	if !known {
		if text, err := os.ReadFile(frame.File); err == nil {
			lines = strings.Split(string(text), "\n")
		}
		s[frame.File] = lines
	}
	where := place(frame)
	if frame.Line > 0 && frame.Line <= len(lines) {
		where += ": " + strings.TrimSpace(lines[frame.Line-1])
	}
	return where
}

// place returns the place of a frame: file, line and function, without its package and
// type parameters.
func place(frame runtime.Frame) string {
	function := frame.Function[strings.LastIndex(frame.Function, "/")+1:]
	function = function[strings.Index(function, ".")+1:]
	function = strings.ReplaceAll(function, "[...]", "")
	return fmt.Sprintf("%s:%d %s", filepath.Base(frame.File), frame.Line, function)
}

// stacks returns the stacks of all goroutines.
func stacks() []byte {
	text := make([]byte, 1<<20)
	return text[:runtime.Stack(text, true)]
}
