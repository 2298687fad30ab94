package operators

import (
	"context"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Share lets all subscribers share one subscription to the source: it is made with the first
// subscriber, and ends with the last. Values that wait for a subscriber when it leaves are lost,
// also if they come from a channel or a socket.
//
//	src:          --1--2--3--4|
//	subscriber A: --1--2--3--4|
//	subscriber B:       ^-3--4|
//
// Each gets the values from the moment it came; completion and errors, panics in the source too,
// reach all. When the last subscriber has left, or the source has ended, the next one makes a new
// subscription. Subscribers may come and go on any goroutine, and the slowest slows them all. The
// subscription to the source has the values of the context of the subscriber that caused it, and is
// not ended by that context, only with the last subscriber. A synchronous source emits inside the
// Subscribe call that caused it for as long as it has a subscriber. RxJS: share. See also
// [ShareWith], [ShareReplay], [Connect], [observable.Connectable].
func Share[T any](src observable.Observable[T]) observable.Observable[T] {
	return ShareWith(src, ShareConfig[T]{})
}

// ShareConfig says how [ShareWith] shares. The zero value is RxJS's default.
type ShareConfig[T any] struct {
	// Connector makes what the subscribers subscribe to and the source emits to. If it is nil, that
	// is a Subject. It is called again after each reset.
	Connector func() observable.Processor[T]

	// What follows says when the next subscriber is to get a new processor and make a new
	// subscription to the source, after each of three things. Until then it joins the old
	// processor, and gets from that what it remembers, its terminal too.

	OnError        Reset // after the source's error
	OnComplete     Reset // after the source's completion
	OnRefCountZero Reset // when the last subscriber has left; the subscription to the source ends with the reset
}

// ShareWith is [Share] with further settings.
//
//	src:                                              --1--2-----3|
//	ShareWith({OnRefCountZero: ResetAfter(9ms)}), A:  --1--2!
//	subscriber B, less than 9ms later:                         ^-3|
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

// ShareReplayConfig says how [ShareReplay] shares. The zero value is RxJS's default: all values are
// remembered, and the subscription to the source is kept.
type ShareReplayConfig struct {
	// Replay says how much new subscribers get of what was emitted before they came.
	Replay observable.ReplayConfig
	// RefCount is set to end the subscription to the source, and to forget its values, when the
	// last subscriber leaves. Otherwise it lasts until the source ends.
	RefCount bool
}

// ShareReplay lets all subscribers share one subscription to the source and what it has emitted:
// who comes late first gets the values remembered.
//
//	src:                                   --1--2--3|
//	ShareReplay({Replay: {Buffer: 1}}), A: --1--2--3|
//	subscriber B:                                 2-3|
//	subscriber C:                                     (3|)
//
// After completion the values are kept, and late subscribers get them and the completion; after an
// error the next subscriber makes a new subscription. As for the rest it is like [Share]. RxJS:
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

// shared is the observable that Share returns.
type shared[T any] struct {
	src    observable.Observable[T]
	config ShareConfig[T]

	mu    interleave.Mutex // guards what follows and the rounds; never held while anything is called
	round *round[T]        // what the next subscriber joins, or nil
}

// round is the time between two resets: a processor and its subscription to the source.
type round[T any] struct {
	shared    *shared[T]
	processor observable.Processor[T]
	from      context.Context // of the first subscriber
	source    link

	subscribers int
	connected   bool  // the source was subscribed to, or is being
	ended       bool  // the source has
	pending     *link // to what will reset the stream
}

// Subscribe adds observer to the subscribers.
func (s *shared[T]) Subscribe(ctx context.Context, observer observable.Observer[T]) observable.Subscription {
	return observable.Subscribe(ctx, s, observer)
}

// AttachTo adds down to the subscribers.
func (s *shared[T]) AttachTo(sc *observable.Scope, down observable.Stage[T]) {
	r := s.join(sc)
	sc.OnClose(r.leave)
	observable.Attach[T](r.processor, sc, down)
	if sc.Open() && r.claim() {
		sc.Connect(func() { connect(&r.source, r.from, s.src, r) })
	}
}

// join adds a subscriber to the current round.
func (s *shared[T]) join(from context.Context) *round[T] {
	for {
		s.mu.Lock()
		if r := s.round; r != nil {
			r.subscribers++
			var called *link
			if !r.ended {
				called, r.pending = r.pending, nil
			}
			s.mu.Unlock()
			called.cut()
			return r
		}
		s.mu.Unlock()
		processor := s.config.Connector()
		s.mu.Lock()
		if s.round == nil { // or else another subscriber was first
			s.round = &round[T]{shared: s, processor: processor, from: from}
		}
		s.mu.Unlock()
	}
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

// leave takes a subscriber off.
func (r *round[T]) leave() {
	s := r.shared
	s.mu.Lock()
	r.subscribers--
	if r.subscribers > 0 || r.ended {
		s.mu.Unlock()
		return
	}
	r.resetBy(s.config.OnRefCountZero, nil, r.abandon)
}

// Next is a value of the source.
func (r *round[T]) Next(value T) { r.processor.Next(value) }

// Error is the end of the source.
func (r *round[T]) Error(err error) {
	r.end(r.shared.config.OnError, err)
	r.processor.Error(err)
}

// Complete is the end of the source.
func (r *round[T]) Complete() {
	r.end(r.shared.config.OnComplete, nil)
	r.processor.Complete()
}

// end comes before the subscribers hear of the source's end, so that one of them that subscribes
// again in that moment begins the next round.
func (r *round[T]) end(policy Reset, err error) {
	r.shared.mu.Lock()
	r.ended = true
	r.resetBy(policy, err, r.forget)
}

// resetBy calls reset when policy says so, and forgets what another one said. The mutex is held,
// and released here.
func (r *round[T]) resetBy(policy Reset, err error, reset func()) {
	former := r.pending
	r.pending = nil
	var pending *link
	if policy.kind == resetWhen {
		pending = new(link)
		r.pending = pending
	}
	r.shared.mu.Unlock()
	former.cut()
	switch policy.kind {
	case resetAtOnce:
		reset()
	case resetWhen:
		policy.start(r.from, pending, err, reset)
	case resetNever:
	}
}

// forget lets the next subscriber begin a new round.
func (r *round[T]) forget() {
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	if r.shared.round == r {
		r.shared.round = nil
	}
}

// abandon is forget and the end of the subscription to the source, unless somebody has come back.
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
