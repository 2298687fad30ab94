package operators_test

import (
	"errors"

	"github.com/rxsocket/rxsocket/observable"
)

func init() {
	register("of", func(c *vcase) O { return observable.Of(c.list("values")...) })
	register("from", func(c *vcase) O { return observable.FromSlice(c.list("values")) })
	register("range", func(c *vcase) O { return erase(observable.Range(c.int("start"), c.int("count"))) })
	register("interval", func(c *vcase) O { return erase(observable.Interval(c.millis("period"))) })
	register("timer", func(c *vcase) O {
		if c.has("period") {
			return erase(observable.TimerEvery(c.millis("due"), c.millis("period")))
		}
		return erase(observable.Timer(c.millis("due")))
	})
	register("empty", func(*vcase) O { return observable.Empty[any]() })
	register("never", func(*vcase) O { return observable.Never[any]() })
	register("throwError", func(c *vcase) O { return observable.Throw[any](errors.New(c.str("e"))) })
	register("defer", deferred)
	register("iif", conditional)
	register("generate", generated)
	register("using", used)
}

func deferred(c *vcase) O {
	calls := 0
	return observable.Defer(func() O {
		if c.bool("throw") {
			panic(errBoom)
		}
		sources := c.list("sources")
		calls++
		return c.source(sources[(calls-1)%len(sources)].(int))
	})
}

func conditional(c *vcase) O {
	calls := 0
	return observable.Iif(func() bool {
		conditions := c.list("conds")
		calls++
		return conditions[(calls-1)%len(conditions)].(bool)
	}, c.source(0), c.source(1))
}

func generated(c *vcase) O {
	while, next := c.predicate("cond"), c.value("iterate")
	src := observable.Generate(c.any("initial"),
		func(v any) bool { return while(v, 0) },
		func(v any) any { return next(v, 0) })
	if c.has("result") {
		return c.pipe("map", map[string]any{"project": c.any("result")}, src)
	}
	return src
}

func used(c *vcase) O {
	throwIn := func(name string) bool { return c.any("throwIn") == name }
	return observable.Using(
		func() (struct{}, error) {
			if throwIn("resource") {
				return struct{}{}, errBoom
			}
			c.log("acquire", nil)
			return struct{}{}, nil
		},
		func(struct{}) O {
			if throwIn("observable") {
				panic(errBoom)
			}
			return c.source(0)
		},
		func(struct{}) { c.log("dispose", nil) },
	)
}
