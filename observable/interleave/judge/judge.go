//go:build interleave

// Package judge explores programs whose threads emit into streams, and judges the
// notifications of each observer in each interleaving. Values are ints that are all
// different, so that each identifies its producer.
//
//	judge.Explore(t, func(p *judge.Program) {
//		var s observable.Subject[int]
//		all := p.Observe("all", &s)
//		all.Gets(judge.Everything, p.Emit("a", &s, 10, 11), p.Emit("b", &s, 20, 21))
//	})
package judge

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// Program is one run of a program with observers. It adds checks to an
// [interleave.Program]: each observer's notifications come one at a time, and none after
// the first terminal; Done of its subscription closes if it has ended, and only then; and
// the program's own expectations of the observer hold.
type Program struct {
	*interleave.Program

	observers []*Observer
}

// Explore walks through the interleavings of program with two preemptions, then with
// three, and then through all of them. A walk with more than 500 interleavings is cut
// there, and 300 random schedules take the place of the rest and of the walks that would
// follow. The flag interleave.runs replaces both figures.
func Explore(t testing.TB, program func(p *Program)) {
	t.Helper()
	runs := 0
	for _, bound := range []int{2, 3, interleave.Unbounded} {
		result := ExploreWith(t, interleave.Config{Preemptions: bound, MaxRuns: 500}, program)
		runs += result.Runs
		if t.Failed() {
			return
		}
		if !result.Complete {
			runs += ExploreWith(t, interleave.Config{Random: 300}, program).Runs
			break
		}
	}
	t.Logf("%d interleavings in all", runs)
}

// Sample runs program with 600 random schedules: it is for programs that are too large to
// walk through.
func Sample(t testing.TB, program func(p *Program)) {
	t.Helper()
	result := ExploreWith(t, interleave.Config{Random: 600}, program)
	t.Logf("%d interleavings in all", result.Runs)
}

// ExploreWith is [interleave.Explore].
func ExploreWith(t testing.TB, config interleave.Config, program func(p *Program)) interleave.Result {
	t.Helper()
	return interleave.Explore(t, config, func(run *interleave.Program) {
		p := &Program{Program: run}
		run.Check(p.judge)
		program(p)
	})
}

func (p *Program) judge() error {
	for _, o := range p.observers {
		if err := o.judge(); err != nil {
			return fmt.Errorf("%s: %w; it has\n%s", o.name, err, text(o.Events()))
		}
	}
	return nil
}

// text lists events without their times, which do not come from the program.
func text(events []observabletest.Event[int]) (lines string) {
	for _, e := range events {
		e.At = 0
		lines += fmt.Sprintln(" ", e)
	}
	return lines
}

// Emit adds a thread that calls Next of an observer with each of the values. It returns
// the values.
func (p *Program) Emit(name string, into observable.Observer[int], values ...int) []int {
	p.Go(name, func() {
		for _, v := range values {
			into.Next(v)
		}
	})
	return values
}

// Observe subscribes a new observer to src.
func (p *Program) Observe(name string, src observable.Observable[int]) *Observer {
	o := p.Observer(name)
	o.Subscribe(context.Background(), src)
	return o
}

// Observer returns an observer that is not subscribed yet.
func (p *Program) Observer(name string) *Observer {
	o := &Observer{Recorder: observabletest.NewRecorder[int](), name: name}
	o.Recorder.OnNext(o.next)
	p.observers = append(p.observers, o)
	return o
}

// LeaveAfter adds a thread that unsubscribes the observer when it has n values: for a
// stream that would keep its goroutines.
func (p *Program) LeaveAfter(o *Observer, n int) {
	o.enough, o.had = n, make(chan struct{})
	p.Go(o.name+" leaves", func() {
		interleave.Wait(o.had)
		o.Unsubscribe()
	})
}

// Observer is an observer that is judged at the end of the run.
type Observer struct {
	*observabletest.Recorder[int]

	name   string
	onNext func(v int)
	count  int           // of values
	enough int           // number of values after which it leaves, or 0
	had    chan struct{} // closed when it has had enough
	sub    observable.Subscription
	gone   bool // Unsubscribe has returned
	before int  // number of notifications begun by then
	ends   []observabletest.Kind
	wants  []func(got []int) error
}

// Subscribe subscribes the observer to src.
func (o *Observer) Subscribe(ctx context.Context, src observable.Observable[int]) {
	o.sub = src.Subscribe(ctx, o.Recorder)
}

// OnNext has the observer call f with each value after recording it. Call it before the
// observer is subscribed.
func (o *Observer) OnNext(f func(v int)) { o.onNext = f }

func (o *Observer) next(v int) {
	o.count++
	last := o.count == o.enough
	if o.onNext != nil {
		o.onNext(v)
	}
	if last {
		interleave.Close(o.had)
	}
}

