package observabletest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

func TestExpectMarblePasses(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		begun := time.Now()
		r := observabletest.ExpectMarble(t, observable.Interval(3*ms), "---0--1--2--")
		assert.Equal(t, []int{0, 1, 2}, r.Values())
		assert.Equal(t, 12*ms, time.Since(begun), "it looks on until the marble is over")
		observabletest.ExpectMarble(t, observable.Interval(3*ms), "---0--!")
		assert.Equal(t, 18*ms, time.Since(begun), "the interval is over before its second tick")
		observabletest.ExpectMarble(t, observable.Interval(3*ms), "")
		assert.Equal(t, 19*ms, time.Since(begun))
		observabletest.ExpectMarble(t, observable.Never[int](), "!")
		assert.Equal(t, 19*ms, time.Since(begun))
		observabletest.ExpectMarble(t, observable.Timer(20*time.Minute), "20m (0|)")
		observabletest.ExpectMarble(t, observable.Of(1, 2), "(12|)")
		observabletest.ExpectMarble(t, observable.Empty[int](), "|")
		observabletest.ExpectMarble(t, observable.Throw[int](errors.New("boom")), "#")
		observabletest.ExpectMarble(t, observable.Timer(1500*time.Microsecond), "- 500us (0|)")
		observabletest.ExpectMarble(t, observable.Timer(1500*time.Microsecond), "-")
	})
}

// TestExpectMarbleAgain checks that each expectation has a time of its own, however
// late the one before ended.
func TestExpectMarbleAgain(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Cold[string](t, "a--b|")
		for range 100 {
			observabletest.ExpectMarble(t, src, "a--b|")
			observabletest.ExpectMarble(t, src, "a-!")
			observabletest.ExpectMarble(t, src, "a--")
		}
		spans := src.Subscriptions()
		require.Len(t, spans, 300)
		for i, want := range []time.Duration{4 * ms, 2 * ms, 3 * ms} {
			for j := i; j < len(spans); j += 3 {
				assert.Equal(t, want, spans[j].Until-spans[j].From)
			}
		}
	})
}

// TestVeryManyMarbles checks that the times stay right when the clock has used up all
// distances from a frame.
func TestVeryManyMarbles(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		marble := strings.Repeat("a-", 2500) + "|"
		first := observabletest.Record(t, observabletest.Cold[string](t, marble))
		second := observabletest.Record(t, observabletest.Hot[string](t, marble))
		require.NoError(t, first.AwaitEnd())
		require.NoError(t, second.AwaitEnd())
		first.ExpectMarble(t, marble)
		second.ExpectMarble(t, marble)
	})
}

func TestExpectMarbleShowsWhereTheyPart(t *testing.T) {
	type tick struct{ Price int }
	observabletest.Run(t, func(t *observabletest.T) {
		for _, test := range []struct {
			name    string
			got     string
			want    string
			message string
		}{
			{"a value late", "--a---b-|", "--a--b---|", `
observabletest: the stream parts from the marble in frame 5, at 5ms

    expected  --a--b---|
    got       --a---b-|
                   ^

      time   expected   got
      2ms    a          a
    > 5ms    b
    > 6ms               b
    > 8ms               |
    > 9ms    |
`},
			{"another value", "-a-b|", "-a-c|", `
observabletest: the stream parts from the marble in frame 3, at 3ms

    expected  -a-c|
    got       -a-b|
                 ^

      time   expected   got
      1ms    a          a
    > 3ms    c          b
      4ms    |          |
`},
			{"a group", "-(ab)(c|)", "-a---(c|)", `
observabletest: the stream parts from the marble in frame 1, at 1ms

    expected  -a   ---(c|)
    got       -(ab)---(c|)
               ^

      time   expected   got
    > 1ms    a          a, b
      5ms    c, |       c, |
`},
			{"an error", "-a-#", "-a-|", `
observabletest: the stream parts from the marble in frame 3, at 3ms

    expected  -a-|
    got       -a-#
                 ^

      time   expected   got
      1ms    a          a
    > 3ms    |          # observabletest: # in a marble
`},
			{"no end", "-a----|", "-a|", `
observabletest: the stream parts from the marble in frame 2, at 2ms

    expected  -a|
    got       -a-
                ^

      time   expected   got
      1ms    a          a
    > 2ms    |
`},
			{"one more", "-a--b", "-a----", `
observabletest: the stream parts from the marble in frame 4, at 4ms

    expected  -a---
    got       -a--b
                  ^

      time   expected   got
      1ms    a          a
    > 4ms               b
`},
			{"a long time", "a 1m b|", "a 1h b|", `
observabletest: the stream parts from the marble in frame 60001, at 1m0.001s

    expected  a 1m0s -- 58m59.998s b|
    got       a 1m0s b|
                     ^

      time         expected   got
      0s           a          a
    > 1m0.001s                b
    > 1m0.002s                |
    > 1h0m0.001s   b
    > 1h0m0.002s   |
`},
		} {
			src := observabletest.Cold[string](t, test.got)
			message := failing(t, func() { observabletest.ExpectMarble(t, src, test.want) })
			assert.Equal(t, strings.TrimPrefix(test.message, "\n"), message, test.name)
		}

		tight := observabletest.Cold[string](t, "a @500us b|")
		assert.Contains(t, failing(t, func() { observabletest.ExpectMarble(t, tight, "a @500us c|") }), `
    expected  a c|
    got       a b|
                ^
`)

		values := observabletest.Values[tick]{'a': {7}, 'b': {8}}
		src := observabletest.Cold(t, "-a-x|", observabletest.Values[tick]{'a': {7}, 'x': {9}})
		assert.Equal(t, strings.TrimPrefix(`
observabletest: the stream parts from the marble in frame 3, at 3ms

    expected  -a-b|
    got       -a-c|
                 ^

      time   expected        got
      1ms    a = {Price:7}   a = {Price:7}
    > 3ms    b = {Price:8}   c = {Price:9}
      4ms    |               |
`, "\n"), failing(t, func() { observabletest.ExpectMarble(t, src, "-a-b|", values) }))
	})
}

func TestExpectMarbleShortensWhatIsLong(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Cold[string](t, strings.Repeat("a-", 50)+"b"+strings.Repeat("-c", 50)+"|")
		message := failing(t, func() {
			observabletest.ExpectMarble(t, src, strings.Repeat("a-", 50)+"a"+strings.Repeat("-c", 50)+"|")
		})
		assert.Contains(t, message, `
    expected  ... a-a-a-a-a-c-c-c-c-c-c-c-c-c-c-c-c-c-c-c ...
    got       ... a-a-a-a-b-c-c-c-c-c-c-c-c-c-c-c-c-c-c-c ...
                          ^
`)
		assert.Contains(t, message, "\n      (46 times, the same in both)\n      92ms    a          a\n")
		assert.Contains(t, message, "\n    > 100ms   a          b\n")
		assert.Contains(t, message, "\n      130ms   c          c\n      (and 36 times more)\n")
	})
}

func TestRecorderExpectMarbleLooksAtAllThatIsRecorded(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		r := observabletest.Record(t, observabletest.Cold[string](t, "-a-b|"))
		time.Sleep(2 * ms)
		assert.True(t, r.ExpectMarble(t, "-a"))
		require.NoError(t, r.AwaitEnd())
		assert.Contains(t, failing(t, func() { assert.False(t, r.ExpectMarble(t, "-a")) }), "in frame 3, at 3ms")
		assert.True(t, r.ExpectMarble(t, "-x-y|", map[rune]string{'x': "a", 'y': "b"}))
	})
}
