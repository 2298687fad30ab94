package wsource

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
)

// TopicsConfig says how [Topics] subscribe to the topics of a server.
type TopicsConfig[K comparable, In, Out any] struct {
	// Subscribe makes the message that begins a topic. It is called again for each
	// connection, so that it can name the position to begin at. Its panic, and a message
	// that cannot be encoded, fail the topic.
	Subscribe func(topic K) Out
	// Unsubscribe makes the message that ends a topic. Subject.Undelivered reports its
	// panic, and a message that cannot be encoded.
	Unsubscribe func(topic K) Out
	// SubscribeAll and UnsubscribeAll, if they are not nil, are used in place of
	// Subscribe and Unsubscribe, and make one message for all topics that begin or end at
	// that moment: on a new connection, and after an Interval.
	SubscribeAll, UnsubscribeAll func(topics []K) Out
	// Interval is the least time between two of these messages on a connection, as many
	// servers allow only a few in a second. Messages that end topics go first. Other
	// traffic does not wait for them.
	Interval time.Duration
	// Acknowledged, if it is not nil, reports whether a value is the server's answer to
	// Subscribe, for which topic, and with an error if the server has refused. Nobody
	// gets such a value. A refusal fails that topic only. A panic of Acknowledged fails
	// all topics.
	Acknowledged func(value In) (topic K, refusal error, ok bool)
	// AckTimeout is the time within which the answer for a topic has to come on a
	// connection; after it that topic fails with ErrTopicTimeout, and is ended at the
	// server. 0 means DefaultAckTimeout; NoTimeout is none.
	AckTimeout time.Duration
	// Topic returns the topic that a value belongs to; false if it belongs to none. It is
	// called once for each value that is no acknowledgement, serially, in the order of
	// the wire and ahead of the buffers of subscribers. So note the position that
	// Subscribe sends on the next connection here: a subscriber that lags behind notes an
	// older one, and the values in its buffer come twice. A panic of Topic fails all
	// topics.
	Topic func(value In) (topic K, ok bool)
	// Linger is the time that a topic stays subscribed after its last subscriber has
	// left, in case another comes.
	Linger time.Duration
	// Ordered delivers the values of all topics in the order of the wire, one after the
	// other, on the goroutine that reads: a slow subscriber then slows all others at its
	// first value, and there is no buffer. Without it only the order within a topic is
	// kept.
	Ordered bool
	// Buffer is the number of values that wait for a slow subscriber; 0 means 256.
	Buffer int
	// Overflow says what happens when that buffer is full. The zero value,
	// [observable.OverflowBlock], loses nothing: the slow subscriber slows all others and
	// the server. With [observable.OverflowFail] its stream ends with
	// [observable.ErrOverflow], after the values in the buffer; the dropping policies
	// drop its values only.
	Overflow observable.Overflow
	// Dropped, if it is not nil, is called with each value that Overflow has dropped.
	Dropped func(topic K, value In)
}

// DefaultAckTimeout is the time that the server may take to acknowledge a topic.
const DefaultAckTimeout = 10 * time.Second

// ErrTopicTimeout says that the server did not acknowledge a topic in time.
var ErrTopicTimeout = errors.New("the server did not acknowledge the topic in time")

// TopicError is the error of one topic of [Topics], which does not concern the others.
type TopicError struct {
	Topic   any    // the topic's key
	Setting string // the field of TopicsConfig concerned, as "Overflow"
	Err     error  // the problem
}

// Error tells the topic, the setting and the problem.
func (e *TopicError) Error() string {
	return fmt.Sprintf("wsource: topic %v: TopicsConfig.%s: %v", e.Topic, e.Setting, e.Err)
}

// Unwrap returns the problem.
func (e *TopicError) Unwrap() error { return e.Err }

// Topics are the keyed streams that share a [Subject]: one subscription at the server for
// each topic, however many subscribers it has here. [NewTopics] makes it.
type Topics[K comparable, In, Out any] struct {
	subject *Subject[In, Out]
	config  TopicsConfig[K, In, Out]
	invalid error

	mu     sync.Mutex // never held while the user's code runs
	topics map[K]*topic[K, In]
	pacer  *pacer[K, In, Out] // the latest
	number int                // the number of topics so far
}

// topic is one topic while it has subscribers, and for as long as it lingers. Its fields
// below are guarded by the topics' mu.
type topic[K comparable, In any] struct {
	key    K
	number int // its place in the order of beginning
	values observable.Subject[In]

	users   int
	started bool
	over    bool                    // it is not in the map any more
	hold    observable.Subscription // its subscription to the pump of its pacer
	linger  *time.Timer

	pacer  any                  // the *pacer of this topic
	told   *delivery.Connection // the last connection with the subscription
	awaits *delivery.Connection // the connection that has not acknowledged it yet
}

