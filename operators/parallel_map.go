package operators

import (
	"context"
	"runtime/debug"
	"sync"
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
// for its turn included, the source waits; so no more than n values are under way. A
// source that emits inside its subscription waits inside Subscribe ([SubscribeOn] moves it elsewhere).
//
// The context given to project is done when the subscription is over, by whatever cause; project should
// return then. An error that project returns, or a panic in it, ends the source at once, and is emitted
// when its turn comes; so is an error of the source, and the completion. Unsubscribing waits neither
// for project nor for its results, which are dropped.
//
// The goroutines are started as they are needed, and end with the stream. The source has a gate of its
// own; what project, or a callback downstream, itself emits into the source does not wait for a goroutine to
// be free, as that may be its own: only that is queued. A value costs one allocation, and none in
// [ParallelMapUnordered]. An n that is not positive is an [observable.ArgumentError]. It has no counterpart in RxJS. See also
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

	mu            sync.Mutex    // guards what follows, as far as last; never held while user code runs
	work          sync.Cond     // there is a job, or there will be none any more
	room          sync.Cond     // a worker has become idle
	jobs          queue[job[A]] // that no worker has taken up yet
	workers, idle int
	ended, closed bool            // the source has; the subscription has
	last          <-chan struct{} // closed when the last job so far has had its turn in order

	// Results are emitted by one worker at a time, so that the others wait for downstream instead of
	// queueing at its gate. Whose turn it is, is decided by turn, or in order.
	turn chan struct{} // holds something while somebody has a turn out of order

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
	p.mu.Lock()
	p.ended = true
	p.work.Broadcast()
	p.mu.Unlock()
	p.leave()
}

// close is the end of the subscription.
func (p *parallel[A, B]) close() {
	p.mu.Lock()
	p.closed = true
	p.jobs = queue[job[A]]{}
	p.work.Broadcast()
	p.room.Broadcast()
	p.mu.Unlock()
	p.source.cut()
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

// run is what a worker does: one job after another, until there are no more.
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

// take waits for a job and takes it up; it reports false when there are no more.
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
