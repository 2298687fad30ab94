//go:build interleave

package operators_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
	"github.com/rxsocket/rxsocket/operators"
)

// The programs of this file have chains that feed each other: in the first version each
// could come to a deadlock, or leave a value in a queue.

// TestInterleaveCircle has two subjects. The observer of each feeds the other, through
// various operators.
func TestInterleaveCircle(t *testing.T) {
	direct := func(src ints) ints { return src }
	observeOn := func(src ints) ints { return operators.ObserveOn(src, 1) }
	parallel := func(src ints) ints { return operators.ParallelMap(src, 1, asItIs) }
	buffer := func(src ints) ints {
		return operators.OnBackpressureBuffer(src, 2, observable.OverflowBlock, nil)
	}
	share := func(src ints) ints { return operators.Share(observeOn(src)) }
	for name, way := range map[string][2]func(src ints) ints{
		"direct": {direct, direct}, "ObserveOn": {observeOn, observeOn}, "ParallelMap": {parallel, parallel},
		"ObserveOn and direct": {observeOn, direct}, "ParallelMap and buffer": {parallel, buffer}, "Share": {share, direct},
	} {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) { circle(p, way, 2) })
			judge.Sample(t, func(p *judge.Program) { circle(p, way, 4) })
		})
	}
}

// circle has a thread emit values into each of two subjects; each value is passed on
// three times.
func circle(p *judge.Program, way [2]func(src ints) ints, values int) {
	var s [2]observable.Subject[int]
	const hops = 3
	o := [2]*judge.Observer{p.Observer("first"), p.Observer("second")}
	var gets [2][][]int
	for i := range o {
		o[i].OnNext(func(v int) {
			if v < 1000*hops {
				s[1-i].Next(v + 1000)
			}
		})
		o[i].Subscribe(context.Background(), way[i](&s[i]))
		var sent []int
		for v := range values {
			sent = append(sent, 100*i+v)
		}
		for hop := range hops + 1 {
			to := (i + hop) % 2
			gets[to] = append(gets[to], raised([][]int{sent}, 1000*hop)...)
		}
		p.Emit([]string{"a", "b"}[i], &s[i], sent...)
	}
	for i := range o {
		o[i].Gets(judge.Everything, gets[i]...)
		p.LeaveAfter(o[i], len(gets[i])*values)
	}
}

// TestInterleaveCircleThroughTwo has one subject that two observers feed. A producer that
// waits for the room of one of them, or that stays in the callback of one, must not hold
// the room or gate that the other needs.
func TestInterleaveCircleThroughTwo(t *testing.T) {
	observeOn := func(src ints) ints { return operators.ObserveOn(src, 1) }
	parallel := func(src ints) ints { return operators.ParallelMap(src, 1, asItIs) }
	for name, way := range map[string][2]func(src ints) ints{
		"direct and ObserveOn": {func(src ints) ints { return src }, observeOn},
		"ObserveOn":            {observeOn, observeOn},
		"ParallelMap":          {parallel, observeOn},
	} {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) { circleThroughTwo(p, way, 2, 1) })
			judge.Sample(t, func(p *judge.Program) { circleThroughTwo(p, way, 3, 2) })
		})
	}
}

// circleThroughTwo has threads emit values into a subject; each observer passes each of
// them on once.
func circleThroughTwo(p *judge.Program, way [2]func(src ints) ints, threads, values int) {
	var s observable.Subject[int]
	o := []*judge.Observer{p.Observer("first"), p.Observer("second")}
	for i := range o {
		o[i].OnNext(func(v int) {
			if v < 1000 {
				s.Next(v + 1000*(i+1))
			}
		})
		o[i].Subscribe(context.Background(), way[i](&s))
	}
	var sent [][]int
	for i := range threads {
		var numbers []int
		for n := range values {
			numbers = append(numbers, 10*i+n)
		}
		sent = append(sent, p.Emit(fmt.Sprint("producer ", i), &s, numbers...))
	}
	all := slices.Concat(sent, raised(sent, 1000), raised(sent, 2000))
	for i := range o {
		o[i].Gets(judge.Everything, all...)
		p.LeaveAfter(o[i], 3*threads*values)
	}
}

