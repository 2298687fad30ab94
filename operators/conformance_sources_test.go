package operators_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
)

// source is a scripted observable of a case.
type source struct {
	run    *run
	script script
	group  int

	// Guarded by run.mu.
	lives []*span // every subscription, in order
	live  []*subscriber
	ended *event // the terminal of a hot source, once it had one
}

// subscriber is one subscription to a source.
type subscriber struct {
	life     *span
	observer observable.Observer[any]
	open     func() bool
}

// give delivers an event to a subscriber that still wants it.
func (s *subscriber) give(e event) {
	if s.open() {
		emit(e, s.observer.Next, s.observer)
	}
}

func emit(e event, next func(any), end observable.Terminal) {
	switch e.K {
	case "N":
		next(e.V)
	case "E":
		end.Error(errors.New(e.E))
	case "C":
		end.Complete()
	}
}

// start schedules the events of a hot source.
func (s *source) start() {
	if s.script.Kind != "hot" {
		return
	}
	for _, e := range s.script.Events {
		s.run.schedule(e.T, s.group, func() { s.broadcast(e) })
	}
}

func (s *source) broadcast(e event) {
	s.run.mu.Lock()
	to := slices.Clone(s.live)
	if e.K != "N" {
		s.ended, s.live = &e, nil
	}
	s.run.mu.Unlock()
	for _, sub := range to {
		sub.give(e)
	}
}

// observable returns the source in the form of the run.
func (s *source) observable() O {
	if s.run.plan.foreign {
		return foreignSource{s}
	}
	return observable.AttachFunc[any](s.attach)
}

// attach is the native form: it emits inside the gate if it emits at once, and through an
// inlet later.
func (s *source) attach(sc *observable.Scope, down observable.Stage[any]) {
	sub := &subscriber{life: s.enter(), open: sc.Open}
	sc.OnClose(func() { s.leave(sub) })
	for _, e := range s.immediate() {
		if !sc.Open() {
			return
		}
		emit(e, down.Next, down.Terminal)
	}
	sub.observer = observable.NewEmitter(sc, down)
	s.follow(sub)
}

// foreignSource is the form of a source of another library: it has only a Subscribe
// method.
type foreignSource struct{ *source }

func (s foreignSource) Subscribe(ctx context.Context, observer observable.Observer[any]) observable.Subscription {
	f := &foreignSubscription{source: s.source, done: make(chan struct{})}
	f.sub = &subscriber{life: s.enter(), observer: observer, open: func() bool { return ctx.Err() == nil }}
	for _, e := range s.immediate() {
		f.sub.give(e)
	}
	s.follow(f.sub)
	return f
}

type foreignSubscription struct {
	source *source
	sub    *subscriber
	once   sync.Once
	done   chan struct{}
}

func (f *foreignSubscription) Unsubscribe() {
	f.once.Do(func() {
		f.source.leave(f.sub)
		close(f.done)
	})
}

func (f *foreignSubscription) Done() <-chan struct{} { return f.done }

func (f *foreignSubscription) Err() error { return nil }

// enter records a subscription.
func (s *source) enter() *span {
	life := &span{Sub: s.run.frame()}
	s.run.mu.Lock()
	s.lives = append(s.lives, life)
	s.run.mu.Unlock()
	return life
}

// leave records the end of a subscription: its teardown, after the source's terminal or
// before.
func (s *source) leave(sub *subscriber) {
	now := s.run.frame()
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	sub.life.Unsub = &now
	if i := slices.Index(s.live, sub); i >= 0 {
		s.live = slices.Delete(s.live, i, i+1)
	}
}

// immediate returns the events inside Subscribe.
func (s *source) immediate() []event {
	s.run.mu.Lock()
	defer s.run.mu.Unlock()
	switch {
	case s.script.Kind == "sync":
		return s.script.Events
	case s.ended != nil:
		return []event{*s.ended}
	}
	return nil
}

// follow schedules the later events.
func (s *source) follow(sub *subscriber) {
	switch s.script.Kind {
	case "cold":
		now := s.run.frame()
		for _, e := range s.script.Events {
			s.run.schedule(now+e.T, s.group, func() { sub.give(e) })
		}
	case "hot":
		s.run.mu.Lock()
		if s.ended == nil && sub.open() {
			s.live = append(s.live, sub)
		}
		s.run.mu.Unlock()
	}
}
