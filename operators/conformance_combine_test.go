package operators_test

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func init() {
	merge := func(c *vcase) O {
		if c.has("concurrent") {
			return operators.MergeConcurrent(c.int("concurrent"), c.sources()...)
		}
		return operators.Merge(c.sources()...)
	}
	register("merge", merge)
	register("mergeWith", merge)

	// RxJS's operators named ...With are its functions with the source as the first
	// argument.
	for op, combine := range map[string]func(srcs ...O) O{
		"concat":            operators.Concat[any],
		"race":              operators.Race[any],
		"onErrorResumeNext": operators.OnErrorResumeNext[any],
	} {
		build := func(c *vcase) O { return combine(c.sources()...) }
		register(op, build)
		register(op+"With", build)
	}
	for op, combine := range map[string]func(srcs ...O) observable.Observable[[]any]{
		"combineLatest": operators.CombineLatest[any],
		"zip":           operators.Zip[any],
	} {
		build := func(c *vcase) O { return joined(c, combine(c.sources()...)) }
		register(op, build)
		register(op+"With", build)
	}
	register("forkJoin", func(c *vcase) O { return joined(c, operators.ForkJoin(c.sources()...)) })
	register("combineLatestAll", func(c *vcase) O { return joined(c, operators.CombineLatestAll(higherOrder(c))) })
	register("zipAll", func(c *vcase) O { return joined(c, operators.ZipAll(higherOrder(c))) })

	register("withLatestFrom", func(c *vcase) O {
		project := func(vs []any) any { return vs }
		if c.has("project") {
			project = c.project("project")
		}
		return operators.WithLatestFromAll(c.source(0), c.sources()[1:], func(v any, others []any) any {
			return project(append([]any{v}, others...))
		})
	})
	register("partition", partitioned)
	register("takeUntil", func(c *vcase) O { return operators.TakeUntil(c.source(0), c.source(1)) })
	register("skipUntil", func(c *vcase) O { return operators.SkipUntil(c.source(0), c.source(1)) })
}

// joined applies the case's projection, if there is one, to the joined values of several
// sources.
func joined(c *vcase, all observable.Observable[[]any]) O {
	if c.has("project") {
		return operators.Map(all, c.project("project"))
	}
	return erase(all)
}

func partitioned(c *vcase) O {
	predicate := c.predicate("predicate")
	side := func(pick func(matching, rest O) O) O {
		return indexed1(func(next func() int) O {
			return pick(operators.Partition(c.source(0), func(v any) bool { return predicate(v, next()) }))
		})
	}
	matching := side(func(matching, _ O) O { return matching })
	rest := side(func(_, rest O) O { return rest })
	switch c.str("side") {
	case "matching":
		return matching
	case "rest":
		return rest
	}
	tagged := func(src O, tag int) O {
		return operators.Map(src, func(v any) any { return []any{tag, v} })
	}
	return operators.Merge(tagged(matching, 0), tagged(rest, 1))
}
