package operators_test

import (
	"errors"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func init() {
	register("scan", accumulated(operators.Scan[any, any], operators.Accumulate[any]))
	register("reduce", accumulated(operators.Reduce[any, any], operators.Fold[any]))
	register("pairwise", func(c *vcase) O {
		return operators.Map(operators.Pairwise(c.source(0)), func(p operators.Pair[any, any]) any {
			return []any{p.First, p.Second}
		})
	})
	register("toArray", func(c *vcase) O { return erase(operators.ToSlice(c.source(0))) })
	register("count", func(c *vcase) O {
		count := func(src O) O { return erase(operators.Count(src)) }
		if !c.has("predicate") {
			return count(c.source(0))
		}
		return predicated(func(src O, predicate func(any) bool) O {
			return count(operators.Filter(src, predicate))
		})(c)
	})
	register("max", extreme(operators.Max[int], operators.MaxFunc[any]))
	register("min", extreme(operators.Min[int], operators.MinFunc[any]))

	register("defaultIfEmpty", func(c *vcase) O {
		return operators.DefaultIfEmpty(c.source(0), c.any("value"))
	})
	register("throwIfEmpty", func(c *vcase) O {
		switch {
		case c.bool("throw"):
			return operators.ThrowIfEmpty(c.source(0), func() error { panic(errors.New("boom2")) })
		case c.has("e"):
			return operators.ThrowIfEmpty(c.source(0), func() error { return errors.New(c.str("e")) })
		default:
			return operators.ThrowIfEmpty(c.source(0), nil)
		}
	})
	register("startWith", func(c *vcase) O { return operators.StartWith(c.source(0), c.list("values")...) })
	register("endWith", func(c *vcase) O { return operators.EndWith(c.source(0), c.list("values")...) })
	register("sequenceEqual", func(c *vcase) O {
		if c.has("comparator") {
			return erase(operators.SequenceEqualFunc(c.source(0), c.source(1), c.equality("comparator")))
		}
		return erase(operators.SequenceEqual(c.source(0), c.source(1)))
	})

	register("materialize", func(c *vcase) O {
		return operators.Map(operators.Materialize(c.source(0)), encodeNotification)
	})
	register("dematerialize", func(c *vcase) O {
		return operators.Dematerialize(operators.Map(c.source(0), decodeNotification))
	})
	register("timestamp", func(c *vcase) O {
		return operators.Map(operators.Timestamp(c.source(0)), func(v operators.TimestampValue[any]) any {
			return map[string]any{"value": v.Value, "timestamp": c.frameOf(v.Time)}
		})
	})
	register("timeInterval", func(c *vcase) O {
		return operators.Map(operators.TimeInterval(c.source(0)), func(v operators.TimeIntervalValue[any]) any {
			return map[string]any{"value": v.Value, "interval": frames(v.Elapsed)}
		})
	})
}

// accumulated registers Scan or Reduce, and the form without a seed. The vectors give the
// accumulating function the index of the value.
func accumulated(
	seeded func(src O, seed any, accumulate func(acc, v any) any) O,
	unseeded func(src O, accumulate func(acc, v any) any) O,
) func(c *vcase) O {
	return func(c *vcase) O {
		reduce := c.reducer("acc")
		return indexed1(func(next func() int) O {
			if c.has("seed") {
				return seeded(c.source(0), c.any("seed"), func(acc, v any) any { return reduce(acc, v, next()) })
			}
			return unseeded(c.source(0), func(acc, v any) any { return reduce(acc, v, next()+1) })
		})
	}
}

// extreme registers Max or Min: without a comparator the values, whole numbers, have
// their natural order.
func extreme(
	plain func(src observable.Observable[int]) observable.Observable[int],
	by func(src O, compare func(a, b any) int) O,
) func(c *vcase) O {
	return func(c *vcase) O {
		if c.has("comparator") {
			return by(c.source(0), c.comparator("comparator"))
		}
		return erase(plain(operators.Map(c.source(0), func(v any) int { return v.(int) })))
	}
}

// encodeNotification and decodeNotification translate to and from the vectors' form of a
// notification.
func encodeNotification(n operators.Notification[any]) any {
	switch n.Kind {
	case operators.ErrorNotification:
		return map[string]any{"kind": "E", "error": errorName(n.Err)}
	case operators.CompleteNotification:
		return map[string]any{"kind": "C"}
	default:
		return map[string]any{"kind": "N", "value": n.Value}
	}
}

func decodeNotification(v any) operators.Notification[any] {
	fields := v.(map[string]any)
	switch fields["kind"] {
	case "E":
		return operators.Notification[any]{
			Kind: operators.ErrorNotification, Err: errors.New(argument[string](fields, "error")),
		}
	case "C":
		return operators.Notification[any]{Kind: operators.CompleteNotification}
	default:
		return operators.Notification[any]{Value: fields["value"]}
	}
}
