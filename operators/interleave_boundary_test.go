//go:build interleave

package operators_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
	"github.com/rxsocket/rxsocket/operators"
)

// The programs of this file have operators that run other goroutines behind them than
// before them.

// asynchronous is such an operator, one that loses nothing.
type asynchronous struct {
	apply func(src ints) ints
	size  int // number of values that it has under way
}

var asynchronousOnes = map[string]asynchronous{
	"ObserveOn":   {func(src ints) ints { return operators.ObserveOn(src, 1) }, 1},
	"ParallelMap": {func(src ints) ints { return operators.ParallelMap(src, 2, asItIs) }, 2},
	"ParallelMapUnordered": {func(src ints) ints {
		return operators.ParallelMapUnordered(src, 2, asItIs)
	}, 2},
	"ParallelMap(1)": {func(src ints) ints { return operators.ParallelMap(src, 1, asItIs) }, 1},
	"twice":          {func(src ints) ints { return operators.ObserveOn(operators.ObserveOn(src, 1), 1) }, 2},
}

// sequences returns the sequences whose order an operator keeps.
func sequences(name string, sent [][]int) [][]int {
	if name == "ParallelMapUnordered" {
		return oneByOne(sent)
	}
	return sent
}

func eachBoundary(t *testing.T, program func(p *judge.Program, name string, b asynchronous)) {
	t.Helper()
	for name, b := range asynchronousOnes {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) { program(p, name, b) })
		})
	}
}

// TestInterleaveBoundary has producers, and counts the values under way.
func TestInterleaveBoundary(t *testing.T) {
	eachBoundary(t, func(p *judge.Program, name string, b asynchronous) {
		var s producing
		var under, most atomic.Int32
		entering := operators.Tap(ints(&s), func(int) { most.Store(max(most.Load(), under.Add(1))) })
		o := p.Observer("o")
		o.OnNext(func(int) { under.Add(-1) })
		o.Subscribe(context.Background(), b.apply(entering))
		s.emit(p, 2, 2)
		o.Gets(judge.Everything, sequences(name, s.sent)...)
		o.Ends(completion)
		p.Check(func() error {
			// One more value has entered, and waits for room; another is on its way from
			// the operator to the observer.
			if bound := b.size + 2; int(most.Load()) > bound {
				return fmt.Errorf("%d values were under way", most.Load())
			}
			return nil
		})
	})
}

func TestInterleaveBoundaryUnsubscribe(t *testing.T) {
	eachBoundary(t, func(p *judge.Program, name string, b asynchronous) {
		var s producing
		o := p.Observe("o", b.apply(&s))
		s.emit(p, 1, 3)
		p.Go("unsubscribe", o.Unsubscribe)
		if name == "ParallelMapUnordered" {
			o.Gets(judge.Some, oneByOne(s.sent)...)
		} else {
			o.Gets(judge.Beginning, s.sent...)
		}
		o.Ends(noEnd, completion)
		p.Check(func() error {
			if s.Observed() {
				return fmt.Errorf("the source has a subscriber yet")
			}
			return nil
		})
	})
}

func TestInterleaveBoundaryContextEnd(t *testing.T) {
	eachBoundary(t, func(p *judge.Program, name string, b asynchronous) {
		var s producing
		ctx, cancel := p.Context()
		o := p.Observer("o")
		o.Subscribe(ctx, b.apply(&s))
		s.emit(p, 1, 2)
		p.Go("cancel", cancel)
		if name == "ParallelMapUnordered" {
			o.Gets(judge.Some, oneByOne(s.sent)...)
		} else {
			o.Gets(judge.Beginning, s.sent...)
		}
		o.Ends(failure, completion)
		p.Check(func() error {
			if s.Observed() {
				return fmt.Errorf("the source has a subscriber yet")
			}
			return nil
		})
	})
}

// TestInterleaveBoundarySynchronous has a source that emits more values inside its
// subscription than there is room for.
func TestInterleaveBoundarySynchronous(t *testing.T) {
	eachBoundary(t, func(p *judge.Program, name string, b asynchronous) {
		o := p.Observe("o", b.apply(observable.Of(0, 1, 2, 3)))
		o.Gets(judge.Everything, sequences(name, [][]int{{0, 1, 2, 3}})...)
		o.Ends(completion)
	})
}

// TestInterleaveBoundarySynchronousLeave has such a source unsubscribed from meanwhile.
func TestInterleaveBoundarySynchronousLeave(t *testing.T) {
	eachBoundary(t, func(p *judge.Program, name string, b asynchronous) {
		o := p.Observe("o", operators.Take(b.apply(observable.Of(0, 1, 2, 3)), 2))
		o.Wants(func(got []int) error {
			if len(got) != 2 {
				return fmt.Errorf("Take(2) gives %v", got)
			}
			return nil
		})
		o.Ends(completion)
	})
}

// TestInterleaveBoundaryFeedback has an observer that emits into the source.
func TestInterleaveBoundaryFeedback(t *testing.T) {
	eachBoundary(t, func(p *judge.Program, name string, b asynchronous) {
		var s observable.Subject[int]
		o := p.Observer("o")
		o.OnNext(func(v int) {
			if v == 0 {
				for v := range 3 {
					s.Next(100 + v)
				}
			}
		})
		o.Subscribe(context.Background(), b.apply(&s))
		sent := [][]int{p.Emit("a", &s, 0, 1), p.Emit("b", &s, 10), {100, 101, 102}}
		p.LeaveAfter(o, 6)
		o.Gets(judge.Everything, sequences(name, sent)...)
	})
}

