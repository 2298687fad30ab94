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
	// Subscribe makes the message that begins a topic. It is called again for each connection, so that it can say from
	// where on the topic is wanted. Its panic, and a message that cannot be encoded, fail the topic.
	Subscribe func(topic K) Out
	// Unsubscribe makes the message that ends a topic. Its panic, and a message that cannot be encoded, are told by
	// Subject.Undelivered.
	Unsubscribe func(topic K) Out
	// SubscribeAll and UnsubscribeAll, if they are not nil, are used in place of Subscribe and
	// Unsubscribe, and make one message for all topics that are to be begun or ended at that
	// moment: on a new connection, and after an Interval.
	SubscribeAll, UnsubscribeAll func(topics []K) Out
	// Interval is the least time between two of these messages on a connection, as many servers allow a few in a
	// second only. Those that end topics go first. Other traffic does not wait for them.
	Interval time.Duration
	// Acknowledged, if it is not nil, tells whether a value is the server's answer to Subscribe, and so
	// delivered to nobody: for which topic, and with an error if it has refused. A refusal fails that topic only.
	// Its panic fails all topics.
	Acknowledged func(value In) (topic K, refusal error, ok bool)
	// AckTimeout is how long Acknowledged may take to find the answer for a topic on a connection; then that topic
	// fails with ErrTopicTimeout, and is ended at the server. 0 means DefaultAckTimeout; NoTimeout is none.
	AckTimeout time.Duration
	// Topic tells which topic a value belongs to; false if to none. It is called once for each value that
	// is no acknowledgement, serially, in the order of the wire and ahead of the buffers of subscribers. So a
	// position that Subscribe is to send on the next connection is noted here: one that a subscriber notes is
	// older, if that lags behind, and what waits in its buffer comes twice. Its panic fails all topics.
	Topic func(value In) (topic K, ok bool)
	// Linger is how long a topic that has lost its last subscriber stays subscribed, in case another comes.
	Linger time.Duration
	// Ordered delivers the values of all topics in the order of the wire, one after the other, on the
	// goroutine that reads: a slow subscriber then slows all others at its first value, and there is no
	// buffer. Without it only the order within a topic is kept.
	Ordered bool
	// Buffer is how many values wait for a subscriber that is slow; 0 means 256.
	Buffer int
	// Overflow says what happens when that buffer is full. The zero value,
	// [observable.OverflowBlock], loses nothing: the slow subscriber slows all others and the
	// server. With [observable.OverflowFail] its stream ends with [observable.ErrOverflow], after
	// what is in the buffer; the dropping policies drop its values only.
	Overflow observable.Overflow
	// Dropped, if it is not nil, is called with each value that Overflow has dropped.
	Dropped func(topic K, value In)
}

// DefaultAckTimeout is how long the server may take to acknowledge a topic.
const DefaultAckTimeout = 10 * time.Second

// ErrTopicTimeout says that the server did not acknowledge a topic in time.
var ErrTopicTimeout = errors.New("the server did not acknowledge the topic in time")

// TopicError is the error of one topic of [Topics], which does not concern the others.
type TopicError struct {
	Topic   any    // the topic's key
	Setting string // the field of TopicsConfig that it is about, as "Overflow"
	Err     error  // what was wrong
}

// Error tells the topic, the setting and what was wrong.
func (e *TopicError) Error() string {
	return fmt.Sprintf("wsource: topic %v: TopicsConfig.%s: %v", e.Topic, e.Setting, e.Err)
}

// Unwrap returns what was wrong.
func (e *TopicError) Unwrap() error { return e.Err }

// Topics are the keyed streams that share a [Subject]: one subscription of the server's for each topic,
// however many subscribers it has here. It is made by [NewTopics].
type Topics[K comparable, In, Out any] struct {
	subject *Subject[In, Out]
	config  TopicsConfig[K, In, Out]
	invalid error

	pump observable.Observable[In] // emits nothing, but hands each value to its topic

	mu     sync.Mutex // never held while code of the user's runs
	topics map[K]*topic[K, In]
	pacer  *pacer[K, In, Out] // the latest
	number int                // of topics so far
}

