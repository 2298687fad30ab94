package operators_test

import (
	"errors"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// times3 returns a timer of n times three milliseconds.
func times3(n int) ints { return observable.Timer(time.Duration(n) * 3 * ms) }

// marblesOfGroups are the calls of operators that put values into slices or streams.
func marblesOfGroups() map[string]func(p *play) output {
	parity := func(v int) bool { return v%2 == 0 }
	return map[string]func(p *play) output{
		"Buffer": func(p *play) output { return of(operators.Buffer(p.ints("src"), p.texts("notifier"))) },
		"BufferWhen": func(p *play) output {
			return of(operators.BufferWhen(p.ints("src"), func() ints { return observable.Timer(6 * ms) }))
		},
		"BufferToggle": func(p *play) output {
			closing := func(opening string) texts { return p.texts("closing(" + opening + ")") }
			return of(operators.BufferToggle(p.ints("src"), p.texts("openings"), closing))
		},
		"BufferCount":      func(p *play) output { return of(operators.BufferCount(p.ints("src"), 2)) },
		"BufferCountEvery": func(p *play) output { return of(operators.BufferCountEvery(p.ints("src"), 3, 1)) },
		"BufferTime":       func(p *play) output { return of(operators.BufferTime(p.ints("src"), 6*ms)) },
		"BufferTimeWith": func(p *play) output {
			return of(operators.BufferTimeWith(p.ints("src"), operators.BufferTimeConfig{Span: 9 * ms, Max: 2}))
		},
		"BufferAligned": func(p *play) output { return of(operators.BufferAligned(p.ints("src"), 5*ms)) },

		"Window": func(p *play) output { return opened(operators.Window(p.ints("src"), p.texts("boundaries"))) },
		"WindowWhen": func(p *play) output {
			return opened(operators.WindowWhen(p.ints("src"), func() ints { return observable.Timer(7 * ms) }))
		},
		"WindowToggle": func(p *play) output {
			closing := func(opening string) texts { return p.texts("closing(" + opening + ")") }
			return opened(operators.WindowToggle(p.ints("src"), p.texts("openings"), closing))
		},
		"WindowCount":      func(p *play) output { return opened(operators.WindowCount(p.ints("src"), 2)) },
		"WindowCountEvery": func(p *play) output { return opened(operators.WindowCountEvery(p.ints("src"), 2, 1)) },
		"WindowTime":       func(p *play) output { return opened(operators.WindowTime(p.ints("src"), 6*ms)) },
		"WindowTimeWith": func(p *play) output {
			return opened(operators.WindowTimeWith(p.ints("src"), operators.WindowTimeConfig{Span: 9 * ms, Max: 2}))
		},
		"WindowAligned": func(p *play) output { return opened(operators.WindowAligned(p.ints("src"), 5*ms)) },

		"GroupBy":    func(p *play) output { return opened(operators.GroupBy(p.ints("src"), parity)) },
		"GroupByMap": func(p *play) output { return opened(operators.GroupByMap(p.ints("src"), parity, tenfold)) },
		"GroupByUntil": func(p *play) output {
			return opened(operators.GroupByUntil(p.ints("src"), parity,
				func(*operators.Group[bool, int]) ints { return observable.Timer(7 * ms) }))
		},
	}
}

// marblesOfLives are the calls of operators that deal with ends, repeat, watch or share a
// stream.
func marblesOfLives() map[string]func(p *play) output {
	return map[string]func(p *play) output{
		"Catch": func(p *play) output {
			return of(operators.Catch(p.ints("src"), func(error) ints { return observable.Of(8, 9) }))
		},
		"Retry": func(p *play) output { return of(operators.Retry(p.ints("src"), 1)) },
		"RetryWith": func(p *play) output {
			return of(operators.RetryWith(p.ints("src"), operators.RetryConfig{Delay: 3 * ms}))
		},
		"RetryAfter": func(p *play) output {
			return of(operators.RetryAfter(p.ints("src"), operators.RetryConfig{Count: 2}, func(_ error, n int) ints { return times3(n) }))
		},
		"Repeat": func(p *play) output { return of(operators.Repeat(p.ints("src"), 2)) },
		"RepeatWith": func(p *play) output {
			return of(operators.RepeatWith(p.ints("src"), operators.RepeatConfig{Count: 3, Delay: 3 * ms}))
		},
		"RepeatAfter": func(p *play) output {
			return of(operators.RepeatAfter(p.ints("src"), operators.RepeatConfig{Count: 3}, times3))
		},
		"DefaultIfEmpty": func(p *play) output { return of(operators.DefaultIfEmpty(p.ints("src"), 9)) },
		"ThrowIfEmpty": func(p *play) output {
			return of(operators.ThrowIfEmpty(p.ints("src"), func() error { return errors.New("empty") }))
		},
		"Finalize": func(p *play) output { return of(operators.Finalize(p.ints("src"), p.release("release"))) },
		"Named":    func(p *play) output { return of(operators.Named(p.ints("src"), "prices")) },
		"Tap":      func(p *play) output { return of(operators.Tap(p.ints("src"), func(int) {})) },
		"TapWith":  func(p *play) output { return of(operators.TapWith(p.ints("src"), operators.TapConfig[int]{})) },
		"Log":      func(p *play) output { return of(operators.Log(p.ints("src"), p.logger(), "prices")) },

		"Share": func(p *play) output { return of(operators.Share(p.ints("src"))) },
		"ShareWith": func(p *play) output {
			config := operators.ShareConfig[int]{OnRefCountZero: operators.ResetAfter(9 * ms)}
			return of(operators.ShareWith(p.ints("src"), config))
		},
		"ShareReplay": func(p *play) output {
			config := operators.ShareReplayConfig{Replay: observable.ReplayConfig{Buffer: 1}}
			return of(operators.ShareReplay(p.ints("src"), config))
		},
		"Connect": func(p *play) output {
			return of(operators.Connect(p.ints("src"), func(s ints) ints { return operators.Merge(s, operators.Map(s, tenfold)) }))
		},
		"ConnectWith": func(p *play) output {
			replay := func() observable.Processor[int] { return observable.NewReplaySubject[int](observable.ReplayConfig{}) }
			return of(operators.ConnectWith(p.ints("src"), replay, func(s ints) ints {
				return operators.Concat(operators.Take(s, 2), operators.Map(s, tenfold))
			}))
		},
	}
}
