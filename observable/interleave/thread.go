//go:build interleave

package interleave

import (
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// This is the side of the threads. A thread announces each operation to the explorer, and
// waits until it may go on. It shares with the explorer only memory that is written
// before the thread begins.

// kind is the kind of an operation.
type kind uint8

const (
	opLoad kind = iota
	opStore
	opSwap
	opCompareAndSwap
	opAdd
	opAnd
	opOr
	opLock
	opTryLock
	opUnlock
	opCondWait
	opCondReturn
	opSignal
	opBroadcast
	opGo
	opWait
	opClose
	opYield
	opErr
	opCancel
	opAfterFunc
	opStop
)

var kindNames = [...]string{
	"Load", "Store", "Swap", "CompareAndSwap", "Add", "And", "Or", "Lock", "TryLock", "Unlock",
	"Cond.Wait", "return from Cond.Wait", "Signal", "Broadcast", "Go", "Wait", "Close", "Yield", "Err", "cancel",
	"AfterFunc", "stop AfterFunc",
}

func (k kind) String() string { return kindNames[k] }

// operation is the next thing that a thread does.
type operation struct {
	kind   kind
	object any             // its primitive, or nil
	mutex  *Mutex          // of a Cond
	done   <-chan struct{} // of Wait
	stack  []uintptr       // of the caller, if the run is traced
}

// mode says how an operation is done.
type mode uint8

const (
	unexplored mode = iota // as in sync: the goroutine is no thread
	scheduled              // now, since it is the thread's turn
	unwinding              // without blocking: the exploration has failed and ends its threads
)

// thread is a thread as it knows itself.
type thread struct {
	run  *run
	wake chan mode
}

// message is a message of a thread to the explorer. After asking, the thread waits.
type message struct {
	sort sort
	op   operation // asking

	handle *thread // starting
	wake   chan mode
	name   string

	text string // noting

	panicked any // ending: the panic that the thread has not recovered, or nil
	stack    []byte
}

type sort uint8

const (
	asking   sort = iota // whether it may go on
	starting             // another thread
	noting               // something about its operation
	ending
	waiting // for longer than the explorer's patience; sent by a timer
)

// exploring is the run that is under way, or nil.
var exploring atomic.Pointer[run] //nolint:gochecknoglobals // a thread finds it only so

// abandoned is the number of threads of past runs that are left, blocked by something
// that the scheduler does not see.
var abandoned atomic.Int32 //nolint:gochecknoglobals // it outlives its exploration

// explored reports whether the caller is a thread. A thread is marked with a setting that
// the runtime keeps for each goroutine, that no goroutine inherits, and that nothing else
// depends on. To read it takes some nanoseconds; the number of a goroutine takes some
// thousands.
func explored() bool {
	if exploring.Load() == nil {
		return false
	}
	if debug.SetPanicOnFault(true) {
		return true
	}
	debug.SetPanicOnFault(false)
	return false
}

// perform waits until it is the caller's turn to do op, if it is a thread.
func perform(op operation) mode {
	if !explored() {
		return unexplored
	}
	r := exploring.Load()
	if r.unwound.Load() > 0 {
		return r.unwindOne()
	}
	if r.traced {
		op.stack = callers()
	}
	r.hide()
	self := r.running.Load()
	r.messages <- message{sort: asking, op: op}
	turn := <-self.wake
	r.show()
	if turn == unwinding {
		runtime.Goexit()
	}
	return turn
}

// maxUnwinding is the number of operations that the threads may do while they are ended.
const maxUnwinding = 10000

// unwindOne is perform while the threads are ended: a deferred function may loop without
// end.
func (r *run) unwindOne() mode {
	switch n := r.unwound.Add(1); {
	case n > 2*maxUnwinding: // the function defers itself, too
		r.messages <- message{sort: ending}
		select {}
	case n > maxUnwinding:
		runtime.Goexit()
	}
	return unwinding
}

func callers() []uintptr {
	pcs := make([]uintptr, 64)
	return pcs[:runtime.Callers(3, pcs)]
}

// start makes f a thread. The caller is a thread too.
func start(name string, f func()) {
	r := exploring.Load()
	t := &thread{run: r, wake: make(chan mode)}
	r.hide()
	r.messages <- message{sort: starting, handle: t, wake: t.wake, name: name}
	r.show()
	go t.main(f)
}

// main runs on the thread's goroutine.
func (t *thread) main(f func()) {
	debug.SetPanicOnFault(true) // see explored
	defer t.end()
	t.run.hide()
	turn := <-t.wake
	t.run.show()
	if turn == scheduled {
		f()
	}
}

func (t *thread) end() {
	last := message{sort: ending}
	if v := recover(); v != nil {
		last.panicked, last.stack = v, debug.Stack()
	}
	debug.SetPanicOnFault(false)
	if exploring.Load() != t.run {
		abandoned.Add(-1)
		return
	}
	t.run.over.Add(1) // orders the thread's work before the explorer's next work
	t.run.hide()
	t.run.messages <- last
	t.run.show()
}

// note adds v to the notes on the operation that the thread is doing, if the run is
// traced.
func note[V any](v V) {
	if r := exploring.Load(); r != nil && r.traced && explored() {
		r.messages <- message{sort: noting, text: text(v)}
	}
}

// noted is note for a result, which it returns.
func noted[V any](v V) V {
	if r := exploring.Load(); r != nil && r.traced && explored() {
		r.messages <- message{sort: noting, text: "= " + text(v)}
	}
	return v
}

// text prints v. It does not follow a pointer: the memory behind it is not the thread's
// alone.
func text(v any) string {
	if reflect.ValueOf(v).Kind() == reflect.Pointer {
		return fmt.Sprintf("%p", v)
	}
	return fmt.Sprint(v)
}
