//go:build interleave

package interleave

import (
	"fmt"
	"math/bits"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// run is one run of a program, under one schedule.
type run struct {
	// The threads read these fields. The first two do not change.
	messages chan message
	traced   bool                   // operations come with their stacks and results
	running  atomic.Pointer[thread] // the thread whose turn it is
	unwound  atomic.Int64           // operations since the run has failed, or 0
	over     atomic.Int32           // threads that have ended

	state
}

// state holds the fields of the explorer's goroutine alone.
type state struct {
	program     *Program
	maxSteps    int
	threads     []*threadState
	newborn     []int // started, but not run as far as their first operation
	objects     map[any]*object
	steps       []step
	choices     int // steps at which more than one thread could go on
	last        int // the thread that made the last step; -1 at the beginning
	preemptions int // steps that another thread made though the last one could go on
	failure     *failure
}

// threadState is a thread as the explorer knows it.
type threadState struct {
	handle   *thread
	wake     chan mode
	named    string // if empty, it is called after its parent
	parent   *threadState
	child    int // number among its parent's nameless ones, from 1
	children int
	born     int       // number of steps made when it was started
	next     operation // its next operation, if it has not ended
	object   *object   // of next, or nil
	mutex    *object   // of next, or nil
	made     int       // number of steps it has made
	seen     int       // steps that others had made at its last Yield; -1 if none
	woken    bool      // from a Cond
	ended    bool
	left     bool // it had not ended when the run failed
}

func (t *threadState) name() string {
	if t.named != "" {
		return t.named
	}
	return fmt.Sprintf("%s.%d", t.parent.name(), t.child)
}

// object is a primitive.
type object struct {
	number  int   // in the order of first use, from 1
	holder  int   // of a Mutex: a thread, or -1
	waiting []int // at a Cond: threads, the first one first
	closed  bool  // of a channel
}

// action describes a step, in the same words in each run.
type action struct {
	kind          kind
	object, mutex int // their numbers, or 0
}

// next returns the next step of t.
func (r *run) next(t int) action {
	self := r.threads[t]
	return action{self.next.kind, numberOf(self.object), numberOf(self.mutex)}
}

func numberOf(o *object) int {
	if o == nil {
		return 0
	}
	return o.number
}

// step is a step that was made.
type step struct {
	thread int
	action action
	stack  []uintptr // if the run is traced
	notes  []string
}

// threadSet is a set of threads, by their numbers.
type threadSet uint64

// maxThreads is the greatest number of threads of a run.
const maxThreads = 64

func (s threadSet) has(t int) bool          { return s&(1<<t) != 0 }
func (s threadSet) with(t int) threadSet    { return s | 1<<t }
func (s threadSet) without(t int) threadSet { return s &^ (1 << t) }
func (s threadSet) first() int              { return bits.TrailingZeros64(uint64(s)) }
func (s threadSet) len() int                { return bits.OnesCount64(uint64(s)) }

// strategy chooses the thread that goes on.
type strategy interface {
	// pick returns one of the threads that can go on; there is at least one. It may fail
	// the run instead.
	pick(r *run, able threadSet) int
}

// patience is the time that a run may take before it fails. A run takes some
// microseconds, unless a thread blocks outside of the scheduler's control.
const patience = 20 * time.Second

func newRun(maxSteps int, traced bool) *run {
	r := &run{messages: make(chan message), traced: traced}
	r.state = state{
		program: new(Program), maxSteps: maxSteps, objects: map[any]*object{}, last: -1,
	}
	return r
}

// do runs the program to its end and judges it.
func (r *run) do(s strategy, program func(*Program)) {
	for _, f := range beforeRun {
		f()
	}
	exploring.Store(r)
	defer exploring.Store(nil)
	over := make(chan struct{})
	defer close(over)
	watch := time.AfterFunc(patience, func() {
		select {
		case r.messages <- message{sort: waiting}:
		case <-over:
		}
	})
	defer watch.Stop()
	before := races()
	first := &thread{run: r, wake: make(chan mode)}
	r.add(first, first.wake, "main", nil)
	go first.main(func() { r.program.run(program) })

	r.settle()
	for r.failure == nil {
		able := r.able()
		if able == 0 {
			r.finish()
			break
		}
		if len(r.steps) == r.maxSteps {
			r.failf("there are more than %d steps: do the threads wait for each other in loops without end?", r.maxSteps)
			break
		}
		if able.len() > 1 {
			r.choices++
		}
		if t := s.pick(r, able); r.failure == nil {
			if r.last >= 0 && t != r.last && able.has(r.last) {
				r.preemptions++
			}
			r.step(t)
		}
	}
	r.unwind()
	if r.failure == nil && races() > before {
		r.failf("the race detector has found a data race; its report is above")
		r.failure.once = true
	}
	if r.failure == nil {
		r.judge()
	}
}

// add makes h a thread of the run.
func (r *run) add(h *thread, wake chan mode, name string, parent *threadState) {
	t := len(r.threads)
	if t == maxThreads {
		r.failf("there are more than %d threads", maxThreads)
	}
	self := &threadState{handle: h, wake: wake, named: name, parent: parent, born: len(r.steps), seen: -1}
	if name == "" {
		parent.children++
		self.child = parent.children
	}
	r.threads = append(r.threads, self)
	r.newborn = append(r.newborn, t)
}

// settle lets all new threads come as far as their first operation.
func (r *run) settle() {
	for len(r.newborn) > 0 && r.failure == nil {
		t := r.newborn[0]
		r.newborn = r.newborn[1:]
		r.resume(t, scheduled)
	}
}

// step lets t make a step.
func (r *run) step(t int) {
	self := r.threads[t]
	r.steps = append(r.steps, step{thread: t, action: r.next(t), stack: self.next.stack})
	r.last = t
	self.made++
	if r.apply(t, self); r.failure != nil {
		return
	}
	r.resume(t, scheduled)
	r.settle()
}

// resume lets t go on as far as its next operation.
func (r *run) resume(t int, turn mode) {
	self := r.threads[t]
	r.hide()
	r.running.Store(self.handle)
	self.wake <- turn
	r.show()
	for {
		switch m := r.receive(); m.sort {
		case asking:
			self.next, self.woken = m.op, false
			self.object, self.mutex = r.object(m.op.object), nil
			if m.op.mutex != nil {
				self.mutex = r.object(m.op.mutex)
			}
			return
		case starting:
			r.add(m.handle, m.wake, m.name, self)
		case noting:
			if n := len(r.steps); n > 0 {
				r.steps[n-1].notes = append(r.steps[n-1].notes, m.text)
			}
		case ending:
			self.ended = true
			r.over.Load() // see thread.end
			if m.panicked != nil {
				r.failf("%s has panicked: %v\n%s", self.name(), m.panicked, m.stack)
			}
			return
		case waiting:
			r.failf("%s is blocked by something that the scheduler does not see:\n%s", self.name(), stacks())
			r.failure.stuck, r.failure.once = t, true
			abandoned.Add(1)
			return
		}
	}
}

func (r *run) receive() message {
	r.hide()
	defer r.show()
	return <-r.messages
}

// object returns the record of a primitive; it is nil if at is.
func (r *run) object(at any) *object {
	o := r.objects[at]
	if o == nil && at != nil {
		o = &object{number: len(r.objects) + 1, holder: -1}
		r.objects[at] = o
	}
	return o
}

// able returns the threads that can go on.
func (r *run) able() (able threadSet) {
	var yielding threadSet
	for t, self := range r.threads {
		switch {
		case self.ended:
		case self.next.kind == opYield && self.seen == len(r.steps)-self.made:
			yielding = yielding.with(t)
		case r.ready(self):
			able = able.with(t)
		}
	}
	if able == 0 {
		return yielding
	}
	return able
}

func (r *run) ready(self *threadState) bool {
	switch self.next.kind {
	case opLock:
		return self.object.holder < 0
	case opCondReturn:
		return self.woken && self.mutex.holder < 0
	case opWait:
		return self.object.closed || r.closed(self.next.done)
	default:
		return true
	}
}

// closed fails the run if done is closed but not by Close, of which the scheduler would
// know.
func (r *run) closed(done <-chan struct{}) bool {
	select {
	case <-done:
		r.failf("a channel was closed by something else than Close, or something was sent to it; a thread Waits for it")
		return true
	default:
		return false
	}
}

// apply notes the effect of the next operation of t on the threads that can go on.
func (r *run) apply(t int, self *threadState) {
	switch o := self.object; self.next.kind {
	case opLock, opTryLock:
		if o.holder < 0 {
			o.holder = t
		}
	case opUnlock:
		r.unlock(o)
	case opCondWait:
		o.waiting = append(o.waiting, t)
		r.unlock(self.mutex)
	case opCondReturn:
		self.mutex.holder = t
	case opClose, opCancel:
		o.closed = true
	case opYield:
		self.seen = len(r.steps) - self.made
	case opSignal, opBroadcast:
		for len(o.waiting) > 0 {
			r.threads[o.waiting[0]].woken = true
			if o.waiting = o.waiting[1:]; self.next.kind == opSignal {
				break
			}
		}
	default:
	}
}

func (r *run) unlock(m *object) {
	if m.holder < 0 {
		r.failf("a mutex is unlocked that is not locked")
	}
	m.holder = -1
}

// finish is called when no thread can go on.
func (r *run) finish() {
	for _, t := range r.threads {
		if !t.ended {
			r.failf("deadlock: no thread can go on")
			return
		}
	}
}

// unwind ends the threads that are left when the run has failed. One after another leaves
// its functions by way of runtime.Goexit, and their deferred operations are done at once.
func (r *run) unwind() {
	if r.failure == nil {
		return
	}
	for _, self := range r.threads {
		self.left = !self.ended
	}
	r.unwound.Store(1)
	for t, self := range r.threads {
		if self.left && t != r.failure.stuck {
			r.resume(t, unwinding)
		}
	}
}

// judge calls the checks of the program.
func (r *run) judge() {
	defer func() {
		if v := recover(); v != nil {
			r.failf("a check has panicked: %v\n%s", v, debug.Stack())
		}
	}()
	for _, check := range r.program.checks {
		if err := check(); err != nil {
			r.failf("%v", err)
			return
		}
	}
}
