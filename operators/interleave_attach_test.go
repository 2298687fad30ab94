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

// The programs of this file have operators that subscribe to something in the midst of a step, while several threads emit.

// ways are how an inner observable emits.
var ways = map[string]func(v int) explored{
	"at once": func(v int) explored { return observable.Of(v) },
	"later":   func(v int) explored { return later(v) },
}

// attaching is an operator that attaches what inner makes of a value.
type attaching struct {
	apply func(src explored, inner func(v int) explored) explored
	share judge.Share
	out   func(v int) []int // what becomes of a value; itself, if it is nil
	mixed bool              // with inner observables that emit later, only each value counts
}

var attachers = map[string]attaching{
	"MergeMap": {func(src explored, inner func(v int) explored) explored {
		return operators.MergeMap(src, inner)
	}, judge.Everything, nil, true},
	"MergeMapConcurrent": {func(src explored, inner func(v int) explored) explored {
		return operators.MergeMapConcurrent(src, 2, inner)
	}, judge.Everything, nil, true},
	"ConcatMap": {func(src explored, inner func(v int) explored) explored {
		return operators.ConcatMap(src, inner)
	}, judge.Everything, nil, false},
	"SwitchMap": {func(src explored, inner func(v int) explored) explored {
		return operators.SwitchMap(src, inner)
	}, judge.Some, nil, false},
	"ExhaustMap": {func(src explored, inner func(v int) explored) explored {
		return operators.ExhaustMap(src, inner)
	}, judge.Some, nil, false},
	"Expand": {func(src explored, inner func(v int) explored) explored {
		return operators.Expand(src, func(v int) explored {
			if v >= 100 {
				return observable.Empty[int]()
			}
			return inner(v + 100)
		})
	}, judge.Everything, func(v int) []int { return []int{v, v + 100} }, true},
	"MergeScan": {func(src explored, inner func(v int) explored) explored {
		return operators.MergeScan(src, 0, func(_, v int) explored { return inner(v) })
	}, judge.Everything, nil, true},
	"SwitchScan": {func(src explored, inner func(v int) explored) explored {
		return operators.SwitchScan(src, 0, func(_, v int) explored { return inner(v) })
	}, judge.Some, nil, false},
	"DelayWhen": {func(src explored, inner func(v int) explored) explored {
		return operators.DelayWhen(src, inner)
	}, judge.Everything, nil, true},
	"BufferToggle": {func(src explored, inner func(v int) explored) explored {
		return operators.Connect(src, func(s explored) explored { // a buffer begins with each value; they overlap
			buffers := operators.BufferToggle(s, s, inner)
			return operators.Distinct(operators.MergeMap(buffers, observable.FromSlice[int]))
		})
	}, judge.Some, nil, true},
	"Debounce": {func(src explored, inner func(v int) explored) explored {
		return operators.Debounce(src, inner)
	}, judge.Some, nil, false},
	"Audit": {func(src explored, inner func(v int) explored) explored {
		return operators.Audit(src, inner)
	}, judge.Some, nil, false},
	"Throttle": {func(src explored, inner func(v int) explored) explored {
		return operators.Throttle(src, inner, operators.ThrottleConfig{Trailing: true})
	}, judge.Some, nil, false},
	"BufferWhen": {func(src explored, inner func(v int) explored) explored {
		return operators.MergeMap(operators.BufferWhen(src, endlessly(inner)), observable.FromSlice[int])
	}, judge.Everything, nil, false},
	"WindowWhen": {func(src explored, inner func(v int) explored) explored {
		return operators.ConcatAll(operators.WindowWhen(src, endlessly(inner)))
	}, judge.Everything, nil, false},
	"GroupByUntil": {func(src explored, inner func(v int) explored) explored {
		groups := operators.GroupByUntil(src, keyOf, func(g *operators.Group[int, int]) explored {
			return operators.MergeMap(operators.Take(g, 1), inner)
		})
		return operators.MergeMap(groups, func(g *operators.Group[int, int]) explored { return g })
	}, judge.Everything, nil, false},
	"Catch": {func(src explored, inner func(v int) explored) explored {
		caught := func(v int) explored {
			failing := operators.Concat(inner(v), observable.Throw[int](errExplored))
			return operators.Catch(failing, func(error) explored { return inner(v + 100) })
		}
		return operators.MergeMap(src, caught)
	}, judge.Everything, func(v int) []int { return []int{v, v + 100} }, true},
	"Retry": {func(src explored, inner func(v int) explored) explored {
		return operators.MergeMap(src, func(v int) explored {
			attempt := 0
			return operators.Retry(observable.Defer(func() explored {
				if attempt++; attempt == 1 {
					return operators.Concat(inner(v), observable.Throw[int](errExplored))
				}
				return inner(v + 100)
			}), 1)
		})
	}, judge.Everything, func(v int) []int { return []int{v, v + 100} }, true},
	"Repeat": {func(src explored, inner func(v int) explored) explored {
		return operators.MergeMap(src, func(v int) explored {
			round := 0
			return operators.Repeat(observable.Defer(func() explored {
				round++
				return inner(v + 100*(round-1))
			}), 2)
		})
	}, judge.Everything, func(v int) []int { return []int{v, v + 100} }, true},
}

