package observable

import (
	"context"
	"sync"
	"sync/atomic"
)

// Subject is an observable and an observer in one: what it is given it passes on to
// all its subscribers at that moment (RxJS Subject). After a terminal, values
// are dropped and late subscribers get that terminal at once. The zero value is
// ready to use. A Subject must not be copied after first use.
//
//	subject:      --1--2--3|
//	subscriber A: --1--2--3|
//	subscriber B:    ^-2--3|
//
// Its methods may be called from any goroutine. Every subscriber gets the values of
// one caller in that caller's order, each delivered, or queued at a subscriber
// that is busy, when Next returns; so the slowest subscriber slows the caller (see
// [Inlet]). Values of concurrent callers may interleave differently at different
// subscribers, and the terminal of one may overtake a value of another that is on its way to the
// later subscribers. What a subscriber's callback emits into the subject comes after the
// value it is handling, for every subscriber.
type Subject[T any] struct {
	multicast[T]
}

// Next passes value on to the subscribers.
func (s *Subject[T]) Next(value T) {
	if !s.direct(value) {
		s.submit(notification[T]{value: value})
	}
}

// Error ends the subject and its subscribers with err.
func (s *Subject[T]) Error(err error) { s.submit(notification[T]{kind: isError, err: err}) }

// Complete ends the subject and its subscribers.
func (s *Subject[T]) Complete() { s.submit(notification[T]{kind: isComplete}) }

// Subscribe adds observer to the subscribers, until it unsubscribes, ctx ends or the
// subject does.
func (s *Subject[T]) Subscribe(ctx context.Context, observer Observer[T]) Subscription {
	return Subscribe(ctx, s, observer)
}

// Attach adds down to the subscribers, until sc closes or the subject ends.
func (s *Subject[T]) Attach(sc *Scope, down Stage[T]) { s.attach(sc, down) }

// Feed is a way into a subject from inside a gate: see [Subject.Feed].
type Feed[T any] struct {
	subject *multicast[T]
	root    *root
}

// Feed returns a way into the subject from inside the gate of sc: for operators that make
// observables of what passes through them (window, groupBy, connect). A subscriber in the same
// gate is called directly, as the next stage would be; others as by Next of the subject.
func (s *Subject[T]) Feed(sc *Scope) Feed[T] { return Feed[T]{&s.multicast, sc.root} }

// Next passes value on to the subject's subscribers.
func (f Feed[T]) Next(value T) { f.emit(notification[T]{value: value}) }

// Error ends the subject and its subscribers with err.
func (f Feed[T]) Error(err error) { f.emit(notification[T]{kind: isError, err: err}) }

// Complete ends the subject and its subscribers.
func (f Feed[T]) Complete() { f.emit(notification[T]{kind: isComplete}) }

func (f Feed[T]) emit(n notification[T]) { f.subject.deliver(n, f.root, f.root.gate.owner.Load()) }

// Observed reports whether the subject has a subscriber.
func (s *Subject[T]) Observed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.roster.size() > 0
}

// notification is a value or a terminal, kept for later.
type notification[T any] struct {
	value T
	err   error
	kind  kind
}

type kind uint8

const (
	isValue kind = iota
	isError
	isComplete
)

// multicast is what the subjects share: the list of subscribers and the delivery to
// them. A subject with a memory sets the hooks.
type multicast[T any] struct {
	roster roster[T]  // read without mu
	mu     sync.Mutex // guards what follows; never held while a subscriber is called
	ended  bool
	end    notification[T] // the terminal, once there was one
	memory memory[T]

	// The emissions in progress, by goroutine: what a callback emits meanwhile waits
	// with the emission that called it.
	busy    atomic.Uintptr // the goroutine of the first
	queued  []notification[T]
	others  map[uintptr]*[]notification[T] // those of further ones; guarded by mu
	besides atomic.Int32                   // how many these are
}

// memory is what a subject keeps of the past; its methods are called with mu held.
type memory[T any] interface {
	// store keeps what is emitted. It returns what is to be delivered before it, if
	// anything, and whether n itself is delivered now.
	store(n notification[T]) (before []notification[T], pass bool)
	// replay returns what a new subscriber is to get first.
	replay(end *notification[T]) []notification[T]
}

// subscriber is an inlet on a subject's list, with the scope that takes it off.
type subscriber[T any] struct {
	Inlet[T]
	subject *multicast[T]
	life    Scope
	listed  bool // guarded by the subject's mu
}

