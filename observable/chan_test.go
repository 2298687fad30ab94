package observable_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestOverflowString names the policies.
func TestOverflowString(t *testing.T) {
	for policy, want := range map[observable.Overflow]string{
		observable.OverflowBlock: "OverflowBlock", observable.OverflowDropOldest: "OverflowDropOldest", observable.OverflowDropNewest: "OverflowDropNewest",
		observable.OverflowFail: "OverflowFail", 7: "Overflow(7)",
	} {
		assert.Equal(t, want, policy.String())
	}
}

// TestFromChan reads a channel until it is closed.
func TestFromChan(t *testing.T) {
	ch := make(chan int)
	go func() {
		for i := range 1000 {
			ch <- i
		}
		close(ch)
	}()
	all, err := observable.Collect(t.Context(), observable.FromChan(ch))
	require.NoError(t, err)
	require.Len(t, all, 1000)
	assert.Equal(t, 999, all[999])

	all, err = observable.Collect(t.Context(), observable.FromChan(ch))
	require.NoError(t, err)
	assert.Empty(t, all, "it is closed")

	out, _ := record(t.Context(), observable.FromChan[int](nil))
	assert.Equal(t, []string{"error: observable.FromChan: argument ch is nil"}, out.Log())
}

// TestFromChanEnds leaves while the channel has nothing, and while a slow subscriber
// blocks the receiver.
func TestFromChanEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 10)
		_, sub := record(t.Context(), observable.FromChan(ch))
		synctest.Wait()
		sub.Unsubscribe()
		synctest.Wait()
		ch <- 1
		synctest.Wait()
		assert.Len(t, ch, 1, "nobody receives any more")

		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		out := observabletest.NewRecorder[int]().OnNext(func(int) { <-release })
		sub = observable.FromChan(ch).Subscribe(ctx, out)
		synctest.Wait()
		cancel()
		close(release)
		<-sub.Done()
		assert.Equal(t, []string{"1", "error: context canceled"}, out.Log())
	})
}

// TestFromChanCompetes has two subscriptions share the values.
func TestFromChanCompetes(t *testing.T) {
	ch := make(chan int)
	a, subA := record(t.Context(), observable.FromChan(ch))
	b, subB := record(t.Context(), observable.FromChan(ch))
	for i := range 100 {
		ch <- i
	}
	close(ch)
	<-subA.Done()
	<-subB.Done()
	assert.Len(t, append(a.Log(), b.Log()...), 102)
}

// TestToChan reads a stream to its end.
func TestToChan(t *testing.T) {
	values, err := observable.ToChan(t.Context(), observable.Range(0, 1000), 0, observable.OverflowBlock)
	n := 0
	for v := range values {
		assert.Equal(t, n, v)
		n++
	}
	require.NoError(t, err())
	assert.Equal(t, 1000, n)

	values, err = observable.ToChan(t.Context(), observable.Throw[int](errBoom), 3, observable.OverflowFail)
	for range values {
		t.Error("a value")
	}
	require.ErrorIs(t, err(), errBoom)
	require.ErrorIs(t, err(), errBoom)
}

// TestToChanOverflow has a stream of ten fill a channel with room for three that nobody
// reads.
func TestToChanOverflow(t *testing.T) {
	for policy, want := range map[observable.Overflow][]int{
		observable.OverflowBlock:      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		observable.OverflowDropOldest: {7, 8, 9},
		observable.OverflowDropNewest: {0, 1, 2},
		observable.OverflowFail:       {0, 1, 2},
	} {
		t.Run(policy.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				values, err := observable.ToChan(t.Context(), observable.Range(0, 10), 3, policy)
				synctest.Wait()
				var got []int
				for v := range values {
					got = append(got, v)
				}
				assert.Equal(t, want, got)
				if policy == observable.OverflowFail {
					require.ErrorIs(t, err(), observable.ErrOverflow)
				} else {
					require.NoError(t, err())
				}
			})
		})
	}
}

// TestToChanReaderLeaves ends the context of a stream that waits for a reader.
func TestToChanReaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		torn := false
		src := finalized(observable.Interval(time.Second), func() { torn = true })
		values, err := observable.ToChan(ctx, src, 2, observable.OverflowBlock)
		time.Sleep(time.Minute)
		cancel(errBoom)
		require.ErrorIs(t, err(), errBoom)
		assert.True(t, torn)
		n := 0
		for range values {
			n++
		}
		assert.Equal(t, 2, n, "the values that the channel held")
	})
}

// TestToChanArguments gives arguments that cannot be used.
func TestToChanArguments(t *testing.T) {
	var none context.Context
	for name, open := range map[string]func() (<-chan int, func() error){
		"is -1, less than 0": func() (<-chan int, func() error) {
			return observable.ToChan(t.Context(), observable.Of(1), -1, observable.OverflowBlock)
		},
		"is 0, less than 1": func() (<-chan int, func() error) {
			return observable.ToChan(t.Context(), observable.Of(1), 0, observable.OverflowDropOldest)
		},
		"is unknown: Overflow(9)": func() (<-chan int, func() error) {
			return observable.ToChan(t.Context(), observable.Of(1), 1, observable.Overflow(9))
		},
		"is nil": func() (<-chan int, func() error) {
			return observable.ToChan(none, observable.Of(1), 1, observable.OverflowBlock)
		},
	} {
		values, err := open()
		for range values {
			t.Error("a value")
		}
		var invalid *observable.ArgumentError
		if assert.ErrorAs(t, err(), &invalid) {
			assert.Equal(t, name, invalid.Problem)
		}
	}
	values, err := observable.ToChan[int](t.Context(), nil, 1, observable.OverflowBlock)
	for range values {
		t.Error("a value")
	}
	var invalid *observable.ArgumentError
	require.ErrorAs(t, err(), &invalid)
}

// TestToChanPanic has an operator of the stream panic.
func TestToChanPanic(t *testing.T) {
	values, err := observable.ToChan(t.Context(), mapped(observable.Of(1), func(int) int { panic("in the stage") }), 1, observable.OverflowBlock)
	for range values {
		t.Error("a value")
	}
	isPanic(t, err(), "in the stage")
	require.NoError(t, errors.Unwrap(err()))
}

// TestToChanOfHotSource has the source emit right after ToChan: by then it is subscribed
// to.
func TestToChanOfHotSource(t *testing.T) {
	for range 200 {
		var subject observable.Subject[int]
		values, failure := observable.ToChan[int](t.Context(), &subject, 1, observable.OverflowBlock)
		subject.Next(1)
		subject.Complete()
		require.Equal(t, 1, <-values)
		_, open := <-values
		require.False(t, open)
		require.NoError(t, failure())
	}
}

// TestToChanWaitsForTeardown closes the channel when the source has been torn down: a
// value that FromChan takes back is there then.
func TestToChanWaitsForTeardown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		torn := false
		values, ended := observable.ToChan(t.Context(), finalized(observable.Timer(time.Second), func() {
			time.Sleep(time.Second)
			torn = true
		}), 0, observable.OverflowBlock)
		assert.Zero(t, <-values)
		_, open := <-values
		assert.False(t, open)
		assert.True(t, torn)
		assert.NoError(t, ended())
	})
}
