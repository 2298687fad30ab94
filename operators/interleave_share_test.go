//go:build interleave

package operators_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
	"github.com/rxsocket/rxsocket/operators"
)

// The programs of this file have subscribers of one shared stream that come and go.

// TestInterleaveShare has one subscriber stay, one come and one leave, while others emit.
func TestInterleaveShare(t *testing.T) {
	program := func(threads, values int) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s producing
			shared := operators.Share(ints(&s))
			stays, goes, comes := p.Observe("stays", shared), p.Observe("goes", shared), p.Observer("comes")
			s.emit(p, threads, values)
			p.Go("unsubscribe", goes.Unsubscribe)
			p.Go("subscribe", func() { comes.Subscribe(context.Background(), shared) })
			stays.Gets(judge.Everything, s.sent...)
			goes.Gets(judge.Beginning, s.sent...)
			comes.Gets(judge.Ending, s.sent...)
			stays.Ends(completion)
			goes.Ends(noEnd, completion)
			comes.Ends(completion)
			p.SameOrder(stays, goes, comes)
		}
	}
	judge.Explore(t, program(1, 2))
	judge.Sample(t, program(2, 2))
}

// TestInterleaveShareAllLeave has the last subscriber leave while another one comes:
// there is one subscription to the source at a time, and none at the end.
func TestInterleaveShareAllLeave(t *testing.T) {
	program := func(share func(src ints) ints) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s observable.Subject[int]
			var live, most interleave.Int32
			counted := observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
				if n := live.Add(1); n > most.Load() {
					most.Store(n)
				}
				sub := s.Subscribe(ctx, o)
				return func() {
					sub.Unsubscribe()
					live.Add(-1)
				}
			})
			shared := share(counted)
			first, second := p.Observe("first", shared), p.Observer("second")
			p.Go("leave", first.Unsubscribe)
			p.Go("come and go", func() {
				second.Subscribe(context.Background(), shared)
				second.Unsubscribe()
			})
			sent := p.Emit("a", &s, 10, 11)
			first.Gets(judge.Beginning, sent)
			second.Gets(judge.Some, sent)
			p.Check(func() error {
				if live.Load() != 0 || s.Observed() {
					return fmt.Errorf("%d subscriptions to the source are left", live.Load())
				}
				return nil
			})
		}
	}
	judge.Explore(t, program(operators.Share[int]))
	judge.Explore(t, program(func(src ints) ints {
		return operators.ShareReplay(src, operators.ShareReplayConfig{RefCount: true})
	}))
}

// TestInterleaveShareReplay has a late subscriber get the earlier values, once and in
// order.
func TestInterleaveShareReplay(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s producing
		shared := operators.ShareReplay(ints(&s), operators.ShareReplayConfig{})
		first, late := p.Observe("first", shared), p.Observer("late")
		s.emit(p, 2, 1)
		p.Go("subscribe", func() { late.Subscribe(context.Background(), shared) })
		for _, o := range []*judge.Observer{first, late} {
			o.Gets(judge.Everything, s.sent...)
			o.Ends(completion)
		}
		p.SameOrder(first, late)
	})
}

// TestInterleaveShareSynchronous has several threads subscribe to a shared source that
// emits inside its subscription.
func TestInterleaveShareSynchronous(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		shared := operators.Share(observable.Of(10, 11))
		for _, name := range []string{"a", "b"} {
			o := p.Observer(name)
			p.Go(name, func() { o.Subscribe(context.Background(), shared) })
			o.Gets(judge.Ending, []int{10, 11})
			o.Ends(completion)
		}
	})
}

// TestInterleaveShareFirstLeaves has one subscriber want only the value of the processor,
// while another one comes: the other one is connected to the source.
func TestInterleaveShareFirstLeaves(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s observable.Subject[int]
		shared := operators.ShareWith(ints(&s), operators.ShareConfig[int]{
			Connector: func() observable.Processor[int] { return observable.NewBehaviorSubject(0) },
		})
		first, other := p.Observer("first"), p.Observer("other")
		p.Go("first", func() { first.Subscribe(context.Background(), operators.Take(shared, 1)) })
		p.Go("other", func() { other.Subscribe(context.Background(), shared) })
		for _, o := range []*judge.Observer{first, other} {
			o.Gets(judge.Everything, []int{0})
		}
		first.Ends(completion)
		p.Check(func() error {
			if !s.Observed() {
				return errors.New("the source has no subscriber")
			}
			return nil
		})
	})
}

// TestInterleaveShareReset has a notifier reset the stream, while the last subscriber
// leaves and another one comes.
func TestInterleaveShareReset(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s, notifier observable.Subject[int]
		shared := operators.ShareWith(ints(&s), operators.ShareConfig[int]{
			OnRefCountZero: operators.ResetWhen(func(error) observable.Observable[int] { return &notifier }),
		})
		first, second := p.Observe("first", shared), p.Observer("second")
		sent := p.Emit("a", &s, 10, 11)
		p.Emit("notify", &notifier, 1)
		p.Go("leave and come", func() {
			first.Unsubscribe()
			second.Subscribe(context.Background(), shared)
		})
		first.Gets(judge.Beginning, sent)
		second.Gets(judge.Ending, sent)
	})
}

// TestInterleaveConnect has a stream that subscribes several times to one source, in one
// gate.
func TestInterleaveConnect(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s producing
		o := p.Observe("o", operators.Connect(ints(&s), func(shared ints) ints {
			return operators.Merge(shared, raising(shared, 100), operators.ObserveOn(raising(shared, 200), 1))
		}))
		s.emit(p, 2, 1)
		o.Gets(judge.Everything, append(append(append([][]int{}, s.sent...), raised(s.sent, 100)...), raised(s.sent, 200)...)...)
		o.Ends(completion)
	})
}
