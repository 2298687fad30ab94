package event

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// Serve lets a connection subscribe and publish, until the returned subscription or the
// Conn ends. Call it before Connect of conn, so that no event is missed.
//
// A second subscription to one topic is acknowledged and changes nothing: code that needs
// the topic in several places counts them, as [OnTopic] and wsource.Topics do. Of two
// patterns that have a topic, each delivers the event. The peer is told of a refusal, and
// so is [Conn.Errors].
func (p *PubSub) Serve(conn *Conn) observable.Subscription {
	conn = given(conn, "PubSub.Serve")
	return observable.Subscribe[struct{}](context.Background(), observable.AttachFunc[struct{}](
		func(sc *observable.Scope, down observable.Stage[struct{}]) {
			socket := conn.socket()
			if p.problem != nil || socket == nil {
				down.Error(cmp.Or(p.problem, conn.problem, argument("PubSub.Serve", "conn", overNothing)))
				return
			}
			s := &subscriber{pubsub: p, conn: conn, socket: socket, topics: make(map[string]*membership)}
			sc.OnClose(func() { p.steps.do(s.end) })
			s.on(sc, conn.on(typeSubscribe), s.subscribe)
			s.on(sc, conn.on(typeLeave), s.leave)
			s.on(sc, &conn.topical, s.publish)
			conn.life.AttachTo(sc, down)
		}), observable.ObserverFuncs[struct{}]{OnError: conn.report})
}

// shutDown is the problem of all requests after Shutdown.
const shutDown = "is shut down"

type membership = hub.Membership[string, uint64, *Envelope]

// subscriber is a connection that may subscribe and publish.
type subscriber struct {
	pubsub *PubSub
	conn   *Conn
	socket wsource.Peer

	// These fields belong to the step that is in progress.
	member   uint64
	topics   map[string]*membership
	behind   *membership // membership that may not have taken its retained events, or nil
	pending  []*Envelope // subscriptions that wait for that, each to another topic
	resuming bool        // a goroutine waits for it
	over     bool
}

// on has f called with the events of source, as long as sc is open.
func (s *subscriber) on(sc *observable.Scope, source observable.Observable[*Envelope], f func(*Envelope)) {
	sub := source.Subscribe(context.Background(), observable.ObserverFuncs[*Envelope]{
		OnNext: f, OnError: func(error) {}, // the Conn's end
	})
	sc.OnClose(sub.Unsubscribe)
}

// refuse tells the peer of a refusal, and of its reason.
func (s *subscriber) refuse(e *Envelope, code Code, problem string, cause error) {
	s.conn.refuseTopic(e.wrong(code, "topic", problem), cause)
}

// authorized asks whether the connection may use a topic, and tells the peer if it may
// not.
func (s *subscriber) authorized(e *Envelope, publish bool) bool {
	authorize := s.pubsub.config.Authorize
	if authorize == nil {
		return true
	}
	err := guarded(func() error { return authorize(s.conn, e.Topic, publish) })
	var failure *PublicError
	switch {
	case err == nil:
		return true
	case errors.As(err, &failure):
		s.refuse(e, failure.Code, failure.Message, nil)
	default:
		s.refuse(e, CodeForbidden, "is not allowed", err)
	}
	return false
}

// subscribe handles the peer's request for a topic.
func (s *subscriber) subscribe(e *Envelope) {
	if problem := topicProblem(e.Topic, true); problem != "" {
		s.conn.fault(e.wrong(CodeBadTopic, "topic", problem))
		return
	}
	if s.authorized(e, false) {
		s.pubsub.steps.do(func() { s.enter(e) })
	}
}

// enter is the step in which the connection subscribes to a topic.
func (s *subscriber) enter(e *Envelope) {
	p, pattern := s.pubsub, e.Topic
	switch {
	case s.over:
		return
	case p.over:
		s.refuse(e, CodeForbidden, shutDown, nil)
		return
	case s.topics[pattern] != nil:
		s.conn.tell(&Envelope{Type: typeJoined, Topic: pattern})
		return
	case slices.ContainsFunc(s.pending, about(pattern)):
		return
	case len(s.topics)+len(s.pending) >= p.config.MaxTopics:
		s.refuse(e, CodeTooManyTopics, "is one too many for the connection", nil)
		return
	case s.mustWait(pattern):
		s.pending = append(s.pending, e)
		s.resumeLater()
		return
	}
	s.join(e)
}

