package wsource

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// The turn, the sending and the end of requests.

// start begins a request, and sends it if its turn has come.
func (r *Requests[In, Out]) start(ctx context.Context, q *request[In, Out]) {
	if r.invalid != nil {
		r.fail(q, Unsent, r.invalid)
		return
	}
	r.mu.Lock()
	if q.over { // its subscriber has left meanwhile
		r.mu.Unlock()
		return
	}
	q.id = r.subject.requests.Add(1)
	r.add(q)
	hold, isNew := r.holdFor(q)
	if isNew {
		r.mu.Unlock()
		r.subscribe(hold, q.only)
		r.mu.Lock()
	}
	mine := hold.ready && r.waiting == q && r.begin(q)
	r.mu.Unlock()
	if mine {
		r.send(ctx, q)
	}
	r.goOn()
}

// holdFor returns the hold that a request needs, and whether the caller must subscribe
// it; mu is held. A hold whose generation is about to end takes no new request.
func (r *Requests[In, Out]) holdFor(q *request[In, Out]) (hold *requestsHold, isNew bool) {
	hold = r.hold
	if q.only != nil || hold == nil || hold.generation != nil && !hold.generation.IsCurrent() {
		hold, isNew = new(requestsHold), true
	}
	if q.only == nil {
		r.hold = hold
	}
	hold.sharing++
	q.hold = hold
	return hold, isNew
}

// add adds a request to the queue; mu is held.
func (r *Requests[In, Out]) add(q *request[In, Out]) {
	if q.prev = r.last; q.prev != nil {
		q.prev.next = q
	} else {
		r.first = q
	}
	r.last = q
	if r.waiting == nil {
		r.waiting = q
	}
	if timeout := r.config.Timeout; timeout > 0 {
		q.deadline = time.Now().Add(timeout)
		if r.first == q {
			r.setTimer()
		}
	}
}

// begin makes q, the first request of the queue, active if Max allows another; mu is
// held.
func (r *Requests[In, Out]) begin(q *request[In, Out]) bool {
	if r.active >= r.config.Max {
		return false
	}
	r.waiting = q.next
	r.active++
	q.active = true
	r.pending[q.id] = q
	return true
}

// remove takes a request off, and reports false if it is over already; mu is held. It
// returns the hold that no request needs any more, for the caller to release.
func (r *Requests[In, Out]) remove(q *request[In, Out]) (hold *requestsHold, removed bool) {
	if q.over {
		return nil, false
	}
	q.over = true
	if r.first != q && q.prev == nil { // it has not been added yet
		return nil, true
	}
	if q.prev != nil {
		q.prev.next = q.next
	} else {
		r.first = q.next
	}
	if q.next != nil {
		q.next.prev = q.prev
	} else {
		r.last = q.prev
	}
	if r.waiting == q {
		r.waiting = q.next
	}
	if q.active {
		r.active--
		delete(r.pending, q.id)
	}
	if r.first == nil && r.timer != nil {
		r.timer.Stop()
	}
	if q.hold.sharing--; q.hold.sharing > 0 {
		return nil, true
	}
	if r.hold == q.hold {
		r.hold = nil
	}
	return q.hold, true
}

// subscribe subscribes to the subject, for as long as there are requests, or to the
// values of the connection only. Another generation of the subject's subscribers would
// dial.
func (r *Requests[In, Out]) subscribe(hold *requestsHold, only *Connection[In, Out]) {
	values := observable.Observable[In](observable.AttachFunc[In](
		func(sc *observable.Scope, down observable.Stage[In]) {
			r.subject.attach(sc, down, func(g *delivery.Generation) {
				r.mu.Lock()
				hold.generation = g
				r.mu.Unlock()
			})
		}))
	if only != nil {
		values = only.decoder
	}
	subscription := values.Subscribe(context.Background(), observable.ObserverFuncs[In]{
		OnNext:     r.receive,
		OnError:    func(err error) { r.lose(hold, err) },
		OnComplete: func() { r.lose(hold, ErrClosed) },
	})
	r.mu.Lock()
	hold.subscription, hold.ready = subscription, true
	wanted := !hold.over
	r.mu.Unlock()
	if !wanted {
		subscription.Unsubscribe()
	}
}

// release ends a hold that no request needs any more.
func (r *Requests[In, Out]) release(hold *requestsHold) {
	if hold == nil {
		return
	}
	r.mu.Lock()
	hold.over = true
	subscription := hold.subscription
	r.mu.Unlock()
	if subscription != nil { // otherwise subscribe finds it over
		subscription.Unsubscribe()
	}
}

// send sends a request.
func (r *Requests[In, Out]) send(ctx context.Context, q *request[In, Out]) {
	var m *delivery.Message
	err := observable.ErrGoexit
	defer func() {
		if err != nil {
			r.fail(q, Unsent, err)
		}
	}()
	err = delivery.Guarded(func() error {
		value := r.config.SetID(q.out, q.id)
		m = newMessage(value)
		m.Request, m.Urgent, m.Of = true, true, q.hold.generation
		if q.only != nil {
			m.Only = q.only.of
		}
		return r.subject.write(value, m, r.subject.delivery)
	})
	if err != nil {
		return
	}
	m.Told = func(failure *delivery.Failure) {
		if failure != nil {
			err := failed(failure)
			dropped(r.subject.host.hook, nil, err)
			r.fail(q, err.Outcome, err.Err)
		}
	}
	r.mu.Lock()
	if !q.over {
		q.message = m
	}
	r.mu.Unlock()
	if q.message == m {
		r.subject.engine.Post(ctx, m)
	}
}