// topic is one topic while it has subscribers, and for as long as it lingers. Its fields below are guarded by the
// topics' mu.
type topic[K comparable, In any] struct {
	key    K
	number int // in the order in which they were begun
	values observable.Subject[In]

	users   int
	started bool
	over    bool                    // it is not in the map any more
	hold    observable.Subscription // to the pump
	linger  *time.Timer

	pacer  any                  // the *pacer of this topic
	told   *delivery.Connection // the connection that was sent the subscription last
	awaits *delivery.Connection // the connection on which that is not acknowledged yet
}

// NewTopics returns the topics of subject. Subscribe, Unsubscribe and Topic must be set; what is wrong with
// an argument is the error of each topic, an [*observable.ArgumentError].
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
	t.pump = operators.Share(operators.IgnoreElements(operators.Tap(observable.Observable[In](subject), t.dispatch)))
	return t
}

// Topic returns the stream of one topic. Its first subscriber subscribes to it at the server, the last
// one to leave unsubscribes, after the Linger time; after a reconnect it is subscribed again before any
// other traffic, without the topics that have lost their subscribers meanwhile. The stream ends as the
// subject does. Each subscriber has a buffer of its own. What is said of the messages of [Subject.Multiplex]
// is true of these.
func (t *Topics[K, In, Out]) Topic(key K) observable.Observable[In] {
	if t.invalid != nil {
		return observable.Throw[In](t.invalid)
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

// String tells how many topics have subscribers, or linger.
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

// dispatch hands a value to its topic.
func (t *Topics[K, In, Out]) dispatch(v In) {
	if t.config.Acknowledged != nil {
		if key, refusal, ok := t.config.Acknowledged(v); ok {
			t.acknowledged(key, refusal)
			return
		}
	}
	key, ok := t.config.Topic(v)
	if !ok {
		return
	}
	t.mu.Lock()
	to := t.topics[key]
	t.mu.Unlock()
	if to != nil {
		to.values.Next(v)
	}
}

// enter adds a subscriber to the topic of a key, which is made if it is not there.
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

// start subscribes to the subject and to the topic at the server, unless another subscriber has.
func (t *Topics[K, In, Out]) start(to *topic[K, In]) {
	t.mu.Lock()
	first := !to.started
	to.started = true
	t.mu.Unlock()
	if !first {
		return
	}
	hold := t.pump.Subscribe(context.Background(), observable.ObserverFuncs[In]{
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
	var of *delivery.Connection
	var p *pacer[K, In, Out]
	if !over {
		p, of = t.pacerNow()
		p.join(to)
	}
	t.mu.Unlock()
	switch {
	case over:
		hold.Unsubscribe()
	case of != nil:
		p.opened(of)
	default:
		p.send()
	}
}

// leave takes a subscriber off, and closes the topic with the last one, or when it has lingered.
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

// close ends a topic that nobody uses, and unsubscribes at the server. A subscriber that comes later
// subscribes anew, behind the message for that.
func (t *Topics[K, In, Out]) close(to *topic[K, In]) {
	t.mu.Lock()
	unused := to.users == 0 && !to.over
	p, _ := to.pacer.(*pacer[K, In, Out])
	if unused {
		t.remove(to)
		if p != nil {
			p.leave(to)
		}
	}
	hold := to.hold
	t.mu.Unlock()
	if !unused {
		return
	}
	if p != nil {
		p.send()
	}
	if hold != nil {
		hold.Unsubscribe()
	}
}

// fail ends one topic with an error of its own.
func (t *Topics[K, In, Out]) fail(to *topic[K, In], setting string, err error) {
	t.end(to)
	to.values.Error(&TopicError{to.key, setting, err})
}

// end ends a topic because its stream has ended.
func (t *Topics[K, In, Out]) end(to *topic[K, In]) {
	t.mu.Lock()
	if !to.over {
		t.remove(to)
	}
	hold := to.hold
	t.mu.Unlock()
	if hold != nil {
		hold.Unsubscribe()
	}
}

// remove takes a topic out of the map; mu is held.
func (t *Topics[K, In, Out]) remove(to *topic[K, In]) {
	to.over = true
	delete(t.topics, to.key)
	if to.linger != nil {
		to.linger.Stop()
	}
}
