package operators_test

import (
	"time"

	"github.com/rxsocket/rxsocket/operators"
)

func init() {
	registerTimed("debounceTime", "dueTime", operators.DebounceTime[any])
	registerTimed("auditTime", "duration", operators.AuditTime[any])
	registerTimed("sampleTime", "period", operators.SampleTime[any])
	registerTimed("delay", "due", operators.Delay[any])
	registerTimed("observeOn", "delay", operators.ObserveOnDelay[any])
	registerTimed("subscribeOn", "delay", operators.SubscribeAfter[any])
	register("throttleTime", func(c *vcase) O {
		if len(c.args()) == 1 {
			return operators.ThrottleTime(c.source(0), c.millis("duration"))
		}
		return operators.ThrottleTimeWith(c.source(0), c.millis("duration"), throttleConfig(c))
	})
	register("throttle", func(c *vcase) O { return operators.Throttle(c.source(0), duration(c), throttleConfig(c)) })
	register("debounce", func(c *vcase) O { return operators.Debounce(c.source(0), duration(c)) })
	register("audit", func(c *vcase) O { return operators.Audit(c.source(0), duration(c)) })
	register("sample", func(c *vcase) O { return operators.Sample(c.source(0), c.source(1)) })
	register("delayWhen", func(c *vcase) O {
		delayed := operators.DelayWhen(c.source(0), duration(c))
		if c.has("subscriptionDelay") {
			return operators.DelaySubscription(delayed, c.source(c.int("subscriptionDelay")))
		}
		return delayed
	})
	register("timeout", timedOut)
}

func registerTimed(op, argument string, build func(src O, d time.Duration) O) {
	register(op, func(c *vcase) O { return build(c.source(0), c.millis(argument)) })
}

// duration returns the selector of durations; none of them looks at an index.
func duration(c *vcase) func(v any) O {
	inner := c.inner("duration")
	return func(v any) O { return inner(v, 0) }
}

func throttleConfig(c *vcase) operators.ThrottleConfig {
	return operators.ThrottleConfig{
		NoLeading: c.has("leading") && !c.bool("leading"),
		Trailing:  c.bool("trailing"),
	}
}

func timedOut(c *vcase) O {
	if len(c.args()) == 1 && c.has("each") {
		return operators.Timeout(c.source(0), c.millis("each"))
	}
	var config operators.TimeoutConfig[any]
	if c.has("first") {
		config.First = c.millis("first")
	}
	if c.has("each") {
		config.Each = c.millis("each")
	}
	if c.has("with") {
		config.With = func(*operators.TimeoutError) O { return c.source(c.int("with")) }
	}
	return operators.TimeoutWith(c.source(0), config)
}
