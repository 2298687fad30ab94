package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
)

// QueueBroker keeps the jobs of a [Queue] outside of its process, for several nodes that
// each have a Queue of the same type: see [QueueConfig.Broker]. Package natsbroker has
// one. Several goroutines call its methods at once. While it cannot be reached they wait,
// for a time of its own.
type QueueBroker interface {
	// Add keeps a job behind all others. While most jobs wait, it blocks. When it returns
	// nil, the job is kept until Remove, even if any node dies.
	Add(ctx context.Context, job StoredJob, most int) error
	// Take waits for a job, and gives it to this node alone until Return or Remove, or
	// until the node is dead. It counts that as an attempt, so that a job which kills its
	// node is not tried for ever; it returns the Attempts before. Of the jobs with one
	// key it gives the first, and no other until that is removed. The error is the cause
	// of the end of ctx, or says that the broker is closed.
	Take(ctx context.Context) (StoredJob, error)
	// Return gives a job back that this node has taken and not done, at its place in the
	// order, with its Attempts.
	Return(ctx context.Context, job StoredJob) error
	// Remove forgets a job that is done, or given up. It tries until ctx ends, or the
	// broker is closed: a job that it does not forget is done once more.
	Remove(ctx context.Context, id string) error
}

// StoredJob is a job as a [QueueBroker] keeps it.
type StoredJob struct {
	ID       string
	Key      string          // jobs with one key are done in order; "" is none
	Data     json.RawMessage // the value
	Attempts int             // number of attempts before
}

// errNodeLost is the error of an attempt whose node was lost before its outcome was
// known.
var errNodeLost = errors.New("the node that had the job was lost")

// add has the broker keep a job.
func (q *Queue[T]) add(ctx context.Context, j *job[T]) error {
	data, err := json.Marshal(j.Value)
	if err != nil {
		return fmt.Errorf("event: a job of the queue %q: %w", q.typ, err)
	}
	q.mu.Lock()
	shutdown := q.shutdown
	q.mu.Unlock()
	if shutdown {
		return ErrQueueShutdown
	}
	return q.config.Broker.Add(ctx, StoredJob{ID: j.ID, Key: j.key, Data: data}, q.config.MaxWaiting)
}

// pull takes jobs from the broker as long as a worker is free.
func (q *Queue[T]) pull() {
	for {
		q.mu.Lock()
		if q.free.Len() == 0 || q.shutdown {
			q.pulling = false
			q.changed.Broadcast()
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		stored, err := q.config.Broker.Take(q.taking)
		if err != nil {
			q.mu.Lock()
			q.pulling = false
			q.stuck = q.taking.Err() == nil
			q.changed.Broadcast()
			q.mu.Unlock()
			if q.taking.Err() == nil {
				observable.ReportUnhandled(fmt.Errorf("event: the queue %q takes no more jobs: %w", q.typ, err), q)
			}
			return
		}
		q.pulled(stored)
	}
}

// pulled gives a job of the broker to a free worker. A job that cannot be tried is a dead
// letter.
func (q *Queue[T]) pulled(stored StoredJob) {
	j := &job[T]{Job: Job[T]{ID: stored.ID, Attempts: stored.Attempts}, stored: stored}
	err := guarded(func() error { return json.Unmarshal(stored.Data, &j.Value) })
	if err == nil && j.Attempts >= q.config.Attempts {
		err = errNodeLost
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case err != nil:
		q.tellOne(err)
		go q.resolve(j, err)
	case q.free.Len() == 0: // the worker has gone meanwhile
		q.running++
		go q.giveBack(j)
	default:
		q.waiting++
		q.ready.PushBack(j)
		q.assign()
	}
}

// giveBack returns a job to the broker. If that fails, this node takes the job again, or
// another one does if this one is dead.
func (q *Queue[T]) giveBack(j *job[T]) {
	j.stored.Attempts = j.Attempts
	if err := q.config.Broker.Return(context.Background(), j.stored); err != nil {
		observable.ReportUnhandled(err, q)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running--
	q.changed.Broadcast()
}

// resolve has the broker forget a job that is done, or was given up, and tells of it.
func (q *Queue[T]) resolve(j *job[T], err error) {
	defer q.toldOne(err) // even when an observer ends the goroutine
	if err != nil {
		defer q.forget(j) // loses nothing if the process ends before
	} else {
		q.forget(j)
	}
	q.tell(j, err)
}

func (q *Queue[T]) forget(j *job[T]) {
	if err := q.config.Broker.Remove(q.ctx, j.ID); err != nil && q.ctx.Err() == nil {
		observable.ReportUnhandled(err, q)
	}
}
