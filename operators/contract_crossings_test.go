package operators_test

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// crossings has the operators that make streams; the streams pass through an operator
// with a gate of its own. For these trials the outcome says only that the stream
// completes.
var crossings = crossed()

func crossed() map[string]entry {
	all := map[string]entry{}
	for name, through := range map[string]stage{
		"New": func(src ints) ints {
			return observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
				time.Sleep(time.Microsecond) // so that others come in
				sub := src.Subscribe(ctx, o)
				time.Sleep(time.Microsecond)
				return sub.Unsubscribe
			})
		},
		"ObserveOn":   func(src ints) ints { return operators.ObserveOn(src, 4) },
		"ParallelMap": func(src ints) ints { return operators.ParallelMap(src, 2, unchangedTrial) },
		"Share":       func(src ints) ints { return operators.Share(src) },
	} {
		cross := func(operator string, l law, apply func(s stream, h hook) stream) {
			all[operator+" through "+name] = forwarding(apply).with(func(e *entry) { e.law = l })
		}
		slices := func(windows observable.Observable[stream]) stream {
			return flat(operators.MergeMap(windows, func(w stream) observable.Observable[[]int] {
				return operators.ToSlice(through(w))
			}))
		}
		project := func(h hook) func(int) stream {
			return func(v int) stream { return through(observable.Of(h(v))) }
		}
		cross("GroupBy", divided(everything), func(s stream, h hook) stream {
			groups := operators.GroupBy(s, parityTrial(h))
			return operators.MergeMap(groups, func(g *operators.Group[int, int]) stream { return through(g) })
		})
		cross("GroupByUntil", anyOrder, func(s stream, h hook) stream {
			groups := operators.GroupByUntil(s, parityTrial(h), func(g *operators.Group[int, int]) stream {
				return operators.Skip(g, 6)
			})
			return operators.MergeMap(groups, func(g *operators.Group[int, int]) stream { return through(g) })
		})
		cross("Window", unbordered(anyOrder), func(s stream, _ hook) stream { return slices(operators.Window(s, ticks)) })
		cross("WindowCount", slicesOf(7, anyOrder), func(s stream, _ hook) stream {
			return slices(operators.WindowCount(s, 7))
		})
		cross("WindowTime", unbordered(anyOrder), func(s stream, _ hook) stream {
			return slices(operators.WindowTime(s, 2*msTrial))
		})
		cross("WindowWhen", unbordered(anyOrder), func(s stream, h hook) stream {
			return slices(operators.WindowWhen(s, func() stream { return tick(h)(0) }))
		})
		cross("ConcatMap", everything, func(s stream, h hook) stream { return operators.ConcatMap(s, project(h)) })
		cross("ExhaustMap", some, func(s stream, h hook) stream { return operators.ExhaustMap(s, project(h)) })
		cross("MergeMap", anyOrder, func(s stream, h hook) stream { return operators.MergeMap(s, project(h)) })
		cross("SwitchMap", some, func(s stream, h hook) stream { return operators.SwitchMap(s, project(h)) })
	}
	return all
}

// unchangedTrial is a projection of ParallelMap that returns its argument.
func unchangedTrial(_ context.Context, v int) (int, error) { return yielding(v), nil }
