package operators_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

func TestBuffersBelongToTheReceiver(t *testing.T) {
	var got [][]int
	err := observable.ForEach(t.Context(), operators.BufferCountEvery(observable.Range(0, 6), 3, 1), func(b []int) {
		got = append(got, b)
		for i := range b {
			b[i] = -b[i]
		}
		_ = append(b, 99)
	})
	require.NoError(t, err)
	assert.Equal(t, [][]int{{0, -1, -2}, {-1, -2, -3}, {-2, -3, -4}, {-3, -4, -5}, {-4, -5}, {-5}}, got)
}

func TestBufferCountKeepsNoRoomForAHugeCount(t *testing.T) {
	got, err := observable.Collect(t.Context(), operators.BufferCount(observable.Of(1, 2), math.MaxInt))
	require.NoError(t, err)
	assert.Equal(t, [][]int{{1, 2}}, got)
}

func TestEmptyBuffersAreNotNil(t *testing.T) {
	var src, notifier observable.Subject[int]
	got := observabletest.NewRecorder[[]int]()
	sub := operators.Buffer(&src, &notifier).Subscribe(t.Context(), got)
	notifier.Next(0)
	src.Complete()
	<-sub.Done()
	assert.Equal(t, [][]int{{}, {}}, got.Values())
	assert.NotNil(t, got.Values()[0])
}

func TestBufferTakenEarlyLetsGoOfBoth(t *testing.T) {
	var src, notifier observable.Subject[int]
	out := observabletest.NewRecorder[[]int]()
	operators.Take(operators.Buffer(&src, &notifier), 1).Subscribe(t.Context(), out)
	src.Next(1)
	notifier.Next(0)
	assert.Equal(t, "[1] |", out.String())
	assert.False(t, src.Observed())
	assert.False(t, notifier.Observed())
}

// While the last buffer is delivered, its source is not torn down yet, and another
// goroutine can emit into it.
func TestNothingFollowsTheLastBuffer(t *testing.T) {
	for name, buffer := range map[string]func(O) observable.Observable[[]any]{
		"Buffer": func(src O) observable.Observable[[]any] {
			return operators.Buffer(src, observable.Never[int]())
		},
		"BufferCount": func(src O) observable.Observable[[]any] { return operators.BufferCount(src, 3) },
		"BufferTime":  func(src O) observable.Observable[[]any] { return operators.BufferTime(src, time.Hour) },
		"BufferTimeWith": func(src O) observable.Observable[[]any] {
			return operators.BufferTimeWith(src, operators.BufferTimeConfig{Span: time.Hour, Max: 2})
		},
		"BufferWhen": func(src O) observable.Observable[[]any] {
			return operators.BufferWhen(src, observable.Never[int])
		},
		"BufferToggle": func(src O) observable.Observable[[]any] {
			return operators.BufferToggle(src, observable.Of(0), func(int) observable.Observable[int] {
				return observable.Never[int]()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[any]
			out := observabletest.NewRecorder[any]()
			upstream := operators.TakeWhile(&src, func(v any) bool { return v != "end" })
			flat := operators.ConcatMap(buffer(upstream), func(b []any) O {
				return observable.New(func(_ context.Context, o observable.Observer[any]) func() {
					o.Next(b)
					done := make(chan struct{})
					go func() { // emits while this source is still being subscribed to
						defer close(done)
						src.Next("late")
						src.Next("end")
					}()
					<-done
					o.Complete()
					return nil
				})
			})
			flat.Subscribe(t.Context(), out)
			src.Next(1)
			src.Next("end")
			assert.Equal(t, "[1] |", out.String())
		})
	}
}

// A value that comes while a buffer is delivered has its place in the next one.
func TestAValueThatComesWhileABufferIsDelivered(t *testing.T) {
	for name, config := range map[string]operators.BufferTimeConfig{
		"one after the other": {Span: time.Hour, Max: 1},
		"overlapping":         {Span: time.Hour, Every: time.Minute, Max: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var src observable.Subject[int]
				out := observabletest.NewRecorder[[]int]()
				flat := operators.MergeMap(operators.BufferTimeWith(&src, config),
					func(b []int) observable.Observable[[]int] {
						return observable.New(func(_ context.Context, o observable.Observer[[]int]) func() {
							if b[0] == 1 {
								time.Sleep(90 * time.Second) // so that another buffer is open
								done := make(chan struct{})
								go func() {
									defer close(done)
									src.Next(2)
								}()
								<-done
							}
							o.Next(b)
							return nil
						})
					})
				sub := flat.Subscribe(t.Context(), out)
				defer sub.Unsubscribe()
				src.Next(1)
				synctest.Wait() // another goroutine delivers another goroutine's values
				assert.Equal(t, "[1] [2]", out.String())
			})
		})
	}
}

