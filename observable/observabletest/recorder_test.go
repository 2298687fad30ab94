package observabletest_test

import (
	"context"
	"errors"
	"io"
	"math"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

type event = observabletest.Event[int]

func TestRecorderRecordsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		r := observabletest.NewRecorder[int]()
		assert.Empty(t, r.Events())
		assert.Empty(t, r.Values())
		assert.Empty(t, r.Timeline())
		assert.Empty(t, r.Marble())
		r.Next(4)
		time.Sleep(1500 * time.Microsecond)
		r.Next(5)
		assert.False(t, r.Completed())
		time.Sleep(time.Second)
		r.Complete()
		assert.Equal(t, []event{
			{Kind: observabletest.Next, Value: 4},
			{At: 1500 * time.Microsecond, Kind: observabletest.Next, Value: 5},
			{At: 1001500 * time.Microsecond, Kind: observabletest.Complete},
		}, r.Events())
		assert.Equal(t, []int{4, 5}, r.Values())
		assert.True(t, r.Completed())
		require.NoError(t, r.Err())
		assert.Equal(t, "0s Next 4\n1.5ms Next 5\n1.0015s Complete\n", r.Timeline())
		assert.Equal(t, "4 500µs 5 999ms |", r.Marble())
	})
}

// TestRecorderUnseen looks at a stream step by step.
func TestRecorderUnseen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := observabletest.NewRecorder[int]()
		assert.Empty(t, r.Unseen())
		r.Next(1)
		r.Next(2)
		assert.Equal(t, []event{{Value: 1}, {Value: 2}}, r.Unseen())
		assert.Empty(t, r.Unseen())
		time.Sleep(ms)
		r.Next(3)
		first := r.Unseen()
		r.Complete()
		assert.Equal(t, []event{{At: ms, Value: 3}}, first)
		assert.Equal(t, []event{{At: ms, Kind: observabletest.Complete}}, r.Unseen())
		assert.Equal(t, "1 2 3 |", r.String(), "it is all still there")
	})
}

func TestRecorderRecordsErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := observabletest.NewRecorder[string]()
		time.Sleep(ms)
		r.Error(io.EOF)
		assert.Equal(t, io.EOF, r.Err())
		assert.False(t, r.Completed())
		assert.Equal(t, "1ms Error EOF\n", r.Timeline())
		assert.Equal(t, "-#", r.Marble())
	})
}

func TestRecorderRecordsWhatMustNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := observabletest.NewRecorder[int]()
		r.Complete()
		time.Sleep(ms)
		r.Next(1)
		assert.Equal(t, "|1", r.Marble())
	})
}

func TestRecorderFromManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := observabletest.NewRecorder[int]()
		var producers sync.WaitGroup
		for i := range 8 {
			producers.Go(func() {
				for range 50 {
					r.Next(i)
					time.Sleep(ms)
				}
			})
		}
		require.NoError(t, r.Await(8*50))
		producers.Wait()
		assert.Len(t, r.Values(), 8*50)
		last := time.Duration(-1)
		for _, e := range r.Events() {
			assert.GreaterOrEqual(t, e.At, last)
			last = e.At
		}
	})
}

