package event

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// The defaults of a [PubSubConfig].
const (
	DefaultMaxTopics   = 1000
	DefaultMaxPatterns = 10_000
)

// PubSubConfig configures a [PubSub]. The zero value is the default.
type PubSubConfig struct {
	// Codec is the codec of the connections. Default: JSON.
	Codec Codec
	// Retain is how many topics have their last event kept, for late subscribers. Beyond
	// it, the topic without an event for the longest time is given up. A connection that
	// subscribes to several topics gets the retained events of one when it has taken
	// those of the one before. Default: none is kept.
	Retain int
	// MaxTopics is how many topics and patterns a connection may subscribe to. Default:
	// DefaultMaxTopics.
	MaxTopics int
	// MaxPatterns is how many different topics and patterns all may subscribe to.
	// Default: DefaultMaxPatterns.
	MaxPatterns int
	// MaxSockets is how many connections may subscribe to one of these. Default:
	// hub.DefaultMaxSockets.
	MaxSockets int
	// Authorize, if it is not nil, is asked before a connection subscribes to a topic or
	// pattern, or publishes under a topic. An error refuses it; the peer is told a
	// [*PublicError] as it is. No refusal is counted against the connection.
	Authorize func(conn *Conn, topic string, publish bool) error
	// Slow is the policy for events that a connection has no room for; Messages and Bytes
	// are how much may wait there: see hub.Config. Default: hub.CloseSlow. hub.SlowRoom
	// is refused: the topics have one order, so one connection would stop them all.
	Slow            hub.Slow
	Messages, Bytes int
	// Broker, if it is not nil, has the PubSubs of several nodes tell each other the
	// events that are published. The order is then that of each publisher, and differs
	// between nodes. All have the same Retain.
	Broker PubSubBroker
}

// ErrPubSubShutdown says that no event is published any more.
var ErrPubSubShutdown = errors.New("the PubSub is shut down")

// PubSub passes each event that is published under a topic on to all connections that
// have subscribed to the topic, or to a pattern that has it. It is the side of the
// server; the other side has [OnTopic], and wsource.Topics with [TopicsConfig]. Each
// event is encoded once for each pattern that has it.
//
// It is an observable of all published events and an observer of events to publish, in
// one order for all topics. The end of a stream that it observes changes nothing; an
// error of one is reported to [observable.OnUnhandled]. [NewPubSub] makes it.
type PubSub struct {
	config  PubSubConfig
	problem error                               // problem with the config, or nil
	rooms   *hub.Hub[string, uint64, *Envelope] // by pattern
	all     observable.Subject[*Envelope]
	steps   steps                  // all changes and events, one after the other
	counts  atomic.Pointer[[2]int] // retained topics and patterns, after the last step
	// unfollow ends the events of the Broker; nil without one.
	unfollow func()

	// These fields belong to the step that is in progress.
	patterns patterns
	users    map[string]int // subscriptions to each pattern
	retained map[string]*list.Element
	order    list.List // of the retained events, the one published first in front
	members  uint64
	over     bool
}

// NewPubSub returns a PubSub. A nil config is the default. All publishing fails with the
// problem of the config, an [*observable.ArgumentError], or with the error of following
// its Broker.
func NewPubSub(config *PubSubConfig) *PubSub {
	p := &PubSub{users: make(map[string]int), retained: make(map[string]*list.Element)}
	if config != nil {
		p.config = *config
	}
	c := &p.config
	if c.Slow == hub.SlowRoom {
		p.problem = argument("NewPubSub", "config", "has the policy hub.SlowRoom")
		c.Slow = hub.CloseSlow
	}
	c.MaxTopics = cmp.Or(c.MaxTopics, DefaultMaxTopics)
	c.MaxPatterns = cmp.Or(c.MaxPatterns, DefaultMaxPatterns)
	if c.Codec == nil {
		c.Codec = JSON()
	}
	rooms := hub.Config[string, uint64, *Envelope]{
		Encode: p.encode, Slow: c.Slow, Messages: c.Messages, Bytes: c.Bytes,
		MaxRooms: c.MaxPatterns, MaxSockets: c.MaxSockets,
	}
	if c.Retain > 0 {
		rooms.Compact = func(e *Envelope) (key any, deletes bool) { return e.Topic, e.Type == "" }
	}
	p.rooms = hub.New(rooms)
	p.count()
	p.steps.start(func(step func()) {
		defer p.count()
		observable.ReportUnhandled(guarded(func() error { step(); return nil }), p)
	})
	p.follow()
	return p
}

