package observable_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestUnsubscribeIsSilentAfterTheContextHasEnded has both come while a callback is in
// progress, before the context's cause can be delivered.
func TestUnsubscribeIsSilentAfterTheContextHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		var s observable.Subject[int]
		var told error
		sub := s.Subscribe(ctx, observable.ObserverFuncs[int]{
			OnNext:  func(int) { <-release },
			OnError: func(err error) { told = err },
		})
		go s.Next(0)
		synctest.Wait()
		cancel()
		synctest.Wait()
		sub.Unsubscribe()
		close(release)
		<-sub.Done()
		require.NoError(t, told)
	})
}

// TestAPanicWhileTheContextEnds has a panic heard, though the observer gets the context's
// cause.
func TestAPanicWhileTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		ctx, cancel := context.WithCancel(t.Context())
		var told error
		sub := observable.Of(1).Subscribe(ctx, observable.ObserverFuncs[int]{
			OnNext: func(int) {
				cancel()
				panic("boom")
			},
			OnError: func(err error) { told = err },
		})
		<-sub.Done()
		require.ErrorIs(t, told, context.Canceled)
		require.Len(t, unhandled.All(), 1)
		_, ok := errors.AsType[*observable.PanicError](unhandled.All()[0])
		assert.True(t, ok)
	})
}
