package operators_test

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func init() {
	register("buffer", func(c *vcase) O { return list(operators.Buffer(c.source(0), c.source(1))) })
	register("bufferCount", func(c *vcase) O {
		if c.has("every") {
			return list(operators.BufferCountEvery(c.source(0), c.int("size"), c.int("every")))
		}
		return list(operators.BufferCount(c.source(0), c.int("size")))
	})
	register("bufferTime", func(c *vcase) O {
		if len(c.args()) == 1 {
			return list(operators.BufferTime(c.source(0), c.millis("span")))
		}
		return list(operators.BufferTimeWith(c.source(0), operators.BufferTimeConfig(timeConfig(c))))
	})
	register("bufferToggle", func(c *vcase) O {
		closing := c.inner("closing")
		return indexed1(func(next func() int) O {
			return list(operators.BufferToggle(c.source(0), c.source(1), func(v any) O { return closing(v, next()) }))
		})
	})
	register("bufferWhen", func(c *vcase) O {
		closing := c.inner("closing")
		return list(operators.BufferWhen(c.source(0), func() O { return closing(0, 0) }))
	})
	register("window", func(c *vcase) O { return erase(operators.Window(c.source(0), c.source(1))) })
	register("windowCount", func(c *vcase) O {
		if c.has("every") {
			return erase(operators.WindowCountEvery(c.source(0), c.int("size"), c.int("every")))
		}
		return erase(operators.WindowCount(c.source(0), c.int("size")))
	})
	register("windowTime", func(c *vcase) O {
		if len(c.args()) == 1 {
			return erase(operators.WindowTime(c.source(0), c.millis("span")))
		}
		return erase(operators.WindowTimeWith(c.source(0), timeConfig(c)))
	})
	register("windowToggle", func(c *vcase) O {
		closing := c.inner("closing")
		return indexed1(func(next func() int) O {
			return erase(operators.WindowToggle(c.source(0), c.source(1), func(v any) O { return closing(v, next()) }))
		})
	})
	register("windowWhen", func(c *vcase) O {
		closing := c.inner("closing")
		return erase(operators.WindowWhen(c.source(0), func() O { return closing(0, 0) }))
	})
	register("groupBy", func(c *vcase) O {
		return operators.Map(grouped(c), func(g *operators.Group[any, any]) any { return namedGroup{g} })
	})
}

// list turns a stream of slices into a stream of JSON arrays.
func list(src observable.Observable[[]any]) O { return erase(src) }

func timeConfig(c *vcase) operators.WindowTimeConfig {
	config := operators.WindowTimeConfig{Span: c.millis("span")}
	if c.has("creation") {
		config.Every = c.millis("creation")
	}
	if c.has("max") {
		config.Max = c.int("max")
	}
	return config
}

func grouped(c *vcase) observable.Observable[*operators.Group[any, any]] {
	value := c.value("key")
	key := func(v any) any { return value(v, 0) }
	switch {
	case c.has("element"):
		element := c.value("element")
		return operators.GroupByMap(c.source(0), key, func(v any) any { return element(v, 0) })
	case c.has("duration"):
		duration := c.inner("duration")
		return operators.GroupByUntil(c.source(0), key, func(g *operators.Group[any, any]) O {
			return duration(g.Key, 0)
		})
	default:
		return operators.GroupBy(c.source(0), key)
	}
}

// namedGroup is a group that tells the runner its key.
type namedGroup struct{ *operators.Group[any, any] }

func (g namedGroup) GroupKey() any { return g.Key }