// encode makes the message for the subscribers of a pattern. The first message of each
// acknowledges its subscription.
func (p *PubSub) encode(e *hub.Event[string, uint64, *Envelope]) (wsource.Message, error) {
	switch {
	case e.Kind == hub.Welcome:
		return p.config.Codec.Encode(&Envelope{Type: typeJoined, Topic: e.Room})
	case e.Kind != hub.Said || e.Value.Type == "":
		return wsource.Message{}, hub.ErrSkip
	case e.Room == e.Value.Topic:
		return p.config.Codec.Encode(e.Value)
	}
	delivered := *e.Value
	delivered.Pattern = e.Room
	return p.config.Codec.Encode(&delivered)
}

// Publish passes an event on; it fills in a missing ID and Created. It returns when the
// event has its place in the order, or is queued for it. The error is an
// [*EnvelopeError], ErrPubSubShutdown, or the problem of the config.
func (p *PubSub) Publish(e *Envelope) error {
	if p.problem != nil {
		return p.problem
	}
	if e == nil {
		return argument("PubSub.Publish", "e", isNil)
	}
	if problem := topicProblem(e.Topic, false); problem != "" {
		return e.wrong(CodeBadTopic, "topic", problem)
	}
	if err := e.checkJSON(); err != nil {
		return err
	}
	filled := *e
	filled.Pattern = ""
	filled.complete("")
	if err := filled.vet(); err != nil {
		return err
	}
	if !p.steps.doOpen(func() { p.passOn(&filled) }) {
		return ErrPubSubShutdown
	}
	return nil
}

// pass is the step that passes an event on. late is the number of its burst, or 0.
func (p *PubSub) pass(e *Envelope, late uint64) {
	if p.over {
		return
	}
	p.retain(e)
	p.say(e, late)
	p.all.Next(e)
}

// say says an event to the subscribers of its topic. late is the number of its burst, or
// 0.
func (p *PubSub) say(e *Envelope, late uint64) {
	for _, pattern := range p.patterns.find(e.Topic, nil) {
		p.rooms.Room(pattern).Late(late).Next(e)
	}
}

// retain keeps the last event of a topic, and gives up another topic's if those are too
// many.
func (p *PubSub) retain(e *Envelope) {
	if p.config.Retain <= 0 {
		return
	}
	if before := p.retained[e.Topic]; before != nil {
		p.order.Remove(before)
	}
	p.retained[e.Topic] = p.order.PushBack(e)
	if p.order.Len() <= p.config.Retain {
		return
	}
	old, _ := p.order.Remove(p.order.Front()).(*Envelope)
	delete(p.retained, old.Topic)
	// It deletes the event from the rooms, and no peer is told.
	p.say(&Envelope{Topic: old.Topic}, 0)
}

// kept returns the retained events that a pattern has, in the order of their publication.
func (p *PubSub) kept(pattern string) []*Envelope {
	var all []*Envelope
	if e := p.retained[pattern]; e != nil {
		one, _ := e.Value.(*Envelope)
		return append(all, one)
	}
	for e := p.order.Front(); e != nil; e = e.Next() {
		if one, _ := e.Value.(*Envelope); Matches(pattern, one.Topic) {
			all = append(all, one)
		}
	}
	return all
}

