package observabletest_test

import (
	"context"
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

func TestColdPlaysForEachSubscription(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Cold[string](t, "a-(bc)-|")
		first := observabletest.Record(t, src)
		assert.Empty(t, first.Events(), "nothing comes inside Subscribe")
		time.Sleep(ms)
		second := observabletest.Record(t, src)
		require.NoError(t, second.AwaitEnd())
		first.ExpectMarble(t, "a-(bc)-|")
		second.ExpectMarble(t, "a-(bc)-|")
		src.ExpectSubscriptions("^------!", "-^------!")
		assert.Equal(t, []observabletest.Span{
			{From: 0, Until: 7 * ms},
			{From: 1 * ms, Until: 8 * ms},
		}, src.Subscriptions())
	})
}

func TestHotPlaysOnce(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Hot[string](t, "x-^a-b-c-|")
		first := observabletest.Record(t, src)
		time.Sleep(2 * ms)
		second := observabletest.Record(t, src)
		require.NoError(t, second.AwaitEnd())
		first.ExpectMarble(t, "-a-b-c-|")
		second.ExpectMarble(t, "-b-c-|")
		late := observabletest.Record(t, src)
		assert.Equal(t, "|", late.Marble(), "the end comes inside Subscribe")
		src.ExpectSubscriptions("^------!", "--^----!", "-------(^!)")
	})
}

func TestHotThatHasEnded(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		failed := observabletest.Record(t, observabletest.Hot[string](t, "a#-^-").WithError(io.EOF))
		assert.Equal(t, "#", failed.Marble())
		assert.Equal(t, io.EOF, failed.Err())
		completed := observabletest.Record(t, observabletest.Hot[string](t, "a|-^-"))
		assert.Equal(t, "|", completed.Marble())
	})
}

func TestHotNow(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		observabletest.ExpectMarble(t, observabletest.Hot[string](t, "x(^a)b|"), "a---b|")
	})
}

func TestErrorOfASource(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		for _, test := range []struct {
			src  *observabletest.Source[int]
			want error
		}{
			{observabletest.Cold[int](t, "--#"), observabletest.ErrMarble},
			{observabletest.Cold[int](t, "--#").WithError(io.EOF), io.EOF},
		} {
			require.ErrorIs(t, observabletest.ExpectMarble(t, test.src, "--#").Err(), test.want)
		}
		hot := observabletest.Hot[int](t, "--#").WithError(io.EOF)
		require.ErrorIs(t, observabletest.ExpectMarble(t, hot, "--#").Err(), io.EOF)
	})
}

func TestValuesOfLetters(t *testing.T) {
	type word string
	type level uint8
	observabletest.Run(t, func(t *observabletest.T) {
		words := observabletest.Cold[word](t, "(aé7|)")
		assert.Equal(t, []word{"a", "é", "7"}, observabletest.ExpectMarble(t, words, "(aé7|)").Values())
		assert.Equal(t, []level{0, 9}, observabletest.ExpectMarble(t, observabletest.Cold[level](t, "09|"), "09|").Values())
		values := observabletest.Values[[]int]{'a': {1, 2}, 'b': nil}
		src := observabletest.Cold(t, "a-b|", values)
		assert.Equal(t, [][]int{{1, 2}, nil}, observabletest.ExpectMarble(t, src, "a-b|", values).Values())
		plain := observabletest.Cold(t, "ab|", map[rune]int{'a': 1}, map[rune]int{'a': 10, 'b': 20})
		assert.Equal(t, []int{10, 20}, observabletest.ExpectMarble(t, plain, "xy|", map[rune]int{'x': 10, 'y': 20}).Values())
	})
}

func TestMarblesThatCannotBePlayed(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		cold := func(marble string) func() { return func() { observabletest.Cold[string](t, marble) } }
		hot := func(marble string) func() { return func() { observabletest.Hot[int](t, marble) } }
		expect := func(marble string) func() { return func() { observabletest.ExpectMarble(t, observable.Of(1), marble) } }
		expectSubs := func(marble string) func() {
			return func() { observabletest.Cold[int](t, "").ExpectSubscriptions(marble) }
		}
		for _, test := range []struct {
			do   func()
			want string
		}{
			{cold("-(a"), `"-(a", at byte 1: the group is not closed`},
			{cold("-^a"), `"-^a", at byte 1: '^' in the marble of a cold source`},
			{cold("-a!"), `"-a!", at byte 2: '!' in the marble of a cold source`},
			{hot("-1!"), `"-1!", at byte 2: '!' in the marble of a hot source`},
			{hot("-a"), `"-a", at byte 1: 'a' stands for no int`},
			{func() { observabletest.Cold[bool](t, "-7") }, `"-7", at byte 1: '7' stands for no bool`},
			{func() { observabletest.Cold(t, "ab", map[rune]string{'a': "x"}) }, `"ab", at byte 1: 'b' stands for no string`},
			{expect("-^1"), `"-^1", at byte 1: '^' in the marble of an expectation`},
			{expect("1)"), `"1)", at byte 1: no group is open`},
			{expect("a"), `"a", at byte 0: 'a' stands for no int`},
			{expectSubs("-a!"), `"-a!", at byte 1: 'a' in the marble of a subscription`},
			{expectSubs("--!"), `"--!", at byte 0: no ^ in the marble of a subscription`},
			{expectSubs("--?"), `"--?", at byte 2: unexpected '?'`},
		} {
			assert.Equal(t, "observabletest: marble "+test.want, failing(t, test.do))
		}
	})
}

