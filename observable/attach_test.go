package observable_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestAttachNil attaches no source at all.
func TestAttachNil(t *testing.T) {
	out, sub := record(t.Context(), mapped(nil, increment))
	<-sub.Done()
	assert.Equal(t, []string{"error: observable.Attach: argument src is nil: given to an operator, or returned by its callback"}, out.Log())
	var invalid *observable.ArgumentError
	require.ErrorAs(t, sub.Err(), &invalid)
}

// TestAttachClosed attaches a source in a scope that is closed.
func TestAttachClosed(t *testing.T) {
	attached := false
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		closed := sc.Child()
		closed.Close()
		observable.Attach(observable.Defer(func() observable.Observable[int] {
			attached = true
			return nil
		}), closed, down)
	})
	out, sub := record(t.Context(), src)
	sub.Unsubscribe()
	assert.False(t, attached)
	assert.Empty(t, out.Log())
}

// TestAttachForeign runs an observable that has only a Subscribe method through its life.
func TestAttachForeign(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "value")
	var given context.Context
	var source observable.Observer[int]
	left := 0
	src := foreign[int](func(ctx context.Context, o observable.Observer[int]) observable.Subscription {
		given, source = ctx, o
		o.Next(1)
		return subscription(func() { left++ })
	})
	for name, end := range map[string]func(sub observable.Subscription){
		"unsubscribe": func(sub observable.Subscription) { sub.Unsubscribe() },
		"take":        func(observable.Subscription) { source.Next(3) },
		"completion":  func(observable.Subscription) { source.Complete() },
		"error":       func(observable.Subscription) { source.Error(errBoom) },
	} {
		left = 0
		out, sub := record(ctx, taken(mapped(src, increment), 3))
		source.Next(2)
		assert.Equal(t, []string{"2", "3"}, out.Log(), name)
		assert.Equal(t, "value", given.Value(key{}), name)
		require.NoError(t, given.Err(), name)
		assert.Zero(t, left, name)
		end(sub)
		<-sub.Done()
		assert.Equal(t, 1, left, name)
		require.Error(t, given.Err(), name)
		source.Next(9)
		source.Complete()
		assert.LessOrEqual(t, len(out.Log()), 4, name)
	}
}

// TestAttachForeignLoop has a foreign loop poll its context: Take downstream ends it.
func TestAttachForeignLoop(t *testing.T) {
	n := 0
	src := foreign[int](func(ctx context.Context, o observable.Observer[int]) observable.Subscription {
		for ; ctx.Err() == nil; n++ {
			o.Next(n)
		}
		return nil
	})
	out, sub := record(t.Context(), taken[int](src, 3))
	<-sub.Done()
	assert.Equal(t, []string{"0", "1", "2", "complete"}, out.Log())
	assert.Equal(t, 3, n)
}

// TestAttachForeignPanic has a foreign Subscribe panic.
func TestAttachForeignPanic(t *testing.T) {
	src := foreign[int](func(context.Context, observable.Observer[int]) observable.Subscription { panic("foreign") })
	var seen []error
	out, _ := record(t.Context(), recovered(src, &seen))
	assert.Equal(t, []string{"9", "complete"}, out.Log())
	require.Len(t, seen, 1)
	isPanic(t, seen[0], "foreign")
}

// TestAttachForeignSerial has a foreign source break the rule that notifications are
// serial.
func TestAttachForeignSerial(t *testing.T) {
	var group sync.WaitGroup
	src := foreign[int](func(_ context.Context, o observable.Observer[int]) observable.Subscription {
		for range 4 {
			group.Go(func() {
				for i := range 500 {
					o.Next(i)
				}
				o.Complete()
			})
		}
		return nil
	})
	n := 0
	require.NoError(t, observable.ForEach[int](t.Context(), src, func(int) { n++ }))
	group.Wait()
	assert.GreaterOrEqual(t, n, 500)
}

// TestSubscribeInScope has an operator subscribe to a source with its scope as the
// context: the subscription ends when the scope does, and its teardown has run by then.
func TestSubscribeInScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		torn := false
		inner := finalized(observable.Never[int](), func() {
			time.Sleep(time.Second)
			torn = true
		})
		src := observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
			inner.Subscribe(ctx, o)
			return nil
		})
		out, sub := record(t.Context(), src)
		sub.Unsubscribe()
		assert.True(t, torn)
		assert.Empty(t, out.Log())
	})
}

// TestConnectNested emits in functions inside functions.
func TestConnectNested(t *testing.T) {
	var order []string
	nested := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
		order = append(order, "inner begins")
		o.Next(2)
		order = append(order, "inner ends")
		o.Complete()
		return nil
	})
	src := merged(observable.New(func(_ context.Context, o observable.Observer[int]) func() {
		order = append(order, "outer begins")
		o.Next(1)
		order = append(order, "outer ends")
		o.Complete()
		return nil
	}), func(int) observable.Observable[int] { return nested })
	out := observabletest.NewRecorder[int]().OnNext(func(int) { order = append(order, "value") })
	sub := src.Subscribe(t.Context(), out)
	<-sub.Done()
	assert.Equal(t, []string{"2", "complete"}, out.Log())
	assert.Equal(t, []string{"outer begins", "inner begins", "value", "inner ends", "outer ends"}, order)
}

// TestGoWaits has the function of Go wait for goroutines that emit into the same chain.
func TestGoWaits(t *testing.T) {
	src := observable.Go(func(_ context.Context, emit func(int)) error {
		var group sync.WaitGroup
		for i := range 1000 {
			group.Go(func() { emit(i) })
		}
		group.Wait()
		return nil
	})
	all, err := observable.Collect(t.Context(), merged(src, func(v int) observable.Observable[int] {
		return observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			o.Next(v)
			o.Complete()
			return nil
		})
	}))
	require.NoError(t, err)
	assert.Len(t, all, 1000)
}
