package event

import (
	"cmp"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// OnTopic returns the observable of the events that the peer, a server with a [PubSub],
// publishes under a topic, or under the topics of a pattern: "orders.*" stands for one
// part, "orders.>" for one or more. Events that the server has retained come to the first
// subscriber.
//
// It is hot, and counted: the first subscriber has the Conn subscribe at the server, and
// again on each new connection; the end of the last one has it unsubscribe. If the server
// refuses, it fails with a [*RemoteError]. For the rest it is as [On].
func OnTopic[T any](conn *Conn, pattern string) observable.Observable[Event[T]] {
	conn = given(conn, "OnTopic")
	return observable.AttachFunc[Event[T]](func(sc *observable.Scope, down observable.Stage[Event[T]]) {
		if problem := topicProblem(pattern, true); problem != "" {
			down.Error(argument("OnTopic", "pattern", problem))
			return
		}
		observable.Attach(conn.onTopic(pattern), sc, decoding(conn, down))
	})
}

// subscribed is a topic or pattern that this side has subscribed to.
type subscribed struct {
	events observable.Subject[*Envelope]

	// Guarded by the Conn's mu.
	pattern string
	users   int
	id      string // ID of the event that asked for it last
}

// ask asks for the topic on a link; mu is held.
func (s *subscribed) ask(l *link) {
	s.id = NewID()
	l.tellLocked(&Envelope{ID: s.id, Type: typeSubscribe, Topic: s.pattern})
}

// onTopic returns the observable of the events of a pattern, as they are.
func (c *Conn) onTopic(pattern string) observable.Observable[*Envelope] {
	return observable.AttachFunc[*Envelope](func(sc *observable.Scope, down observable.Stage[*Envelope]) {
		c.mu.Lock()
		if c.over {
			err := c.err
			c.mu.Unlock()
			terminate(down, err)
			return
		}
		s := c.subscribed[pattern]
		if s == nil {
			s = &subscribed{pattern: pattern}
			c.subscribed[pattern] = s
		}
		s.users++
		first, l := s.users == 1, c.link
		c.mu.Unlock()
		sc.OnClose(func() { c.leave(s) })
		s.events.AttachTo(sc, down)
		if first && l != nil {
			c.mu.Lock()
			if c.subscribed[pattern] == s && s.id == "" {
				s.ask(l)
			}
			c.mu.Unlock()
		}
	})
}

// leave ends a use of a topic. After the last use it tells the peer.
func (c *Conn) leave(s *subscribed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.users--; s.users > 0 || c.subscribed[s.pattern] != s {
		return
	}
	delete(c.subscribed, s.pattern)
	if c.link != nil && s.id != "" {
		c.link.tellLocked(&Envelope{ID: NewID(), Type: typeLeave, Topic: s.pattern})
	}
}

// hearsTopic gives an event to the subscribers of its topic, and reports false if there
// are none.
func (c *Conn) hearsTopic(e *Envelope) bool {
	c.mu.Lock()
	s := c.subscribed[cmp.Or(e.Pattern, e.Topic)]
	c.mu.Unlock()
	if s == nil {
		return false
	}
	s.events.Next(e)
	return true
}

// refused ends a topic that the peer refuses, and reports false if err is about another
// event.
func (c *Conn) refused(err *RemoteError) bool {
	c.mu.Lock()
	s := c.subscribed[err.Topic]
	if s == nil || s.id != err.Corr {
		c.mu.Unlock()
		return false
	}
	delete(c.subscribed, err.Topic)
	c.mu.Unlock()
	s.events.Error(err)
	return true
}

// terminate ends a stage: with err, or with a completion if err is nil.
func terminate(down observable.Terminal, err error) {
	if err != nil {
		down.Error(err)
	} else {
		down.Complete()
	}
}

// TopicsConfig returns the config with which wsource.Topics subscribe at a server with a
// [PubSub], on a subject of envelopes:
//
//	subject := wsource.NewSubject(url, event.JSON(), nil)
//	topics := wsource.NewTopics(subject, event.TopicsConfig())
//	orders := topics.Topic("orders.*")
func TopicsConfig() wsource.TopicsConfig[string, *Envelope, *Envelope] {
	return wsource.TopicsConfig[string, *Envelope, *Envelope]{
		Subscribe:   func(topic string) *Envelope { return &Envelope{ID: NewID(), Type: typeSubscribe, Topic: topic} },
		Unsubscribe: func(topic string) *Envelope { return &Envelope{ID: NewID(), Type: typeLeave, Topic: topic} },
		Acknowledged: func(e *Envelope) (topic string, refusal error, ok bool) {
			switch e.Type {
			case typeJoined:
				return e.Topic, nil, true
			case typeError:
				return e.Topic, remoteError(e), e.Topic != ""
			default:
				return "", nil, false
			}
		},
		Topic: func(e *Envelope) (topic string, ok bool) {
			return cmp.Or(e.Pattern, e.Topic), e.Topic != "" && !e.own()
		},
	}
}
