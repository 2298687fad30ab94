package wsource

import (
	"context"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// TopicsConfig says how [Topics] subscribe to the topics of a server.
type TopicsConfig[K comparable, In, Out any] struct {
	// Subscribe makes the message that begins a topic. It is called again for each connection, so that it can say from
	// where on the topic is wanted. Its panic, and a message that cannot be encoded, fail the topic.
	Subscribe func(topic K) Out
	// Unsubscribe makes the message that ends a topic. Its panic, and a message that cannot be encoded, are told by
	// Subject.Undelivered.
	Unsubscribe func(topic K) Out
	// Topic tells which topic a value belongs to; false if to none. Its panic fails all topics.
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

// Topics are the keyed streams that share a [Subject]: one subscription of the server's for each topic,
// however many subscribers it has here. It is made by [NewTopics].
type Topics[K comparable, In, Out any] struct {
	subject *Subject[In, Out]
	config  TopicsConfig[K, In, Out]
	invalid error

	pump observable.Observable[In] // emits nothing, but hands each value to its topic

	mu     sync.Mutex // never held while code of the user's runs
	topics map[K]*topic[K, In]
}

// topic is one topic while it has subscribers, and for as long as it lingers. Its fields below are guarded by the
// topics' mu.
type topic[K comparable, In any] struct {
	key    K
	values observable.Subject[In]

	greeting *greeting
	users    int
	started  bool
	over     bool                    // it is not in the map any more
	hold     observable.Subscription // to the pump
	linger   *time.Timer
}

// NewTopics returns the topics of subject. Subscribe, Unsubscribe and Topic must be set; what is wrong with
// an argument is the error of each topic, an [*observable.ArgumentError].
func NewTopics[K comparable, In, Out any](subject *Subject[In, Out], config TopicsConfig[K, In, Out]) *Topics[K, In, Out] {
	config.Buffer = orDefault(config.Buffer, 256)
	t := &Topics[K, In, Out]{subject: subject, config: config, topics: make(map[K]*topic[K, In])}
	const function = "NewTopics"
	switch {
	case subject == nil:
		t.invalid = argument(function, "subject", isNil)
	case config.Subscribe == nil:
		t.invalid = argument(function, "config.Subscribe", isNil)
	case config.Unsubscribe == nil:
		t.invalid = argument(function, "config.Unsubscribe", isNil)
	case config.Topic == nil:
		t.invalid = argument(function, "config.Topic", isNil)
	case config.Linger < 0:
		t.invalid = argument(function, "config.Linger", "is negative")
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
	return operators.OnBackpressureBuffer(stream, t.config.Buffer, t.config.Overflow, dropped)
}

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
		to = &topic[K, In]{key: key}
		to.greeting = &greeting{
			message: func() (Message, error) { return t.subject.encode(t.config.Subscribe(key)) },
			fail: func(err error) {
				t.end(to)
				to.values.Error(err)
			},
		}
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
	var ss *session
	if !over {
		ss = t.subject.line.enlist(nil, to.greeting)
	}
	t.mu.Unlock()
	switch {
	case over:
		hold.Unsubscribe()
	case ss != nil:
		ss.send(to.greeting)
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

// close ends a topic that nobody uses, and unsubscribes at the server. A subscriber that comes while the message for
// that is made keeps it open; one that comes later subscribes anew, behind that message.
func (t *Topics[K, In, Out]) close(to *topic[K, In]) {
	s := t.subject
	unsubscribe := func() Out { return t.config.Unsubscribe(to.key) }
	s.farewell(to.greeting, unsubscribe, func(m *Message, silent bool) (parted bool) {
		t.mu.Lock()
		unused := to.users == 0 && !to.over
		parted = !unused || s.line.part(to.greeting, m, silent)
		if unused && parted {
			t.remove(to)
		}
		hold := to.hold
		t.mu.Unlock()
		if unused && parted && hold != nil {
			hold.Unsubscribe()
		}
		return parted
	})
}

// end ends a topic because its stream has ended.
func (t *Topics[K, In, Out]) end(to *topic[K, In]) {
	t.mu.Lock()
	if !to.over {
		t.remove(to)
	}
	hold := to.hold
	t.mu.Unlock()
	t.subject.line.part(to.greeting, nil, true)
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