// use counts a use of a pattern, and reports false if there are too many.
func (p *PubSub) use(pattern string) bool {
	if p.users[pattern] == 0 {
		if len(p.users) >= p.config.MaxPatterns {
			return false
		}
		p.patterns.add(pattern)
	}
	p.users[pattern]++
	return true
}

// release ends a use of a pattern.
func (p *PubSub) release(pattern string) {
	if p.users[pattern]--; p.users[pattern] == 0 {
		delete(p.users, pattern)
		p.patterns.remove(pattern)
	}
}

// Next publishes an event. A failure is reported to [observable.OnUnhandled].
func (p *PubSub) Next(e *Envelope) {
	if err := p.Publish(e); err != nil {
		observable.ReportUnhandled(err, p)
	}
}

// Error reports err to [observable.OnUnhandled].
func (p *PubSub) Error(err error) { observable.ReportUnhandled(err, p) }

// Complete does nothing.
func (p *PubSub) Complete() {}

// Subscribe has observer get all events published from now on. A slow one holds up the
// publishers.
func (p *PubSub) Subscribe(ctx context.Context, observer observable.Observer[*Envelope]) observable.Subscription {
	return observable.Subscribe(ctx, p, observer)
}

// AttachTo adds a stage that gets all published events (see [observable.Attacher]).
func (p *PubSub) AttachTo(sc *observable.Scope, down observable.Stage[*Envelope]) {
	p.all.AttachTo(sc, down)
}

// Topic returns the observable of the events published under a topic, or a pattern of
// topics, on this side: first the retained ones, then those published from now on,
// without a gap. It completes with Shutdown.
func (p *PubSub) Topic(pattern string) observable.Observable[*Envelope] {
	return observable.AttachFunc[*Envelope](func(sc *observable.Scope, down observable.Stage[*Envelope]) {
		if problem := topicProblem(pattern, true); problem != "" {
			down.Error(argument("PubSub.Topic", "pattern", problem))
			return
		}
		out := observable.NewEmitter(sc, down)
		p.steps.do(func() {
			for _, e := range p.kept(pattern) {
				out.Next(e)
			}
			all := p.all.Subscribe(context.Background(), observable.ObserverFuncs[*Envelope]{
				OnNext: func(e *Envelope) {
					if Matches(pattern, e.Topic) {
						out.Next(e)
					}
				},
				OnComplete: out.Complete,
			})
			sc.OnClose(all.Unsubscribe)
		})
	})
}

// Losses returns the observable of the events that slow connections did not get: hot, and
// without an end (see hub.Hub.Losses).
func (p *PubSub) Losses() observable.Observable[hub.Loss[string, uint64, *Envelope]] {
	return p.rooms.Losses()
}

// Shutdown ends all publishing and passing on, and waits until the connections have taken
// the events published before, or are over. The observables of events complete; the
// connections stay. The error is the cause of the end of ctx, if that ends first.
func (p *PubSub) Shutdown(ctx context.Context) error {
	if ctx == nil {
		return argument("PubSub.Shutdown", "ctx", isNil)
	}
	if p.unfollow != nil {
		p.unfollow()
	}
	stopped := make(chan struct{})
	p.steps.close(func() { p.over = true; close(stopped) })
	defer p.all.Complete()
	select {
	case <-stopped:
		return p.rooms.Shutdown(ctx)
	case <-ctx.Done(): // an observer may have called, for which that step waits
		return cmp.Or(p.rooms.Shutdown(ctx), context.Cause(ctx))
	}
}

// String tells how many topics have an event retained, and how many patterns have
// subscribers.
func (p *PubSub) String() string {
	counts := p.counts.Load()
	return fmt.Sprintf("PubSub: %d topics, %d patterns", counts[0], counts[1])
}

// count notes the numbers that String tells.
func (p *PubSub) count() {
	now := [2]int{p.order.Len(), len(p.users)}
	if last := p.counts.Load(); last == nil || *last != now {
		p.counts.Store(&now)
	}
}
