package operators_test

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// waits returns the duration that stands in the label behind an arrow, as x => ---0|.
func (p *play) waits() func(int) texts { return p.inner() }

// marblesOfTime are the calls of operators that have fewer values in time, or later ones,
// and of those that let a source run ahead.
func marblesOfTime() map[string]func(p *play) output {
	return map[string]func(p *play) output{
		"Debounce":     func(p *play) output { return of(operators.Debounce(p.ints("src"), p.waits())) },
		"DebounceTime": func(p *play) output { return of(operators.DebounceTime(p.ints("src"), 3*ms)) },
		"Throttle": func(p *play) output {
			return of(operators.Throttle(p.ints("src"), p.waits(), operators.ThrottleConfig{}))
		},
		"ThrottleTime": func(p *play) output { return of(operators.ThrottleTime(p.ints("src"), 5*ms)) },
		"ThrottleTimeWith(5ms, {Trailing: true})": func(p *play) output {
			return of(operators.ThrottleTimeWith(p.ints("src"), 5*ms, operators.ThrottleConfig{Trailing: true}))
		},
		"ThrottleTimeWith(4ms, {Trailing: true})": func(p *play) output {
			return of(operators.ThrottleTimeWith(p.ints("src"), 4*ms, operators.ThrottleConfig{Trailing: true}))
		},
		"Audit":          func(p *play) output { return of(operators.Audit(p.ints("src"), p.waits())) },
		"AuditTime":      func(p *play) output { return of(operators.AuditTime(p.ints("src"), 3*ms)) },
		"Sample":         func(p *play) output { return of(operators.Sample(p.ints("src"), p.texts("notifier"))) },
		"SampleTime":     func(p *play) output { return of(operators.SampleTime(p.ints("src"), 4*ms)) },
		"RateLimit":      func(p *play) output { return of(operators.RateLimit(p.ints("src"), 1, 3*ms, 2)) },
		"RateLimitDrop":  func(p *play) output { return of(operators.RateLimitDrop(p.ints("src"), 1, 3*ms, 2, nil)) },
		"Delay":          func(p *play) output { return of(operators.Delay(p.ints("src"), 3*ms)) },
		"ObserveOnDelay": func(p *play) output { return of(operators.ObserveOnDelay(p.ints("src"), 3*ms)) },
		"DelayWhen": func(p *play) output {
			delays := func(v int) texts { return p.texts("delays(" + p.text(v) + ")") }
			return of(operators.DelayWhen(p.ints("src"), delays))
		},
		"DelaySubscription": func(p *play) output {
			return of(operators.DelaySubscription(p.ints("src"), p.texts("until")))
		},
		"SubscribeAfter": func(p *play) output { return of(operators.SubscribeAfter(p.ints("src"), 3*ms)) },
		"Timestamp":      func(p *play) output { return of(operators.Timestamp(p.ints("src"))) },
		"TimeInterval":   func(p *play) output { return of(operators.TimeInterval(p.ints("src"))) },
		"Timeout":        func(p *play) output { return of(operators.Timeout(p.ints("src"), 4*ms)) },
		"TimeoutWith": func(p *play) output {
			return of(operators.TimeoutWith(p.ints("src"), operators.TimeoutConfig[int]{First: 9 * ms, Each: 4 * ms}))
		},
		"Deadline":    func(p *play) output { return of(operators.Deadline(p.ints("src"), time.Now().Add(9*ms))) },
		"WithContext": func(p *play) output { return of(operators.WithContext(p.ints("src"), p.context("ctx"))) },

		"OnBackpressureBuffer": func(p *play) output {
			return of(operators.OnBackpressureBuffer(p.ints("src"), 2, observable.OverflowDropOldest, nil))
		},
		"OnBackpressureDrop":   func(p *play) output { return of(operators.OnBackpressureDrop(p.ints("src"), nil)) },
		"OnBackpressureLatest": func(p *play) output { return of(operators.OnBackpressureLatest(p.ints("src"), nil)) },
		"Conflate":             func(p *play) output { return of(operators.Conflate(p.ints("src"), sum)) },
		"ConflateBy":           func(p *play) output { return of(operators.ConflateBy(p.texts("src"), initial)) },
		"ObserveOn":            func(p *play) output { return of(operators.ObserveOn(p.ints("src"), 8)) },
		"ParallelMap":          func(p *play) output { return of(operators.ParallelMap(p.ints("src"), 2, p.work("project"))) },
		"ParallelMapUnordered": func(p *play) output {
			return of(operators.ParallelMapUnordered(p.ints("src"), 2, p.work("project")))
		},
	}
}
