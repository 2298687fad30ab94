package operators_test

import (
	"errors"

	"github.com/rxsocket/rxsocket/operators"
)

func init() {
	register("map", func(c *vcase) O {
		f := c.value("project")
		return indexed1(func(next func() int) O {
			return operators.Map(c.source(0), func(v any) any { return f(v, next()) })
		})
	})
	register("mapTo", func(c *vcase) O {
		return operators.Map(c.source(0), func(any) any { return c.any("value") })
	})
	register("take", func(c *vcase) O { return operators.Take(c.source(0), c.int("count")) })
	register("mergeMap", func(c *vcase) O {
		f := c.inner("inner")
		return indexed1(func(next func() int) O {
			return mergeMapped(c, func(v any) O { return f(v, next()) })
		})
	})
	register("mergeMapTo", func(c *vcase) O {
		return mergeMapped(c, func(any) O { return c.source(1) })
	})
	register("catchError", caught)
	register("pipeline", func(c *vcase) O {
		src := c.source(0)
		for _, stage := range c.list("pipe") {
			stage := spec(stage.(map[string]any))
			src = c.pipe(argument[string](stage, "op"), argument[map[string]any](stage, "args"), src)
		}
		return src
	})
}

// mergeMapped applies MergeMap to source 0, with a limit if the case has one.
func mergeMapped(c *vcase, project func(v any) O) O {
	if c.has("concurrent") {
		return operators.MergeMapConcurrent(c.source(0), c.int("concurrent"), project)
	}
	return operators.MergeMap(c.source(0), project)
}

func caught(c *vcase) O {
	handler := c.spec("handler")
	var result O
	count := 0
	result = operators.Catch(c.source(0), func(err error) O {
		count++
		switch handler.fn() {
		case "source":
			return c.source(handler.int("source"))
		case "caught":
			return result
		case "caughtTimes":
			if count <= handler.int("n") {
				return result
			}
			return c.source(handler.int("source"))
		case "ofError":
			return c.sync(one(errorName(err), 0))
		case "empty":
			return c.sync([]event{{K: "C"}})
		case "rethrow":
			panic(err)
		case "throw":
			panic(errors.New("boom2"))
		default:
			panic(handler.unknown("handler"))
		}
	})
	return result
}
