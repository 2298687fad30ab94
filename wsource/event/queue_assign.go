package event

import (
	"context"
	"errors"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// offer notes that a worker may get jobs; mu is held.
func (q *Queue[T]) offer(w *worker) {
	if w.place == nil && w.credit > 0 && !w.gone {
		w.place = q.free.PushBack(w)
		q.assign()
	}
}

// dismiss takes a worker off.
func (q *Queue[T]) dismiss(w *worker) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.gone = true
	if w.place != nil {
		q.free.Remove(w.place)
		w.place = nil
	}
}

// assign gives jobs to workers, as long as there are both; mu is held.
func (q *Queue[T]) assign() {
	for q.ready.Len() > 0 && q.free.Len() > 0 {
		j, _ := q.ready.Remove(q.ready.Front()).(*job[T])
		place := q.free.Front()
		if next := place.Next(); next != nil && place.Value == any(j.last) {
			place = next // a worker that failed at it gets it last
		}
		w, _ := q.free.Remove(place).(*worker)
		w.place = nil
		if w.credit--; w.credit > 0 {
			w.place = q.free.PushBack(w)
		}
		q.waiting--
		q.running++
		j.Attempts++
		q.changed.Broadcast()
		go q.attempt(j, w)
	}
	if q.config.Broker != nil && q.free.Len() > 0 && !q.pulling && !q.shutdown && !q.stuck {
		q.pulling = true
		go q.pull()
	}
}

// attempt has a worker do a job, and waits for it.
func (q *Queue[T]) attempt(j *job[T], w *worker) {
	err := observable.ErrGoexit
	defer func() { q.settle(j, w, err) }() // also when the codec ends the goroutine
	err = q.ask(j, w)
}

// settle handles the end of an attempt.
func (q *Queue[T]) settle(j *job[T], w *worker, err error) {
	var (
		ask    *AskError
		remote *RemoteError
		data   *DataError
	)
	unsent := errors.As(err, &ask) && ask.Outcome == wsource.Unsent
	unknown := errors.As(err, &remote) && remote.Code == CodeUnknownType
	busy := remote != nil && remote.Code == CodeBusy
	between := unsent && w.conn.lasting && errors.Is(err, wsource.ErrRequestTimeout)
	if unknown || unsent && !between { // it is no worker any more
		q.dismiss(w)
		defer w.end(unknown, err)
	}
	q.mu.Lock()
	if unsent || unknown || busy {
		j.Attempts--
	}
	if busy {
		time.AfterFunc(busyPause, func() { q.rested(w) })
	} else {
		w.credit++
	}
	over := err == nil || j.Attempts >= q.config.Attempts || errors.As(err, &data) || q.ctx.Err() != nil
	if q.config.Broker != nil {
		q.settleStored(j, w, err, over)
		return
	}
	q.running--
	switch {
	case err != nil && q.ctx.Err() != nil: // Shutdown waits for the job, and tells of it
		j.err = err
		q.left = append(q.left, j)
		over = false
	case over:
		q.tellOne(err)
		q.next(j)
	default: // it goes in front of untried jobs, as it was first
		q.waiting++
		j.last = w
		q.ready.PushFront(j)
	}
	q.offer(w)
	q.assign()
	q.changed.Broadcast()
	q.mu.Unlock()
	if !over {
		return
	}
	defer q.toldOne(err) // even when an observer ends the goroutine
	q.tell(j, err)
}

// settleStored is the rest of settle for a job of the Broker. The caller holds mu; it
// unlocks mu.
func (q *Queue[T]) settleStored(j *job[T], w *worker, err error, over bool) {
	resolves := err == nil || over && q.ctx.Err() == nil
	if resolves {
		q.running--
		q.tellOne(err)
	}
	q.offer(w)
	q.assign()
	q.changed.Broadcast()
	q.mu.Unlock()
	if resolves {
		q.resolve(j, err)
	} else {
		q.giveBack(j)
	}
}

// rested lets a worker that was busy have a job again.
func (q *Queue[T]) rested(w *worker) {
	q.mu.Lock()
	defer q.mu.Unlock()
	w.credit++
	q.offer(w)
}

// end ends the subscription of a dismissed worker: with err if it does not answer the
// type.
func (w *worker) end(unknown bool, err error) {
	if unknown {
		w.working.Error(err)
	} else {
		w.working.Complete()
	}
}

// next has the job with the same key follow; mu is held.
func (q *Queue[T]) next(j *job[T]) {
	behind := q.keys[j.key]
	switch {
	case behind == nil:
	case len(*behind) == 0:
		delete(q.keys, j.key)
	default:
		q.ready.PushBack((*behind)[0])
		*behind = (*behind)[1:]
	}
}

// ask sends a job to a worker, and waits for the acknowledgement.
func (q *Queue[T]) ask(j *job[T], w *worker) error {
	e, err := pose(w.conn, "Queue", q.typ, j.Value)
	if err != nil {
		return err
	}
	e.Credit, e.Corr = 1, j.ID
	ctx, cancel := context.WithTimeoutCause(q.ctx, q.config.AckTimeout, wsource.ErrRequestTimeout)
	defer cancel()
	_, err = w.conn.ask(ctx, e, wsource.NoTimeout, nil)
	return err
}
