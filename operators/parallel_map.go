package operators

import (
	"context"
	"runtime/debug"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// ParallelMap emits the result of project for each value, in the order of the values,
// with up to n calls of project at a time.
//
//	src:            --1--2--3---------|
//	project(1):       -----a
//	project(2):          -b
//	project(3):             ----c
//	ParallelMap(2): -------(ab)-c-----|
//
// It is a [TryMap] with up to n goroutines. A goroutine keeps its value until the result
// has been emitted, so a slow call holds back the results after it. When every goroutine
// has a value, the source waits: no more than n values are under way, and none is lost.
// The source is subscribed to on another goroutine. Subscribe returns when that is done,
// or when a source that emits inside its subscription has to wait; the source then goes
// on, on that goroutine.
//
// The context of a call ends with the subscription; project has to return then.
// Unsubscribing does not wait for the calls, and drops their results and errors; a panic
// that comes then goes to the handler of [observable.OnUnhandled]. An error that
// project returns, and a panic in it, ends the source at once. That error, an error of
// the source and the completion are emitted after the results of the values before them.
//
// The goroutines of the calls are started on demand and end with the stream. The source
// has a gate of its own. A value that project, or a callback downstream, emits into the
// source does not wait for a goroutine, which might be its own: such values are queued
// without a bound. An n that is not positive is an [observable.ArgumentError]. It has no
// counterpart in RxJS. See also [MergeMapConcurrent], [ObserveOn].
func ParallelMap[A, B any](
	src observable.Observable[A], n int, project func(ctx context.Context, v A) (B, error),
) observable.Observable[B] {
	return parallelMap(src, "ParallelMap", n, project, true)
}

// ParallelMapUnordered is [ParallelMap] that emits each result when its call returns.
//
//	src:                     --1--2--3---------|
//	project(1):                -----a
//	project(2):                   -b
//	project(3):                      ----c
//	ParallelMapUnordered(2): ------ba----c-----|
//
// An error, of project or of the source, is emitted at once and ends the context of the
// calls under way.
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
	return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
		p := &parallel[A, B]{
			results: observable.NewEmitter(sc, down), sc: sc, project: project, ordered: ordered, limit: n,
			pending: 1, // the source
		}
		p.work.L, p.room.L = &p.mu, &p.mu
		p.source.room, p.source.within = n, sc
		sc.OnClose(p.close)
		sc.Spawn(func() { connect(&p.source, sc, src, p) })
	})
}

// parallel is one subscription of ParallelMap, and the observer of its source.
type parallel[A, B any] struct {
	results *observable.Emitter[B]
	source  link
	sc      *observable.Scope
	project func(context.Context, A) (B, error)
	ordered bool
	limit   int

	mu            interleave.Mutex // guards the fields below; not held in user code
	work          interleave.Cond  // there is a job, or none will come any more
	room          interleave.Cond  // a worker has become idle
	jobs          queue[A]         // values that no worker has taken up yet
	workers, idle int
	pending       int   // jobs that have not ended, and the source; then the terminal
	err           error // the source's error, until it is emitted
	ended, closed bool  // the source has; the subscription has

	// order holds the workers in the order in which they emit their results. Only the
	// first one emits; the others wait here instead of at the gate of downstream. A
	// worker joins the queue when it takes a job, or, for ParallelMapUnordered, when it
	// has the result.
	order queue[*worker]
}

// worker is a goroutine that calls project.
type worker struct {
	first interleave.Cond // the worker is first in order, or the subscription has ended
}

// Next gives v to a worker, and waits for one if it must.
func (p *parallel[A, B]) Next(v A) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for waiting := true; waiting && p.workers == p.limit && p.idle <= p.jobs.len() && !p.closed; {
		waiting = p.sc.Wait(&p.room)
	}
	if p.closed {
		return
	}
	p.pending++
	p.limitSource()
	p.jobs.push(v)
	switch {
	case p.idle >= p.jobs.len():
		p.work.Signal()
	case p.workers < p.limit:
		p.workers++
		p.sc.Go(p.run)
	}
}

// Error ends the source with err.
func (p *parallel[A, B]) Error(err error) {
	if !p.ordered {
		p.results.Error(err)
		err = nil // it has been emitted
	}
	p.finish(err)
}

// Complete ends the source.
func (p *parallel[A, B]) Complete() { p.finish(nil) }

