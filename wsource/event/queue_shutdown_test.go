package event_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// slowly is an observer that blocks until it is released.
func slowly(got *observabletest.Recorder[event.Job[int]], release <-chan struct{}) observable.Observer[event.Job[int]] {
	return observable.ObserverFuncs[event.Job[int]]{
		OnNext: func(j event.Job[int]) { <-release; got.Next(j) }, OnComplete: got.Complete,
	}
}

// within returns a context that ends after a time.
func within(t *testing.T, after time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	t.Cleanup(cancel)
	return ctx
}

func TestQueueShutdown(t *testing.T) {
	const jobs = 900 // more than wait at a slow observer of a subject
	fine := func(context.Context, int) error { return nil }
	t.Run("a slow observer of finished jobs", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", nil)
			done, release := observabletest.NewRecorder[event.Job[int]](), make(chan struct{})
			q.Subscribe(t.Context(), slowly(done, release))
			s.worker(q, 100, fine)
			for n := range jobs {
				q.Next(n)
			}
			settle()
			require.ErrorIs(t, q.Shutdown(within(t, time.Second)), context.DeadlineExceeded)
			assert.Empty(t, done.Values())
			close(release)
			settle()
			assert.Len(t, done.Values(), jobs)
			require.NoError(t, done.ExpectEnd(t))
		})
	})
	t.Run("a slow observer of dead letters", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue("job", &event.QueueConfig[int]{Attempts: 1})
			dead, release := observabletest.NewRecorder[event.Job[int]](), make(chan struct{})
			unhandled := observabletest.Unhandled(t)
			q.DeadLetters().Subscribe(t.Context(), slowly(dead, release))
			_, working := s.worker(q, 100, func(context.Context, int) error { return errors.New("no") })
			for n := range jobs {
				q.Next(n)
			}
			settle()
			working.Unsubscribe()
			q.Next(jobs)
			require.ErrorIs(t, q.Shutdown(within(t, time.Second)), context.DeadlineExceeded)
			close(release)
			settle()
			assert.Len(t, dead.Values(), jobs+1)
			require.NoError(t, dead.ExpectEnd(t))
			assert.Empty(t, unhandled.All())
		})
	})
	t.Run("an observer that is slow over each job", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", nil)
			done := observabletest.NewRecorder[event.Job[int]]()
			q.Subscribe(t.Context(), observable.ObserverFuncs[event.Job[int]]{
				OnNext: func(j event.Job[int]) { time.Sleep(time.Second); done.Next(j) }, OnComplete: done.Complete,
			})
			s.worker(q, 5, fine)
			for n := range 5 {
				q.Next(n)
			}
			settle()
			require.NoError(t, q.Shutdown(context.Background()))
			assert.Len(t, done.Values(), 5, "four wait at the observer")
			require.NoError(t, done.ExpectEnd(t))
		})
	})
	t.Run("an observer that is slow over its end", func(t *testing.T) {
		inBubble(t, func(t *testing.T, _ *site) {
			q := event.NewQueue[int]("job", nil)
			ends := time.Now().Add(time.Minute)
			q.Subscribe(t.Context(), observable.ObserverFuncs[event.Job[int]]{OnComplete: func() { time.Sleep(time.Minute) }})
			require.NoError(t, q.Shutdown(t.Context()))
			assert.Equal(t, ends, time.Now())
		})
	})
	t.Run("an observer that has left while it is busy", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", nil)
			begun, others := time.Now(), new(observable.Subject[event.Job[int]])
			both := operators.Merge[event.Job[int]](q, others)
			release := make(chan struct{})
			defer close(release)
			busy := both.Subscribe(t.Context(), observable.ObserverFuncs[event.Job[int]]{
				OnNext: func(event.Job[int]) { <-release },
			})
			go others.Next(event.Job[int]{})
			settle()
			s.worker(q, 1, fine)
			q.Next(1) // it waits at the observer
			settle()
			time.AfterFunc(time.Minute, busy.Unsubscribe)
			require.NoError(t, q.Shutdown(t.Context()))
			assert.WithinRange(t, time.Now(), begun.Add(time.Minute), begun.Add(2*time.Minute))
		})
	})
	t.Run("by an observer, over something else", func(t *testing.T) {
		inBubble(t, func(t *testing.T, _ *site) {
			q := event.NewQueue[int]("job", nil)
			stop, done := new(observable.Subject[event.Job[int]]), observabletest.NewRecorder[event.Job[int]]()
			returned := make(chan error, 1)
			operators.Merge[event.Job[int]](q, stop).Subscribe(t.Context(), observable.ObserverFuncs[event.Job[int]]{
				OnNext:     func(event.Job[int]) { returned <- q.Shutdown(context.Background()) },
				OnComplete: done.Complete,
			})
			stop.Next(event.Job[int]{})
			require.NoError(t, <-returned, "it does not wait for itself")
			stop.Complete()
			require.NoError(t, done.ExpectEnd(t))
		})
	})
	t.Run("two at once", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", nil)
			done, dead := record(t, observable.Observable[event.Job[int]](q)), record(t, q.DeadLetters())
			unhandled := observabletest.Unhandled(t)
			s.worker(q, 1, func(ctx context.Context, _ int) error {
				select {
				case <-time.After(time.Second):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			})
			for n := range 5 {
				q.Next(n)
			}
			first, second := make(chan error, 1), make(chan error, 1)
			go func() { first <- q.Shutdown(within(t, 2500*time.Millisecond)) }()
			settle()
			go func() { second <- q.Shutdown(context.Background()) }()
			require.ErrorIs(t, q.Shutdown(within(t, time.Second)), context.DeadlineExceeded)
			assert.Empty(t, first, "the first one decides when jobs are given up")
			require.ErrorIs(t, <-first, context.DeadlineExceeded)
			require.ErrorIs(t, <-second, context.DeadlineExceeded, "the patient one is told")
			settle()
			assert.Equal(t, []int{0, 1}, values(done.Values()))
			assert.ElementsMatch(t, []int{2, 3, 4}, values(dead.Values()))
			assert.Empty(t, unhandled.All())
			stopped, cancel := context.WithCancel(t.Context())
			cancel()
			require.ErrorIs(t, q.Shutdown(stopped), context.DeadlineExceeded, "it is over")
		})
	})
	t.Run("a job without a key", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue("job", &event.QueueConfig[int]{Key: func(int) string { panic("no key") }})
			dead := record(t, q.DeadLetters())
			require.NoError(t, q.Add(t.Context(), 1))
			assert.Len(t, dead.Values(), 1)
			require.NoError(t, q.Shutdown(t.Context()))
			require.ErrorIs(t, q.Add(t.Context(), 2), event.ErrQueueShutdown)
		})
	})
}
