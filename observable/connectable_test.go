package observable_test

import (
	"context"
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

func TestConnectableEmitsWhileItIsConnected(t *testing.T) {
	var src observable.Subject[int]
	shared := observable.NewConnectable(&src, observable.ConnectableConfig[int]{})
	a, _ := record(t.Context(), shared)
	assert.False(t, src.Observed())
	src.Next(1)

	connection := shared.Connect(t.Context())
	src.Next(2)
	b, left := record(t.Context(), shared)
	src.Next(3)
	left.Unsubscribe()
	src.Next(4)
	connection.Unsubscribe()
	<-connection.Done()
	src.Next(5)
	assert.False(t, src.Observed())
	assert.Equal(t, []string{"2", "3", "4"}, a.Log())
	assert.Equal(t, []string{"3"}, b.Log())

	c, _ := record(t.Context(), shared)
	shared.Connect(t.Context())
	src.Next(6)
	src.Complete()
	assert.Equal(t, []string{"2", "3", "4"}, a.Log(), "a stays with the processor of the first connection")
	assert.Equal(t, []string{"6", "complete"}, c.Log())
}

func TestConnectableThatKeepsItsProcessor(t *testing.T) {
	shared := observable.NewConnectable(observable.Of(1, 2), observable.ConnectableConfig[int]{
		Connector: func() observable.Processor[int] {
			return observable.NewReplaySubject[int](observable.ReplayConfig{})
		},
		KeepOnDisconnect: true,
	})
	<-shared.Connect(t.Context()).Done()
	for range 2 {
		got, err := observable.Collect[int](t.Context(), shared)
		require.NoError(t, err)
		assert.Equal(t, []int{1, 2}, got)
	}
}

func TestThereIsOneConnection(t *testing.T) {
	var runs atomic.Int64
	src := observable.New(func(context.Context, observable.Observer[int]) func() {
		runs.Add(1)
		return nil
	})
	for range 50 {
		shared := observable.NewConnectable(src, observable.ConnectableConfig[int]{})
		connections := make([]observable.Subscription, 4)
		var wait sync.WaitGroup
		for i := range connections {
			wait.Go(func() { connections[i] = shared.Connect(t.Context()) })
		}
		wait.Wait()
		for _, c := range connections {
			assert.Same(t, connections[0], c)
		}
		connections[0].Unsubscribe()
	}
	assert.EqualValues(t, 50, runs.Load())
}

func TestConnectInsideAConnection(t *testing.T) {
	shared := observable.NewConnectable(observable.Of(1, 2), observable.ConnectableConfig[int]{})
	var inside observable.Subscription
	out := observabletest.NewRecorder[int]().OnNext(func(int) { inside = shared.Connect(t.Context()) })
	shared.Subscribe(t.Context(), out)
	connection := shared.Connect(t.Context())
	assert.Same(t, connection, inside)
	assert.Equal(t, []string{"1", "2", "complete"}, out.Log())
}

func TestAConnectionMayBeEndedFromInside(t *testing.T) {
	shared := observable.NewConnectable(observable.Range(0, 2e9), observable.ConnectableConfig[int]{})
	out := observabletest.NewRecorder[int]().OnNext(func(int) { shared.Connect(t.Context()).Unsubscribe() })
	shared.Subscribe(t.Context(), out)
	<-shared.Connect(t.Context()).Done()
	assert.Equal(t, []string{"0"}, out.Log())
}

func TestTheContextOfAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := observable.Interval(2 * time.Millisecond)
		shared := observable.NewConnectable(ticks, observable.ConnectableConfig[int]{})
		out, _ := record(t.Context(), shared)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		connection := shared.Connect(ctx)
		<-connection.Done()
		require.ErrorIs(t, connection.Err(), context.DeadlineExceeded)
		assert.Equal(t, []string{"0", "1", "error: context deadline exceeded"}, out.Log())

		out, _ = record(t.Context(), shared)
		connection = shared.Connect(ctx) // ctx has ended
		<-connection.Done()
		require.ErrorIs(t, connection.Err(), context.DeadlineExceeded)
		assert.Equal(t, []string{"error: context deadline exceeded"}, out.Log())

		out, _ = record(t.Context(), shared)
		connection = shared.Connect(t.Context())
		time.Sleep(3 * time.Millisecond)
		connection.Unsubscribe()
		assert.Equal(t, []string{"0"}, out.Log())
	})
}

func TestConnectAgainWhenTheContextHasEnded(t *testing.T) {
	var src observable.Subject[int]
	shared := observable.NewConnectable(&src, observable.ConnectableConfig[int]{})
	var connection observable.Subscription
	shared.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnError: func(error) {
		connection = shared.Connect(t.Context())
	}})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	shared.Connect(ended)
	require.NotNil(t, connection)
	assert.True(t, src.Observed())
	connection.Unsubscribe()
}

func TestFailuresOfAConnection(t *testing.T) {
	broken := observable.FromSeq(func(func(int) bool) { panic(errBoom) })
	for name, test := range map[string]struct {
		src  observable.Observable[int]
		want string
	}{
		"error": {observable.Throw[int](errBoom), "error: boom"},
		"panic": {broken, "panic: boom"},
		"nil":   {nil, "error: observable.Attach: argument src is nil: given to an operator, or returned by its callback"},
	} {
		t.Run(name, func(t *testing.T) {
			shared := observable.NewConnectable(test.src, observable.ConnectableConfig[int]{})
			out, sub := record(t.Context(), shared)
			<-shared.Connect(t.Context()).Done()
			<-sub.Done()
			assert.Equal(t, []string{test.want}, out.Log())
		})
	}
}

func TestConnectorWithoutAProcessor(t *testing.T) {
	shared := observable.NewConnectable(observable.Of(1), observable.ConnectableConfig[int]{
		Connector: func() observable.Processor[int] { return nil },
	})
	var argument *observable.ArgumentError
	_, err := observable.Collect[int](t.Context(), shared)
	require.ErrorAs(t, err, &argument)
	require.ErrorAs(t, shared.Connect(t.Context()).Err(), &argument)
}

func TestSubscribersAndConnectionsComeAndGo(t *testing.T) {
	src := observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
		go func() {
			for ctx.Err() == nil {
				o.Next(1)
			}
		}()
		return nil
	})
	shared := observable.NewConnectable(src, observable.ConnectableConfig[int]{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 100 {
				shared.Connect(t.Context()).Unsubscribe()
			}
		})
		wait.Go(func() {
			for range 100 {
				_, sub := record(t.Context(), shared)
				sub.Unsubscribe()
			}
		})
	}
	wait.Wait()
}
