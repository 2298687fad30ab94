package operators

import (
	"context"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Share gives all subscribers one subscription to the source, which begins with the first
// subscriber and ends with the last. Values that wait for a subscriber when it leaves are
// lost, even if they come from a channel or a socket.
//
//	src:          --1--2--3--4|
//	subscriber A: --1--2--3--4|
//	subscriber B:       ^-3--4|
//
// A late subscriber misses the earlier values: [ShareReplay] keeps them. The slowest
// subscriber slows all. A source that emits inside its subscription does so inside the
// Subscribe of the first subscriber, and may have ended before another one comes.
//
// Completion and errors, panics upstream too, reach all subscribers. After the end of the
// source, and after the last subscriber has left, the next subscriber makes a new
// subscription. Subscribers may come and go on any goroutine.
//
// The subscription to the source has a gate of its own. It has the values of the first
// subscriber's context, but the end of that context does not end it. It starts no
// goroutine and buffers nothing. RxJS: share. See also [ShareWith], [Connect],
// [observable.Connectable].
func Share[T any](src observable.Observable[T]) observable.Observable[T] {
	return ShareWith(src, ShareConfig[T]{})
}

// ShareConfig says how [ShareWith] shares. The zero value is RxJS's default.
type ShareConfig[T any] struct {
	// Connector makes the processor between the source and the subscribers, and another
	// one after each reset. A nil Connector makes a Subject.
	Connector func() observable.Processor[T]

	// The resets. After a reset, the next subscriber gets a new processor and makes a new
	// subscription to the source. Before it, subscribers join the old processor and get
	// the values that it remembers, and its terminal. The reset of OnRefCountZero ends
	// the subscription to the source.

	OnError        Reset // the reset after the source's error
	OnComplete     Reset // the reset after the source's completion
	OnRefCountZero Reset // the reset after the last subscriber has left
}

// ShareWith is [Share] with the settings of config.
//
//	src:                                              --1--2-----3|
//	ShareWith({OnRefCountZero: ResetAfter(9ms)}), A:  --1--2!
//	subscriber B, less than 9ms later:                         ^-3|
//
// A panic in Connector is the error of the subscriber for which it was called. A
// [ResetWhen] of a nil notifier is an [observable.ArgumentError]. RxJS: share with a
// ShareConfig.
func ShareWith[T any](src observable.Observable[T], config ShareConfig[T]) observable.Observable[T] {
	for _, r := range []Reset{config.OnError, config.OnComplete, config.OnRefCountZero} {
		if r.kind == resetWhen && r.start == nil {
			return invalid[T]("ShareWith", "config", "has a ResetWhen whose notifier is nil")
		}
	}
	if config.Connector == nil {
		config.Connector = func() observable.Processor[T] { return new(observable.Subject[T]) }
	}
	return &shared[T]{src: src, config: config}
}

// ShareReplayConfig says how [ShareReplay] shares. The zero value is RxJS's default: it
// keeps all values, without a bound, and the subscription to the source until that ends.
type ShareReplayConfig struct {
	// Replay bounds the values that late subscribers get.
	Replay observable.ReplayConfig
	// RefCount ends the subscription to the source when the last subscriber leaves, and
	// forgets the values. Without it the subscription lasts until the source ends.
	RefCount bool
}

// ShareReplay gives all subscribers one subscription to the source, and late subscribers
// its earlier values.
//
//	src:                                   --1--2--3|
//	ShareReplay({Replay: {Buffer: 1}}), A: --1--2--3|
//	subscriber B:                                2-3|
//	subscriber C:                                     (3|)
//
// Without RefCount, nothing but the end of the source ends the subscription to it, and
// without a bound in Replay it keeps every value. An error that comes while nobody is
// subscribed goes to the handler of [observable.OnUnhandled].
//
// After completion, late subscribers get the values and the completion. After an error,
// the next subscriber makes a new subscription. In all else it is [Share]. RxJS:
// shareReplay. See also [observable.ReplaySubject].
func ShareReplay[T any](src observable.Observable[T], config ShareReplayConfig) observable.Observable[T] {
	shared := ShareConfig[T]{
		Connector:  func() observable.Processor[T] { return observable.NewReplaySubject[T](config.Replay) },
		OnComplete: ResetNever(),
	}
	if !config.RefCount {
		shared.OnRefCountZero = ResetNever()
	}
	return ShareWith(src, shared)
}

// shared is the observable of Share.
type shared[T any] struct {
	src    observable.Observable[T]
	config ShareConfig[T]

	mu    interleave.Mutex // guards round and the rounds' fields; not held during a call
	round *round[T]        // the round that the next subscriber joins, or nil
}

// round is one run of the source between two resets: a processor and its subscription to
// the source.
type round[T any] struct {
	shared    *shared[T]
	processor observable.Processor[T]
	from      context.Context   // values of the first subscriber's context
	scope     *observable.Scope // scope of the source
	source    link

	subscribers int
	connected   bool  // a subscriber has subscribed to the source, or is about to
	ended       bool  // the source has ended
	pending     *link // subscription whose first value is the reset, or nil
	err         error // the source's, until all have left, perhaps without it
}

// Subscribe adds observer to the subscribers.
func (s *shared[T]) Subscribe(ctx context.Context, observer observable.Observer[T]) observable.Subscription {
	return observable.Subscribe(ctx, s, observer)
}

// AttachTo adds down to the subscribers.
func (s *shared[T]) AttachTo(sc *observable.Scope, down observable.Stage[T]) {
	r, pending := s.join(sc)
	sc.OnClose(func() { r.leave(sc) })
	pending.cut() // only now: a teardown may end this goroutine
	if r.isConnected() {
		observable.Attach[T](r.processor, sc, down)
		return
	}
	life := sc.Child() // so that Connect affects the processor's values alone
	observable.Attach[T](r.processor, life, down)
	// A subscriber that has left, as one that wants only a value of the processor has,
	// does not connect. Another one that has come meanwhile does.
	if life.Open() && r.claim() {
		r.source.within = sc
		life.Connect(func() { connect(&r.source, r.from, r.subscribed(s.src), r) })
	}
}

// subscribed returns src with the round noting its scope.
func (r *round[T]) subscribed(src observable.Observable[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		r.scope = sc
		observable.Attach(src, sc, down)
	})
}

