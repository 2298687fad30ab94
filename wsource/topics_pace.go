package wsource

import (
	"cmp"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
)

// pacer sends the messages of [Topics] that begin and end topics: one for each, or
// several in one, no faster than allowed. A registration of its own tells it of each
// connection. Each generation of the subject's subscribers has a pacer. The topics' mu
// guards its fields from session on.
type pacer[K comparable, In, Out any] struct {
	topics  *Topics[K, In, Out]
	decoder *decoder[In, Out]         // the decoder of its generation
	pump    observable.Observable[In] // emits nothing, but hands each value to its topic

	session *delivery.Connection // the connection, if there is one
	joining []*topic[K, In]
	leaving []K
	sending bool      // a goroutine makes a message
	next    time.Time // the earliest time of the next message
	timer   *time.Timer
	// awaiting are the topics that wait for their acknowledgement, in the order of their
	// deadlines, with some that have it.
	awaiting []awaited[K, In]
	alarm    *time.Timer
}

// awaited is a topic whose acknowledgement has to come before the deadline.
type awaited[K comparable, In any] struct {
	topic    *topic[K, In]
	session  *delivery.Connection
	deadline time.Time
}

// pacerOf returns the pacer of a generation of the subject's subscribers, and makes it if
// there is none. The generation is the current one, or was just now.
func (t *Topics[K, In, Out]) pacerOf(d *decoder[In, Out]) *pacer[K, In, Out] {
	t.mu.Lock()
	p := t.pacer
	if p != nil && p.decoder == d {
		t.mu.Unlock()
		return p
	}
	p = &pacer[K, In, Out]{topics: t, decoder: d}
	p.pump = operators.Share(operators.IgnoreElements(operators.Tap(observable.Observable[In](d), p.dispatch)))
	t.pacer = p
	t.mu.Unlock()
	if of := t.subject.engine.Register(d.generation, &delivery.Registration{Opened: p.opened}); of != nil {
		p.opened(of)
	}
	return p
}

// dispatch hands a value to its topic.
func (p *pacer[K, In, Out]) dispatch(v In) {
	config := &p.topics.config
	if config.Acknowledged != nil {
		if key, refusal, ok := config.Acknowledged(v); ok {
			p.acknowledged(key, refusal)
			return
		}
	}
	key, ok := config.Topic(v)
	if !ok {
		return
	}
	p.topics.mu.Lock()
	to := p.topic(key)
	p.topics.mu.Unlock()
	if to != nil {
		to.values.Next(v)
	}
}

// topic returns the topic of a key if it belongs to the pacer, or else nil; mu is held.
func (p *pacer[K, In, Out]) topic(key K) *topic[K, In] {
	if to := p.topics.topics[key]; to != nil && to.pacer == any(p) {
		return to
	}
	return nil
}

// opened subscribes to all topics on a new connection.
func (p *pacer[K, In, Out]) opened(of *delivery.Connection) {
	t := p.topics
	t.mu.Lock()
	if p.session == of {
		t.mu.Unlock()
		return
	}
	p.session, p.leaving, p.joining, p.next = of, nil, nil, time.Time{}
	for _, to := range t.topics {
		if to.pacer == any(p) {
			p.joining = append(p.joining, to)
		}
	}
	slices.SortFunc(p.joining, func(a, b *topic[K, In]) int { return cmp.Compare(a.number, b.number) })
	t.mu.Unlock()
	p.send()
}

// join queues the subscription of a topic; mu is held, and the caller calls send after
// it.
func (p *pacer[K, In, Out]) join(to *topic[K, In]) {
	to.pacer = p
	if p.session != nil {
		p.joining = append(p.joining, to)
	}
}

// leave queues the end of a topic that nobody wants any more; mu is held, and the caller
// calls send after it.
func (p *pacer[K, In, Out]) leave(to *topic[K, In]) {
	if i := slices.Index(p.joining, to); i >= 0 {
		p.joining = slices.Delete(p.joining, i, i+1)
		return // the peer does not know it
	}
	if to.told != nil && to.told == p.session && to.told.Open() {
		p.leaving = append(p.leaving, to.key)
	}
	to.told = nil
}

// send sends the messages that are due, unless another goroutine does.
func (p *pacer[K, In, Out]) send() {
	t := p.topics
	t.mu.Lock()
	if p.sending {
		t.mu.Unlock()
		return
	}
	p.sending = true
	t.mu.Unlock()
	returned := false
	defer func() {
		if !returned { // the user's code has ended this goroutine
			t.mu.Lock()
			p.sending = false
			t.mu.Unlock()
			p.send()
		}
	}()
	for p.sendNext() {
	}
	returned = true
}

