package operators_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

// trials has the trials of every operator of the catalogue, by the names of the tests.
var trials = map[string]trial{
	"Completion":              completes,
	"Error":                   fails,
	"Unsubscribe":             unsubscribes,
	"Take":                    isTakenFrom,
	"Context":                 endsWithContext,
	"EndedContext":            refusesEndedContext,
	"NilSource":               refusesNilSource,
	"SecondSubscription":      startsAnew,
	"PanicInCallback":         reportsPanicOfCallback,
	"PanicInObserver":         reportsPanicOfObserver,
	"Reentrancy":              takesReentrancy,
	"Feedback":                takesFeedback,
	"SeveralProducers":        takesProducers,
	"SeveralSubjects":         takesSubjects,
	"SlowObserver":            takesItsTime,
	"SubscribeReturns":        returnsFromSubscribe,
	"SubscribeReturnsOfPanic": returnsFromPanic,
}

// mutant is an operator that should pass everything on, and has a fault.
type mutant struct {
	apply  func(s stream, h hook) stream
	found  string // the trials that find the fault
	passes string // trials that must not find it, if that is its point
}

// mutants has a fault of each kind that the suite must find.
var mutants = map[string]mutant{
	"loses every value": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			return replacing(o, h, func(int) {})
		}),
		found: "Completion Error Unsubscribe Take Context SecondSubscription PanicInObserver SeveralProducers SeveralSubjects SlowObserver Reentrancy Feedback",
	},
	"loses the first value": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			n := 0
			return replacing(o, h, func(v int) {
				if n++; n > 1 {
					o.Next(h(v))
				}
			})
		}),
		found: "Completion Error Take SeveralProducers SeveralSubjects SlowObserver Reentrancy Feedback",
	},
	"loses the last value": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			var held []int
			return replacing(o, h, func(v int) {
				if held = append(held, h(v)); len(held) > 1 {
					o.Next(held[len(held)-2])
				}
			})
		}),
		found: "Completion Error Unsubscribe Context SeveralProducers SeveralSubjects SlowObserver Reentrancy Feedback",
	},
	"loses values that come while the observer is busy": {apply: observing(dropping), found: "SlowObserver", passes: "Error"},
	"loses a value when another producer comes": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			before := -1
			return replacing(o, h, func(v int) {
				another := before >= 0 && v/1000 != before
				if before = v / 1000; !another {
					o.Next(h(v))
				}
			})
		}),
		found:  "SeveralProducers SeveralSubjects",
		passes: "Completion Error Unsubscribe Take Context SecondSubscription SlowObserver",
	},
	"loses the error": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			f := faithful(o, h)
			f.OnError = func(error) {}
			return f
		}),
		found: "Error PanicInCallback PanicInObserver",
	},
	"completes on an error": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			f := faithful(o, h)
			f.OnError = func(error) { o.Complete() }
			return f
		}),
		found: "Error Context EndedContext PanicInCallback PanicInObserver",
	},
	"loses the completion": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			f := faithful(o, h)
			f.OnComplete = func() {}
			return f
		}),
		found: "Completion SecondSubscription SeveralProducers SeveralSubjects SlowObserver",
	},
	"swaps neighbours": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			var held []int
			f := replacing(o, h, func(v int) {
				if held = append(held, h(v)); len(held) == 2 {
					o.Next(held[1])
					o.Next(held[0])
					held = nil
				}
			})
			f.OnComplete = func() {
				for _, v := range held {
					o.Next(v)
				}
				o.Complete()
			}
			return f
		}),
		found: "Completion SecondSubscription SeveralProducers SeveralSubjects SlowObserver",
	},
	"emits a value twice": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			n := 0
			return replacing(o, h, func(v int) {
				if o.Next(h(v)); n == 0 {
					o.Next(v)
				}
				n++
			})
		}),
		found: "Completion Error SeveralProducers SeveralSubjects SlowObserver Reentrancy Feedback",
	},
	"emits after the completion": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			f := faithful(o, h)
			f.OnComplete = func() {
				o.Complete()
				o.Next(9)
			}
			return f
		}),
		found: "Completion SecondSubscription SeveralProducers",
	},
	"emits after the error": {
		apply: observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
			f := faithful(o, h)
			f.OnError = func(err error) {
				o.Error(err)
				o.Complete()
			}
			return f
		}),
		found: "Error Context EndedContext",
	},
	"emits after Unsubscribe":                   {apply: outliving, found: "Unsubscribe"},
	"never tears down its source":               {apply: holdingOn, found: "Unsubscribe Take Context PanicInObserver", passes: "Completion Error"},
	"ignores the context":                       {apply: uncancelled, found: "Context EndedContext", passes: "Completion Error Unsubscribe Take"},
	"emits from two goroutines at once":         {apply: observing(impatient), found: "SlowObserver", passes: "Completion Error"},
	"keeps its state between subscriptions":     {apply: onlyOnce, found: "SecondSubscription", passes: "Completion Error Unsubscribe Take"},
	"takes a nil source for an empty one":       {apply: forgiving, found: "NilSource", passes: "Completion Error"},
	"swallows the panic of a callback":          {apply: observing(swallowing), found: "PanicInCallback", passes: "Completion Error"},
	"goes on after the observer has panicked":   {apply: observing(undaunted), found: "PanicInObserver", passes: "Completion Error PanicInCallback"},
	"waits for a goroutine that calls it again": {apply: observing(handingOn), found: "Reentrancy Feedback", passes: "Completion Error"},
	"waits in Subscribe for the first value":    {apply: waitingForFirst, found: "SubscribeReturns SubscribeReturnsOfPanic"},
}