// join adds a subscriber to the current round. It returns the subscription whose first
// value would be the reset, if there is one: the caller cuts it.
func (s *shared[T]) join(sc *observable.Scope) (r *round[T], pending *link) {
	for {
		s.mu.Lock()
		if r = s.round; r != nil {
			r.subscribers++
			if !r.ended {
				pending, r.pending = r.pending, nil
			}
			s.mu.Unlock()
			return r, pending
		}
		s.mu.Unlock()
		processor := s.config.Connector()
		s.mu.Lock()
		if s.round == nil { // or else another subscriber was first
			s.round = &round[T]{shared: s, processor: processor, from: sc.Values()}
		}
		s.mu.Unlock()
	}
}

// isConnected reports whether a subscriber has claimed the source.
func (r *round[T]) isConnected() bool {
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	return r.connected
}

// claim reports whether the caller is to subscribe to the source.
func (r *round[T]) claim() bool {
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	if r.connected {
		return false
	}
	r.connected = true
	return true
}

// leave removes a subscriber, whose scope is sc, and resets after the last one as
// OnRefCountZero says. Done of the last subscriber's subscription waits for the
// subscription that the reset ends.
func (r *round[T]) leave(sc *observable.Scope) {
	s := r.shared
	s.mu.Lock()
	r.subscribers--
	switch {
	case r.subscribers > 0:
		s.mu.Unlock()
	case r.ended:
		err := r.err
		r.err = nil
		s.mu.Unlock()
		if err != nil {
			r.scope.Drop(err)
		}
		r.source.end(sc)
	default:
		defer func() { // also when a teardown ends this goroutine
			if r.source.wasCut() {
				r.source.end(sc)
			}
		}()
		r.resetBy(s.config.OnRefCountZero, nil, r.abandon)
	}
}

// Next passes a value of the source on.
func (r *round[T]) Next(value T) { r.processor.Next(value) }

// Error passes the error of the source on, and resets as OnError says. An error that
// finds no subscriber goes unheard if the next subscriber gets a new processor, so it is
// reported.
func (r *round[T]) Error(err error) {
	defer into(r.processor, r.scope).Error(err) // also if a teardown ends the goroutine
	policy := r.shared.config.OnError
	if subscribers := r.end(policy, err); subscribers == 0 && policy.kind == resetAtOnce {
		r.scope.Unhandled(err)
	}
}

// Complete passes the completion of the source on, and resets as OnComplete says.
func (r *round[T]) Complete() {
	defer r.processor.Complete() // also when a teardown ends this goroutine
	r.end(r.shared.config.OnComplete, nil)
}

// end notes the end of the source, and returns the number of subscribers. It comes before
// the terminal of the subscribers: a subscriber that subscribes again in its terminal
// begins the next round.
func (r *round[T]) end(policy Reset, err error) (subscribers int) {
	r.shared.mu.Lock()
	r.ended, subscribers = true, r.subscribers
	if subscribers > 0 && policy.kind == resetAtOnce && subjectOf(r.processor) != nil {
		r.err = err
	}
	r.resetBy(policy, err, r.forget)
	return subscribers
}

// resetBy calls reset when policy says so, in place of an earlier policy. The caller
// holds the mutex, and resetBy releases it.
func (r *round[T]) resetBy(policy Reset, err error, reset func()) {
	former := r.pending
	r.pending = nil
	var pending *link
	if policy.kind == resetWhen {
		pending = new(link)
		r.pending = pending
	}
	r.shared.mu.Unlock()
	defer func() { // also when a teardown ends this goroutine
		switch policy.kind {
		case resetAtOnce:
			reset()
		case resetWhen:
			policy.start(r.from, pending, err, reset)
		case resetNever:
		}
	}()
	former.cut()
}

// forget lets the next subscriber begin a new round.
func (r *round[T]) forget() {
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	if r.shared.round == r {
		r.shared.round = nil
	}
}

// abandon ends the round and the subscription to the source, unless a subscriber has come
// meanwhile.
func (r *round[T]) abandon() {
	s := r.shared
	s.mu.Lock()
	gone := r.subscribers == 0 && !r.ended
	if gone && s.round == r {
		s.round = nil
	}
	s.mu.Unlock()
	if gone {
		r.source.cut()
	}
}
