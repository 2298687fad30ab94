package operators_test

import "github.com/rxsocket/rxsocket/operators"

func init() {
	register("filter", predicated(operators.Filter[any]))
	register("takeWhile", func(c *vcase) O {
		if c.bool("inclusive") {
			return predicated(operators.TakeWhileInclusive[any])(c)
		}
		return predicated(operators.TakeWhile[any])(c)
	})
	register("skipWhile", predicated(operators.SkipWhile[any]))
	register("ignoreElements", func(c *vcase) O { return operators.IgnoreElements(c.source(0)) })
	register("skip", func(c *vcase) O { return operators.Skip(c.source(0), c.int("count")) })
	register("skipLast", func(c *vcase) O { return operators.SkipLast(c.source(0), c.int("count")) })
	register("takeLast", func(c *vcase) O { return operators.TakeLast(c.source(0), c.int("count")) })
	register("elementAt", func(c *vcase) O {
		if c.has("default") {
			return operators.ElementAtOrDefault(c.source(0), c.int("index"), c.any("default"))
		}
		return operators.ElementAt(c.source(0), c.int("index"))
	})
	register("first", chosen(operators.First[any], operators.FirstWhere[any],
		operators.FirstOrDefault[any], operators.FirstWhereOrDefault[any]))
	register("last", chosen(operators.Last[any], operators.LastWhere[any],
		operators.LastOrDefault[any], operators.LastWhereOrDefault[any]))
	register("single", chosen(operators.Single[any], operators.SingleWhere[any], nil, nil))
	register("find", predicated(func(src O, predicate func(any) bool) O {
		return operators.Map(operators.Find(src, predicate), func(f operators.Found[any]) any { return f.Value })
	}))
	register("findIndex", predicated(func(src O, predicate func(any) bool) O {
		return erase(operators.FindIndex(src, predicate))
	}))
	register("every", predicated(func(src O, predicate func(any) bool) O {
		return erase(operators.Every(src, predicate))
	}))
	register("isEmpty", func(c *vcase) O { return erase(operators.IsEmpty(c.source(0))) })

	register("distinct", func(c *vcase) O {
		key := func(v any) any { return v }
		if c.has("key") {
			key = value1(c, "key")
		}
		switch {
		case c.bool("flushes"):
			return operators.DistinctFlush(c.source(0), key, c.source(1))
		case c.has("key"):
			return operators.DistinctBy(c.source(0), key)
		default:
			return operators.Distinct(c.source(0))
		}
	})
	register("distinctUntilChanged", func(c *vcase) O {
		switch {
		case c.any("comparator") != nil && c.has("key"):
			return operators.DistinctUntilKeyChangedFunc(c.source(0), value1(c, "key"), c.equality("comparator"))
		case c.any("comparator") != nil:
			return operators.DistinctUntilChangedFunc(c.source(0), c.equality("comparator"))
		case c.has("key"):
			return operators.DistinctUntilKeyChanged(c.source(0), value1(c, "key"))
		default:
			return operators.DistinctUntilChanged(c.source(0))
		}
	})
	register("distinctUntilKeyChanged", func(c *vcase) O {
		name := c.str("key")
		key := func(v any) any { return v.(map[string]any)[name] }
		if c.has("comparator") {
			return operators.DistinctUntilKeyChangedFunc(c.source(0), key, c.equality("comparator"))
		}
		return operators.DistinctUntilKeyChanged(c.source(0), key)
	})
}

// predicated registers an operator with a predicate; the vectors give the predicate an
// index.
func predicated(op func(src O, predicate func(any) bool) O) func(c *vcase) O {
	return func(c *vcase) O {
		predicate := c.predicate("predicate")
		return indexed1(func(next func() int) O {
			return op(c.source(0), func(v any) bool { return predicate(v, next()) })
		})
	}
}

// chosen registers the four forms of an operator that is one in RxJS: plain, with a
// predicate, with a default, and with both.
func chosen(
	plain func(src O) O, where func(src O, predicate func(any) bool) O,
	orDefault func(src O, value any) O, whereOrDefault func(src O, predicate func(any) bool, value any) O,
) func(c *vcase) O {
	return func(c *vcase) O {
		withPredicate, withDefault := c.any("predicate") != nil, c.has("default")
		switch {
		case withPredicate && withDefault:
			return predicated(func(src O, predicate func(any) bool) O {
				return whereOrDefault(src, predicate, c.any("default"))
			})(c)
		case withPredicate:
			return predicated(where)(c)
		case withDefault:
			return orDefault(c.source(0), c.any("default"))
		default:
			return plain(c.source(0))
		}
	}
}

// value1 returns a value function that does not look at the index.
func value1(c *vcase, name string) func(v any) any {
	f := c.value(name)
	return func(v any) any { return f(v, 0) }
}