func keyOf(v int) int { return v % 2 }

// endlessly returns a function for what comes again and again, and would come without end at once.
func endlessly(inner func(v int) explored) func() explored {
	times := 0
	return func() explored {
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
						sent = each(sent, a.out)
					}
					if a.mixed && way == "later" {
						sent = apart(sent)
					}
					o.Gets(a.share, sent...)
					o.Ends(aCompletion)
				})
			})
		}
	}
}

// TestInterleaveAttachLeave has the same operators against unsubscribing and a producer of their own.
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
						sent = each(sent, a.out)
					}
					o.Gets(judge.Some, apart(sent)...)
					o.Ends(noEnd, aCompletion)
				})
			})
		}
	}
}

// TestInterleaveConcatMapOrder is the case in which ConcatMap let a value overtake another one.
func TestInterleaveConcatMapOrder(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s observable.Subject[int]
		o := p.Observe("o", operators.ConcatMap(explored(&s), func(v int) explored {
			return observable.New(func(_ context.Context, o observable.Observer[int]) func() {
				o.Next(v)
				o.Complete()
				return nil
			})
		}))
		o.Gets(judge.Everything, p.Emit("a", &s, 1, 2, 3), p.Emit("b", &s, 10))
	})
}

// TestInterleaveGroups has groups and windows whose values go on through something that has a gate or a goroutine of its own.
func TestInterleaveGroups(t *testing.T) {
	through := map[string]func(src explored) explored{
		"nothing":     func(src explored) explored { return src },
		"ObserveOn":   func(src explored) explored { return operators.ObserveOn(src, 1) },
		"Share":       func(src explored) explored { return operators.Share(src) },
		"ParallelMap": func(src explored) explored { return operators.ParallelMap(src, 2, asItIs) },
		"New": func(src explored) explored {
			return observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
				return src.Subscribe(ctx, o).Unsubscribe
			})
		},
	}
	for name, way := range through {
		t.Run("GroupBy through "+name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				var s producing
				groups := operators.GroupBy(explored(&s), keyOf)
				o := p.Observe("o", operators.MergeMap(groups, func(g *operators.Group[int, int]) explored { return way(g) }))
				s.emit(p, 2, 2)
				o.Gets(judge.Everything, apart(s.sent)...)
				o.Ends(aCompletion)
			})
		})
		t.Run("WindowCount through "+name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				var s producing
				windows := 0
				o := p.Observe("o", operators.MergeMap(operators.WindowCount(explored(&s), 2), func(w explored) explored {
					windows++
					number := 1000 * windows
					return way(add(w, number))
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
				o.Ends(aCompletion)
			})
		})
	}
}

func asItIs(_ context.Context, v int) (int, error) { return v, nil }