// goOn sends the requests whose turn has come, on another goroutine: the caller may be
// the reading one.
func (r *Requests[In, Out]) goOn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.pumping && r.due() {
		r.pumping = true
		go r.pump()
	}
}

// due reports whether the first request of the queue can be sent; mu is held.
func (r *Requests[In, Out]) due() bool {
	return r.waiting != nil && r.active < r.config.Max && r.waiting.hold.ready
}

// pump sends the requests whose turn has come.
func (r *Requests[In, Out]) pump() {
	defer func() { // also when SetID ends this goroutine
		r.mu.Lock()
		r.pumping = false
		r.mu.Unlock()
		r.goOn()
	}()
	for {
		r.mu.Lock()
		if !r.due() {
			r.mu.Unlock()
			return
		}
		q := r.waiting
		r.begin(q)
		r.mu.Unlock()
		r.send(context.Background(), q)
	}
}

// receive finds the request that a value answers.
func (r *Requests[In, Out]) receive(v In) {
	id, ok := r.config.ID(v)
	if !ok {
		return
	}
	r.mu.Lock()
	q := r.pending[id]
	var hold *requestsHold
	if q != nil {
		hold, _ = r.remove(q)
	}
	r.mu.Unlock()
	if q == nil {
		return
	}
	defer r.release(hold)
	defer r.goOn()
	if q.message != nil {
		r.subject.forgo(q.message)
	}
	q.done(v, nil)
}

// fail ends a request without an answer.
func (r *Requests[In, Out]) fail(q *request[In, Out], outcome Outcome, err error) {
	r.mu.Lock()
	hold, removed := r.remove(q)
	r.mu.Unlock()
	if !removed {
		return
	}
	defer r.release(hold)
	defer r.goOn()
	var none In
	q.done(none, &RequestError{q.id, outcome, err})
}

// end ends a request whose answer nobody wants any more, and tells the peer.
func (r *Requests[In, Out]) end(q *request[In, Out], cause error) {
	r.mu.Lock()
	hold, removed := r.remove(q)
	r.mu.Unlock()
	if removed {
		r.ended(q, hold, cause)
	}
}

// ended is end for a request that was removed.
func (r *Requests[In, Out]) ended(q *request[In, Out], hold *requestsHold, cause error) {
	defer r.release(hold) // behind the Cancel message
	defer r.goOn()
	outcome := Unsent
	if q.message != nil {
		var of *delivery.Connection
		outcome, of = r.subject.forgo(q.message)
		if outcome != Unsent && of != nil && r.config.Cancel != nil {
			defer r.cancel(of, q.id)
		}
	}
	var none In
	q.done(none, &RequestError{q.id, outcome, cause})
}

// cancel tells the peer that an answer is not wanted any more. Like the messages of
// Topics, this one does not wait for room: a teardown must not block.
func (r *Requests[In, Out]) cancel(of *delivery.Connection, id uint64) {
	s := r.subject
	var payload delivery.Payload
	err := observable.ErrGoexit
	defer func() {
		if err != nil {
			s.engine.Report(&delivery.Message{Payload: payload}, err)
		} else {
			of.Insert(payload)
		}
	}()
	err = delivery.Guarded(func() (err error) {
		payload, err = s.payload(func() Out { return r.config.Cancel(id) })
		return err
	})
}

// lose ends all requests because the subject's stream has ended.
func (r *Requests[In, Out]) lose(hold *requestsHold, err error) {
	r.mu.Lock()
	var all []*request[In, Out]
	hold.over = true
	for q := r.first; q != nil; q = q.next {
		if q.hold == hold {
			all = append(all, q)
		}
	}
	for _, q := range all {
		r.remove(q)
	}
	r.mu.Unlock()
	defer r.goOn() // with the requests of another hold
	var none In
	each.Call(all, func(q *request[In, Out]) {
		outcome := Unsent
		if q.message != nil {
			outcome, _ = r.subject.forgo(q.message)
		}
		q.done(none, &RequestError{q.id, outcome, err})
	})
}

// setTimer sets the timer to the deadline of the first request; mu is held.
func (r *Requests[In, Out]) setTimer() {
	switch {
	case r.first == nil:
	case r.timer == nil:
		r.timer = time.AfterFunc(time.Until(r.first.deadline), r.expire)
	default:
		r.timer.Reset(time.Until(r.first.deadline))
	}
}

// expire ends the requests whose time is over.
func (r *Requests[In, Out]) expire() {
	type late struct {
		request *request[In, Out]
		hold    *requestsHold // the hold that no request needs any more
	}
	var expired []late
	r.mu.Lock()
	for now := time.Now(); r.first != nil && !now.Before(r.first.deadline); {
		q := r.first
		hold, _ := r.remove(q)
		expired = append(expired, late{q, hold})
	}
	r.setTimer()
	r.mu.Unlock()
	each.Call(expired, func(l late) { r.ended(l.request, l.hold, ErrRequestTimeout) })
}

// forgo takes a message back: see [delivery.Engine.Forgo].
func (s *Subject[In, Out]) forgo(m *delivery.Message) (Outcome, *delivery.Connection) {
	outcome, of := s.engine.Forgo(m)
	if outcome == transport.Unsent {
		return Unsent, of
	}
	return Unknown, of
}
