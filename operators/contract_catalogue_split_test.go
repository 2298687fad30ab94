package operators_test

import (
	"time"

	"github.com/rxsocket/rxsocket/operators"
)

// splittingOps has the operators that make slices, windows or groups of the values. A
// border follows each slice and window that has ended. The values come at 1.7, 3.4, 5.1,
// 6.8 and 8.5 ms, the end 1.7 ms later.
var splittingOps = map[string]entry{
	"Buffer": bySignal(func(s stream, h hook) stream { return flat(operators.Buffer(s, ticks)) }),
	"BufferCount": {
		apply: func(s stream, h hook) stream { return flat(operators.BufferCount(s, 2)) },
		runs:  []string{"|", "0 , |", "0 1 , |", "0 1 , 2 , |", "0 1 , 2 3 , |", "0 1 , 2 3 , 4 , |"},
		fails: "0 1 , #trial", stays: "0 1 , 2 3 ,", law: unbordered(everything),
	},
	"BufferCountEvery": {
		apply: func(s stream, h hook) stream { return flat(operators.BufferCountEvery(s, 2, 1)) },
		runs: []string{
			"|", "0 , |", "0 1 , 1 , |", "0 1 , 1 2 , 2 , |", "0 1 , 1 2 , 2 3 , 3 , |",
			"0 1 , 1 2 , 2 3 , 3 4 , 4 , |",
		},
		fails: "0 1 , 1 2 , #trial", stays: "0 1 , 1 2 , 2 3 , 3 4 ,", law: overlapping(everything),
	},
	"BufferAligned": atTheEnd([]string{", |", "0 , |", "0 1 , |", "0 1 2 , |", "0 1 2 3 , |", "0 1 2 3 4 , |"}, unbordered(everything),
		func(s stream, h hook) stream { return flat(operators.BufferAligned(s, 1000*time.Hour)) }),
	"BufferTime": byTime(func(s stream, h hook) stream { return flat(operators.BufferTime(s, 2*msTrial)) }),
	"BufferTimeWith": {
		apply: func(s stream, h hook) stream {
			return flat(operators.BufferTimeWith(s, operators.BufferTimeConfig{Span: 2 * msTrial, Every: msTrial, Max: 3}))
		},
		runs: []string{
			", , |", "0 , 0 , , , |", "0 , 0 , 1 , 1 , , , |", "0 , 0 , 1 , 1 , 2 , 2 , , |",
			"0 , 0 , 1 , 1 , 2 , 2 3 , 3 , , , |", "0 , 0 , 1 , 1 , 2 , 2 3 , 3 , 4 , 4 , , , |",
		},
		burst: []string{", |", "0 , |", "0 1 , |", "0 1 2 , |", "0 1 2 , |", "0 1 2 , |"},
		fails: "0 , 0 , 1 , 1 , 2 , #trial",
		stays: "0 , 0 , 1 , 1 , 2 , 2 3 , 3 , 4 , 4 , , , , , , , , , , , ,", law: overlapping(some),
	},
	"BufferToggle": byToggle(func(s stream, h hook) stream {
		return flat(operators.BufferToggle(s, ticks, tick(h)))
	}),
	"BufferWhen": byClosing(func(s stream, h hook) stream {
		return flat(operators.BufferWhen(s, func() stream { return tick(h)(0) }))
	}),
	"GroupBy": forwarding(func(s stream, h hook) stream { return ungrouped(operators.GroupBy(s, parityTrial(h))) }),
	"GroupByMap": forwarding(func(s stream, h hook) stream {
		return ungrouped(operators.GroupByMap(s, parityTrial(h), h))
	}),
	"GroupByUntil": forwarding(func(s stream, h hook) stream {
		return ungrouped(operators.GroupByUntil(s, parityTrial(h), func(*operators.Group[int, int]) stream { return ticks }))
	}),
	"Window": bySignal(func(s stream, h hook) stream { return unwindowed(operators.Window(s, ticks)) }),
	"WindowCount": {
		apply: func(s stream, h hook) stream { return unwindowed(operators.WindowCount(s, 2)) },
		runs:  []string{", |", "0 , |", "0 1 , , |", "0 1 , 2 , |", "0 1 , 2 3 , , |", "0 1 , 2 3 , 4 , |"},
		fails: "0 1 , 2 #trial", stays: "0 1 , 2 3 , 4", law: unbordered(everything),
	},
	"WindowCountEvery": {
		apply: func(s stream, h hook) stream { return unwindowed(operators.WindowCountEvery(s, 2, 1)) },
		runs: []string{
			", |", "0 , , |", "0 1 1 , , , |", "0 1 1 , 2 2 , , , |", "0 1 1 , 2 2 , 3 3 , , , |",
			"0 1 1 , 2 2 , 3 3 , 4 4 , , , |",
		},
		fails: "0 1 1 , 2 2 , #trial", stays: "0 1 1 , 2 2 , 3 3 , 4 4 ,", law: overlapping(everything),
	},
	"WindowAligned": {
		apply: func(s stream, h hook) stream { return unwindowed(operators.WindowAligned(s, 1000*time.Hour)) },
		runs:  []string{", |", "0 , |", "0 1 , |", "0 1 2 , |", "0 1 2 3 , |", "0 1 2 3 4 , |"},
		fails: "0 1 2 #trial", stays: "0 1 2 3 4", law: unbordered(everything),
	},
	"WindowTime": byTime(func(s stream, h hook) stream { return unwindowed(operators.WindowTime(s, 2*msTrial)) }),
	"WindowTimeWith": {
		apply: func(s stream, h hook) stream {
			return unwindowed(operators.WindowTimeWith(s, operators.WindowTimeConfig{Span: 2 * msTrial, Every: msTrial}))
		},
		runs: []string{
			", , |", "0 0 , , , , |", "0 0 , , 1 1 , , , , |", "0 0 , , 1 1 , , 2 2 , , , |",
			"0 0 , , 1 1 , , 2 2 , 3 3 , , , , |", "0 0 , , 1 1 , , 2 2 , 3 3 , , 4 4 , , , , |",
		},
		burst: []string{", |", "0 , |", "0 1 , |", "0 1 2 , |", "0 1 2 3 , |", "0 1 2 3 4 , |"},
		fails: "0 0 , , 1 1 , , 2 2 , #trial",
		stays: "0 0 , , 1 1 , , 2 2 , 3 3 , , 4 4 , , , , , , , , , , , , ,", law: overlapping(everything),
	},
	"WindowToggle": byToggle(func(s stream, h hook) stream {
		return unwindowed(operators.WindowToggle(s, ticks, tick(h)))
	}),
	"WindowWhen": byClosing(func(s stream, h hook) stream {
		return unwindowed(operators.WindowWhen(s, func() stream { return tick(h)(0) }))
	}),
}