func TestRecorderMarbleLetters(t *testing.T) {
	type price struct{ Cents int }
	synctest.Test(t, func(t *testing.T) {
		prices := observabletest.NewRecorder[price]()
		for _, cents := range []int{7, 8, 7, 9} {
			prices.Next(price{cents})
		}
		assert.Equal(t, "(abac)", prices.Marble())
		assert.Equal(t, "(baby)", prices.Marble(
			observabletest.Values[price]{'b': {1}},
			observabletest.Values[price]{'b': {7}, 'a': {8}, 'y': {9}},
		))
		assert.Equal(t, "(acab)", prices.Marble(observabletest.Values[price]{'b': {9}, 'a': {7}}))

		words := observabletest.NewRecorder[string]()
		for _, word := range []string{"x", "two words", "", "a", "|", "é", "\xff"} {
			words.Next(word)
		}
		assert.Equal(t, "(xabcdée)", words.Marble())

		numbers := observabletest.NewRecorder[int8]()
		for _, n := range []int8{0, 9, 10, -1, 0} {
			numbers.Next(n)
		}
		assert.Equal(t, "(09ab0)", numbers.Marble())

		floats := observabletest.NewRecorder[float64]()
		floats.Next(math.NaN())
		floats.Next(1)
		assert.Equal(t, "(ab)", floats.Marble())

		many := observabletest.NewRecorder[int]()
		for n := range 100 {
			many.Next(n)
		}
		m, err := observabletest.ParseMarble(many.Marble())
		require.NoError(t, err)
		letters := map[rune]bool{}
		for _, mark := range m.Marks {
			letters[mark.Symbol] = true
		}
		assert.Len(t, letters, 100)
	})
}

func TestRecorderAwait(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		r := observabletest.Record(t, observable.Observable[int](observabletest.Cold[int](t, "--1--2--|")))
		begun := time.Now()
		require.NoError(t, r.Await(0))
		require.NoError(t, r.Await(1))
		assert.Equal(t, 2*ms, time.Since(begun), "the frame has begun")
		require.NoError(t, r.Await(2))
		assert.Equal(t, 5*ms, time.Since(begun))
		require.NoError(t, r.Await(1))

		err := r.Await(3)
		assert.Equal(t, 8*ms, time.Since(begun).Round(ms))
		var problem *observabletest.AwaitError
		require.ErrorAs(t, err, &problem)
		assert.Equal(t, &observabletest.AwaitError{Want: 3, Got: 2, Over: true}, problem)
		require.EqualError(t, err, "observabletest: waiting for 3 values, with 2 values so far: the stream is over")
		require.NoError(t, r.AwaitEnd())
	})
}

func TestRecorderAwaitOfAFailedStream(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		r := observabletest.Record(t, observabletest.Cold[int](t, "--1--#"))
		err := r.Await(2)
		require.ErrorIs(t, err, observabletest.ErrMarble)
		require.EqualError(t, err, "observabletest: waiting for 2 values, with 1 values so far: "+
			"the stream failed: observabletest: # in a marble")
		require.NoError(t, r.AwaitEnd())
	})
}

func TestRecorderAwaitGivesUp(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		r := observabletest.Record(t, observable.Never[int]())
		begun := time.Now()
		require.EqualError(t, r.Await(1), "observabletest: waiting for 1 values, with 0 values so far: it did not come in 10m0s")
		assert.Equal(t, observabletest.Limit, time.Since(begun))
		require.EqualError(t, r.AwaitEnd(), "observabletest: waiting for the end, with 0 values so far: it did not come in 10m0s")
		time.AfterFunc(ms, r.Unsubscribe)
		require.EqualError(t, r.Await(1), "observabletest: waiting for 1 values, with 0 values so far: the stream is over")
		require.EqualError(t, r.AwaitEnd(), "observabletest: waiting for the end, with 0 values so far: the stream is over")
	})
}

func TestRecorderUnsubscribe(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Hot[int](t, "--1--2")
		r := observabletest.Record(t, src)
		time.Sleep(4 * ms)
		r.Unsubscribe()
		r.Unsubscribe()
		r.ExpectMarble(t, "--1")
		src.ExpectSubscriptions("^---!")
	})
}

func TestRecorderWithAContextOfItsOwn(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		stop := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(3*ms, func() { cancel(stop) })
		r := observabletest.NewRecorder[int]()
		observabletest.Cold[int](t, "-1-2-3-|").Subscribe(ctx, r)
		require.NoError(t, r.AwaitEnd())
		assert.Equal(t, stop, r.Err())
		r.Unsubscribe() // it does nothing
	})
}