// TestOneFrame checks that marbles due at once come in their order, each with all its
// effects, and timers after them; a timer of no length comes after the event that set it.
func TestOneFrame(t *testing.T) {
	for range 50 {
		observabletest.Run(t, func(t *observabletest.T) {
			log := observabletest.NewRecorder[string]()
			follow := func(name string, src observable.Observable[string]) {
				src.Subscribe(t.Context(), observable.ObserverFuncs[string]{
					OnNext: func(v string) { log.Next(name + v) },
				})
			}
			hot := observabletest.Hot[string](t, "-xy(bc|)")
			follow("first ", observabletest.Cold[string](t, "---a|"))
			follow("hot ", hot)
			follow("hot too ", hot)
			src := observabletest.Cold[string](t, "---d|")
			src.Subscribe(t.Context(), observable.ObserverFuncs[string]{OnNext: func(v string) {
				log.Next("src " + v)
				follow("inner ", observabletest.Cold[string](t, "a|"))
				time.AfterFunc(0, func() {
					log.Next("timer after " + v)
					time.AfterFunc(0, func() { log.Next("timer after that") })
				})
			}})
			hot.Subscribe(t.Context(), observable.ObserverFuncs[string]{OnNext: func(v string) {
				time.AfterFunc(2*ms, func() { log.Next("timer of " + v) })
			}})
			follow("last ", observabletest.Cold[string](t, "---e|"))
			time.AfterFunc(3*ms, func() {
				log.Next("timer")
				time.AfterFunc(0, func() { log.Next("timer after it") })
			})
			time.Sleep(3*ms + ms/2)
			assert.Equal(t, []string{
				"hot x", "hot too x", "hot y", "hot too y",
				// The hot source was made before the others were subscribed to.
				"hot b", "hot too b", "hot c", "hot too c",
				"first a",
				"src d", "timer after d", "timer after that",
				"last e",
				"timer of x",
				"timer", "timer after it",
				"inner a",
			}, log.Values())
			for _, e := range log.Events()[4:] {
				assert.Equal(t, 3*ms, e.At, e.Value)
			}
			time.Sleep(2 * ms)
		})
	}
}

func TestAnObserverThatBlocksHoldsUpNobodyElse(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		slow := observabletest.NewRecorder[string]()
		sub := observabletest.Cold[string](t, "-(ab)-|").Subscribe(t.Context(), observable.ObserverFuncs[string]{
			OnNext: func(v string) {
				time.Sleep(5 * ms)
				slow.Next(v)
			},
			OnComplete: slow.Complete,
		})
		observabletest.ExpectMarble(t, observabletest.Cold[string](t, "-x-y-z|"), "-x-y-z|")
		<-sub.Done()
		slow.ExpectMarble(t, "------a----(b|)")
	})
}

func TestBlockingConsumption(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		begun := time.Now()
		values, err := observable.Collect(t.Context(), observabletest.Cold[int](t, "-1 1h 2|"))
		require.NoError(t, err)
		assert.Equal(t, []int{1, 2}, values)
		assert.Equal(t, time.Hour+3*ms, time.Since(begun).Round(time.Microsecond))

		src := observabletest.Cold[int](t, "-1-2-3|")
		for v, err := range observable.All(t.Context(), src) {
			require.NoError(t, err)
			if v == 2 {
				break
			}
		}
		src.ExpectSubscriptions("^--!")
	})
}

// foreign hides all methods of an observable but Subscribe.
type foreign[V any] struct{ observable.Observable[V] }

func TestSourceInAForeignObservable(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Cold[string](t, "--a-b|")
		observabletest.ExpectMarble(t, foreign[string]{src}, "--a-!")
		src.ExpectSubscriptions("^---!")
	})
}

func TestSourceAsAContextEnds(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*ms+ms/2)
		defer cancel()
		src := observabletest.Hot[string](t, "--a--b")
		r := observabletest.NewRecorder[string]()
		src.Subscribe(ctx, r)
		require.NoError(t, r.AwaitEnd())
		r.ExpectMarble(t, "--a 500us #")
		require.ErrorIs(t, r.Err(), context.DeadlineExceeded)
		src.ExpectSubscriptions("^ 2.5ms !")
	})
}

func TestManySourcesAtOnce(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		log := observabletest.NewRecorder[string]()
		var want []string
		for i := range 100 {
			name := strconv.Itoa(i)
			want = append(want, name)
			observabletest.Cold[string](t, "---a|").Subscribe(t.Context(), observable.ObserverFuncs[string]{
				OnNext: func(string) { log.Next(name) },
			})
		}
		time.Sleep(3 * ms)
		assert.Equal(t, want, log.Values())
	})
}
