package operators_test

import (
	"errors"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func init() {
	register("retry", retried)
	register("retryWhen", func(c *vcase) O {
		w := &rerunWhen{notifier: c.rerunNotifier()}
		return w.observable(operators.RetryAfter(w.run(c.source(0)), operators.RetryConfig{},
			func(err error, _ int) O { return w.delay(err) }))
	})
	register("repeat", repeated)
	register("repeatWhen", func(c *vcase) O {
		w := &rerunWhen{notifier: c.rerunNotifier(), waits: true}
		return w.observable(operators.RepeatAfter(w.run(c.source(0)), operators.RepeatConfig{},
			func(int) O { return w.delay(nil) }))
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
	if count <= 0 { // here this means no limit
		return c.source(0)
	}
	config := operators.RetryConfig{Count: count, ResetOnSuccess: c.bool("resetOnSuccess")}
	if delay, fixed := c.fixedDelay(); fixed {
		config.Delay = delay
		return operators.RetryWith(c.source(0), config)
	}
	delay := c.rerunDelay()
	return operators.RetryAfter(c.source(0), config, func(err error, retry int) O { return delay(errorName(err), retry) })
}

func repeated(c *vcase) O {
	count := operators.Unlimited
	if c.has("count") {
		count = c.int("count")
	}
	if !c.has("delay") || count <= 0 {
		return operators.Repeat(c.source(0), max(count, 0))
	}
	if delay, fixed := c.fixedDelay(); fixed {
		return operators.RepeatWith(c.source(0), operators.RepeatConfig{Count: count, Delay: delay})
	}
	delay := c.rerunDelay()
	return operators.RepeatAfter(c.source(0), operators.RepeatConfig{Count: count},
		func(repetition int) O { return delay(repetition, repetition) })
}

// fixedDelay returns the delay of a retry or repeat if it is a number of frames, and 0 if
// there is none; it reports false if the delay is a function.
func (c *vcase) fixedDelay() (delay time.Duration, fixed bool) {
	if !c.has("delay") {
		return 0, true
	}
	if _, fixed = c.any("delay").(int); fixed {
		delay = c.millis("delay")
	}
	return delay, fixed
}

// rerunDelay returns the delay of a retry or repeat if it is a function of the n-th
// rerun.
func (c *vcase) rerunDelay() func(v any, n int) O {
	switch delay := c.spec("delay"); delay.fn() {
	case "timerByCount":
		return func(_ any, n int) O { return erase(observable.Timer(millis(n * delay.int("k")))) }
	case "throw":
		return func(any, int) O { panic(errors.New("boom2")) }
	default:
		return c.innerOf(delay)
	}
}