// TestRecorderExpectEnd waits for both ends.
func TestRecorderExpectEnd(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		begun := time.Now()
		completed := observabletest.Record(t, observabletest.Cold[int](t, "--1--|"))
		assert.False(t, completed.Ended())
		require.NoError(t, completed.ExpectEnd(t))
		assert.Equal(t, 5*ms, time.Since(begun))
		assert.True(t, completed.Ended())
		failed := observabletest.Record(t, observabletest.Cold[int](t, "#"))
		require.ErrorIs(t, failed.ExpectEnd(t), observabletest.ErrMarble)
		assert.True(t, failed.Ended())
	})
}

// TestRecorderExpectEndFails has the test fail if the end does not come, or something
// comes after it.
func TestRecorderExpectEndFails(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		endless := observabletest.Record(t, observable.Never[int]())
		assert.Equal(t, "observabletest: waiting for the end, with 0 values so far: it did not come in 10m0s",
			failing(t, func() { _ = endless.ExpectEnd(t) }))
		assert.False(t, endless.Ended())
		endless.Unsubscribe()

		twice := observabletest.NewRecorder[int]()
		twice.Complete()
		twice.Error(io.EOF)
		assert.Equal(t, "observabletest: the stream breaks the contract:\n0s Error EOF: after the end",
			failing(t, func() { _ = twice.ExpectEnd(t) }))
	})
}

func TestKindString(t *testing.T) {
	assert.Equal(t, "Next", observabletest.Next.String())
	assert.Equal(t, "Error", observabletest.Error.String())
	assert.Equal(t, "Complete", observabletest.Complete.String())
	assert.Equal(t, "Kind(7)", observabletest.Kind(7).String())
}

func TestRecorderCallsOnNext(t *testing.T) {
	var r *observabletest.Recorder[int]
	var seen []int
	r = observabletest.NewRecorder[int]().OnNext(func(v int) {
		assert.Equal(t, v, r.Values()[len(seen)], "the value is recorded")
		seen = append(seen, v)
	})
	r.Next(4)
	r.Next(5)
	r.Complete()
	assert.Equal(t, []int{4, 5}, seen)
	assert.Empty(t, r.Breaches())
}

func TestRecorderFindsNotificationsAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(r *observabletest.Recorder[int]){
		"complete": func(r *observabletest.Recorder[int]) { r.Complete() },
		"error":    func(r *observabletest.Recorder[int]) { r.Error(io.EOF) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := observabletest.NewRecorder[int]()
				end(r)
				assert.Empty(t, r.Breaches())
				time.Sleep(ms)
				r.Next(7)
				r.Complete()
				r.Error(io.EOF)
				assert.Equal(t, []string{
					"1ms Next 7: after the end", "1ms Complete: after the end", "1ms Error EOF: after the end",
				}, r.Breaches())
			})
		})
	}
}

func TestRecorderFindsNotificationsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := observabletest.NewRecorder[int]().OnNext(func(v int) { time.Sleep(time.Duration(v) * ms) })
		go r.Next(2)
		time.Sleep(ms)
		r.Next(0)
		assert.Equal(t, []string{"1ms Next 0: during another notification"}, r.Breaches())
		r.Complete()
		time.Sleep(5 * ms)
		r.Error(io.EOF)
		assert.Equal(t, []string{
			"1ms Next 0: during another notification", "1ms Complete: during another notification",
			"6ms Error EOF: after the end",
		}, r.Breaches())
	})
}

// TestRecorderAwaitsTheMoment has one observer get an event long after another observer,
// at the same moment of virtual time.
func TestRecorderAwaitsTheMoment(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		first, second := observabletest.NewRecorder[int](), observabletest.NewRecorder[int]()
		later := func(of func()) {
			for range 1000 {
				runtime.Gosched()
			}
			of()
		}
		go func() {
			first.Next(1)
			later(func() { second.Next(1) })
			time.Sleep(ms)
			first.Complete()
			later(second.Complete)
		}()
		require.NoError(t, first.Await(1))
		assert.Len(t, second.Values(), 1)
		require.NoError(t, first.AwaitEnd())
		assert.True(t, second.Ended())
	})
}
