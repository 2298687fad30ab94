package operators_test

import (
	"context"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// client is an observer; a test can see whether it is still in memory.
type client struct {
	observable.ObserverFuncs[int]
	memory [1 << 16]byte
}

// Next counts values.
func (c *client) Next(int) { c.memory[0]++ }

// join subscribes a client, and returns a channel that is closed when it is out of
// memory.
func join(ctx context.Context, src ints) (observable.Subscription, <-chan struct{}) {
	c, freed := new(client), make(chan struct{})
	runtime.AddCleanup(c, func(freed chan struct{}) { close(freed) }, freed)
	return src.Subscribe(ctx, c), freed
}

// TestNothingKeepsTheFirstSubscriber has the first subscriber leave while another one
// stays.
func TestNothingKeepsTheFirstSubscriber(t *testing.T) {
	for name, wrap := range map[string]func(src ints) ints{
		"Subject":     func(src ints) ints { return src },
		"Share":       operators.Share[int],
		"ShareReplay": func(src ints) ints { return operators.ShareReplay(src, operators.ShareReplayConfig{}) },
		"nested": func(src ints) ints {
			return operators.Share(operators.Map(operators.Share(src), passTrial))
		},
		"Connectable": func(src ints) ints {
			c := observable.NewConnectable(src, observable.ConnectableConfig[int]{})
			t.Cleanup(c.Connect(context.Background()).Unsubscribe)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[int]
			shared := wrap(&src)
			first, freed := join(t.Context(), shared)
			stays, _ := join(t.Context(), shared)
			src.Next(1)
			first.Unsubscribe()
			src.Next(2)
			assert.True(t, isFreed(freed), "the first subscriber is still in memory")
			stays.Unsubscribe()
		})
	}
}

// isFreed collects garbage until freed is closed, and reports whether it was closed in
// time.
func isFreed(freed <-chan struct{}) bool {
	for range 100 {
		runtime.GC()
		select {
		case <-freed:
			return true
		case <-time.After(ms): // the cleanup has a goroutine of its own
		}
	}
	return false
}

// oddKey is a key that no map finds again if its number is NaN.
type oddKey struct {
	number float64
	part   *client // shows a test whether the key is still in memory
}

// emitOddKey emits a key that is not equal to itself, and returns a channel that is
// closed when it is out of memory.
func emitOddKey(into observable.Observer[oddKey]) <-chan struct{} {
	part, freed := new(client), make(chan struct{})
	runtime.AddCleanup(part, func(freed chan struct{}) { close(freed) }, freed)
	into.Next(oddKey{math.NaN(), part})
	return freed
}

// TestNothingKeepsAKeyThatIsNotItself sends a key that is not equal to itself, and then
// another one, through operators that keep keys.
func TestNothingKeepsAKeyThatIsNotItself(t *testing.T) {
	type keys = observable.Observable[oddKey]
	key := func(k oddKey) oddKey { return k }
	number := func(k oddKey) float64 { return k.number }
	for name, op := range map[string]func(src keys) observable.Observable[float64]{
		"Distinct": func(src keys) observable.Observable[float64] { return operators.Map(operators.Distinct(src), number) },
		"DistinctBy": func(src keys) observable.Observable[float64] {
			return operators.Map(operators.DistinctBy(src, key), number)
		},
		"GroupByUntil": func(src keys) observable.Observable[float64] {
			groups := operators.GroupByUntil(src, key, func(*operators.Group[oddKey, oddKey]) ints { return observable.Timer(0) })
			return operators.MergeMap(groups, func(g *operators.Group[oddKey, oddKey]) observable.Observable[float64] {
				return operators.Map(g, number)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var src observable.Subject[oddKey]
			got := observabletest.NewRecorder[float64]()
			sub := op(&src).Subscribe(t.Context(), got)
			freed := emitOddKey(&src)
			src.Next(oddKey{number: 1})
			assert.True(t, isFreed(freed), "the key is still in memory")
			assert.Len(t, got.Values(), 2)
			sub.Unsubscribe()
		})
	}
	t.Run("ConflateBy", func(t *testing.T) {
		var src observable.Subject[oddKey]
		got := make(chan float64)
		conflated := operators.Map(operators.ConflateBy[oddKey](&src, key), number)
		sub := conflated.Subscribe(t.Context(), observable.ObserverFuncs[float64]{OnNext: func(v float64) { got <- v }})
		src.Next(oddKey{number: 1})
		freed := emitOddKey(&src)
		for i := range 3 { // so that the buffer is not empty meanwhile
			src.Next(oddKey{number: float64(2 + i)})
		}
		for range 3 {
			<-got
		}
		assert.True(t, isFreed(freed), "the key is still in memory")
		<-got
		<-got
		sub.Unsubscribe()
		<-sub.Done()
	})
}