// TestInterleaveBoundaryInner has the operator in an inner observable, and a source that
// emits inside its subscription.
func TestInterleaveBoundaryInner(t *testing.T) {
	eachBoundary(t, func(p *judge.Program, name string, b asynchronous) {
		var s producing
		o := p.Observe("o", operators.MergeMap(ints(&s), func(v int) ints {
			return b.apply(observable.Of(100*v, 100*v+1, 100*v+2))
		}))
		s.emit(p, 2, 1)
		o.Gets(judge.Everything, sequences(name, [][]int{{0, 1, 2}, {1000, 1001, 1002}})...)
		o.Ends(completion)
	})
}

// TestInterleaveBoundarySeveral has several such operators subscribed to while one
// goroutine holds the gate: the goroutine that subscribes to the first source subscribes
// to the next one too, unless it has to wait.
func TestInterleaveBoundarySeveral(t *testing.T) {
	eachBoundary(t, func(p *judge.Program, name string, b asynchronous) {
		var s producing
		o := p.Observe("o", operators.Merge(
			b.apply(observable.Of(100)), b.apply(observable.Of(200, 201, 202, 203)), b.apply(observable.Of(300)), b.apply(&s),
		))
		s.emit(p, 1, 1)
		o.Gets(judge.Everything, sequences(name, append(s.sent, []int{100}, []int{200, 201, 202, 203}, []int{300}))...)
		o.Ends(completion)
	})
}

// TestInterleaveBoundaryShared has the operator before and behind a Share.
func TestInterleaveBoundaryShared(t *testing.T) {
	eachBoundary(t, func(p *judge.Program, name string, b asynchronous) {
		var s producing
		shared := operators.Share(b.apply(&s))
		first, second := p.Observe("first", shared), p.Observe("second", b.apply(shared))
		s.emit(p, 2, 1)
		for _, o := range []*judge.Observer{first, second} {
			o.Gets(judge.Everything, sequences(name, s.sent)...)
			o.Ends(completion)
		}
	})
}

// TestInterleaveParallelMapFails has a project that fails, panics or ends its goroutine.
func TestInterleaveParallelMapFails(t *testing.T) {
	for way, fail := range map[string]func() error{
		"error":  func() error { return errExplored },
		"panic":  func() error { panic("trial") },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		project := func(_ context.Context, v int) (int, error) {
			if v == 1 {
				return 0, fail()
			}
			return v, nil
		}
		for name, b := range map[string]asynchronous{
			"ParallelMap": {func(src ints) ints { return operators.ParallelMap(src, 2, project) }, 2},
			"ParallelMapUnordered": {func(src ints) ints {
				return operators.ParallelMapUnordered(src, 2, project)
			}, 2},
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				judge.Explore(t, func(p *judge.Program) {
					var s producing
					o := p.Observe("o", b.apply(&s))
					s.emit(p, 1, 4)
					o.Gets(judge.Some, oneByOne(s.sent)...)
					if name == "ParallelMap" {
						o.Wants(judge.Everything.Of([]int{0}))
						o.Wants(judge.Beginning.Of([]int{1, 2, 3}))
					}
					o.Ends(failure)
				})
			})
		}
	}
}

// TestInterleaveParallelMapFeeds has a project that emits into its source.
func TestInterleaveParallelMapFeeds(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s observable.Subject[int]
		o := p.Observe("o", operators.ParallelMap(ints(&s), 1, func(_ context.Context, v int) (int, error) {
			if v == 0 {
				for v := range 3 {
					s.Next(100 + v)
				}
			}
			return v, nil
		}))
		p.LeaveAfter(o, 6)
		o.Gets(judge.Everything, p.Emit("a", &s, 0, 1), p.Emit("b", &s, 10), []int{100, 101, 102})
	})
}

// TestInterleaveBackpressure has the policies that lose values: each is delivered or
// dropped, once.
func TestInterleaveBackpressure(t *testing.T) {
	for name, apply := range map[string]func(src ints, dropped func(int)) ints{
		"DropOldest": func(src ints, dropped func(int)) ints {
			return operators.OnBackpressureBuffer(src, 1, observable.OverflowDropOldest, dropped)
		},
		"DropNewest": func(src ints, dropped func(int)) ints {
			return operators.OnBackpressureBuffer(src, 1, observable.OverflowDropNewest, dropped)
		},
		"Fail": func(src ints, _ func(int)) ints {
			return operators.OnBackpressureBuffer(src, 1, observable.OverflowFail, nil)
		},
		"Drop":   operators.OnBackpressureDrop[int],
		"Latest": operators.OnBackpressureLatest[int],
		"ConflateBy": func(src ints, _ func(int)) ints {
			return operators.ConflateBy(src, func(v int) int { return v })
		},
		"Conflate": func(src ints, dropped func(int)) ints {
			return operators.Conflate(src, func(acc, v int) int {
				dropped(acc)
				return v
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				var s producing
				var dropped []int
				o := p.Observe("o", apply(&s, func(v int) { dropped = append(dropped, v) }))
				s.emit(p, 2, 2)
				o.Ends(completion)
				if name == "Fail" {
					o.Gets(judge.Beginning, s.sent...)
					o.Ends(completion, failure)
					return
				}
				o.Gets(judge.Some, s.sent...)
				o.Wants(func(got []int) error {
					all := append(append([]int{}, got...), dropped...)
					for _, sent := range oneByOne(s.sent) {
						if err := judge.Everything.Of(sent)(all); err != nil {
							return fmt.Errorf("with those that were dropped: %w", err)
						}
					}
					return nil
				})
			})
		})
	}
}