// about returns a test whether an event is about a topic.
func about(topic string) func(*Envelope) bool {
	return func(e *Envelope) bool { return e.Topic == topic }
}

// mustWait reports whether the connection has yet to take the retained events of one
// subscription, and the next one has such events too: a connection that does not read
// would pile them up.
func (s *subscriber) mustWait(pattern string) bool {
	if s.behind == nil {
		return false
	}
	select {
	case <-s.behind.CaughtUp():
		s.behind = nil
		return false
	default:
		return len(s.pubsub.kept(pattern)) > 0
	}
}

// resumeLater makes the pending subscriptions when the connection has caught up.
func (s *subscriber) resumeLater() {
	if s.resuming {
		return
	}
	s.resuming = true
	caughtUp := s.behind.CaughtUp()
	go func() {
		<-caughtUp
		s.pubsub.steps.do(s.resume)
	}()
}

// resume is the step that makes the pending subscriptions.
func (s *subscriber) resume() {
	s.resuming = false
	for len(s.pending) > 0 {
		e := s.pending[0]
		if s.mustWait(e.Topic) {
			s.resumeLater()
			return
		}
		s.pending = slices.Delete(s.pending, 0, 1)
		if s.pubsub.over {
			s.refuse(e, CodeForbidden, shutDown, nil)
		} else {
			s.join(e)
		}
	}
}

// join has the connection subscribe to a topic.
func (s *subscriber) join(e *Envelope) {
	p, pattern := s.pubsub, e.Topic
	first := p.users[pattern] == 0
	if !p.use(pattern) {
		s.refuse(e, CodeTooManyTopics, "is one too many for the server", nil)
		return
	}
	if s.member == 0 {
		p.members++
		s.member = p.members
	}
	room := p.rooms.Room(pattern)
	if first { // the room begins with the retained events
		hold := room.Events().Subscribe(context.Background(), observable.ObserverFuncs[*hub.Event[string, uint64, *Envelope]]{})
		defer hold.Unsubscribe()
		for _, kept := range p.kept(pattern) {
			room.Next(kept)
		}
	}
	m, err := room.Join(context.Background(), s.socket, s.member, hub.JoinOptions{})
	if err != nil {
		p.release(pattern)
		s.refuse(e, CodeTooManyTopics, "has too many connections", err)
		return
	}
	s.topics[pattern] = m
	if p.config.Retain > 0 && s.behind == nil {
		s.behind = m
	}
}

// leave handles the end of the peer's subscription to a topic.
func (s *subscriber) leave(e *Envelope) {
	s.pubsub.steps.do(func() {
		s.pending = slices.DeleteFunc(s.pending, about(e.Topic))
		if m := s.topics[e.Topic]; m != nil {
			delete(s.topics, e.Topic)
			m.Unsubscribe()
			s.pubsub.release(e.Topic)
		}
	})
}

// publish passes an event of the peer on.
func (s *subscriber) publish(e *Envelope) {
	if problem := topicProblem(e.Topic, false); problem != "" {
		s.conn.fault(e.wrong(CodeBadTopic, "topic", problem))
		return
	}
	if s.authorized(e, true) {
		own := *e
		own.Pattern = ""
		if !s.pubsub.steps.doOpen(func() { s.pubsub.passOn(&own) }) {
			s.refuse(e, CodeForbidden, shutDown, nil)
		}
	}
}

// end is the step that ends all subscriptions of the connection.
func (s *subscriber) end() {
	s.over = true
	for pattern, m := range s.topics {
		m.Unsubscribe()
		s.pubsub.release(pattern)
	}
	clear(s.topics)
	s.pending = nil
}