// findings collects the findings of a trial.
type findings struct {
	mu   sync.Mutex
	list []string
}

func (f *findings) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, fmt.Sprintf(format, args...))
}

// findingsOf runs a trial with an operator, in a bubble of its own.
func findingsOf(t *testing.T, e entry, run trial) []string {
	f := &findings{}
	inBubble(t, e, func(_ reporter, e entry) { run(f, e) })
	return f.list
}

// TestMutantsAreFound puts operators with a fault through the trials that find it. A
// trial that finds no fault is no trial.
func TestMutantsAreFound(t *testing.T) {
	finds := map[string]int{}
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			e := forwarding(m.apply)
			assert.NotEmpty(t, m.found, "a trial finds it")
			for trial := range strings.FieldsSeq(m.found) {
				finds[trial]++
				assert.NotEmpty(t, findingsOf(t, e, trials[trial]), "%s finds it", trial)
			}
			for trial := range strings.FieldsSeq(m.passes) {
				assert.Empty(t, findingsOf(t, e, trials[trial]), "%s does not find it", trial)
			}
		})
	}
	for name := range trials {
		assert.NotZero(t, finds[name], "%s finds a mutant", name)
	}
}

// TestFaithfulOperatorPassesTheTrials checks that mutants are found for their faults.
func TestFaithfulOperatorPassesTheTrials(t *testing.T) {
	for name, run := range trials {
		t.Run(name, func(t *testing.T) { inBubble(t, forwarding(observing(faithful)), run) })
	}
}

// TestCatalogueHasTeeth spoils the values of each operator: by the expectations of its
// entry, the trials find that.
func TestCatalogueHasTeeth(t *testing.T) {
	for name, e := range catalogue {
		t.Run(name, func(t *testing.T) {
			var hasValues, hasCompletion, hasError bool
			for _, outcome := range append(e.runs, e.fails) {
				values, end := split(outcome)
				hasValues = hasValues || len(values) > 0
				hasCompletion = hasCompletion || end == "|"
				hasError = hasError || strings.HasPrefix(end, "#")
			}
			for fault, isSeen := range map[string]bool{
				"loses every value": hasValues, "loses the last value": hasValues, "emits a value twice": hasValues,
				"loses the completion": hasCompletion, "loses the error": hasError, "completes on an error": hasError,
			} {
				spoilt := e.with(func(e *entry) {
					apply := e.apply
					e.apply = func(s stream, h hook) stream { return mutants[fault].apply(apply(s, h), passTrial) }
				})
				found := append(findingsOf(t, spoilt, completes), findingsOf(t, spoilt, fails)...)
				assert.Equal(t, isSeen, len(found) > 0, "that it %s is found", fault)
			}
		})
	}
}

// subscribeFunc is an observable from elsewhere: it has only a Subscribe method.
type subscribeFunc func(ctx context.Context, o observable.Observer[int]) observable.Subscription

func (f subscribeFunc) Subscribe(ctx context.Context, o observable.Observer[int]) observable.Subscription {
	return f(ctx, o)
}

// subscribing is an operator that subscribes to its source by f, unless the source is
// nil.
func subscribing(
	f func(s stream, h hook, ctx context.Context, o observable.Observer[int]) observable.Subscription,
) func(s stream, h hook) stream {
	return func(s stream, h hook) stream {
		if s == nil {
			return observable.Throw[int](&observable.ArgumentError{Func: "mutant", Argument: "s", Problem: "is nil"})
		}
		return subscribeFunc(func(ctx context.Context, o observable.Observer[int]) observable.Subscription {
			return f(s, h, ctx, o)
		})
	}
}

