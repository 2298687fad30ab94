package observable_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestInletTerminalOnce has eight goroutines end one inlet in different ways.
func TestInletTerminalOnce(t *testing.T) {
	for range 200 {
		var in *observable.Emitter[int]
		out, sub := record(t.Context(), inlet(&in))
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				in.Next(i)
				if i%2 == 0 {
					in.Complete()
				} else {
					in.Error(errBoom)
				}
				in.Next(100 + i)
			})
		}
		group.Wait()
		<-sub.Done()
		log := out.Log()
		require.NotEmpty(t, log)
		assert.Contains(t, []string{"complete", "error: boom"}, log[len(log)-1])
		for _, event := range log[:len(log)-1] {
			assert.Len(t, event, 1, "neither a terminal nor a value from after one: %v", log)
		}
	}
}

// TestInletOfAClosedScope has an inlet emit while its scope, a part of a subscription
// that goes on, is closed inside the gate: no value passes after that, not even one that
// was on its way.
func TestInletOfAClosedScope(t *testing.T) {
	for range 300 {
		var control, in *observable.Emitter[int]
		var closed atomic.Bool
		src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			inner := sc.Child()
			in = observable.NewEmitter(inner, observable.Stage[int]{
				Next: func(v int) {
					assert.False(t, closed.Load())
					down.Next(v)
				},
				Terminal: down.Terminal,
			})
			control = observable.NewEmitter(sc, observable.Stage[int]{
				Next: func(int) {
					inner.Close()
					closed.Store(true)
				},
				Terminal: down.Terminal,
			})
		})
		_, sub := record(t.Context(), src)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				for i := range 50 {
					in.Next(i)
				}
			})
		}
		runtime.Gosched()
		control.Next(0)
		group.Wait()
		sub.Unsubscribe()
	}
}

// TestInletTerminalAfterValues has a terminal come while values wait: it comes after
// them, and does not wait for room.
func TestInletTerminalAfterValues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in *observable.Emitter[int]
		release := make(chan struct{})
		n := 0
		out := observabletest.NewRecorder[int]()
		sub := inlet(&in).Subscribe(t.Context(), observable.ObserverFuncs[int]{
			OnNext: func(int) {
				<-release
				n++
			},
			OnComplete: out.Complete,
		})
		go in.Next(0)
		synctest.Wait()
		for i := range 256 {
			in.Next(i)
		}
		in.Complete()
		assert.Zero(t, n)
		close(release)
		<-sub.Done()
		assert.Equal(t, 257, n)
		assert.Equal(t, []string{"complete"}, out.Log())
	})
}

// TestInletErrorKeepsItsPlace has two inlets share a gate: the end of one of them does
// not hold up the other.
func TestInletErrorKeepsItsPlace(t *testing.T) {
	var a, b *observable.Emitter[int]
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		observable.Attach(caught(inlet(&a), func(error) observable.Observable[int] {
			return observable.Of(7)
		}), sc.Child(), observable.Stage[int]{
			Next:     down.Next,
			Terminal: observable.WithComplete(down, func() { down.Next(8) }),
		})
		observable.Attach(inlet(&b), sc.Child(), down)
	})
	out, sub := record(t.Context(), src)
	a.Next(1)
	b.Next(2)
	a.Error(errBoom)
	a.Next(3)
	b.Next(4)
	b.Complete()
	b.Next(5)
	<-sub.Done()
	assert.Equal(t, []string{"1", "2", "7", "8", "4", "complete"}, out.Log())
}

// TestInletAfterEnd emits to a subscription that is over.
func TestInletAfterEnd(t *testing.T) {
	var in *observable.Emitter[int]
	out, sub := record(t.Context(), inlet(&in))
	sub.Unsubscribe()
	in.Next(1)
	in.Error(errBoom)
	in.Complete()
	assert.Empty(t, out.Log())
	assert.NoError(t, sub.Err())
}

// TestInletNilError has a source fail with a nil error, which must not look like success.
func TestInletNilError(t *testing.T) {
	var in *observable.Emitter[int]
	out, sub := record(t.Context(), inlet(&in))
	in.Error(nil)
	var invalid *observable.ArgumentError
	require.ErrorAs(t, sub.Err(), &invalid)
	assert.Equal(t, []string{"error: " + invalid.Error()}, out.Log())
}

// TestInletSlowSubscribe emits from another goroutine while a source's Subscribe is still
// at work.
func TestInletSlowSubscribe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var group sync.WaitGroup
		src := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			group.Go(func() {
				o.Next(1)
				o.Next(2)
			})
			time.Sleep(time.Second)
			o.Next(3)
			return nil
		})
		out := observabletest.NewRecorder[int]()
		var first time.Duration
		begun := time.Now()
		out.OnNext(func(v int) {
			if v == 1 {
				first = time.Since(begun)
			}
		})
		sub := src.Subscribe(t.Context(), out)
		assert.Equal(t, time.Second, first, "nothing else passes while the function runs")
		assert.Equal(t, []string{"1", "2", "3"}, out.Log(), "values are delivered in the order in which they came")
		group.Wait()
		sub.Unsubscribe()
	})
}
