//go:build interleave

package operators_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
	"github.com/rxsocket/rxsocket/operators"
)

// The programs of this file have operators that subscribe to something in the middle of a
// step, while several threads emit.

// ways are the ways in which an inner observable emits.
var ways = map[string]func(v int) ints{
	"at once": func(v int) ints { return observable.Of(v) },
	"later":   func(v int) ints { return onItsOwn(v) },
}

// attaching is an operator that attaches the observable that inner makes of a value.
type attaching struct {
	apply func(src ints, inner func(v int) ints) ints
	share judge.Share
	out   func(v int) []int // the values that become of a value; itself, if it is nil
	mixed bool              // if inner observables emit later, the order does not count
}

var attachers = map[string]attaching{
	"MergeMap": {func(src ints, inner func(v int) ints) ints {
		return operators.MergeMap(src, inner)
	}, judge.Everything, nil, true},
	"MergeMapConcurrent": {func(src ints, inner func(v int) ints) ints {
		return operators.MergeMapConcurrent(src, 2, inner)
	}, judge.Everything, nil, true},
	"ConcatMap": {func(src ints, inner func(v int) ints) ints {
		return operators.ConcatMap(src, inner)
	}, judge.Everything, nil, false},
	"SwitchMap": {func(src ints, inner func(v int) ints) ints {
		return operators.SwitchMap(src, inner)
	}, judge.Some, nil, false},
	"ExhaustMap": {func(src ints, inner func(v int) ints) ints {
		return operators.ExhaustMap(src, inner)
	}, judge.Some, nil, false},
	"Expand": {func(src ints, inner func(v int) ints) ints {
		return operators.Expand(src, func(v int) ints {
			if v >= 100 {
				return observable.Empty[int]()
			}
			return inner(v + 100)
		})
	}, judge.Everything, func(v int) []int { return []int{v, v + 100} }, true},
	"MergeScan": {func(src ints, inner func(v int) ints) ints {
		return operators.MergeScan(src, 0, func(_, v int) ints { return inner(v) })
	}, judge.Everything, nil, true},
	"SwitchScan": {func(src ints, inner func(v int) ints) ints {
		return operators.SwitchScan(src, 0, func(_, v int) ints { return inner(v) })
	}, judge.Some, nil, false},
	"DelayWhen": {func(src ints, inner func(v int) ints) ints {
		return operators.DelayWhen(src, inner)
	}, judge.Everything, nil, true},
	"BufferToggle": {func(src ints, inner func(v int) ints) ints {
		// A buffer begins with each value; the buffers overlap.
		return operators.Connect(src, func(s ints) ints {
			buffers := operators.BufferToggle(s, s, inner)
			return operators.Distinct(operators.MergeMap(buffers, observable.FromSlice[int]))
		})
	}, judge.Some, nil, true},
	"Debounce": {func(src ints, inner func(v int) ints) ints {
		return operators.Debounce(src, inner)
	}, judge.Some, nil, false},
	"Audit": {func(src ints, inner func(v int) ints) ints {
		return operators.Audit(src, inner)
	}, judge.Some, nil, false},
	"Throttle": {func(src ints, inner func(v int) ints) ints {
		return operators.Throttle(src, inner, operators.ThrottleConfig{Trailing: true})
	}, judge.Some, nil, false},
	"BufferWhen": {func(src ints, inner func(v int) ints) ints {
		return operators.MergeMap(operators.BufferWhen(src, endlessly(inner)), observable.FromSlice[int])
	}, judge.Everything, nil, false},
	"WindowWhen": {func(src ints, inner func(v int) ints) ints {
		return operators.ConcatAll(operators.WindowWhen(src, endlessly(inner)))
	}, judge.Everything, nil, false},
	"GroupByUntil": {func(src ints, inner func(v int) ints) ints {
		groups := operators.GroupByUntil(src, keyOf, func(g *operators.Group[int, int]) ints {
			return operators.MergeMap(operators.Take(g, 1), inner)
		})
		return operators.MergeMap(groups, func(g *operators.Group[int, int]) ints { return g })
	}, judge.Everything, nil, false},
	"Catch": {func(src ints, inner func(v int) ints) ints {
		caught := func(v int) ints {
			failing := operators.Concat(inner(v), observable.Throw[int](errExplored))
			return operators.Catch(failing, func(error) ints { return inner(v + 100) })
		}
		return operators.MergeMap(src, caught)
	}, judge.Everything, func(v int) []int { return []int{v, v + 100} }, true},
	"Retry": {func(src ints, inner func(v int) ints) ints {
		return operators.MergeMap(src, func(v int) ints {
			attempt := 0
			return operators.Retry(observable.Defer(func() ints {
				if attempt++; attempt == 1 {
					return operators.Concat(inner(v), observable.Throw[int](errExplored))
				}
				return inner(v + 100)
			}), 1)
		})
	}, judge.Everything, func(v int) []int { return []int{v, v + 100} }, true},
	"Repeat": {func(src ints, inner func(v int) ints) ints {
		return operators.MergeMap(src, func(v int) ints {
			round := 0
			return operators.Repeat(observable.Defer(func() ints {
				round++
				return inner(v + 100*(round-1))
			}), 2)
		})
	}, judge.Everything, func(v int) []int { return []int{v, v + 100} }, true},
}