// observing is an operator that observes its source by the result of f.
func observing(f func(o observable.Observer[int], h hook) observable.ObserverFuncs[int]) func(s stream, h hook) stream {
	return subscribing(func(s stream, h hook, ctx context.Context, o observable.Observer[int]) observable.Subscription {
		return s.Subscribe(ctx, f(o, h))
	})
}

// faithful passes everything on.
func faithful(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
	return observable.ObserverFuncs[int]{
		OnNext: func(v int) { o.Next(h(v)) }, OnError: o.Error, OnComplete: o.Complete,
	}
}

// replacing passes the terminals on, and calls next for values.
func replacing(o observable.Observer[int], h hook, next func(v int)) observable.ObserverFuncs[int] {
	f := faithful(o, h)
	f.OnNext = next
	return f
}

// dropping delivers a value on another goroutine, and drops those that come meanwhile.
func dropping(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
	var busy atomic.Bool
	var group sync.WaitGroup
	f := replacing(o, h, func(v int) {
		if busy.CompareAndSwap(false, true) {
			group.Go(func() {
				o.Next(h(v))
				busy.Store(false)
			})
		}
	})
	f.OnComplete = func() {
		group.Wait()
		o.Complete()
	}
	f.OnError = func(err error) {
		group.Wait()
		o.Error(err)
	}
	return f
}

// impatient delivers each value on another goroutine, and does not wait for longer than a
// millisecond.
func impatient(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
	var group sync.WaitGroup
	f := replacing(o, h, func(v int) {
		done := make(chan struct{})
		group.Go(func() {
			defer close(done)
			o.Next(h(v))
		})
		select {
		case <-done:
		case <-time.After(msTrial):
		}
	})
	f.OnComplete = func() {
		group.Wait()
		o.Complete()
	}
	return f
}

// swallowing recovers from the panics of its callback.
func swallowing(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
	return replacing(o, h, func(v int) {
		o.Next(func() int {
			defer func() { _ = recover() }()
			return h(v)
		}())
	})
}

// undaunted recovers from the panics of its observer.
func undaunted(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
	return replacing(o, h, func(v int) {
		v = h(v)
		defer func() { _ = recover() }()
		o.Next(v)
	})
}

// handingOn delivers each value on another goroutine, and waits for that.
func handingOn(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
	return replacing(o, h, func(v int) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			o.Next(h(v))
		}()
		<-done
	})
}

// holdingOn leaves its source subscribed to.
func holdingOn(s stream, h hook) stream {
	return observable.New(func(_ context.Context, o observable.Observer[int]) func() {
		s.Subscribe(context.Background(), faithful(o, h))
		return nil
	})
}

var uncancelled = subscribing(func(s stream, h hook, ctx context.Context, o observable.Observer[int]) observable.Subscription {
	return s.Subscribe(context.WithoutCancel(ctx), faithful(o, h))
})

// outliving emits a value some time after it was unsubscribed from.
var outliving = subscribing(func(s stream, h hook, ctx context.Context, o observable.Observer[int]) observable.Subscription {
	return lateSubscription{s.Subscribe(ctx, faithful(o, h)), o}
})

type lateSubscription struct {
	observable.Subscription
	o observable.Observer[int]
}

func (s lateSubscription) Unsubscribe() {
	s.Subscription.Unsubscribe()
	time.AfterFunc(msTrial, func() { s.o.Next(9) })
}

// onlyOnce passes on five values in all, over all subscriptions.
func onlyOnce(s stream, h hook) stream {
	var n atomic.Int32
	return observing(func(o observable.Observer[int], h hook) observable.ObserverFuncs[int] {
		return replacing(o, h, func(v int) {
			if n.Add(1) <= 5 {
				o.Next(h(v))
			}
		})
	})(s, h)
}

func forgiving(s stream, h hook) stream {
	if s == nil {
		return observable.Empty[int]()
	}
	return observing(faithful)(s, h)
}

// waitingForFirst returns from Subscribe when the first notification was delivered.
var waitingForFirst = subscribing(func(s stream, h hook, ctx context.Context, o observable.Observer[int]) observable.Subscription {
	first := make(chan struct{})
	var once sync.Once
	done := func() { once.Do(func() { close(first) }) }
	sub := s.Subscribe(ctx, observable.ObserverFuncs[int]{
		OnNext:     func(v int) { o.Next(h(v)); done() },
		OnError:    func(err error) { o.Error(err); done() },
		OnComplete: func() { o.Complete(); done() },
	})
	<-first
	return sub
})
