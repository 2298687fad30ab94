package operators_test

import (
	"errors"

	"github.com/rxsocket/rxsocket/observable"
)

func init() {
	register("Subject", func(c *vcase) O {
		return c.scriptSubject(new(observable.Subject[any]), nil)
	})
	register("BehaviorSubject", func(c *vcase) O {
		s := observable.NewBehaviorSubject(c.any("value"))
		return c.scriptSubject(s, s.Value)
	})
	register("ReplaySubject", func(c *vcase) O {
		var r observable.ReplayConfig
		if c.has("bufferSize") {
			r.Buffer = c.int("bufferSize")
		}
		if c.has("windowTime") {
			r.Window = c.millis("windowTime")
		}
		return c.scriptSubject(observable.NewReplaySubject[any](r), nil)
	})
	register("AsyncSubject", func(c *vcase) O {
		return c.scriptSubject(observable.NewAsyncSubject[any](), nil)
	})
}

// subject is the common interface of the subjects.
type subject interface {
	O
	observable.Observer[any]
}

// scriptSubject schedules the case's actions on the subject.
func (c *vcase) scriptSubject(s subject, value func() (any, error)) O {
	for _, entry := range c.list("script") {
		action := entry.(map[string]any)
		c.at(argument[int](action, "t"), func() {
			switch do := action["do"]; do {
			case "next":
				s.Next(action["v"])
			case "error":
				s.Error(errors.New(argument[string](action, "e")))
			case "complete":
				s.Complete()
			case "getValue":
				if v, err := value(); err != nil {
					c.log("getValue", map[string]any{"e": errorName(err)})
				} else {
					c.log("getValue", map[string]any{"v": v})
				}
			default:
				panic(spec{"fn": do}.unknown("action"))
			}
		})
	}
	return s
}
