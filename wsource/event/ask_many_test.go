package event_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// count answers a number with the numbers below it.
func count(_ context.Context, n int) observable.Observable[int] { return observable.Range(0, n) }

func TestAskMany(t *testing.T) {
	t.Run("more than the window", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			event.AnswerMany(server, "count", count)
			connect(client, server)
			for _, n := range []int{0, 1, 63, 64, 65, 1000} {
				got, err := observable.Collect(t.Context(), event.AskMany[int](client, "count", n))
				require.NoError(t, err)
				want, err := observable.Collect(t.Context(), observable.Range(0, n))
				require.NoError(t, err)
				assert.Equal(t, want, got)
			}
		})
	})
	t.Run("one for many and many for one", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			event.Answer(server, "double", double)
			ended := make(chan struct{})
			event.AnswerMany(server, "count", func(ctx context.Context, n int) observable.Observable[int] {
				return operators.Finalize(count(ctx, n), func() { close(ended) })
			})
			event.AnswerMany(server, "none", func(context.Context, int) observable.Observable[int] {
				return observable.Empty[int]()
			})
			wrong := record(t, client.Errors())
			connect(client, server)
			got, err := observable.Collect(t.Context(), event.AskMany[int](client, "double", 21))
			require.NoError(t, err)
			assert.Equal(t, []int{42}, got)
			n, err := event.Ask[int](t.Context(), client, "count", 100)
			require.NoError(t, err)
			assert.Zero(t, n)
			<-ended
			_, err = event.Ask[int](t.Context(), client, "none", 1)
			require.ErrorIs(t, err, observable.ErrEmpty)
			settle()
			assert.Empty(t, wrong.Values())
		})
	})
	t.Run("a slow asker stops the producer, and nothing else", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(&event.Config{Window: 8})
			event.Answer(server, "double", double)
			var made atomic.Int64
			event.AnswerMany(server, "count", func(ctx context.Context, n int) observable.Observable[int] {
				return operators.Tap(count(ctx, n), func(int) { made.Add(1) })
			})
			connect(client, server)
			release := make(chan struct{})
			var taken atomic.Int64
			slow := event.AskMany[int](client, "count", 1000).Subscribe(t.Context(), observable.ObserverFuncs[int]{
				OnNext: func(int) { taken.Add(1); <-release },
			})
			settle()
			assert.Equal(t, int64(1), taken.Load())
			assert.LessOrEqual(t, made.Load(), int64(9), "8 for the window, and one that waits")
			n, err := event.Ask[int](t.Context(), client, "double", 4)
			require.NoError(t, err, "other traffic flows")
			assert.Equal(t, 8, n)
			for range 100 {
				release <- struct{}{}
			}
			settle()
			assert.Equal(t, int64(101), taken.Load())
			assert.LessOrEqual(t, made.Load(), int64(113))
			close(release)
			<-slow.Done()
			assert.Equal(t, int64(1000), taken.Load())
		})
	})
	t.Run("leaving early", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			causes := make(chan error, 10)
			event.AnswerMany(server, "ticks", func(ctx context.Context, n int) observable.Observable[int] {
				return operators.Finalize(observable.Interval(time.Second), func() { causes <- context.Cause(ctx) })
			})
			connect(client, server)
			got, err := observable.Collect(t.Context(), operators.Take(event.AskMany[int](client, "ticks", 0), 3))
			require.NoError(t, err)
			assert.Equal(t, []int{0, 1, 2}, got)
			require.ErrorIs(t, <-causes, event.ErrCancelled)
			ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
			defer cancel()
			got, err = observable.Collect(ctx, event.AskMany[int](client, "ticks", 0))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Equal(t, []int{0, 1}, got)
			require.Error(t, <-causes)
			event.AskMany[int](client, "ticks", 0).Subscribe(t.Context(), observable.ObserverFuncs[int]{}).Unsubscribe()
			settle()
			select { // it was never asked, or has ended
			case err := <-causes:
				require.ErrorIs(t, err, event.ErrCancelled)
			default:
			}
			time.Sleep(time.Minute)
		})
	})
	t.Run("failures", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			a, b := s.pair()
			client, server := event.New(a, nil), event.New(b, nil)
			failing := func(err error) func(context.Context, int) observable.Observable[any] {
				return func(context.Context, int) observable.Observable[any] {
					return operators.Concat(observable.Of[any](1), observable.Throw[any](err))
				}
			}
			event.AnswerMany(server, "fail", failing(&event.PublicError{Code: "no_more", Message: "sorry"}))
			event.AnswerMany(server, "leak", failing(errors.New("secret")))
			event.AnswerMany(server, "unfit", func(context.Context, int) observable.Observable[any] {
				return observable.Of[any](1, "two", 3)
			})
			event.AnswerMany(server, "bad", func(context.Context, int) observable.Observable[any] {
				return observable.Of[any](1, func() {})
			})
			event.AnswerMany(server, "nil", func(context.Context, int) observable.Observable[any] { return nil })
			event.AnswerMany(server, "panic", func(context.Context, int) observable.Observable[any] { panic("secret") })
			event.AnswerMany(server, "never", func(context.Context, int) observable.Observable[any] {
				return operators.Concat(observable.Of[any](1), observable.Never[any]())
			})
			wrong := record(t, server.Errors())
			connect(client, server)
			for typ, want := range map[string]struct {
				code   event.Code
				values []int
			}{
				"fail": {"no_more", []int{1}}, "leak": {event.CodeInternal, []int{1}}, "bad": {event.CodeInternal, []int{1}},
				"nil": {event.CodeInternal, nil}, "panic": {event.CodeInternal, nil}, "unknown": {event.CodeUnknownType, nil},
			} {
				got, err := observable.Collect(t.Context(), event.AskMany[int](client, typ, 1))
				var re *event.RemoteError
				require.ErrorAs(t, err, &re, typ)
				assert.Equal(t, want.code, re.Code, typ)
				assert.NotContains(t, re.Message, "secret")
				assert.Equal(t, want.values, got, typ)
			}
			assert.Len(t, wrong.Values(), 4)
			got, err := observable.Collect(t.Context(), event.AskMany[int](client, "unfit", 1))
			var de *event.DataError
			require.ErrorAs(t, err, &de)
			assert.Equal(t, []int{1}, got)
			lost := record(t, event.AskMany[int](client, "never", 1))
			settle()
			b.CloseNow()
			requireAsk(t, lost.ExpectEnd(t), wsource.Unknown)
			assert.Equal(t, []int{1}, lost.Values())
			requireAsk(t, record(t, event.AskMany[int](client, "never", 1)).ExpectEnd(t), wsource.Unsent)
		})
	})
	t.Run("a stream that would wait for itself", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(&event.Config{Window: 4})
			event.AnswerMany(server, "echo", func(context.Context, int) observable.Observable[int] {
				return event.OnValue[int](server, "number")
			})
			wrong := record(t, server.Errors())
			connect(client, server)
			block := make(chan struct{})
			failed := make(chan error, 1)
			event.AskMany[int](client, "echo", 0).Subscribe(t.Context(), observable.ObserverFuncs[int]{
				OnNext: func(int) { <-block }, OnError: func(err error) { failed <- err },
			})
			settle()
			numbers := event.Emit[int](client, "number")
			for i := range 20 {
				numbers.Next(i)
			}
			settle()
			close(block)
			var re *event.RemoteError
			require.ErrorAs(t, <-failed, &re)
			assert.Equal(t, event.CodeOverflow, re.Code)
			settle()
			assert.Empty(t, wrong.Values())
		})
	})
}