// Done is Done of the subscription.
func (o *Observer) Done() <-chan struct{} { return o.sub.Done() }

// Unsubscribe ends the subscription. At most one notification may begin afterwards, if it
// was on its way.
func (o *Observer) Unsubscribe() {
	o.sub.Unsubscribe()
	o.gone, o.before = true, len(o.Events())
}

// Ends sets the terminals with which the stream may end. Without it there must be no
// terminal. The kind Next stands for no terminal.
func (o *Observer) Ends(kinds ...observabletest.Kind) { o.ends = kinds }

// Gets sets the values of each producer that the observer must get: all its values come
// from the producers, each at most once, in its producer's order.
func (o *Observer) Gets(share Share, producers ...[]int) {
	o.Wants(func(got []int) error {
		if invented := without(got, slices.Concat(producers...)); len(invented) > 0 {
			return fmt.Errorf("nobody has emitted %v", invented)
		}
		for _, sent := range producers {
			if err := share.check(got, sent); err != nil {
				return err
			}
		}
		return nil
	})
}

// Wants adds a check of the values.
func (o *Observer) Wants(check func(got []int) error) { o.wants = append(o.wants, check) }

func (o *Observer) judge() error {
	if breaches := o.Breaches(); len(breaches) > 0 {
		return fmt.Errorf("a notification is against the contract: %v", breaches[0])
	}
	for _, check := range o.wants {
		if err := check(o.Values()); err != nil {
			return err
		}
	}
	if late := len(o.Events()) - o.before; o.gone && late > 1 {
		return fmt.Errorf("%d notifications come after Unsubscribe", late)
	}
	return o.judgeEnd()
}

func (o *Observer) judgeEnd() error {
	end := observabletest.Next
	for _, e := range o.Events() {
		end = e.Kind
	}
	allowed := o.ends
	if len(allowed) == 0 {
		allowed = []observabletest.Kind{observabletest.Next}
	}
	if !slices.Contains(allowed, end) {
		return fmt.Errorf("it ends with %v, and not with one of %v", end, allowed)
	}
	if o.sub == nil {
		return nil
	}
	done := false
	select {
	case <-o.sub.Done():
		done = true
	default:
	}
	if over := o.gone || end != observabletest.Next; done != over {
		return fmt.Errorf("its subscription is over: %v, and Done is closed: %v", over, done)
	}
	return nil
}

// Share is the part of a producer's values that an observer gets.
type Share struct {
	name string
	is   func(part, sent []int) bool
}

func (s Share) check(got, sent []int) error {
	if part := among(got, sent); !s.is(part, sent) {
		return fmt.Errorf("of %v it is to get %s, and gets %v", sent, s.name, part)
	}
	return nil
}

// Of is a check for [Observer.Wants], of one producer.
func (s Share) Of(sent []int) func(got []int) error {
	return func(got []int) error { return s.check(got, sent) }
}

// Shares of a producer's values.
var (
	// Everything is all of them.
	Everything = Share{"all", func(part, sent []int) bool { return slices.Equal(part, sent) }}
	// Beginning is the first ones: the stream may end before the producer does.
	Beginning = Share{"the first ones", func(part, sent []int) bool {
		return len(part) <= len(sent) && slices.Equal(part, sent[:len(part)])
	}}
	// Ending is the last ones: the observer may come late.
	Ending = Share{"the last ones", func(part, sent []int) bool {
		return len(part) <= len(sent) && slices.Equal(part, sent[len(sent)-len(part):])
	}}
	// Stretch is a stretch of them: the observer may come late, and go early.
	Stretch = Share{"a stretch", func(part, sent []int) bool {
		for i := 0; i+len(part) <= len(sent); i++ {
			if slices.Equal(part, sent[i:i+len(part)]) {
				return true
			}
		}
		return false
	}}
	// Some is any of them, in order.
	Some = Share{"some, in order", func(part, sent []int) bool {
		for _, v := range sent {
			if len(part) > 0 && part[0] == v {
				part = part[1:]
			}
		}
		return len(part) == 0
	}}
)

// SameOrder checks that the observers have got the values that they have in common in one
// order.
func (p *Program) SameOrder(observers ...*Observer) {
	p.Check(func() error {
		for i, a := range observers {
			for _, b := range observers[:i] {
				if x, y := among(a.Values(), b.Values()), among(b.Values(), a.Values()); !slices.Equal(x, y) {
					return fmt.Errorf("%s has got %v, and %s %v", a.name, x, b.name, y)
				}
			}
		}
		return nil
	})
}

// among returns the values that are in set.
func among(values, set []int) []int {
	return slices.DeleteFunc(slices.Clone(values), func(v int) bool { return !slices.Contains(set, v) })
}

// without returns the values that are not in set.
func without(values, set []int) []int {
	return slices.DeleteFunc(slices.Clone(values), func(v int) bool { return slices.Contains(set, v) })
}