// NewTopics returns the topics of subject. Subscribe, Unsubscribe and Topic must be set.
// An argument that cannot be used is the error of each topic, an
// [*observable.ArgumentError].
func NewTopics[K comparable, In, Out any](subject *Subject[In, Out], config TopicsConfig[K, In, Out]) *Topics[K, In, Out] {
	config.Buffer = orDefault(config.Buffer, 256)
	config.AckTimeout = orDefault(config.AckTimeout, DefaultAckTimeout)
	t := &Topics[K, In, Out]{subject: subject, config: config, topics: make(map[K]*topic[K, In])}
	const function = "NewTopics"
	switch {
	case subject == nil:
		t.invalid = argument(function, "subject", isNil)
	case config.Subscribe == nil && config.SubscribeAll == nil:
		t.invalid = argument(function, "config.Subscribe", isNil)
	case config.Unsubscribe == nil && config.UnsubscribeAll == nil:
		t.invalid = argument(function, "config.Unsubscribe", isNil)
	case config.Topic == nil:
		t.invalid = argument(function, "config.Topic", isNil)
	case config.Linger < 0:
		t.invalid = argument(function, "config.Linger", "is negative")
	case config.Interval < 0:
		t.invalid = argument(function, "config.Interval", "is negative")
	case config.AckTimeout < NoTimeout:
		t.invalid = argument(function, "config.AckTimeout", "is negative")
	case config.Buffer < 0:
		t.invalid = argument(function, "config.Buffer", "is negative")
	case config.Overflow < observable.OverflowBlock || config.Overflow > observable.OverflowFail:
		t.invalid = argument(function, "config.Overflow", "is unknown: "+config.Overflow.String())
	}
	return t
}

// Topic returns the stream of one topic. Its first subscriber subscribes to the topic at
// the server; the last one to leave unsubscribes, after the Linger time. A reconnect
// subscribes again to the topics that still have subscribers, or linger, before any other
// traffic. The stream ends as the subject does. Each subscriber has a buffer of its own.
// The messages have the limits of the messages of [Subject.Multiplex].
//
// A key that a map does not find is an [*observable.ArgumentError] of the stream: NaN, or
// a value without == in a key of an interface type.
func (t *Topics[K, In, Out]) Topic(key K) observable.Observable[In] {
	if t.invalid != nil {
		return observable.Throw[In](t.invalid)
	}
	if !isFound(key) {
		return observable.Throw[In](argument("Topics.Topic", "key", "cannot be found in a map"))
	}
	stream := t.stream(key)
	if t.config.Ordered {
		return stream
	}
	var dropped func(In)
	if t.config.Dropped != nil {
		dropped = func(v In) { t.config.Dropped(key, v) }
	}
	buffered := operators.OnBackpressureBuffer(stream, t.config.Buffer, t.config.Overflow, dropped)
	if t.config.Overflow != observable.OverflowFail {
		return buffered
	}
	return operators.Catch(buffered, func(err error) observable.Observable[In] {
		if errors.Is(err, observable.ErrOverflow) {
			err = &TopicError{key, "Overflow", err}
		}
		return observable.Throw[In](err)
	})
}

// isFound reports whether a map finds the entry of a key. It does not if the key is not
// equal to itself, such as NaN, or if it is an interface value of a type without ==.
func isFound[K comparable](key K) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	again := key
	return key == again
}

// String tells the number of topics that have subscribers, or linger.
func (t *Topics[K, In, Out]) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%d topics", len(t.topics))
}

// GoString is String: a format that looks into topics would race with their goroutines.
func (t *Topics[K, In, Out]) GoString() string { return t.String() }

// stream is the stream of a topic without a buffer.
func (t *Topics[K, In, Out]) stream(key K) observable.Observable[In] {
	return observable.AttachFunc[In](func(sc *observable.Scope, down observable.Stage[In]) {
		to := t.enter(key)
		up := sc.Child()
		up.OnClose(func() { t.leave(to) })
		observable.Attach[In](&to.values, up, down)
		up.Connect(func() { t.start(to) })
	})
}

// enter adds a subscriber to the topic of a key, and makes the topic if it is not there.
func (t *Topics[K, In, Out]) enter(key K) *topic[K, In] {
	t.mu.Lock()
	defer t.mu.Unlock()
	to := t.topics[key]
	if to == nil {
		t.number++
		to = &topic[K, In]{key: key, number: t.number}
		t.topics[key] = to
	}
	to.users++
	if to.linger != nil {
		to.linger.Stop()
	}
	return to
}

// start subscribes to the subject and to the topic at the server, unless another
// subscriber has.
func (t *Topics[K, In, Out]) start(to *topic[K, In]) {
	t.mu.Lock()
	first := !to.started
	to.started = true
	t.mu.Unlock()
	if !first {
		return
	}
	d := t.subject.join()
	defer d.generation.Leave() // the topic's hold keeps it from then on
	defer d.generation.Begin()
	p := t.pacerOf(d)
	hold := p.pump.Subscribe(context.Background(), observable.ObserverFuncs[In]{
		OnError: func(err error) {
			t.end(to)
			to.values.Error(err)
		},
		OnComplete: func() {
			t.end(to)
			to.values.Complete()
		},
	})
	t.mu.Lock()
	to.hold = hold
	over := to.over
	if !over {
		p.join(to)
	}
	t.mu.Unlock()
	if over {
		hold.Unsubscribe()
	} else {
		p.send()
	}
}

