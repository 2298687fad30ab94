package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Ends of subscriptions: the next observer gets the values that the last one has not got.

var errEnough = errors.New("enough")

// leaver takes about n values from a stream, or waits about n milliseconds, and leaves.
// It passes each value to got, which may take a while.
type leaver[T any] func(ctx context.Context, src observable.Observable[T], n int, got func(T))

// counted returns an OnNext that calls leave with the last of n values.
func counted[T any](n int, got func(T), leave func()) func(T) {
	return func(v T) {
		got(v)
		if n--; n == 0 {
			leave()
		}
	}
}

// leavers are all ways to leave a stream.
func leavers[T any]() map[string]leaver[T] {
	type stream = observable.Observable[T]
	within := func(ctx context.Context, n int) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, time.Duration(n)*time.Millisecond)
	}
	return map[string]leaver[T]{
		"the context ends in the callback": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, 50)
			defer cancel()
			_ = observable.ForEach(ctx, src, counted(n, got, cancel))
		},
		"the context ends": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, n)
			defer cancel()
			_ = observable.ForEach(ctx, src, got)
		},
		"Unsubscribe in the callback": func(ctx context.Context, src stream, n int, got func(T)) {
			subscribed := make(chan observable.Subscription, 1)
			ctx, cancel := within(ctx, 50)
			defer cancel()
			sub := src.Subscribe(ctx, observable.ObserverFuncs[T]{OnNext: counted(n, got, func() {
				sub := <-subscribed
				sub.Unsubscribe()
			}), OnError: func(error) {}})
			subscribed <- sub
			<-sub.Done()
		},
		"Unsubscribe": func(ctx context.Context, src stream, n int, got func(T)) {
			sub := src.Subscribe(ctx, observable.ObserverFuncs[T]{OnNext: got, OnError: func(error) {}})
			time.Sleep(time.Duration(n) * time.Millisecond)
			sub.Unsubscribe()
			<-sub.Done() // a callback that has begun goes on
		},
		"break": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, 50)
			defer cancel()
			for v, err := range observable.All(ctx, src) {
				if err != nil {
					return
				}
				got(v)
				if n--; n == 0 {
					break
				}
			}
		},
		"the context of a loop ends": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, n)
			defer cancel()
			for v, err := range observable.All(ctx, src) {
				if err == nil {
					got(v)
				}
			}
		},
		"Take": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, 50)
			defer cancel()
			_ = observable.ForEach(ctx, operators.Take(src, n), got)
		},
		"TakeUntil": func(ctx context.Context, src stream, n int, got func(T)) {
			_ = observable.ForEach(ctx, operators.TakeUntil(src, observable.Timer(time.Duration(n)*time.Millisecond)), got)
		},
		"Timeout": func(ctx context.Context, src stream, n int, got func(T)) {
			_ = observable.ForEach(ctx, operators.Timeout(src, time.Duration(n)*time.Millisecond/4), got)
		},
		"FirstValue": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, n)
			defer cancel()
			if v, err := observable.FirstValue(ctx, src); err == nil {
				got(v)
			}
		},
		"Collect": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, n)
			defer cancel()
			all, _ := observable.Collect(ctx, src)
			for _, v := range all {
				got(v)
			}
		},
		"ToChan": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, n)
			defer cancel()
			values, _ := observable.ToChan(ctx, src, 0, observable.OverflowBlock)
			for v := range values {
				got(v)
			}
		},
		"an error": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, 50)
			defer cancel()
			_ = observable.TryForEach(ctx, src, func(v T) (err error) {
				counted(1, got, func() {
					if n--; n == 0 {
						err = errEnough
					}
				})(v)
				return err
			})
		},
		"a panic": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, 50)
			defer cancel()
			_ = observable.ForEach(ctx, src, counted(n, got, func() { panic(errEnough) }))
		},
		"Goexit": func(ctx context.Context, src stream, n int, got func(T)) {
			ctx, cancel := within(ctx, 50)
			defer cancel()
			_ = observable.ForEach(ctx, src, counted(n, got, runtime.Goexit))
		},
	}
}

// cutOff stands for a message of which only a part has arrived.
const cutOff = ""

// leaveEverywhere makes readers come and go while messages arrive, for each kind of
// leaving and for all in turn.
func leaveEverywhere(t *testing.T, count *faultCount) {
	t.Helper()
	leaveStream(t, count, "messages", func(s *wsource.Socket) observable.Observable[wsource.Message] { return s },
		wsource.Message.String)
	leaveStream(t, count, "mapped messages", func(s *wsource.Socket) observable.Observable[string] {
		texts := operators.Map[wsource.Message](s, wsource.Message.String)
		return operators.Filter(texts, func(text string) bool { return text != "" })
	}, func(text string) string { return text })
	// A reader is over when its callback has returned.
	leaveStream(t, count, "readers", (*wsource.Socket).Readers, func(m *wsource.MessageReader) string {
		data, err := io.ReadAll(m)
		if err != nil {
			return cutOff
		}
		return string(data)
	}, "FirstValue", "Collect", "ToChan", "break", "the context of a loop ends")
	leaveConnections(t, count)
}

