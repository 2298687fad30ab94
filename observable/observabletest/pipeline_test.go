package observabletest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// The tests of this file are of the kind that users write: pipelines of operators, with
// the expectations of RxJS's own tests where a timer and a marble are in one frame.

func TestPipelines(t *testing.T) {
	for range 20 { // nothing in them is left to chance
		observabletest.Run(t, func(t *observabletest.T) {
			src := observabletest.Cold[string](t, "--a--b------c|")
			calm := operators.DebounceTime(src, 5*ms)
			observabletest.ExpectMarble(t, calm, "----------b--(c|)")
			src.ExpectSubscriptions("^------------!")
		})
		observabletest.Run(t, func(t *observabletest.T) {
			src := observabletest.Cold[string](t, "-a---b----|")
			observabletest.ExpectMarble(t, operators.DebounceTime(src, 4*ms), "---------b|")
		})
		observabletest.Run(t, func(t *observabletest.T) {
			stop := observabletest.Cold[string](t, "------x")
			observabletest.ExpectMarble(t, operators.TakeUntil(observable.Interval(2*ms), stop), "--0-1-|")
			stop.ExpectSubscriptions("^-----!")
		})
		observabletest.Run(t, func(t *observabletest.T) {
			a, b := observabletest.Hot[string](t, "-a-(cd)|"), observabletest.Hot[string](t, "-b--e|")
			observabletest.ExpectMarble(t, operators.Merge[string](a, b), "-(ab) @3ms (cd) @4ms e @7ms |")
		})
		observabletest.Run(t, func(t *observabletest.T) {
			letters := map[rune]observable.Observable[string]{
				'x': observabletest.Cold[string](t, "a--b--c|"),
				'y': observabletest.Cold[string](t, "d--e|"),
			}
			src := observabletest.Hot[string](t, "-x----y--|")
			inner := operators.SwitchMap(src, func(v string) observable.Observable[string] { return letters[rune(v[0])] })
			observabletest.ExpectMarble(t, inner, "-a--b-d--e|")
			letters['x'].(*observabletest.Source[string]).ExpectSubscriptions("-^----!")
			letters['y'].(*observabletest.Source[string]).ExpectSubscriptions("------^---!")
		})
		observabletest.Run(t, func(t *observabletest.T) {
			src := observabletest.Cold[string](t, "-a-#")
			again := operators.Retry(src, 2)
			observabletest.ExpectMarble(t, again, "-a--a--a-#")
			src.ExpectSubscriptions("^--!", "---^--!", "------^--!")
		})
		observabletest.Run(t, func(t *observabletest.T) {
			a, b := observabletest.Cold[string](t, "-a-c|"), observabletest.Cold[string](t, "-b-d|")
			observabletest.ExpectMarble(t, operators.Take(operators.Merge[string](a, b), 1), "-(a|)")
			a.ExpectSubscriptions("^!")
			b.ExpectSubscriptions("^!")
		})
	}
}

func TestTwoSubscribersAtATime(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Cold[string](t, "--a--b--c|")
		shared := operators.Share(src)
		first := observabletest.Record(t, shared)
		time.Sleep(3 * ms)
		second := observabletest.Record(t, shared)
		require.NoError(t, first.AwaitEnd())
		first.ExpectMarble(t, "--a--b--c|")
		second.ExpectMarble(t, "--b--c|")
		src.ExpectSubscriptions("^--------!")
	})
}