// leave takes a subscriber off, and closes the topic with the last one, or when it has
// lingered.
func (t *Topics[K, In, Out]) leave(to *topic[K, In]) {
	t.mu.Lock()
	to.users--
	last := to.users == 0 && !to.over
	linger := last && t.config.Linger > 0
	switch {
	case !linger:
	case to.linger == nil:
		to.linger = time.AfterFunc(t.config.Linger, func() { t.close(to) })
	default:
		to.linger.Reset(t.config.Linger)
	}
	t.mu.Unlock()
	if last && !linger {
		t.close(to)
	}
}

// close ends a topic if nobody uses it. A later subscriber subscribes anew, behind the
// message that ends it.
func (t *Topics[K, In, Out]) close(to *topic[K, In]) {
	t.mu.Lock()
	if to.users > 0 {
		t.mu.Unlock()
		return
	}
	t.remove(to)
}

// fail ends one topic with an error of its own.
func (t *Topics[K, In, Out]) fail(to *topic[K, In], setting string, err error) {
	t.end(to)
	to.values.Error(&TopicError{to.key, setting, err})
}

// end ends a topic because its stream has ended.
func (t *Topics[K, In, Out]) end(to *topic[K, In]) {
	t.mu.Lock()
	t.remove(to)
}

// remove takes a topic out of the map, and unsubscribes at the server if it has
// subscribed there; mu is held, and released.
func (t *Topics[K, In, Out]) remove(to *topic[K, In]) {
	p, _ := to.pacer.(*pacer[K, In, Out])
	leaves := !to.over && p != nil
	if !to.over {
		to.over = true
		delete(t.topics, to.key)
	}
	if to.linger != nil {
		to.linger.Stop()
	}
	if leaves {
		p.leave(to)
	}
	hold := to.hold
	t.mu.Unlock()
	if leaves {
		p.send()
	}
	if hold != nil {
		hold.Unsubscribe()
	}
}

// Multiplex returns an observable of the values that filter lets pass, one of several
// streams that share the subject's connection (RxJS WebSocketSubject.multiplex). For each
// subscriber it calls subscribe and sends the returned value as soon as there is a
// connection, and again at the head of each later connection, before any other traffic.
// When the subscriber leaves, or its stream ends, it sends the value that unsubscribe
// returns, if the connection that got the subscription is still open. filter sees every
// value.
//
// A panic in subscribe or filter, or a value of subscribe that cannot be encoded, is the
// error of that stream. A panic in unsubscribe, or a value of it that cannot be encoded,
// is reported by [Subject.Undelivered]. The two messages do not wait in the outbox, nor
// for room. The loss of one with its connection is not reported.
//
// A slow subscriber slows all; operators.OnBackpressureBuffer gives it a buffer. For
// subscribers that should share one subscription at the server, use [Topics].
func (s *Subject[In, Out]) Multiplex(subscribe, unsubscribe func() Out, filter func(In) bool) observable.Observable[In] {
	for name, missing := range map[string]bool{
		"subscribe": subscribe == nil, "unsubscribe": unsubscribe == nil, "filter": filter == nil,
	} {
		if missing {
			return observable.Throw[In](argument("Subject.Multiplex", name, isNil))
		}
	}
	return observable.AttachFunc[In](func(sc *observable.Scope, down observable.Stage[In]) {
		up := sc.Child()
		r := &delivery.Registration{
			Payload: func() (delivery.Payload, error) { return s.payload(subscribe) },
			Fail:    observable.NewEmitter(up, down).Error,
		}
		up.OnClose(func() { // before the subscription to the subject ends
			s.unregister(r, unsubscribe)
		})
		matching := observable.Stage[In]{
			Next: func(v In) {
				if filter(v) && up.Open() {
					down.Next(v)
				}
			},
			Terminal: down.Terminal,
		}
		s.attach(up, matching, func(g *delivery.Generation) {
			if of := s.engine.Register(g, r); of != nil {
				of.Register(r)
			}
		})
	})
}

// payload encodes a value that f makes.
func (s *Subject[In, Out]) payload(f func() Out) (delivery.Payload, error) {
	m, err := s.encode(f())
	return payloadOf(m), err
}

// unregister takes a registration back. It makes the farewell only if an open connection
// has got the registration. It reports a farewell that cannot be made.
func (s *Subject[In, Out]) unregister(r *delivery.Registration, unsubscribe func() Out) {
	for !s.engine.IsSent(r) {
		if s.engine.Unregister(r, nil, false) {
			return
		}
	}
	var farewell delivery.Payload
	err := observable.ErrGoexit
	defer func() {
		if err == nil {
			s.engine.Unregister(r, &farewell, false)
			return
		}
		defer s.engine.Report(&delivery.Message{Payload: farewell}, err)
		s.engine.Unregister(r, nil, true)
	}()
	err = delivery.Guarded(func() (err error) {
		farewell, err = s.payload(unsubscribe)
		return err
	})
}
