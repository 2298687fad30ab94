package operators

import (
	"context"
	"runtime/debug"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
)

// ParallelMap emits what project makes of each value, in the order of the values, with up to n calls of
// project at a time.
//
//	src:            --1--2--3---------|
//	project(1):       -----a
//	project(2):          -b
//	project(3):             ----c
//	ParallelMap(2): -------(ab)-c-----|
//
// It is a [TryMap] that is done by n goroutines. When each of them has a value, one whose result waits
// for its turn included, the source waits; so no more than n values are under way, and nothing else is
// queued. A source that emits inside its subscription waits inside Subscribe ([SubscribeOn] moves it
// elsewhere).
//
// The context given to project is done when the subscription is over, by whatever cause; project should
// return then. An error that project returns, or a panic in it, ends the source at once, and is emitted
// when its turn comes; so is an error of the source, and the completion. Unsubscribing waits neither
// for project nor for its results, which are dropped.
//
// The goroutines are started as they are needed, and end with the stream. The source has a gate of its
// own; a callback downstream that itself emits into the source waits, if it must, for the calls under
// way, of which its own value is one. A value costs one allocation, and none in [ParallelMapUnordered].
// An n that is not positive is an [observable.ArgumentError]. It has no counterpart in RxJS. See also
// [MergeMapConcurrent], [ObserveOn].
func ParallelMap[A, B any](
	src observable.Observable[A], n int, project func(ctx context.Context, v A) (B, error),
) observable.Observable[B] {
	return parallelMap(src, "ParallelMap", n, project, true)
}

// ParallelMapUnordered is [ParallelMap] that emits each result as soon as it is there.
//
//	src:                     --1--2--3---------|
//	project(1):                -----a
//	project(2):                   -b
//	project(3):                      ----c
//	ParallelMapUnordered(2): ------ba----c-----|
//
// An error, of project or of the source, is emitted at once; it ends the calls under way, by their
// context.
func ParallelMapUnordered[A, B any](
	src observable.Observable[A], n int, project func(ctx context.Context, v A) (B, error),
) observable.Observable[B] {
	return parallelMap(src, "ParallelMapUnordered", n, project, false)
}

func parallelMap[A, B any](
	src observable.Observable[A], name string, n int, project func(context.Context, A) (B, error), ordered bool,
) observable.Observable[B] {
	switch {
	case n <= 0:
		return invalid[B](name, "n", notPositive(n))
	case project == nil:
		return invalid[B](name, "project", isNil)
	}
	return observable.Source[B](func(sc *observable.Scope, down observable.Stage[B]) {
		p := &parallel[A, B]{
			results: observable.NewInlet(sc, down), sc: sc, done: sc.Done(),
			project: project, ordered: ordered, limit: n, jobs: make(chan job[A]), turn: make(chan struct{}, 1),
		}
		p.pending.Store(1) // the source
		sc.OnClose(p.source.cut)
		sc.Outside(func() { connect(&p.source, sc, src, p) })
	})
}

// parallel is one subscription of ParallelMap, and the observer of its source.
type parallel[A, B any] struct {
	results *observable.Inlet[B]
	source  link
	sc      *observable.Scope
	done    <-chan struct{}
	project func(context.Context, A) (B, error)
	ordered bool

	limit, workers int
	jobs           chan job[A]

	// Results are emitted by one worker at a time, so that the others wait for downstream instead of
	// queueing at its gate. Whose turn it is, is decided by turn, or in order.
	turn chan struct{}   // holds something while somebody has a turn out of order
	last <-chan struct{} // closed when the last job so far has had its turn in order

	// What has not ended: jobs, and the source. Who takes this to 0 emits the terminal.
	pending atomic.Int64
	err     error // how the source ended; written before pending is counted down
}

// job is a value to be projected.
type job[A any] struct {
	value  A
	before <-chan struct{} // closed when the job before has had its turn; nil if there is none
	after  chan struct{}   // to be closed when this one has had it; nil if order does not matter
}

// Next gives v to a worker, as soon as there is one.
func (p *parallel[A, B]) Next(v A) {
	j := job[A]{value: v}
	if p.ordered {
		j.before, j.after = p.last, make(chan struct{})
		p.last = j.after
	}
	p.pending.Add(1)
	select {
	case p.jobs <- j:
		return
	default:
	}
	if p.workers < p.limit {
		p.workers++
		go p.work(j)
		return
	}
	select {
	case p.jobs <- j:
	case <-p.done:
	}
}

// Error is the error of the source.
func (p *parallel[A, B]) Error(err error) {
	if !p.ordered {
		p.results.Error(err)
	}
	p.finish(err)
}

// Complete is the completion of the source.
func (p *parallel[A, B]) Complete() { p.finish(nil) }

func (p *parallel[A, B]) finish(err error) {
	p.err = err
	close(p.jobs)
	p.leave()
}

// leave counts down what has not ended.
func (p *parallel[A, B]) leave() {
	if p.pending.Add(-1) > 0 {
		return
	}
	if p.err != nil {
		p.results.Error(p.err)
	} else {
		p.results.Complete()
	}
}

// work is what a worker does: j, and then one job after another, until there are no more.
func (p *parallel[A, B]) work(j job[A]) {
	for more := true; more; {
		result, err := p.call(j)
		if !p.settle(j, result, err) {
			return
		}
		select {
		case j, more = <-p.jobs:
		case <-p.done:
			return
		}
	}
}

// call calls project. A panic in it is an error; if it exits its goroutine, so does the worker.
func (p *parallel[A, B]) call(j job[A]) (result B, err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = &observable.PanicError{Value: v, Stack: debug.Stack()}
		} else {
			p.settle(j, result, observable.ErrGoexit)
		}
	}()
	result, err = p.project(p.sc, j.value)
	returned = true
	return result, err
}

// settle emits what came of j when its turn has come, and reports whether the stream goes on.
func (p *parallel[A, B]) settle(j job[A], result B, err error) bool {
	if err != nil {
		p.source.cut()
	}
	if !p.awaitTurn(j) {
		return false
	}
	if err != nil {
		p.results.Error(err)
		return false
	}
	p.results.Next(result)
	if p.ordered {
		close(j.after)
	} else {
		<-p.turn
	}
	p.leave()
	return true
}

// awaitTurn waits, and reports whether the stream is still on.
func (p *parallel[A, B]) awaitTurn(j job[A]) bool {
	if !p.ordered {
		select {
		case p.turn <- struct{}{}:
			return true
		case <-p.done:
			return false
		}
	}
	if j.before == nil {
		return true
	}
	select {
	case <-j.before:
		return true
	case <-p.done:
		return false
	}
}
