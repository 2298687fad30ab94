package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// rated is the mechanism of Throttle and Audit: the latest value of the source, a wait
// that a value begins, and an end that comes after the wait if the wait still has a value
// to emit.
type rated[T any] struct {
	sc    *observable.Scope
	down  observable.Stage[T]
	begin func(v T) // begins a wait for v

	up        observable.Scope // scope of the source, which may end first
	latest    kept[T]
	waiting   bool // whether a wait goes on
	completed bool // whether the source has completed
	ended     bool // whether downstream has its terminal
}

// run subscribes to the source.
func (r *rated[T]) run(src observable.Observable[T], next func(T), terminal observable.Terminal) {
	r.sc.Nest(&r.up)
	observable.Attach(src, &r.up, observable.Stage[T]{Next: next, Terminal: terminal})
}

// timed makes waits last for d; each calls elapsed at its end. One timer serves all of
// them.
func (r *rated[T]) timed(d time.Duration, elapsed func()) {
	alarm := r.sc.NewAlarm(elapsed)
	r.begin = func(T) { alarm.Reset(d) }
}

// selected makes a wait last until the observable that duration returns for its value
// emits; it calls elapsed at that end.
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

// lapse ends a wait whose duration completed without a value.
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

// Error ends the stream with the error of the source or of a duration.
func (r *rated[T]) Error(err error) {
	if r.ended {
		r.sc.Drop(err)
		return
	}
	r.ended = true
	r.down.Error(err)
}

// complete notes that the source has completed, and ends the stream unless a value is
// still to come.
func (r *rated[T]) complete(toCome bool) {
	r.completed = true
	if !toCome {
		r.finish()
	}
	r.up.Close()
}
