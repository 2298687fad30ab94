package operators

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
)

// ParallelMap emits what project makes of each value, in the order of the values, with up
// to n calls of project at a time.
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
// The source is subscribed to on a goroutine of its own. Subscribe returns when that is
// done, or when a source that emits inside its subscription has to wait; the source then
// goes on on that goroutine.
//
// The context of a call ends with the subscription; project has to return then.
// Unsubscribing does not wait for the calls, and drops their results. An error that
// project returns, and a panic in it, ends the source at once. That error, an error of
// the source and the completion are emitted after the results of the values before them.
//
// The goroutines of the calls are started on demand and end with the stream. The source
// has a gate of its own. A value that project, or a callback downstream, emits into the
// source does not wait for a goroutine, which might be its own: such values are queued
// without a bound. A value costs one allocation, and none in [ParallelMapUnordered]. An n
// that is not positive is an [observable.ArgumentError]. It has no counterpart in RxJS.
// See also [MergeMapConcurrent], [ObserveOn].
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
			results: observable.NewEmitter(sc, down), sc: sc, done: sc.Done(),
			project: project, ordered: ordered, limit: n, turn: make(chan struct{}, 1),
		}
		p.work.L, p.room.L = &p.mu, &p.mu
		p.pending.Store(1) // the source
		sc.OnClose(p.close)
		sc.Spawn(func() { connect(&p.source, sc, src, p) })
	})
}

// parallel is one subscription of ParallelMap, and the observer of its source.
type parallel[A, B any] struct {
	results *observable.Emitter[B]
	source  link
	sc      *observable.Scope
	done    <-chan struct{}
	project func(context.Context, A) (B, error)
	ordered bool
	limit   int

	mu            sync.Mutex    // guards the fields to last; never held while user code runs
	work          sync.Cond     // a job has come, or no job will come any more
	room          sync.Cond     // a worker has become idle
	jobs          queue[job[A]] // jobs that no worker has taken up
	workers, idle int
	ended, closed bool            // the source has ended; the subscription has ended
	last          <-chan struct{} // closed after the turn of the last job, in order

	// turn is full while a worker emits a result without order. One worker emits at a
	// time, so that the others wait here and not at the gate of downstream; in order, the
	// jobs' channels do that.
	turn chan struct{}

	// pending counts the jobs and the source that have not ended. The goroutine that
	// takes it to 0 emits the terminal.
	pending atomic.Int64
	err     error // error of the source; written before pending is counted down
}

// job is a value to be projected.
type job[A any] struct {
	value  A
	before <-chan struct{} // closed after the turn of the job before; nil for the first job
	after  chan struct{}   // closed after the turn of this job; nil without order
}

// Next gives v to a worker, and waits for one if it must.
func (p *parallel[A, B]) Next(v A) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.workers == p.limit && p.idle <= p.jobs.len() && !p.closed && p.sc.Wait(&p.room) {
	}
	if p.closed {
		return
	}
	j := job[A]{value: v}
	if p.ordered {
		j.before, j.after = p.last, make(chan struct{})
		p.last = j.after
	}
	p.pending.Add(1)
	p.jobs.push(j)
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
	}
	p.finish(err)
}

// Complete ends the source.
func (p *parallel[A, B]) Complete() { p.finish(nil) }

func (p *parallel[A, B]) finish(err error) {
	p.err = err
	p.mu.Lock()
	p.ended = true
	p.work.Broadcast()
	p.mu.Unlock()
	p.leave()
}

// close tears down the subscription.
func (p *parallel[A, B]) close() {
	p.mu.Lock()
	p.closed = true
	p.jobs = queue[job[A]]{}
	p.work.Broadcast()
	p.room.Broadcast()
	p.mu.Unlock()
	p.source.cut()
}

// leave notes the end of a job or of the source, and emits the terminal after the last
// one.
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

// run is a worker: it does one job after the other, until no more come.
func (p *parallel[A, B]) run() {
	for {
		j, ok := p.take()
		if !ok {
			return
		}
		if result, err := p.call(j); !p.settle(j, result, err) {
			return
		}
	}
}

// take waits for a job and takes it up. It reports false when no more come.
func (p *parallel[A, B]) take() (j job[A], ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle++
	p.room.Signal()
	for p.jobs.len() == 0 && !p.ended && !p.closed {
		p.work.Wait()
	}
	p.idle--
	if p.jobs.len() == 0 {
		return j, false
	}
	return p.jobs.pop(), true
}

// call calls project and makes an error of its panic. A project that ends its goroutine
// ends the worker.
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

// settle waits for the turn of j, emits its result, and reports whether the stream goes
// on.
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

// awaitTurn waits for the turn of j. It reports false if the subscription ends first.
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
