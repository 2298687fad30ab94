package operators_test

import (
	"errors"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func init() {
	register("retry", retried)
	register("retryWhen", func(c *vcase) O {
		w := &rerunWhen{notifier: c.rerunNotifier()}
		return w.observable(operators.RetryWith(w.run(c.source(0)), operators.RetryConfig[any]{
			Delay: func(err error, _ int) O { return w.delay(err) },
		}))
	})
	register("repeat", repeated)
	register("repeatWhen", func(c *vcase) O {
		w := &rerunWhen{notifier: c.rerunNotifier(), waits: true}
		return w.observable(operators.RepeatWith(w.run(c.source(0)), operators.RepeatConfig[any]{
			Delay: func(int) O { return w.delay(nil) },
		}))
	})
}

func retried(c *vcase) O {
	count := operators.Unlimited
	if c.has("count") {
		count = c.int("count")
	}
	if !c.has("delay") && !c.bool("resetOnSuccess") {
		return operators.Retry(c.source(0), max(count, 0))
	}
	if count <= 0 { // which here means no limit
		return c.source(0)
	}
	config := operators.RetryConfig[any]{Count: count, ResetOnSuccess: c.bool("resetOnSuccess")}
	if c.has("delay") {
		delay := c.rerunDelay()
		config.Delay = func(err error, retry int) O { return delay(errorName(err), retry) }
	}
	return operators.RetryWith(c.source(0), config)
}

func repeated(c *vcase) O {
	count := operators.Unlimited
	if c.has("count") {
		count = c.int("count")
	}
	if !c.has("delay") || count <= 0 {
		return operators.Repeat(c.source(0), max(count, 0))
	}
	delay := c.rerunDelay()
	return operators.RepeatWith(c.source(0), operators.RepeatConfig[any]{
		Count: count,
		Delay: func(repetition int) O { return delay(repetition, repetition) },
	})
}

// rerunDelay returns the delay of a retry or repeat: a number of frames, or a function of the n-th
// rerun.
func (c *vcase) rerunDelay() func(v any, n int) O {
	if _, fixed := c.any("delay").(int); fixed {
		return func(any, int) O { return erase(observable.Timer(c.millis("delay"))) }
	}
	switch delay := c.spec("delay"); delay.fn() {
	case "timerByCount":
		return func(_ any, n int) O { return erase(observable.Timer(millis(n * delay.int("k")))) }
	case "throw":
		return func(any, int) O { panic(errors.New("boom2")) }
	default:
		return c.innerOf(delay)
	}
}
