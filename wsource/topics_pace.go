package wsource

import (
	"cmp"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
)

// pacer sends the messages of [Topics] that begin and end topics: one for each, or several in
// one, no faster than allowed. It is told of each connection by a registration of its own.
// There is one for each generation of the subject's subscribers. Its fields below are guarded
// by the topics' mu.
type pacer[K comparable, In, Out any] struct {
	topics       *Topics[K, In, Out]
	registration *delivery.Registration

	session  *delivery.Connection // the connection, if there is one
	joining  []*topic[K, In]
	leaving  []K
	sending  bool      // a goroutine makes a message
	next     time.Time // when the next message may be sent
	timer    *time.Timer
	awaiting []awaited[K, In] // topics whose acknowledgement has not come, or has, in the order of their deadlines
	alarm    *time.Timer
}

// awaited is a topic whose acknowledgement is awaited until the deadline.
type awaited[K comparable, In any] struct {
	topic    *topic[K, In]
	session  *delivery.Connection
	deadline time.Time
}

// pacerNow returns the pacer of the current generation of the subject's subscribers, made if there is none;
// mu is held.
func (t *Topics[K, In, Out]) pacerNow() (p *pacer[K, In, Out], of *delivery.Connection) {
	e := &t.subject.engine
	if p = t.pacer; p != nil && e.IsCurrent(p.registration) {
		return p, nil
	}
	p = &pacer[K, In, Out]{topics: t}
	p.registration = &delivery.Registration{Opened: p.opened}
	t.pacer = p
	return p, e.Register(nil, p.registration)
}

// opened hears of a connection: all topics are to be subscribed to.
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

// join has a topic subscribed to; mu is held, and send is to be called then.
func (p *pacer[K, In, Out]) join(to *topic[K, In]) {
	to.pacer = p
	if p.session != nil {
		p.joining = append(p.joining, to)
	}
}

// leave has a topic unsubscribed from that has been removed; mu is held, and send is to be called then.
func (p *pacer[K, In, Out]) leave(to *topic[K, In]) {
	if i := slices.Index(p.joining, to); i >= 0 {
		p.joining = slices.Delete(p.joining, i, i+1)
		return // the peer was not told of it
	}
	if to.told != nil && to.told == p.session {
		p.leaving = append(p.leaving, to.key)
	}
}

// send sends what is due, unless another goroutine does.
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
		if !returned { // code of the user's has ended this goroutine
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

// sendNext makes and sends one message, and reports whether another one may be sent.
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

// take returns the topics of the next message, if it may be sent: those to leave before those to join; mu is held.
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

// failed tells that a message could not be made.
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

// await has the topic's acknowledgement awaited; mu is held.
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

// setAlarm lets the alarm ring at the first deadline; mu is held.
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

// open reports whether the acknowledgement is still awaited.
func (a *awaited[K, In]) open() bool { return !a.topic.over && a.topic.awaits == a.session }

// expire ends the topics whose acknowledgement has not come in time.
func (p *pacer[K, In, Out]) expire() {
	t := p.topics
	var late []*topic[K, In]
	t.mu.Lock()
	for now := time.Now(); len(p.awaiting) > 0 && !now.Before(p.awaiting[0].deadline); p.awaiting = p.awaiting[1:] {
		if a := p.awaiting[0]; a.open() && a.session == p.session {
			late = append(late, a.topic)
		}
	}
	p.setAlarm()
	t.mu.Unlock()
	for _, to := range late {
		t.mu.Lock()
		p.leave(to) // the peer may have subscribed it all the same
		t.mu.Unlock()
		t.fail(to, "AckTimeout", ErrTopicTimeout)
	}
	p.send()
}

// acknowledged ends the wait for an acknowledgement, or, if err is not nil, the topic.
func (t *Topics[K, In, Out]) acknowledged(key K, err error) {
	t.mu.Lock()
	to := t.topics[key]
	if to == nil || to.awaits == nil {
		t.mu.Unlock()
		return
	}
	to.awaits = nil
	t.mu.Unlock()
	if err != nil {
		t.fail(to, "Acknowledged", err)
	}
}
