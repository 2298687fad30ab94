package observabletest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// ErrMarble is the error that # stands for in the marble of a [Source], unless the source
// is given another.
var ErrMarble = errors.New("observabletest: # in a marble")

// Source is an observable that plays a marble, in its time, and records its
// subscriptions. [Cold] or [Hot] makes one.
//
// A source emits from a goroutine of the test's clock and never inside Subscribe, not
// even in its first frame; only the terminal of a hot source that has ended comes at
// once, as with a subject. While an observer blocks, the source waits for it, and time
// goes on.
type Source[V any] struct {
	t      *T
	name   string // as `cold source "-a|", made at x_test.go:7`
	cold   bool
	script []Event[V]
	begun  time.Time

	mu    sync.Mutex       // guards the fields below
	err   error            // the error that # stands for
	all   []*subscriber[V] // in the order of subscription
	live  []*subscriber[V] // to a hot source that has not ended
	ended *Event[V]        // the terminal of a hot source
}

// subscriber is one subscription to a source, past or present.
type subscriber[V any] struct {
	in    observable.Observer[V]
	span  Span
	track *track // of a cold source
	gone  chan struct{}
}

// Cold returns an observable that plays the marble for each subscription, from its
// beginning.
//
//	src := observabletest.Cold[string](t, "--a--b--|")
//	src := observabletest.Cold(t, "--a--b--|", observabletest.Values[int]{'a': 10, 'b': 20})
//
// A marble that cannot be read ends the test.
func Cold[V any](t *T, marble string, values ...Values[V]) *Source[V] {
	t.Helper()
	m, script := parseScript(t, marble, merge(values))
	if err := m.refuse("^!", "a cold source"); err != nil {
		t.Fatal(err)
	}
	s := &Source[V]{t: t, name: fmt.Sprintf("cold source %q, made at %s", marble, caller()), cold: true, script: script}
	s.start()
	return s
}

// Hot returns an observable that plays the marble once, from now on; a subscriber gets
// the notifications that come from then on, in the order of subscription. If the marble
// has a ^, that is now, and the marks before it are past.
//
//	src := observabletest.Hot[string](t, "--a--^--b--|")
//
// A marble that cannot be read ends the test.
func Hot[V any](t *T, marble string, values ...Values[V]) *Source[V] {
	t.Helper()
	m, script := parseScript(t, marble, merge(values))
	if err := m.refuse("!", "a hot source"); err != nil {
		t.Fatal(err)
	}
	now, _ := m.find(symbolSubscribe)
	s := &Source[V]{t: t, name: fmt.Sprintf("hot source %q, made at %s", marble, caller())}
	for _, e := range script {
		e.At -= now.At
		switch {
		case e.At >= 0:
			s.script = append(s.script, e)
		case e.Kind != Next:
			s.ended = &e
		}
	}
	s.start()
	return s
}

func parseScript[V any](t *T, marble string, values Values[V]) (Marble, []Event[V]) {
	t.Helper()
	m, err := ParseMarble(marble)
	if err != nil {
		t.Fatal(err)
	}
	script, err := events(m, values)
	if err != nil {
		t.Fatal(err)
	}
	return m, script
}

// start begins the life of the source, with its first frame.
func (s *Source[V]) start() {
	s.begun = nominal(time.Now())
	s.err = ErrMarble
	s.t.mu.Lock()
	s.t.sources = append(s.t.sources, s)
	s.t.mu.Unlock()
	if !s.cold {
		s.t.clock.add(s.steps(s.broadcast))
	}
}

// WithError sets the error that # stands for in the source's marble, and returns the
// source.
func (s *Source[V]) WithError(err error) *Source[V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	return s
}

// Subscribe plays the marble to observer, until it ends, is unsubscribed from or ctx
// ends.
func (s *Source[V]) Subscribe(ctx context.Context, observer observable.Observer[V]) observable.Subscription {
	return observable.Subscribe(ctx, s, observer)
}

// AttachTo plays the marble to down, until it ends or sc closes.
func (s *Source[V]) AttachTo(sc *observable.Scope, down observable.Stage[V]) {
	sub, end := s.enter(observable.NewEmitter(sc, down))
	sc.OnClose(func() { s.leave(sub) })
	switch {
	case end == nil || !sc.Open():
	case end.Kind == Error:
		down.Error(s.filled(*end).Err)
	default:
		down.Complete()
	}
}

// enter adds a subscriber. If the source has ended, its terminal is returned too.
func (s *Source[V]) enter(in observable.Observer[V]) (*subscriber[V], *Event[V]) {
	sub := &subscriber[V]{in: in, span: Span{From: elapsed(s.begun), Open: true}, gone: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, sub)
	switch {
	case s.cold:
		sub.track = s.t.clock.add(s.steps(func(e Event[V]) { s.give(e, sub) }))
	case s.ended == nil:
		s.live = append(s.live, sub)
	}
	return sub, s.ended
}

// leave records the end of a subscription, when it is torn down.
func (s *Source[V]) leave(sub *subscriber[V]) {
	if sub.track != nil {
		s.t.clock.remove(sub.track)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sub.span.Until, sub.span.Open = elapsed(s.begun), false
	close(sub.gone)
	if i := slices.Index(s.live, sub); i >= 0 {
		s.live = slices.Delete(s.live, i, i+1)
	}
}

// steps returns the steps of the script, from now on. All marks of one instant are one
// step.
func (s *Source[V]) steps(emit func(Event[V])) []step {
	var steps []step
	now := nominal(time.Now())
	for burst := range bursts(s.script, func(e Event[V]) time.Duration { return e.At }) {
		steps = append(steps, step{now.Add(burst[0].At), func() {
			for _, e := range burst {
				emit(e)
			}
		}})
	}
	return steps
}

// give delivers an event to a subscriber.
func (s *Source[V]) give(e Event[V], sub *subscriber[V]) {
	s.filled(e).give(sub.in)
}

// broadcast delivers an event of a hot source to its subscribers.
func (s *Source[V]) broadcast(e Event[V]) {
	s.mu.Lock()
	to := slices.Clone(s.live)
	if e.Kind != Next {
		s.ended, s.live = &e, nil
	}
	s.mu.Unlock()
	for _, sub := range to {
		s.give(e, sub)
	}
}

// filled returns the event, with the source's error if it is an Error.
func (s *Source[V]) filled(e Event[V]) Event[V] {
	if e.Kind == Error {
		s.mu.Lock()
		defer s.mu.Unlock()
		e.Err = s.err
	}
	return e
}

// over waits until nobody is subscribed.
func (s *Source[V]) over(ctx context.Context) string {
	for i := 0; ; i++ {
		s.mu.Lock()
		if i == len(s.all) {
			s.mu.Unlock()
			return ""
		}
		sub := s.all[i]
		s.mu.Unlock()
		if !over(ctx, sub.gone) {
			return fmt.Sprintf("there is a subscription to the %s:%s", s.name, listed(s.Subscriptions()))
		}
	}
}