// deliver emits n, on the goroutine me, to the subscribers: directly to those in the gate of from, which
// the caller holds, if it is not nil.
func (m *multicast[T]) deliver(n notification[T], from *root, me uintptr) {
	if m.memory == nil && n.kind == isValue {
		send(n, m.roster.all(), from, me) // none if the subject has ended
		return
	}
	m.mu.Lock()
	if m.ended {
		m.mu.Unlock()
		return
	}
	if n.kind != isValue {
		m.ended, m.end = true, n
	}
	var before []notification[T]
	pass := true
	if m.memory != nil {
		before, pass = m.memory.store(n)
	}
	targets := m.roster.all()
	if n.kind != isValue {
		m.roster.clear()
	}
	m.mu.Unlock()
	for _, n := range before {
		send(n, targets, from, me)
	}
	if pass {
		send(n, targets, from, me)
	}
}

// send gives n to the targets, to all of them even if the callback of one ends this goroutine.
func send[T any](n notification[T], targets []*subscriber[T], from *root, me uintptr) {
	if n.kind == isValue {
		sendValue(n.value, targets, from, me)
		return
	}
	sent := 0
	defer func() {
		if sent < len(targets) {
			send(n, targets[sent:], from, me)
		}
	}()
	for _, s := range targets {
		sent++
		switch {
		case from != nil && s.scope.root == from:
			s.inline(n)
		case n.kind == isError:
			s.Error(n.err)
		default:
			s.Complete()
		}
	}
}

// sendValue is send for a value, the case whose cost counts: it recovers from panics once for all targets.
func sendValue[T any](v T, targets []*subscriber[T], from *root, me uintptr) {
	sent := 0
	var inside *root // whose gate is held
	defer func() {
		if sent == len(targets) && inside == nil {
			return
		}
		defer func() { sendValue(v, targets[sent:], from, me) }()
		if inside != nil {
			defer inside.leave() // what fail calls may end this goroutine
			inside.fail(failure(recover()))
		}
	}()
	for _, s := range targets {
		sent++
		r := s.scope.root
		switch {
		case r == from && from != nil:
			s.inline(notification[T]{value: v})
		case !s.live():
		case !r.gate.enter(me):
			s.wait(me, v)
		default:
			inside, r.current = r, s.scope.handler
			if s.scope.Open() { // it may have closed on the way into the gate
				s.stage.Next(v)
			}
			inside, r.current = nil, nil
			r.gate.leave(me)
		}
	}
}

// inline delivers n inside the gate, which the caller holds. A panic is dealt with here, before the
// next subscriber gets n: it may have ended that one too.
func (s *subscriber[T]) inline(n notification[T]) {
	if !s.live() {
		return
	}
	r := s.scope.root
	returned := false
	defer r.settle(&returned, r.current, r.final)
	r.current, r.final = s.scope.handler, false
	n.deliver(s.stage)
	returned = true
}

func (n *notification[T]) deliver(stage Stage[T]) {
	switch n.kind {
	case isValue:
		stage.Next(n.value)
	case isError:
		stage.Error(n.err)
	case isComplete:
		stage.Complete()
	}
}

// attach adds a subscriber, and first gives it what the subject remembers.
func (m *multicast[T]) attach(sc *Scope, down Stage[T]) {
	s := &subscriber[T]{Inlet: Inlet[T]{scope: sc, stage: down}, subject: m}
	s.life.finally = s
	sc.Nest(&s.life)

	m.mu.Lock()
	var first []notification[T]
	if m.memory != nil {
		first = m.memory.replay(m.terminal())
	} else if m.ended {
		first = []notification[T]{m.end}
	}
	if !m.ended && s.life.Open() {
		m.roster.add(s)
	}
	m.mu.Unlock()

	for i := range first {
		if !sc.Open() {
			return
		}
		first[i].deliver(down)
	}
}

// terminal returns the subject's terminal, or nil; mu is held.
func (m *multicast[T]) terminal() *notification[T] {
	if !m.ended {
		return nil
	}
	return &m.end
}

// finalize takes the subscriber off the list.
func (s *subscriber[T]) finalize() {
	s.subject.mu.Lock()
	defer s.subject.mu.Unlock()
	s.subject.roster.remove(s)
}
