package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// rated is what Throttle and Audit share: the latest value of the source, a wait that values begin, and
// an end that comes after the wait if a value is still to be emitted then.
type rated[T any] struct {
	sc    *observable.Scope
	down  observable.Stage[T]
	begin func(v T) // begins a wait

	up        observable.Scope // the source's, which may end first
	latest    kept[T]
	waiting   bool
	completed bool // the source
	ended     bool // downstream has its terminal
}

// run subscribes to the source.
func (r *rated[T]) run(src observable.Observable[T], next func(T), terminal observable.Terminal) {
	r.sc.Nest(&r.up)
	observable.Attach(src, &r.up, observable.Stage[T]{Next: next, Terminal: terminal})
}

// timed makes waits last for d, after which elapsed is called. There is one timer for all of them.
func (r *rated[T]) timed(d time.Duration, elapsed func()) {
	alarm := r.sc.NewAlarm(elapsed)
	r.begin = func(T) { alarm.Reset(d) }
}

// selected makes waits last until what duration makes of the value emits; elapsed is called then.
func selected[T, N any](r *rated[T], duration func(T) observable.Observable[N], elapsed func()) *trigger[T, N] {
	t := &trigger[T, N]{sc: r.sc, selector: duration, fired: elapsed, lapsed: r.lapse, failed: r.Error}
	r.begin = func(v T) {
		t.start(v)
		r.waiting = t.current != nil
	}
	return t
}

// wait begins a wait with v.
func (r *rated[T]) wait(v T) {
	r.waiting = true
	r.begin(v)
}

// lapse is called when a wait was cut short, by a duration that completed without a value.
func (r *rated[T]) lapse() {
	r.waiting = false
	if r.completed {
		r.finish()
	}
}

// finish completes, unless downstream has its terminal already.
func (r *rated[T]) finish() {
	if !r.ended && r.sc.Open() {
		r.ended = true
		r.down.Complete()
	}
}

// Error is the error of the source or of a duration.
func (r *rated[T]) Error(err error) {
	if !r.ended {
		r.ended = true
		r.down.Error(err)
	}
}

// complete notes that the source has completed, which is the end unless a value is still to come.
func (r *rated[T]) complete(toCome bool) {
	r.completed = true
	if !toCome {
		r.finish()
	}
	r.up.Close()
}
