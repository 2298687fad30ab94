package operators_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestTimeoutSaysWhichLimitRanOut(t *testing.T) {
	for _, test := range []struct {
		name   string
		op     stage
		values int // one each millisecond
		want   operators.TimeoutError
		text   string
	}{
		{
			"Timeout before the first", timed()["Timeout"], 0,
			operators.TimeoutError{After: 5 * ms}, "operators: no value came within 5ms",
		}, {
			"Timeout after the second", timed()["Timeout"], 2,
			operators.TimeoutError{After: 5 * ms, Seen: 2}, "operators: no value came within 5ms of value number 2",
		}, {
			"First", func(src ints) ints {
				return operators.TimeoutWith(src, operators.TimeoutConfig[int]{First: 7 * ms})
			}, 0,
			operators.TimeoutError{First: true, After: 7 * ms}, "operators: no first value came within 7ms",
		}, {
			"Each, with a longer First", func(src ints) ints {
				return operators.TimeoutWith(src, operators.TimeoutConfig[int]{First: time.Hour, Each: 2 * ms})
			}, 1,
			operators.TimeoutError{After: 2 * ms, Seen: 1}, "operators: no value came within 2ms of value number 1",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var src observable.Subject[int]
				sub := test.op(&src).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
				for i := range test.values {
					pass(ms)
					src.Next(i)
				}
				quiet := time.Now()
				<-sub.Done()
				assert.Equal(t, test.want.After, time.Since(quiet))
				err := sub.Err()
				require.ErrorIs(t, err, operators.ErrTimeout)
				var timeout *operators.TimeoutError
				require.ErrorAs(t, err, &timeout)
				assert.Equal(t, test.want, *timeout)
				require.EqualError(t, err, test.text)
				assert.False(t, src.Observed())
			})
		})
	}
}

// TestTimeoutDoesNotCountWhatDownstreamNeeds takes ten times the limit for each value.
func TestTimeoutDoesNotCountWhatDownstreamNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := observabletest.NewRecorder[int]()
		src := operators.Concat(operators.Take(observable.Interval(2*ms), 3), observable.Never[int]())
		sub := operators.Timeout(src, 5*ms).Subscribe(t.Context(), observable.ObserverFuncs[int]{
			OnNext: func(v int) {
				time.Sleep(50 * ms)
				got.Next(v)
			},
			OnError: got.Error,
		})
		<-sub.Done()
		assert.Equal(t, "52:0 104:1 156:2 161:#operators: no value came within 5ms of value number 3", got.TimedString())
	})
}

// TestTimeoutDoesNotCountWhatSubscribingNeeds lets a time longer than the limit pass
// while downstream subscribes to an inner observable with a value.
func TestTimeoutDoesNotCountWhatSubscribingNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[any]()
		out := operators.MergeMap(operators.Timeout(&src, 5*ms), func(v int) O {
			return intruder{func() { time.Sleep(32 * ms) }, v}
		})
		sub := out.Subscribe(t.Context(), observable.ObserverFuncs[any]{OnNext: got.Next, OnError: func(error) { got.Next("#") }})
		src.Next(1)
		<-sub.Done()
		assert.Equal(t, "32:1 37:#", got.TimedString())
	})
}

// TestTimeoutOfAnEndedStream checks that a limit for only the first value does not affect
// the values that follow, nor a terminal that was in time.
func TestTimeoutOfAnEndedStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src observable.Subject[int]
		got := observabletest.NewRecorder[int]()
		operators.TimeoutWith(&src, operators.TimeoutConfig[int]{First: 5 * ms}).Subscribe(t.Context(), got)
		src.Next(1)
		pass(time.Hour)
		src.Complete()
		assert.Equal(t, "1 |", got.String())
	})
}

// TestTimeoutGoesOn checks the argument of With, that the observable it returns has no
// limit, and that a panic in it is the stream's.
func TestTimeoutGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var src, next observable.Subject[int]
		got := observabletest.NewRecorder[int]()
		operators.TimeoutWith(&src, operators.TimeoutConfig[int]{
			Each: 5 * ms,
			With: func(err *operators.TimeoutError) ints {
				assert.Equal(t, operators.TimeoutError{After: 5 * ms, Seen: 1}, *err)
				assert.False(t, src.Observed(), "the source was not unsubscribed before")
				return &next
			},
		}).Subscribe(t.Context(), got)
		src.Next(1)
		pass(time.Hour)
		next.Next(2)
		next.Complete()
		assert.Equal(t, "0:1 3600000:2 3600000:|", got.TimedString())

		sub := operators.TimeoutWith(observable.Never[int](), operators.TimeoutConfig[int]{
			First: 5 * ms,
			With:  func(*operators.TimeoutError) ints { panic(errBoom) },
		}).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		<-sub.Done()
		require.ErrorIs(t, sub.Err(), errBoom)
	})
}
