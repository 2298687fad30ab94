package event

import (
	"context"
	"slices"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// hearer is an observer of a queue's jobs, until it has heard the end or has left.
type hearer struct {
	scope *observable.Scope
	told  bool // its Complete is called
	over  bool // its Complete has returned, or it has left before
}

// attach adds a stage that gets the jobs of one of the queue's subjects.
func (q *Queue[T]) attach(to *observable.Subject[Job[T]], sc *observable.Scope, down observable.Stage[Job[T]]) {
	h := &hearer{scope: sc}
	q.mu.Lock()
	q.hearing = append(q.hearing, h)
	q.mu.Unlock()
	sc.OnClose(func() { q.leave(h) })
	counted := down
	counted.Terminal = observable.WithComplete(down.Terminal, func() { q.tellEnd(h, down.Complete) })
	to.AttachTo(sc, counted)
}

// leave forgets an observer that has left, unless its Complete is being called.
func (q *Queue[T]) leave(h *hearer) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !h.told {
		q.heard(h)
	}
}

// tellEnd calls complete, which completes an observer.
func (q *Queue[T]) tellEnd(h *hearer, complete func()) {
	q.mu.Lock()
	h.told = true
	q.mu.Unlock()
	defer func() { // the observer may end the goroutine
		q.mu.Lock()
		defer q.mu.Unlock()
		q.heard(h)
	}()
	complete()
}

// heard notes that an observer hears no more; mu is held.
func (q *Queue[T]) heard(h *hearer) {
	h.over = true
	if i := slices.Index(q.hearing, h); i >= 0 {
		q.hearing = slices.Delete(q.hearing, i, i+1)
	}
	q.changed.Broadcast()
}

// awaitHeard waits until the observers have heard the completion, and so the jobs before
// it. These may still wait at a busy observer although each call of Next has returned. If
// ctx ends before, its cause is the error of Shutdown. An observer whose callback is the
// caller is left out.
func (q *Queue[T]) awaitHeard(ctx context.Context) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range slices.Clone(q.hearing) {
		for waits := true; waits && !h.over; {
			if ctx.Err() != nil {
				q.err = context.Cause(ctx)
				return
			}
			waits = h.scope.Wait(&q.changed)
		}
	}
}

// finish tells of the jobs left, and then completes.
func (q *Queue[T]) finish(left []*job[T]) {
	defer q.complete()
	q.tellLeft(left)
}

// tellLeft makes dead letters of the jobs left.
func (q *Queue[T]) tellLeft(left []*job[T]) {
	each.Call(left, func(j *job[T]) { q.bury(j, j.err) })
}

// complete completes the observables after they have told of every job: a completion
// would overtake the jobs that wait for a slow observer.
func (q *Queue[T]) complete() {
	q.mu.Lock()
	for q.telling > 0 {
		q.changed.Wait()
	}
	q.mu.Unlock()
	defer q.dead.Complete()
	q.done.Complete()
}

// tell emits a job that is done, or has failed for good.
func (q *Queue[T]) tell(j *job[T], err error) {
	if err == nil {
		q.done.Next(j.Job)
	} else {
		q.bury(j, err)
	}
}

// bury makes a dead letter of a job.
func (q *Queue[T]) bury(j *job[T], err error) {
	j.Err = err
	if q.dead.Observed() {
		q.dead.Next(j.Job)
	} else {
		observable.ReportUnhandled(&DeadLetterError{ID: j.ID, Type: q.typ, Attempts: j.Attempts, Err: err}, q)
	}
}

// tellOne notes that observers are being told of a job; mu is held.
func (q *Queue[T]) tellOne(err error) {
	q.telling++
	if err != nil {
		q.burying++
	}
}

// toldOne notes that the observers were told.
func (q *Queue[T]) toldOne(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.telling--
	if err != nil {
		q.burying--
	}
	q.changed.Broadcast()
}