// bySignal is the entry of an operator that divides the values every 3 ms, by ticks.
func bySignal(apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply,
		runs:  []string{", |", "0 , , |", "0 , 1 , |", "0 , 1 2 , , |", "0 , 1 2 , 3 , |", "0 , 1 2 , 3 4 , , |"},
		burst: []string{", |", "0 , |", "0 1 , |", "0 1 2 , |", "0 1 2 3 , |", "0 1 2 3 4 , |"},
		fails: "0 , 1 2 , #trial", stays: "0 , 1 2 , 3 4 , , , , ,", law: unbordered(everything),
	}
}

// byTime is the entry of an operator that divides the values every 2 ms.
func byTime(apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply,
		runs: []string{
			", |", "0 , , |", "0 , 1 , , |", "0 , 1 , 2 , , |", "0 , 1 , 2 , 3 , , |", "0 , 1 , 2 , 3 , 4 , , |",
		},
		burst: []string{", |", "0 , |", "0 1 , |", "0 1 2 , |", "0 1 2 3 , |", "0 1 2 3 4 , |"},
		fails: "0 , 1 , 2 , #trial", stays: "0 , 1 , 2 , 3 , 4 , , , , , ,", law: unbordered(everything),
	}
}

// byToggle is the entry of an operator that takes the values of 1 ms in every three.
func byToggle(apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply,
		runs:  []string{"|", ", |", "1 , |", "1 , , |", "1 , 3 , |", "1 , 3 , , |"},
		burst: []string{"|", "|", "|", "|", "|", "|"},
		fails: "1 , #trial", stays: "1 , 3 , , , , ,", law: unbordered(some),
	}
}

// byClosing is the entry of an operator that divides the values every millisecond, by the
// observable of its callback.
func byClosing(apply func(s stream, h hook) stream) entry {
	return entry{
		apply: apply,
		runs: []string{
			", , |", ", 0 , , , |", ", 0 , , 1 , , , |", ", 0 , , 1 , , 2 , , |", ", 0 , , 1 , , 2 , 3 , , , |",
			", 0 , , 1 , , 2 , 3 , , 4 , , , |",
		},
		burst: []string{", |", "0 , |", "0 1 , |", "0 1 2 , |", "0 1 2 3 , |", "0 1 2 3 4 , |"},
		fails: ", 0 , , 1 , , 2 , #trial",
		stays: ", 0 , , 1 , , 2 , 3 , , 4 , , , , , , , , , , , , ,", law: unbordered(everything),
	}
}
