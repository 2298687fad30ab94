package observable

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// StallError is reported to the handler of [OnUnhandled] when a subscription does not go
// on: a callback, the function of a [New] or a foreign Subscribe blocks, while values of
// other goroutines wait for it. See [DetectStalls].
type StallError struct {
	For   time.Duration // least time for which nothing was delivered
	Stack []byte        // the blocking goroutine's stack, as by runtime.Stack
}

// Error says how long the subscription has not gone on, and names the first frame of the
// user's code on the stack.
func (e *StallError) Error() string {
	text := fmt.Sprintf("observable: nothing was delivered for %v, as a callback has not returned", e.For)
	if frame := firstUserFrame(strings.Split(string(e.Stack), "\n")); frame != "" {
		text += " (in " + frame + ")"
	}
	return text
}

// DetectStalls reports a [StallError] to the handler of [OnUnhandled] when values have
// waited for the time after behind one callback that has not returned. It is for tests
// and for the search of a deadlock: while it is on, each emission costs some
// microseconds. The function stop ends the detection. A time that is not positive ends it
// as well.
//
// A callback that is merely slow is reported too: choose a time that none of them takes.
func DetectStalls(after time.Duration) (stop func()) {
	stalls.after.Store(int64(max(after, 0)))
	return func() {
		stalls.after.Store(0)
		stalls.holders.Clear()
	}
}

// stalls holds the settings of DetectStalls.
var stalls struct { //nolint:gochecknoglobals // one for the program, as OnUnhandled's
	after   atomic.Int64 // in nanoseconds, or 0
	holders sync.Map     // from the result of goroutine to the number in a stack trace
}

// detecting reports whether stalls are to be reported.
func detecting() bool { return stalls.after.Load() > 0 }

// noteHolder notes the number of the calling goroutine, which holds a gate.
func noteHolder(me uintptr) { stalls.holders.Store(me, stackNumber()) }

// watch has look check, after the time of DetectStalls, whether the gate's holder has
// gone on; mu is held.
func (g *gate) watch(l lane) {
	after := time.Duration(stalls.after.Load())
	if g.watched || after == 0 {
		return
	}
	g.watched = true
	holder, progress := g.owner.Load(), g.progress
	time.AfterFunc(after, func() { g.look(l, after, holder, progress) })
}

// look reports a stall if the same goroutine holds the gate as before and has delivered
// nothing.
func (g *gate) look(l lane, after time.Duration, holder uintptr, progress uint64) {
	g.mu.Lock()
	g.watched = false
	waiting := g.backlog.Load() > 0
	stalled := waiting && holder != 0 && g.owner.Load() == holder && g.progress == progress
	if waiting && !stalled {
		g.watch(l)
	}
	g.mu.Unlock()
	if stalled {
		observer := l.within().root.end.Terminal.(interface{ describe() string }) //nolint:forcetypeassert // a rootOf
		report(&UnhandledError{Err: &StallError{For: after, Stack: stackOf(holder)}, Observer: observer.describe()})
	}
}

// stackOf returns the stack of a goroutine whose number was noted, or nil.
func stackOf(holder uintptr) []byte {
	id, ok := stalls.holders.Load(holder)
	if !ok {
		return nil
	}
	heading := fmt.Appendf(nil, "goroutine %d ", id)
	for stack := range bytes.SplitSeq(allStacks(), []byte("\n\n")) {
		if bytes.HasPrefix(stack, heading) {
			return bytes.Clone(stack)
		}
	}
	return nil
}

// maxStacks bounds the text of the stacks of all goroutines.
const maxStacks = 64 << 20

// allStacks returns the stacks of all goroutines.
func allStacks() []byte {
	for size := 1 << 20; ; size *= 4 {
		text := make([]byte, size)
		if n := runtime.Stack(text, true); n < size || size >= maxStacks {
			return text[:n]
		}
	}
}