func (p *parallel[A, B]) finish(err error) {
	p.mu.Lock()
	p.ended, p.err = true, err
	p.work.Broadcast()
	if p.closed {
		p.mu.Unlock()
		p.loseError()
		return
	}
	p.leave()
}

// close tears down the subscription.
func (p *parallel[A, B]) close() {
	p.mu.Lock()
	p.closed = true
	p.jobs = queue[A]{}
	p.work.Broadcast()
	p.room.Broadcast()
	for p.order.len() > 0 {
		p.order.pop().first.Signal()
	}
	p.mu.Unlock()
	p.source.end(p.sc)
	p.loseError()
}

// loseError deals with an error of the source that the end of the subscription has
// overtaken: the emitter drops it, or reports it if it is a panic.
func (p *parallel[A, B]) loseError() {
	p.mu.Lock()
	err := p.err
	p.err = nil
	p.mu.Unlock()
	if err != nil {
		p.results.Error(err)
	}
}

// leave counts down pending, and emits the terminal if nothing is left. The caller holds
// the mutex, and leave releases it.
func (p *parallel[A, B]) leave() {
	p.pending--
	p.limitSource()
	if p.pending > 0 {
		p.mu.Unlock()
		return
	}
	err := p.err
	p.err = nil
	p.mu.Unlock()
	if err != nil {
		p.results.Error(err)
	} else {
		p.results.Complete()
	}
}

// limitSource lets only as many values wait at the source's gate as there are goroutines
// left; mu is held.
func (p *parallel[A, B]) limitSource() {
	if underWay := p.pending - 1; !p.ended { // without the source
		p.source.scope.LimitQueue(p.limit - underWay)
	}
}

// run is a worker: it does one job after the other, until no more come.
func (p *parallel[A, B]) run() {
	w := new(worker)
	w.first.L = &p.mu
	for {
		v, ok := p.take(w)
		if !ok {
			return
		}
		switch result, err := p.call(w, v); {
		case err != nil && isolated(v, err):
			if !p.awaitFirst(w) || !p.advance() {
				return
			}
		case !p.emit(w, result, err):
			return
		}
	}
}

// take waits for a job and takes it up; it reports false when there are no more.
func (p *parallel[A, B]) take(w *worker) (v A, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle++
	p.room.Signal()
	for p.jobs.len() == 0 && !p.ended && !p.closed {
		p.work.Wait()
	}
	p.idle--
	if p.jobs.len() == 0 {
		return v, false
	}
	if p.ordered {
		p.order.push(w)
	}
	return p.jobs.pop(), true
}

// call calls project. A panic in it is an error; if it exits its goroutine, so does the
// worker.
func (p *parallel[A, B]) call(w *worker, v A) (result B, err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = &observable.PanicError{Value: v, Stack: debug.Stack()}
		} else {
			p.emit(w, result, observable.ErrGoexit)
		}
	}()
	result, err = p.project(p.sc, v)
	returned = true
	return result, err
}

// emit waits until w is the first in order, and emits the result of its job or the error.
// It reports whether the stream goes on.
func (p *parallel[A, B]) emit(w *worker, result B, err error) bool {
	if err != nil {
		p.fail(w, err)
		return false
	}
	if !p.awaitFirst(w) {
		return false
	}
	p.results.Deliver(result) // not Next: values at the gate would be under way beyond n
	return p.advance()
}

// fail ends the source, and emits err when w is the first in order.
func (p *parallel[A, B]) fail(w *worker, err error) {
	defer func() { // a teardown of the source may end this goroutine
		p.awaitFirst(w)
		p.results.Error(err) // also if the stream is over: a panic must not go unheard
	}()
	p.source.cut()
}

// awaitFirst waits until w is the first in order. It reports whether the stream is still
// on. The wait is not in the graph of waits: w holds no gate. The graph notes a goroutine
// that waits for one worker of a gate as waiting for all of them, so a circle through w
// is a circle through the first in order too.
func (p *parallel[A, B]) awaitFirst(w *worker) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	if !p.ordered {
		p.order.push(w)
	}
	for !p.closed && *p.order.front() != w {
		w.first.Wait()
	}
	return !p.closed
}

// advance lets the next worker in order emit. It reports whether the stream is still on.
func (p *parallel[A, B]) advance() bool {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return false
	}
	p.order.pop()
	if p.order.len() > 0 {
		(*p.order.front()).first.Signal()
	}
	p.leave()
	return true
}