// TestInterleaveCircleOfGates has a callback of one subject emit into a second one, whose
// chain subscribes to something and feeds the first with more values than its queue
// takes, while another thread emits into the second.
func TestInterleaveCircleOfGates(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s1, s2 observable.Subject[int]
		merged, o := p.Observer("merged"), p.Observer("o")
		merged.OnNext(func(v int) {
			for i := range 3 {
				s2.Next(1000*v + i)
			}
		})
		merged.Subscribe(context.Background(), operators.MergeMap(ints(&s1), func(v int) ints {
			return observable.New(func(_ context.Context, o observable.Observer[int]) func() {
				o.Next(v)
				o.Complete()
				return nil
			})
		}))
		o.OnNext(func(v int) {
			if v == 0 {
				s1.Next(1)
			}
		})
		o.Subscribe(context.Background(), &s2)
		p.Emit("a", &s2, 0)
		p.Emit("b", &s1, 2)
		merged.Gets(judge.Everything, []int{1}, []int{2})
		o.Gets(judge.Everything, []int{0}, []int{1000, 1001, 1002}, []int{2000, 2001, 2002})
	})
}

// TestInterleaveInnerThatLasts has a value behind one whose inner observable lasts: the
// second value ends the stream.
func TestInterleaveInnerThatLasts(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s observable.Subject[int]
		out := operators.TakeWhile(operators.MergeMap(ints(&s), func(v int) ints {
			if v != 1 {
				return observable.Of(v)
			}
			return observable.Go(func(ctx context.Context, _ func(int)) error {
				interleave.Wait(ctx.Done())
				return nil
			})
		}), func(v int) bool { return v != 2 })
		o := p.Observe("o", out)
		p.Emit("a", &s, 0)
		p.Emit("b", &s, 1)
		p.Emit("c", &s, 2)
		o.Gets(judge.Some, []int{0})
		o.Ends(completion)
		p.Go("wait", func() { interleave.Wait(o.Done()) })
	})
}

// TestInterleaveFeedsBehindBoundary has one chain whose observer, on another goroutine,
// emits into its source, while a producer waits for room before the boundary.
func TestInterleaveFeedsBehindBoundary(t *testing.T) {
	for name, way := range map[string]func(src ints) ints{
		"ObserveOn":   func(src ints) ints { return operators.ObserveOn(src, 1) },
		"ParallelMap": func(src ints) ints { return operators.ParallelMap(src, 1, asItIs) },
	} {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				var s observable.Subject[int]
				o := p.Observer("o")
				o.OnNext(func(v int) {
					if v == 0 {
						s.Next(100)
					}
				})
				o.Subscribe(context.Background(), way(operators.MergeMap(ints(&s), func(v int) ints {
					if v == 100 {
						return onItsOwn(v)
					}
					return observable.Of(v)
				})))
				p.Emit("a", &s, 0)
				p.LeaveAfter(o, 6)
				o.Gets(judge.Everything, []int{0}, p.Emit("b", &s, 1, 2, 3, 4), []int{100})
			})
		})
	}
}

// TestInterleaveShareInACircle has one chain with a Share. One observer feeds its source,
// and a producer emits into the chain of that observer.
func TestInterleaveShareInACircle(t *testing.T) {
	program := func(values int) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s, other observable.Subject[int]
			shared := operators.Share(operators.ObserveOn(ints(&s), 1))
			merged, plain := p.Observer("merged"), p.Observer("plain")
			merged.OnNext(func(v int) {
				if v < 1000 {
					s.Next(v + 1000)
				}
			})
			merged.Subscribe(context.Background(), operators.Merge[int](shared, &other))
			plain.Subscribe(context.Background(), shared)
			var first, second []int
			for v := range values {
				first, second = append(first, v), append(second, 100+v)
			}
			p.Emit("a", &s, first...)
			p.Emit("b", &other, second...)
			fed := raised([][]int{first, second}, 1000)
			merged.Gets(judge.Everything, append(fed, first, second)...)
			plain.Gets(judge.Everything, append(fed, first)...)
		}
	}
	judge.Explore(t, program(2))
	judge.Sample(t, program(4))
}
