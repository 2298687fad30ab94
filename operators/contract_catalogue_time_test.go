package operators_test

import (
	"time"

	"github.com/rxsocket/rxsocket/operators"
)

// timingOps has the operators whose result depends on time. The values come at 1.7, 3.4,
// 5.1, 6.8 and 8.5 ms, the end 1.7 ms later.
var timingOps = map[string]entry{
	"Audit":     forwarding(func(s stream, h hook) stream { return operators.Audit(s, tick(h)) }).with(lastOfBurst),
	"AuditTime": forwarding(func(s stream, h hook) stream { return operators.AuditTime(s, msTrial) }).with(lastOfBurst),
	"Deadline": forwarding(func(s stream, h hook) stream {
		return operators.Deadline(s, time.Now().Add(time.Hour))
	}),
	"Debounce": forwarding(func(s stream, h hook) stream { return operators.Debounce(s, tick(h)) }).with(lastOfBurst),
	"DebounceTime": forwarding(func(s stream, h hook) stream {
		return operators.DebounceTime(s, msTrial/2)
	}).with(lastOfBurst),
	"Delay":             forwarding(func(s stream, h hook) stream { return operators.Delay(s, msTrial) }),
	"DelaySubscription": forwarding(func(s stream, h hook) stream { return operators.DelaySubscription(s, ticks) }),
	"DelayWhen": forwarding(func(s stream, h hook) stream { return operators.DelayWhen(s, tick(h)) }).
		with(func(e *entry) { e.law = anyOrder }),
	"ObserveOnDelay": forwarding(func(s stream, h hook) stream { return operators.ObserveOnDelay(s, msTrial) }),
	"Sample": {
		apply: func(s stream, h hook) stream { return operators.Sample(s, ticks) },
		runs:  []string{"|", "0 |", "0 |", "0 2 |", "0 2 |", "0 2 4 |"},
		burst: []string{"|", "|", "|", "|", "|", "|"},
		fails: "0 2 #trial", stays: "0 2 4", law: some,
	},
	"SampleTime": forwarding(func(s stream, h hook) stream { return operators.SampleTime(s, msTrial) }).
		with(func(e *entry) { e.burst, e.law = []string{"|", "|", "|", "|", "|", "|"}, some }),
	"SubscribeAfter": forwarding(func(s stream, h hook) stream { return operators.SubscribeAfter(s, msTrial) }),
	"Throttle": forwarding(func(s stream, h hook) stream {
		return operators.Throttle(s, tick(h), operators.ThrottleConfig{Trailing: true})
	}).with(func(e *entry) {
		e.burst, e.law = []string{"|", "0 |", "0 1 |", "0 2 |", "0 3 |", "0 4 |"}, someAndLast
	}),
	"ThrottleTime": {
		apply: func(s stream, h hook) stream { return operators.ThrottleTime(s, 2*msTrial) },
		runs:  []string{"|", "0 |", "0 |", "0 2 |", "0 2 |", "0 2 4 |"},
		burst: []string{"|", "0 |", "0 |", "0 |", "0 |", "0 |"},
		fails: "0 2 #trial", stays: "0 2 4", law: some,
	},
	"ThrottleTimeWith": {
		apply: func(s stream, h hook) stream {
			return operators.ThrottleTimeWith(s, 2*msTrial, operators.ThrottleConfig{NoLeading: true, Trailing: true})
		},
		runs:  []string{"|", "0 |", "1 |", "1 2 |", "1 2 3 |", "1 2 3 4 |"},
		burst: lastOf,
		fails: "1 2 #trial", stays: "1 2 3 4", law: someAndLast,
	},
	"Timeout": forwarding(func(s stream, h hook) stream { return operators.Timeout(s, time.Hour) }),
	"TimeoutWith": forwarding(func(s stream, h hook) stream {
		return operators.TimeoutWith(s, operators.TimeoutConfig[int]{First: time.Hour, Each: time.Hour})
	}),
}

// lastOfBurst says that of several values at once the last one is left.
func lastOfBurst(e *entry) { e.burst, e.law = lastOf, someAndLast }
