package operators_test

import (
	"context"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func init() {
	register("share", func(c *vcase) O {
		config := operators.ShareConfig[any]{
			OnError:        reset(c, "resetOnError"),
			OnComplete:     reset(c, "resetOnComplete"),
			OnRefCountZero: reset(c, "resetOnRefCountZero"),
		}
		if c.has("connector") {
			config.Connector = connector(c.spec("connector"))
		}
		return operators.ShareWith(c.source(0), config)
	})
	register("shareReplay", func(c *vcase) O {
		return operators.ShareReplay(c.source(0), operators.ShareReplayConfig{
			Replay: replay(c.args()), RefCount: c.bool("refCount"),
		})
	})
	register("connectable", func(c *vcase) O {
		var config observable.ConnectableConfig[any]
		if c.has("connector") {
			config.Connector = connector(c.spec("connector"))
		}
		config.KeepOnDisconnect = c.has("resetOnDisconnect") && !c.bool("resetOnDisconnect")
		return scriptConnections(c, observable.NewConnectable(c.source(0), config))
	})
	register("publish", func(c *vcase) O {
		subject := published(c)
		return scriptConnections(c, observable.NewConnectable(c.source(0), observable.ConnectableConfig[any]{
			Connector:        func() observable.Processor[any] { return subject },
			KeepOnDisconnect: true,
		}))
	})
	register("publishRefCount", func(c *vcase) O {
		subject := published(c)
		return operators.ShareWith(c.source(0), operators.ShareConfig[any]{
			Connector:  func() observable.Processor[any] { return subject },
			OnError:    operators.ResetNever(),
			OnComplete: operators.ResetNever(),
		})
	})
	register("connect", func(c *vcase) O {
		if c.has("connector") {
			return operators.ConnectWith(c.source(0), connector(c.spec("connector")), connected(c))
		}
		return operators.Connect(c.source(0), connected(c))
	})
}

// connector returns a function that makes the processors of the vectors.
func connector(s spec) func() observable.Processor[any] {
	return func() observable.Processor[any] {
		switch kind := s["kind"]; kind {
		case "subject":
			return new(observable.Subject[any])
		case "behavior":
			return observable.NewBehaviorSubject(s["value"])
		case "replay":
			return observable.NewReplaySubject[any](replay(s))
		case "async":
			return observable.NewAsyncSubject[any]()
		default:
			panic(spec{"fn": kind}.unknown("connector"))
		}
	}
}

func replay(args map[string]any) (r observable.ReplayConfig) {
	if n, ok := args["bufferSize"].(int); ok {
		r.Buffer = n
	}
	if n, ok := args["windowTime"].(int); ok {
		r.Window = millis(n)
	}
	return r
}

// published returns the one processor of the publish operators: a connectable, or a
// share, that never gets another processor is the same thing.
func published(c *vcase) observable.Processor[any] {
	kind := c.str("variant")
	if kind == "last" {
		kind = "async"
	}
	s := spec{"kind": kind, "value": c.any("value"), "bufferSize": c.any("bufferSize")}
	return connector(s)()
}

func reset(c *vcase, name string) operators.Reset {
	switch when := c.any(name).(type) {
	case bool:
		if !when {
			return operators.ResetNever()
		}
	case map[string]any:
		d := spec(when).int("d")
		return operators.ResetWhen(func(error) O { return c.timer(d) })
	}
	return operators.Reset{}
}

// scriptConnections schedules the connects and disconnects of the connectable.
func scriptConnections(c *vcase, shared *observable.Connectable[any]) O {
	for _, entry := range c.list("connect") {
		action := spec(entry.(map[string]any))
		c.at(action.int("at"), func() {
			connection := shared.Connect(context.Background())
			c.hold(connection)
			if until, ok := action["disconnect"].(int); ok {
				c.at(until, connection.Unsubscribe)
			}
		})
	}
	return shared
}

func connected(c *vcase) func(shared O) O {
	times := func(k int) func(any) any { return func(v any) any { return v.(int) * k } }
	return func(shared O) O {
		switch selector := c.spec("selector"); selector.fn() {
		case "mergeDouble":
			return operators.Merge(shared, operators.Map(shared, times(10)))
		case "takeThenSkip":
			return operators.Merge(operators.Take(shared, 1), operators.Map(operators.Skip(shared, 1), times(10)))
		case "concatAfter":
			return operators.Concat(operators.Take(shared, 2), operators.Map(shared, times(100)))
		case "throw":
			panic(errBoom)
		default:
			panic(selector.unknown("selector"))
		}
	}
}
