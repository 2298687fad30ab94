package wsource_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// work takes its time over a message.
func work(_ context.Context, text string) (string, error) {
	time.Sleep(10 * time.Millisecond)
	return text, nil
}

// The handlers whose streams hold values back get all messages of a client that closes
// normally right behind them, and no error.
func TestHandlerGetsWhatWaitsInItsStream(t *testing.T) {
	const messages = 20
	for name, stream := range map[string]func(s *wsource.Socket) observable.Observable[string]{
		"plain": func(s *wsource.Socket) observable.Observable[string] {
			return operators.Map(s, wsource.Message.String)
		},
		"WrapSocket": func(s *wsource.Socket) observable.Observable[string] {
			return wsource.WrapSocket(s, wsource.TextCodec(), nil)
		},
		"ParallelMap": func(s *wsource.Socket) observable.Observable[string] {
			return operators.ParallelMap(operators.Map(s, wsource.Message.String), 4, work)
		},
		"ParallelMap of WrapSocket": func(s *wsource.Socket) observable.Observable[string] {
			return operators.ParallelMap(wsource.WrapSocket(s, wsource.TextCodec(), nil), 4, work)
		},
		"ObserveOn": func(s *wsource.Socket) observable.Observable[string] {
			return operators.ObserveOn(operators.Map(s, wsource.Message.String), 100)
		},
		"OnBackpressureBuffer": func(s *wsource.Socket) observable.Observable[string] {
			return operators.OnBackpressureBuffer(operators.Map(s, wsource.Message.String), 100, observable.OverflowBlock, nil)
		},
		"an inner Go": func(s *wsource.Socket) observable.Observable[string] {
			return operators.ConcatMap(operators.Map(s, wsource.Message.String), func(text string) observable.Observable[string] {
				return observable.Go(func(ctx context.Context, emit func(string)) error {
					text, err := work(ctx, text)
					emit(text)
					return err
				})
			})
		},
		"two at once": func(s *wsource.Socket) observable.Observable[string] {
			all := operators.Map(s, wsource.Message.String)
			return operators.ParallelMap(operators.Merge(all, operators.IgnoreElements(all)), 4, work)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var cause error
				got := make(chan []string, 1)
				r := run(t, new(wsource.Server), func(s *wsource.Server) error {
					return s.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
						all, err := observable.Collect(ctx, stream(s))
						settle() // for the end of the socket to end the context
						cause = context.Cause(ctx)
						got <- all
						return err
					})
				})
				client := r.dial()
				for i := range messages {
					send(client, strconv.Itoa(i))
				}
				client.Complete()
				<-client.Done()
				all := <-got
				assert.Len(t, all, messages)
				require.ErrorIs(t, cause, wsource.ErrClosed, "the context ends with the stream")
				require.NoError(t, r.Shutdown(context.Background()))
				require.NoError(t, <-r.result)
			})
		})
	}
}

// The handlers whose streams go on without the socket hear of its end: at once if it is
// no normal closure, else after the CloseTimeout.
func TestHandlerWithAStreamThatDoesNotEnd(t *testing.T) {
	ticking := func(ctx context.Context, s *wsource.Socket) error {
		ticks := operators.Map(observable.Interval(time.Second), func(int) wsource.Message { return wsource.Message{} })
		return observable.ForEach(ctx, operators.Merge(s, ticks), func(wsource.Message) {})
	}
	for name, test := range map[string]struct {
		timeout time.Duration
		close   func(client *wsource.Socket)
		handler func(ctx context.Context, s *wsource.Socket) error
		want    time.Duration
	}{
		"by default":       {0, (*wsource.Socket).Complete, ticking, wsource.DefaultCloseTimeout},
		"as the option is": {time.Second, (*wsource.Socket).Complete, ticking, time.Second},
		"going away": {0, func(client *wsource.Socket) {
			assert.NoError(t, client.Close(wsource.StatusGoingAway, ""))
		}, func(ctx context.Context, s *wsource.Socket) error {
			retried := operators.Catch(s, func(error) observable.Observable[wsource.Message] { return observable.Never[wsource.Message]() })
			return observable.ForEach(ctx, retried, func(wsource.Message) {})
		}, 0},
		"a stream of another source": {0, (*wsource.Socket).Complete, func(ctx context.Context, s *wsource.Socket) error {
			if _, err := observable.FirstValue(ctx, s); err != nil {
				return err
			}
			return observable.ForEach(ctx, observable.Never[int](), func(int) {})
		}, 0},
		"it returns before": {0, (*wsource.Socket).Complete, func(ctx context.Context, s *wsource.Socket) error {
			sub := operators.Merge(s, observable.Never[wsource.Message]()).Subscribe(ctx, observable.ObserverFuncs[wsource.Message]{
				OnError: func(error) {},
			})
			<-s.Done()
			time.Sleep(time.Second)
			defer func() { go func() { <-sub.Done() }() }()
			return nil
		}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan time.Time, 1)
				server := &wsource.Server{Options: wsource.AcceptOptions{CloseTimeout: test.timeout}}
				r := run(t, server, func(s *wsource.Server) error {
					return s.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
						defer func() { ended <- time.Now() }()
						err := test.handler(ctx, s)
						if ctx.Err() != nil && s.Err() == nil {
							assert.ErrorIs(t, context.Cause(ctx), wsource.ErrClosed)
						}
						return err
					})
				})
				client := r.dial()
				send(client, "hello")
				settle()
				began := time.Now()
				test.close(client)
				<-client.Done()
				assert.InDelta(t, test.want, (<-ended).Sub(began), float64(10*time.Millisecond))
			})
		})
	}
}