func TestBufferWhenThatClosesAtOnce(t *testing.T) {
	calls := 0
	got, err := observable.Collect(t.Context(), operators.Take(
		operators.BufferWhen(observable.Never[int](), func() observable.Observable[int] {
			calls++
			return observable.Of(0)
		}), 100_000))
	require.NoError(t, err)
	assert.Len(t, got, 100_000)
	assert.Equal(t, 100_000, calls)
}

func TestBufferTimeLosesNothingWhileDownstreamIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []int
		src := operators.Take(observable.Interval(time.Millisecond), 50)
		err := observable.ForEach(t.Context(), operators.BufferTimeWith(src, operators.BufferTimeConfig{
			Span: 5 * time.Millisecond, Max: 3,
		}), func(b []int) {
			all = append(all, b...)
			assert.LessOrEqual(t, len(b), 3)
			time.Sleep(4 * time.Millisecond)
		})
		require.NoError(t, err)
		for i, v := range all {
			assert.Equal(t, i, v)
		}
		assert.Len(t, all, 50)
	})
}

func TestBufferTimeSkipsWhatASlowSubscriberMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := observabletest.NewRecorder[int]()
		busy := true
		lengths := operators.Map(
			operators.BufferTimeWith(observable.Never[int](), operators.BufferTimeConfig{
				Span: 5 * time.Millisecond, Every: 10 * time.Millisecond,
			}),
			func(b []int) int {
				if busy {
					busy = false
					time.Sleep(33 * time.Millisecond) // from 5 to 38
				}
				return len(b)
			})
		sub := lengths.Subscribe(t.Context(), out)
		defer sub.Unsubscribe()
		pass(56 * time.Millisecond)
		assert.Equal(t, "38:0 43:0 45:0 55:0", out.TimedString())
	})
}

func TestPanicInClosingUnsubscribesTheSource(t *testing.T) {
	for name, buffer := range map[string]func(O, O) O{
		"BufferWhen": func(src, _ O) O {
			first := true
			return list(operators.BufferWhen(src, func() O {
				if !first {
					panic(errBoom)
				}
				first = false
				return observable.Of[any](0)
			}))
		},
		"BufferToggle": func(src, openings O) O {
			return list(operators.BufferToggle(src, openings, func(any) O { panic(errBoom) }))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var src, openings observable.Subject[any]
			sub := buffer(&src, &openings).Subscribe(t.Context(), observabletest.NewRecorder[any]())
			openings.Next(1)
			<-sub.Done()
			require.ErrorIs(t, sub.Err(), errBoom)
			assert.False(t, src.Observed())
			assert.False(t, openings.Observed())
		})
	}
}

func TestBufferArguments(t *testing.T) {
	src := observable.Of(1)
	for want, o := range map[string]observable.Observable[[]int]{
		"operators.BufferCount: argument count is not positive: 0":       operators.BufferCount(src, 0),
		"operators.BufferCountEvery: argument count is not positive: -1": operators.BufferCountEvery(src, -1, 1),
		"operators.BufferCountEvery: argument every is not positive: 0":  operators.BufferCountEvery(src, 1, 0),
		"operators.BufferTime: argument span is not positive: 0s":        operators.BufferTime(src, 0),
		"operators.BufferTimeWith: argument Span is not positive: 0s": operators.BufferTimeWith(src,
			operators.BufferTimeConfig{}),
		"operators.BufferTimeWith: argument Every is negative: -1s": operators.BufferTimeWith(src,
			operators.BufferTimeConfig{Span: 1, Every: -time.Second}),
		"operators.BufferTimeWith: argument Max is negative: -1": operators.BufferTimeWith(src,
			operators.BufferTimeConfig{Span: 1, Max: -1}),
		"operators.BufferWhen: argument closing is nil": operators.BufferWhen[int, int](src, nil),
		"operators.BufferToggle: argument closing is nil": operators.BufferToggle[int, int, int](src,
			observable.Of(1), nil),
	} {
		_, err := observable.Collect(t.Context(), o)
		require.EqualError(t, err, want)
	}
}