func keyOf(v int) int { return v % 2 }

// endlessly returns a function for inner observables that are made again and again, and
// would at once be made without end.
func endlessly(inner func(v int) ints) func() ints {
	times := 0
	return func() ints {
		if times++; times > 2 {
			return observable.Never[int]()
		}
		return inner(times)
	}
}

func TestInterleaveAttach(t *testing.T) {
	for name, a := range attachers {
		for way, inner := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				judge.Explore(t, func(p *judge.Program) {
					var s producing
					o := p.Observe("o", a.apply(&s, inner))
					s.emit(p, 2, 2)
					sent := s.sent
					if a.out != nil {
						sent = becoming(sent, a.out)
					}
					if a.mixed && way == "later" {
						sent = oneByOne(sent)
					}
					o.Gets(a.share, sent...)
					o.Ends(completion)
				})
			})
		}
	}
}

// TestInterleaveAttachLeave runs the same operators beside an unsubscription and a
// producer of their own.
func TestInterleaveAttachLeave(t *testing.T) {
	for name, a := range attachers {
		for way, inner := range ways {
			t.Run(name+" "+way, func(t *testing.T) {
				judge.Explore(t, func(p *judge.Program) {
					var s producing
					o := p.Observe("o", a.apply(&s, inner))
					s.emit(p, 1, 2)
					p.Go("unsubscribe", o.Unsubscribe)
					sent := s.sent
					if a.out != nil {
						sent = becoming(sent, a.out)
					}
					o.Gets(judge.Some, oneByOne(sent)...)
					o.Ends(noEnd, completion)
				})
			})
		}
	}
}

// TestInterleaveConcatMapOrder is the case in which ConcatMap let a value overtake
// another.
func TestInterleaveConcatMapOrder(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s observable.Subject[int]
		o := p.Observe("o", operators.ConcatMap(ints(&s), func(v int) ints {
			return observable.New(func(_ context.Context, o observable.Observer[int]) func() {
				o.Next(v)
				o.Complete()
				return nil
			})
		}))
		o.Gets(judge.Everything, p.Emit("a", &s, 1, 2, 3), p.Emit("b", &s, 10))
	})
}

// TestInterleaveGroups has groups and windows whose values go on through an operator that
// has a gate or a goroutine of its own.
func TestInterleaveGroups(t *testing.T) {
	through := map[string]func(src ints) ints{
		"nothing":     func(src ints) ints { return src },
		"ObserveOn":   func(src ints) ints { return operators.ObserveOn(src, 1) },
		"Share":       func(src ints) ints { return operators.Share(src) },
		"ParallelMap": func(src ints) ints { return operators.ParallelMap(src, 2, asItIs) },
		"New": func(src ints) ints {
			return observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
				return src.Subscribe(ctx, o).Unsubscribe
			})
		},
	}
	for name, way := range through {
		t.Run("GroupBy through "+name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				var s producing
				groups := operators.GroupBy(ints(&s), keyOf)
				o := p.Observe("o", operators.MergeMap(groups, func(g *operators.Group[int, int]) ints { return way(g) }))
				s.emit(p, 2, 2)
				o.Gets(judge.Everything, oneByOne(s.sent)...)
				o.Ends(completion)
			})
		})
		t.Run("WindowCount through "+name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				var s producing
				windows := 0
				o := p.Observe("o", operators.MergeMap(operators.WindowCount(ints(&s), 2), func(w ints) ints {
					windows++
					number := 1000 * windows
					return way(raising(w, number))
				}))
				s.emit(p, 2, 2)
				o.Wants(func(got []int) error {
					of := map[int]int{}
					var values []int
					for _, v := range got {
						of[v/1000]++
						values = append(values, v%1000)
					}
					if len(got) != 4 || of[1] != 2 || of[2] != 2 {
						return fmt.Errorf("the windows have %v values", of)
					}
					for _, sent := range s.sent {
						for _, v := range sent {
							if judge.Everything.Of([]int{v})(values) != nil {
								return errors.New("a value is missing")
							}
						}
					}
					return nil
				})
				o.Ends(completion)
			})
		})
	}
}

func asItIs(_ context.Context, v int) (int, error) { return v, nil }