// eachLeaving tries each way to leave but some, and all at random.
func eachLeaving[T any](
	t *testing.T, count *faultCount, what string, except []string,
	test func(t *testing.T, random *rand.Rand, leave func() leaver[T]),
) {
	t.Helper()
	var all []leaver[T]
	for name, leave := range leavers[T]() {
		if slices.Contains(except, name) {
			continue
		}
		all = append(all, leave)
		for seed := range uint64(5) {
			count.try(t, fmt.Sprint(what, " ", name, " ", seed), func(t *testing.T) {
				test(t, rand.New(rand.NewPCG(seed, 10)), func() leaver[T] { return leave })
			})
		}
	}
	for seed := range uint64(50) {
		count.try(t, fmt.Sprint(what, " all ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 11))
			test(t, random, func() leaver[T] { return all[random.IntN(len(all))] })
		})
	}
}

// leaveStream makes readers leave one of the streams of a socket. At the end the peer
// closes the connection, or it breaks behind or in the middle of a message.
func leaveStream[T any](
	t *testing.T, count *faultCount, what string, of func(*wsource.Socket) observable.Observable[T], text func(T) string,
	except ...string,
) {
	t.Helper()
	eachLeaving(t, count, what, except, func(t *testing.T, random *rand.Rand, leave func() leaver[T]) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		const messages, size = 100, 2 + 4
		arrive, broken := messages, random.IntN(2) == 0
		if broken {
			cut := random.IntN(messages * size)
			require.NoError(t, s.link().Inject(wstest.Cut(wstest.ToClient, cut)))
			arrive = cut / size
		}
		var sending sync.WaitGroup
		pauses := rand.New(rand.NewPCG(random.Uint64(), 12))
		sending.Go(func() {
			for i := range messages {
				server.Next(wsource.TextMessage(fmt.Sprintf("%04d", i)))
				time.Sleep(time.Duration(pauses.IntN(3)) * 400 * time.Microsecond)
			}
			server.Complete()
		})
		var got []string
		take := func(v T) {
			if text := text(v); text != cutOff {
				got = append(got, text)
			}
			time.Sleep(time.Duration(random.IntN(3)) * 600 * time.Microsecond)
		}
		stream := of(client)
		for range 20 {
			leave()(t.Context(), stream, 1+random.IntN(6), take)
		}
		err := observable.ForEach(t.Context(), stream, take)
		sending.Wait()
		if broken {
			requireClose(t, err, wsource.StatusAbnormalClosure)
		} else {
			require.NoError(t, err)
		}
		require.Len(t, got, arrive)
		for i := range got {
			require.Equal(t, fmt.Sprintf("%04d", i), got[i])
		}
	})
}

// leaveConnections makes the subscribers of a server's connections leave: each connection
// is taken once, or it is closed, or the handshake is refused.
func leaveConnections(t *testing.T, count *faultCount) {
	t.Helper()
	eachLeaving(t, count, "connections", nil, func(t *testing.T, random *rand.Rand, leave func() leaver[*wsource.Socket]) {
		s := &site{t: t, network: new(wstest.Network), server: new(wsource.Server)}
		served := s.serve()
		var clients sync.WaitGroup
		var mu sync.Mutex
		ends := map[string]error{} // of the open ones
		pauses := rand.New(rand.NewPCG(random.Uint64(), 12))
		const dials = 50
		clients.Go(func() {
			for i := range dials {
				time.Sleep(time.Duration(pauses.IntN(3)) * 400 * time.Microsecond)
				clients.Go(func() {
					name := strconv.Itoa(i)
					client, err := wsource.Dial(context.Background(), address+"/"+name, s.options(nil))
					if err != nil {
						requireHandshake(t, err, http.StatusServiceUnavailable)
						return
					}
					<-client.Done()
					mu.Lock()
					defer mu.Unlock()
					ends[name] = client.Err()
				})
			}
		})
		taken := map[string]int{}
		take := func(socket *wsource.Socket) {
			taken[socket.Request().URL.Path[1:]]++
			time.Sleep(time.Duration(random.IntN(3)) * 600 * time.Microsecond)
			assert.NoError(t, socket.Close(4000, "taken"))
		}
		for range 15 {
			leave()(t.Context(), s.server.Connections(), 1+random.IntN(6), take)
		}
		rest := make(chan error, 1)
		go func() { rest <- observable.ForEach(t.Context(), s.server.Connections(), take) }()
		clients.Wait()
		require.NoError(t, s.server.Shutdown(t.Context()))
		require.NoError(t, <-rest)
		require.ErrorIs(t, <-served, http.ErrServerClosed)
		for name, err := range ends {
			want := 1
			if wsource.CloseStatus(err) != 4000 {
				requireClose(t, err, wsource.StatusTryAgainLater)
				want = 0
			}
			assert.Equal(t, want, taken[name], "%s: %v", name, err)
		}
		assert.Greater(t, len(ends), dials/4)
	})
}
