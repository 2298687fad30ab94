package event_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// encoding is JSON, with a call before each value is encoded.
type encoding struct {
	event.Values
	before func()
}

func (e encoding) Encode(value any) (data []byte, binary bool, err error) {
	e.before()
	return e.Values.Encode(value)
}

func TestQueueAndItsObservers(t *testing.T) {
	fine := func(context.Context, int) error { return nil }
	t.Run("one ends its goroutine", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", nil)
			q.Subscribe(t.Context(), observable.ObserverFuncs[event.Job[int]]{
				OnNext: func(event.Job[int]) { runtime.Goexit() }, OnError: func(error) {},
			})
			s.worker(q, 1, fine)
			q.Next(1)
			settle()
			require.NoError(t, q.Shutdown(t.Context()))
		})
	})
	t.Run("one shuts the queue down", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", nil)
			dead := record(t, q.DeadLetters())
			returned := make(chan error, 1)
			q.Subscribe(t.Context(), observable.ObserverFuncs[event.Job[int]]{
				OnNext: func(event.Job[int]) {
					ctx, cancel := context.WithTimeout(context.Background(), time.Second)
					defer cancel()
					returned <- q.Shutdown(ctx)
				},
			})
			s.worker(q, 2, func(ctx context.Context, n int) error {
				if n == 2 {
					<-ctx.Done()
				}
				return nil
			})
			q.Next(2) // it is under way before the other one is done
			q.Next(1)
			require.ErrorIs(t, <-returned, context.DeadlineExceeded)
			require.NoError(t, dead.ExpectEnd(t))
			assert.Equal(t, []int{2}, values(dead.Values()))
		})
	})
	t.Run("the codec ends the goroutine", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			q := event.NewQueue[int]("job", nil)
			done := record(t, observable.Observable[event.Job[int]](q))
			a, b := s.pair()
			first := true
			far, near := event.New(a, nil), event.New(b, &event.Config{Values: encoding{event.JSONValues(), func() {
				if first {
					first = false
					runtime.Goexit()
				}
			}}})
			event.Answer(far, "job", double)
			q.Work(near, 1)
			connect(far, near)
			q.Next(1)
			settle()
			require.Len(t, done.Values(), 1)
			assert.Equal(t, 2, done.Values()[0].Attempts)
			require.NoError(t, q.Shutdown(t.Context()))
		})
	})
}

func TestQueueWorkerAfterAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		worker, subject := s.lasting()
		defer subject.Complete()
		q := event.NewQueue[int]("job", &event.QueueConfig[int]{AckTimeout: 300 * time.Millisecond})
		done := record(t, observable.Observable[event.Job[int]](q))
		q.Work(worker, 1)
		connect(worker)
		_, socket := s.accept()
		settle()
		socket.CloseNow() // the next connection comes in a second
		settle()
		q.Next(1)
		server, _ := s.accept()
		event.Answer(server, "job", double)
		connect(server)
		time.Sleep(time.Second)
		require.Len(t, done.Values(), 1)
		require.NoError(t, q.Shutdown(t.Context()))
	})
}
