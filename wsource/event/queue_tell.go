package event

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// attach adds a stage that gets the jobs of one of the queue's subjects.
func (q *Queue[T]) attach(to *observable.Subject[Job[T]], sc *observable.Scope, down observable.Stage[Job[T]]) {
	_, down.Terminal = q.ends.Add(sc, down.Terminal)
	to.AttachTo(sc, down)
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