// sendNext makes and sends one message, and reports whether another one may follow.
func (p *pacer[K, In, Out]) sendNext() bool {
	t, s := p.topics, p.topics.subject
	t.mu.Lock()
	joining, leaving := p.take()
	of := p.session
	if len(joining)+len(leaving) == 0 {
		p.sending = false
		t.mu.Unlock()
		return false
	}
	t.mu.Unlock()

	var payload delivery.Payload
	err := observable.ErrGoexit
	defer func() {
		if err != nil {
			p.failed(joining, leaving, payload, err)
			return
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		sent := of.Insert(payload)
		if sent && t.config.Interval > 0 {
			p.next = time.Now().Add(t.config.Interval)
		}
		for _, to := range joining {
			if p.session == of && sent && !to.over {
				to.told = of
				p.await(to)
			} else if to.over && sent { // its last subscriber has left meanwhile
				p.leaving = append(p.leaving, to.key)
			}
		}
	}()
	err = delivery.Guarded(func() (err error) {
		payload, err = s.payload(func() Out { return t.message(joining, leaving) })
		return err
	})
	return true
}

// take returns the topics of the next message, if it may go now: topics to leave come
// before topics to join; mu is held.
func (p *pacer[K, In, Out]) take() (joining []*topic[K, In], leaving []K) {
	p.joining = slices.DeleteFunc(p.joining, func(to *topic[K, In]) bool { return to.over })
	if p.session == nil || len(p.joining)+len(p.leaving) == 0 {
		return nil, nil
	}
	if wait := time.Until(p.next); wait > 0 {
		if p.timer == nil {
			p.timer = time.AfterFunc(wait, p.send)
		} else {
			p.timer.Reset(wait)
		}
		return nil, nil
	}
	config := &p.topics.config
	if len(p.leaving) > 0 {
		n := len(p.leaving)
		if config.UnsubscribeAll == nil {
			n = 1
		}
		leaving, p.leaving = p.leaving[:n:n], p.leaving[n:]
		return nil, leaving
	}
	n := len(p.joining)
	if config.SubscribeAll == nil {
		n = 1
	}
	joining, p.joining = p.joining[:n:n], p.joining[n:]
	return joining, nil
}

// message makes the message for some topics.
func (t *Topics[K, In, Out]) message(joining []*topic[K, In], leaving []K) Out {
	c := &t.config
	switch {
	case len(leaving) > 0 && c.UnsubscribeAll != nil:
		return c.UnsubscribeAll(leaving)
	case len(leaving) > 0:
		return c.Unsubscribe(leaving[0])
	case c.SubscribeAll == nil:
		return c.Subscribe(joining[0].key)
	}
	keys := make([]K, 0, len(joining))
	for _, to := range joining {
		keys = append(keys, to.key)
	}
	return c.SubscribeAll(keys)
}

// failed reports a message that could not be made.
func (p *pacer[K, In, Out]) failed(joining []*topic[K, In], leaving []K, payload delivery.Payload, err error) {
	t := p.topics
	if len(leaving) > 0 {
		t.subject.engine.Report(&delivery.Message{Payload: payload}, err)
		return
	}
	setting := "Subscribe"
	if t.config.SubscribeAll != nil {
		setting = "SubscribeAll"
	}
	for _, to := range joining {
		t.fail(to, setting, err)
	}
}

// await begins the wait for a topic's acknowledgement; mu is held.
func (p *pacer[K, In, Out]) await(to *topic[K, In]) {
	c := &p.topics.config
	if c.Acknowledged == nil {
		return
	}
	to.awaits = p.session
	if c.AckTimeout < 0 {
		return
	}
	p.awaiting = append(p.awaiting, awaited[K, In]{to, p.session, time.Now().Add(c.AckTimeout)})
	if len(p.awaiting) == 1 {
		p.setAlarm()
	}
}

// setAlarm sets the alarm to the first deadline; mu is held.
func (p *pacer[K, In, Out]) setAlarm() {
	for len(p.awaiting) > 0 && !p.awaiting[0].open() {
		p.awaiting = p.awaiting[1:]
	}
	if len(p.awaiting) == 0 {
		p.awaiting = nil
		return
	}
	wait := time.Until(p.awaiting[0].deadline)
	if p.alarm == nil {
		p.alarm = time.AfterFunc(wait, p.expire)
	} else {
		p.alarm.Reset(wait)
	}
}

// open reports whether the topic still waits for the acknowledgement. It waits for none
// from a connection that is over: the next connection begins anew.
func (a *awaited[K, In]) open() bool {
	return !a.topic.over && a.topic.awaits == a.session && a.session.Open()
}

// expire ends the topics whose acknowledgement has not come in time.
func (p *pacer[K, In, Out]) expire() {
	t := p.topics
	var late []*topic[K, In]
	t.mu.Lock()
	for now := time.Now(); len(p.awaiting) > 0 && !now.Before(p.awaiting[0].deadline); p.awaiting = p.awaiting[1:] {
		if a := p.awaiting[0]; a.open() && a.session == p.session {
			late = append(late, a.topic)
			p.leave(a.topic) // the peer may have begun it all the same
		}
	}
	p.setAlarm()
	t.mu.Unlock()
	for _, to := range late {
		t.fail(to, "AckTimeout", ErrTopicTimeout)
	}
}

// acknowledged ends the wait for an acknowledgement, or, if err is not nil, the topic.
func (p *pacer[K, In, Out]) acknowledged(key K, err error) {
	t := p.topics
	t.mu.Lock()
	to := p.topic(key)
	if to == nil || to.awaits == nil {
		t.mu.Unlock()
		return
	}
	if to.awaits = nil; err != nil {
		to.told = nil // the peer has not begun it
	}
	t.mu.Unlock()
	if err != nil {
		t.fail(to, "Acknowledged", err)
	}
}
