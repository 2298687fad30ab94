package operators_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// plainProcessor is a processor that is not one of the toolkit's subjects.
type plainProcessor struct{ subject observable.Subject[int] }

func (p *plainProcessor) Subscribe(ctx context.Context, o observable.Observer[int]) observable.Subscription {
	return p.subject.Subscribe(ctx, o)
}
func (p *plainProcessor) Next(v int)      { p.subject.Next(v) }
func (p *plainProcessor) Error(err error) { p.subject.Error(err) }
func (p *plainProcessor) Complete()       { p.subject.Complete() }

var connectors = map[string]func() observable.Processor[int]{
	"subject": func() observable.Processor[int] { return new(observable.Subject[int]) },
	"plain":   func() observable.Processor[int] { return new(plainProcessor) },
	"replay": func() observable.Processor[int] {
		return observable.NewReplaySubject[int](observable.ReplayConfig{Buffer: 1})
	},
}

func TestConnectSubscribesOnceAndStopsWithTheStream(t *testing.T) {
	for name, connector := range connectors {
		t.Run(name, func(t *testing.T) {
			emitted, runs := 0, 0
			src := observable.Defer(func() observable.Observable[int] {
				runs++
				return operators.Map(observable.Range(1, 2e9), func(v int) int { emitted++; return v })
			})
			both := operators.ConnectWith(src, connector,
				func(shared observable.Observable[int]) observable.Observable[int] {
					return operators.Merge(shared, operators.Map(shared, func(v int) int { return -v }))
				})
			got, err := observable.Collect(t.Context(), operators.Take(both, 3))
			require.NoError(t, err)
			assert.Equal(t, []int{1, -1, 2}, got)
			assert.Equal(t, 2, emitted)
			assert.Equal(t, 1, runs)
		})
	}
}

func TestConnectPassesFailuresThroughTheSharedObservable(t *testing.T) {
	for name, connector := range connectors {
		for failure, src := range map[string]observable.Observable[int]{
			"error": observable.Throw[int](errBoom),
			"panic": operators.Map(observable.Of(1), func(int) int { panic(errBoom) }),
		} {
			t.Run(name+", "+failure, func(t *testing.T) {
				var told error
				got, err := observable.Collect(t.Context(), operators.ConnectWith(src, connector,
					func(shared observable.Observable[int]) observable.Observable[int] {
						return operators.Catch(shared, func(err error) observable.Observable[int] {
							told = err
							return observable.Of(-1)
						})
					}))
				require.NoError(t, err)
				require.ErrorIs(t, told, errBoom)
				assert.Equal(t, []int{-1}, got)
			})
		}
	}
}

func TestConnectEndsWithItsStreamOnly(t *testing.T) {
	var src, result observable.Subject[int]
	sub := operators.Connect(&src, func(observable.Observable[int]) observable.Observable[int] { return &result }).
		Subscribe(t.Context(), observabletest.NewRecorder[int]())
	assert.True(t, src.Observed())
	src.Complete()
	assert.True(t, result.Observed())
	result.Complete()
	<-sub.Done()
	require.NoError(t, sub.Err())
}

func TestConnectUnsubscribesTheSource(t *testing.T) {
	var src, result observable.Subject[int]
	operators.Connect(&src, func(observable.Observable[int]) observable.Observable[int] { return &result }).
		Subscribe(t.Context(), observabletest.NewRecorder[int]())
	result.Complete()
	assert.False(t, src.Observed())
}

func TestConnectArguments(t *testing.T) {
	src := observable.Of(1)
	for want, o := range map[string]observable.Observable[int]{
		"operators.Connect: argument selector is nil": operators.Connect[int, int](src, nil),
		"operators.ConnectWith: argument connector is nil": operators.ConnectWith(src, nil,
			func(shared observable.Observable[int]) observable.Observable[int] { return shared }),
		"operators.ConnectWith: argument selector is nil": operators.ConnectWith[int, int](src,
			connectors["plain"], nil),
		"observable.Attach: argument src is nil: given to an operator, or returned by its callback": operators.Connect(src,
			func(observable.Observable[int]) observable.Observable[int] { return nil }),
	} {
		_, err := observable.Collect(t.Context(), o)
		require.EqualError(t, err, want)
	}
}

// ownProcessor is a processor that the toolkit does not know.
type ownProcessor struct{ *observable.Subject[int] }

// TestAProcessorOfOnesOwnAndFeedback has a callback emit into the chain in the middle of
// a step. The value comes after that step, as with a subject.
func TestAProcessorOfOnesOwnAndFeedback(t *testing.T) {
	for name, connector := range map[string]func() observable.Processor[int]{
		"subject": func() observable.Processor[int] { return new(observable.Subject[int]) },
		"own":     func() observable.Processor[int] { return ownProcessor{new(observable.Subject[int])} },
	} {
		t.Run(name, func(t *testing.T) {
			var src, also observable.Subject[int]
			var got []string
			chain := operators.ConnectWith(&src, connector, func(shared ints) observable.Observable[ints] {
				second := operators.Filter(shared, func(v int) bool { return v == 2 })
				return operators.Window(shared, operators.Merge[int](second, &also))
			})
			windows := 0
			sub := chain.Subscribe(t.Context(), observable.ObserverFuncs[ints]{OnNext: func(w ints) {
				windows++
				n := windows
				w.Subscribe(t.Context(), observable.ObserverFuncs[int]{
					OnNext: func(v int) { got = append(got, fmt.Sprint("w", n, ":", v)) },
					OnComplete: func() {
						got = append(got, fmt.Sprint("w", n, "|"))
						if n == 1 {
							also.Next(0)
						}
					},
				})
			}})
			for v := range 4 {
				src.Next(v)
			}
			sub.Unsubscribe()
			assert.Equal(t, []string{"w1:0", "w1:1", "w1:2", "w1|", "w2|", "w3:3"}, got)
		})
	}
}

// TestConnectPanicWithoutParts has the source panic when no part of the stream is
// subscribed to it any more.
func TestConnectPanicWithoutParts(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	var src observable.Subject[int]
	connected := operators.Connect(operators.Map(&src, func(v int) int {
		if v == 2 {
			panic(errBoom)
		}
		return v
	}), func(shared ints) ints { return operators.Concat(operators.Take(shared, 1), observable.Never[int]()) })
	got := observabletest.NewRecorder[int]()
	defer connected.Subscribe(t.Context(), got).Unsubscribe()
	src.Next(1)
	src.Next(2)
	assert.Equal(t, []string{"1"}, got.Log())
	unhandled.Expect(t, "boom")
}
