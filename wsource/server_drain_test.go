package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// TestDrain checks each field of a Farewell.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := new(wsource.Server)
		r := echoing(t, server)
		const n = 10
		type leave struct {
			after    time.Duration
			messages []string
			err      error
		}
		leaves := make(chan leave, n)
		var started time.Time
		for range n {
			client := r.dial()
			go func() {
				messages, err := observable.Collect(context.Background(), client)
				leaves <- leave{time.Since(started), texts(messages), err}
			}()
		}
		settle()
		started = time.Now()
		drained := make(chan error, 1)
		go func() {
			drained <- server.Drain(context.Background(), wsource.Farewell{
				Code: 4002, Reason: "new version", Last: wsource.TextMessage("back soon"), Spread: 10 * time.Second, RetryAfter: 5 * time.Second,
			})
		}()
		settle()
		require.ErrorIs(t, server.Ready(), http.ErrServerClosed)
		he := requireHandshake(t, dialError(t, r.network, "ws://"+host, nil), http.StatusServiceUnavailable)
		seconds, err := strconv.Atoi(he.Header.Get("Retry-After"))
		require.NoError(t, err)
		assert.GreaterOrEqual(t, seconds, 5)
		assert.LessOrEqual(t, seconds, 10)

		require.NoError(t, <-drained)
		assert.Equal(t, 9*time.Second, time.Since(started).Round(time.Second))
		assert.Zero(t, server.Len())
		told := map[string]bool{}
		for i := range n {
			l := <-leaves
			assert.Equal(t, time.Duration(i)*time.Second, l.after.Round(100*time.Millisecond))
			assert.Equal(t, []string{"back soon"}, l.messages)
			reason := requireClose(t, l.err, 4002).Reason
			text, ok := strings.CutPrefix(reason, "new version; retry-after=")
			assert.True(t, ok, reason)
			seconds, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, seconds, 5.)
			assert.LessOrEqual(t, seconds, 10.001)
			told[reason] = true
		}
		assert.Greater(t, len(told), 1, "each is told a time of its own")
		require.NoError(t, <-r.result)
	})
}

// TestDrainIsCut ends a Drain by its context, and by Shutdown.
func TestDrainIsCut(t *testing.T) {
	for name, test := range map[string]struct {
		cut  func(s *wsource.Server, cancel context.CancelCauseFunc)
		code wsource.StatusCode
		err  error
	}{
		"context":  {func(_ *wsource.Server, cancel context.CancelCauseFunc) { cancel(io.ErrNoProgress) }, wsource.StatusAbnormalClosure, io.ErrNoProgress},
		"Shutdown": {func(s *wsource.Server, _ context.CancelCauseFunc) { _ = s.Shutdown(context.Background()) }, wsource.StatusGoingAway, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := new(wsource.Server)
				r := echoing(t, server)
				started := time.Now()
				first, second := r.dial(), r.dial()
				settle()
				ctx, cancel := context.WithCancelCause(t.Context())
				drained := make(chan error, 1)
				go func() { drained <- server.Drain(ctx, wsource.Farewell{Spread: time.Hour}) }()
				select {
				case <-first.Done():
				case <-second.Done():
					first, second = second, first
				}
				requireClose(t, first.Err(), wsource.StatusServiceRestart)
				assert.Equal(t, wsource.Open, second.State())
				settle()
				test.cut(server, cancel)
				<-second.Done()
				requireClose(t, second.Err(), test.code)
				require.ErrorIs(t, <-drained, test.err)
				assert.Less(t, time.Since(started), 10*time.Second)
			})
		})
	}
}

// TestDrainSpreadsWithinItsTime has a Spread longer than the context's time.
func TestDrainSpreadsWithinItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := new(wsource.Server)
		r := echoing(t, server)
		clients := []*wsource.Socket{r.dial(), r.dial()}
		settle()
		started := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		require.NoError(t, server.Drain(ctx, wsource.Farewell{Spread: time.Hour}))
		assert.Equal(t, 2500*time.Millisecond, time.Since(started))
		for _, client := range clients {
			<-client.Done()
			requireClose(t, client.Err(), wsource.StatusServiceRestart)
		}
	})
}

func TestFarewellThatCannotBeSent(t *testing.T) {
	server := new(wsource.Server)
	var argument *observable.ArgumentError
	for _, farewell := range []wsource.Farewell{
		{Code: wsource.StatusAbnormalClosure}, {Reason: strings.Repeat("x", 124)}, {Reason: strings.Repeat("x", 110), RetryAfter: time.Second},
		{Spread: -1}, {RetryAfter: -1}, {RetryAfter: 13 * time.Hour}, {Last: wsource.Message{Data: []byte{0xff}}},
	} {
		require.ErrorAs(t, server.Drain(t.Context(), farewell), &argument, "%+v", farewell)
	}
	require.ErrorAs(t, server.Drain(nil, wsource.Farewell{}), &argument) //nolint:staticcheck // the case of the test
	require.NotErrorIs(t, server.Ready(), http.ErrServerClosed)
	require.NoError(t, server.Drain(t.Context(), wsource.Farewell{Reason: strings.Repeat("x", 99), RetryAfter: time.Second}))
}

// TestSubjectComesBackWhenTold has a server that tells a subject how long to wait.
func TestSubjectComesBackWhenTold(t *testing.T) {
	for reason, want := range map[string]time.Duration{
		"retry-after=90.5":             90500 * time.Millisecond,
		"bye; retry-after=60":          time.Minute,
		"retry-after=1e300":            24 * time.Hour,
		"retry-after=60; bye":          0,
		"retry-after=-60":              0,
		"retry-after=NaN":              0,
		"a retry-after=60 is not told": 0,
	} {
		t.Run(reason, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := new(wsource.Server)
				dials := make(chan time.Time, 10)
				r := run(t, server, func(s *wsource.Server) error {
					first := true
					return s.Handle(context.Background(), func(ctx context.Context, _ *wsource.Socket) error {
						dials <- time.Now()
						if first {
							first = false
							return &wsource.CloseError{Code: wsource.StatusServiceRestart, Reason: reason}
						}
						<-ctx.Done()
						return nil
					})
				})
				subject := wsource.NewSubject("ws://"+host, wsource.TextCodec(), &wsource.SubjectConfig[string]{
					Dial: *on(r.network, nil), Reconnect: &backoff.Config{Base: time.Millisecond},
				})
				sub := subject.Subscribe(t.Context(), observable.ObserverFuncs[string]{OnError: func(error) {}})
				defer sub.Unsubscribe()
				first := <-dials
				assert.InDelta(t, want, (<-dials).Sub(first), float64(time.Second))
			})
		})
	}
}

// A server that is replaced says goodbye to its clients, one after the other.
func ExampleServer_Drain() {
	server := new(wsource.Server)
	go func() {
		_ = server.Handle(context.Background(), func(ctx context.Context, _ *wsource.Socket) error {
			<-ctx.Done()
			return nil
		})
	}()
	mux := http.NewServeMux()
	mux.Handle("/live", server)
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if err := server.Ready(); err != nil {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	})
	listener, url := listenHere()
	drained := make(chan error, 1)
	h := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	h.RegisterOnShutdown(func() { // http.Server does not know of upgraded connections
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		drained <- server.Drain(ctx, wsource.Farewell{
			Last: wsource.TextMessage("a new version comes"), Spread: 10 * time.Millisecond, RetryAfter: 5 * time.Second,
		})
	})
	go func() { _ = h.Serve(listener) }()
	client, err := dialWhenServed(url+"/live", nil)
	if err != nil {
		fmt.Println(err)
		return
	}

	var messages []wsource.Message
	read := make(chan struct{})
	go func() { // it answers the close frame meanwhile
		defer close(read)
		messages, err = observable.Collect(context.Background(), client)
	}()
	fmt.Println(h.Shutdown(context.Background()), <-drained)
	<-read
	closed, _ := errors.AsType[*wsource.CloseError](err)
	fmt.Println(messages, closed.Code, strings.HasPrefix(closed.Reason, "retry-after="))

	// Output:
	// <nil> <nil>
	// [a new version comes] 1012 service restart true
}

// listenHere listens on a free port of this machine.
func listenHere() (listener net.Listener, url string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not block
	if err != nil {
		panic(err)
	}
	return listener, "http://" + listener.Addr().String()
}

// TestShutdownBesideBusySubscribers has subscribers that take their time over the
// completion, or end the goroutine.
func TestShutdownBesideBusySubscribers(t *testing.T) {
	const patience = time.Minute
	for name, test := range map[string]struct {
		complete func(released <-chan struct{})
		takes    time.Duration
	}{
		"longer than the context": {func(released <-chan struct{}) { <-released }, patience},
		"a while":                 {func(<-chan struct{}) { time.Sleep(time.Second) }, time.Second},
		"Goexit":                  {func(<-chan struct{}) { runtime.Goexit() }, 0},
	} {
		for _, asked := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				observabletest.Unhandled(t)
				server := new(wsource.Server)
				network := serveHTTP(t, server.ServeHTTP)
				released := make(chan struct{})
				var completed atomic.Bool
				server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
					OnComplete: func() {
						if !asked {
							test.complete(released)
						}
					},
				})
				client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
				require.NoError(t, err)
				server.Requests().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Request]{
					OnComplete: func() {
						if completed.Store(true); asked {
							test.complete(released)
						}
					},
				})
				// Until the socket is delivered; its goroutine must not complete the
				// stream.
				settle()
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				started := time.Now()
				require.NoError(t, server.Shutdown(ctx), name)
				assert.Equal(t, test.takes, time.Since(started), name)
				<-client.Done()
				requireClose(t, client.Err(), wsource.StatusGoingAway)
				close(released)
				settle()
				assert.True(t, completed.Load())
			})
		}
	}
}

// TestShutdownAwaitsACompletionBehindASocket checks that Shutdown returns after the
// completion of a subscriber that is busy with a socket, or with a request that it has
// accepted, when it is to complete: the goroutine that delivers these completes it. A
// subscriber that waits for Shutdown, or calls it, does not keep it for ever.
func TestShutdownAwaitsACompletionBehindASocket(t *testing.T) {
	for name, test := range map[string]struct {
		next  func(server *wsource.Server, shutDown <-chan struct{})
		takes time.Duration
	}{
		"busy for a while": {func(*wsource.Server, <-chan struct{}) { time.Sleep(time.Second) }, time.Second},
		"waits for it":     {func(_ *wsource.Server, shutDown <-chan struct{}) { <-shutDown }, wsource.DefaultCloseTimeout},
		"calls it":         {func(s *wsource.Server, _ <-chan struct{}) { _ = s.Shutdown(context.Background()) }, 0},
		"ends the goroutine": {func(*wsource.Server, <-chan struct{}) {
			time.Sleep(time.Second)
			runtime.Goexit()
		}, time.Second},
	} {
		for _, of := range []string{"connections", "requests"} {
			t.Run(of+" "+name, inVirtualTime(func(t *testing.T) {
				observabletest.Unhandled(t)
				server := new(wsource.Server)
				network := serveHTTP(t, server.ServeHTTP)
				shutDown := make(chan struct{})
				var over atomic.Bool
				ended := func() { over.Store(true) }
				failed := func(error) { ended() }
				if of == "connections" {
					server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
						OnNext:  func(*wsource.Socket) { test.next(server, shutDown) },
						OnError: failed, OnComplete: ended,
					})
				} else {
					server.Requests().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Request]{
						OnNext: func(q *wsource.Request) {
							_, err := q.Accept(nil, wsource.Admission{})
							assert.NoError(t, err)
							test.next(server, shutDown)
						},
						OnError: failed, OnComplete: ended,
					})
				}
				client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
				require.NoError(t, err)
				settle() // the socket is being delivered
				started := time.Now()
				require.NoError(t, server.Shutdown(context.Background()))
				assert.Equal(t, test.takes, time.Since(started).Round(time.Second))
				assert.Equal(t, name != "waits for it", over.Load())
				close(shutDown)
				<-client.Done()
				settle()
				assert.True(t, over.Load())
			}))
		}
	}
}

// inVirtualTime returns test, in a synctest bubble.
func inVirtualTime(test func(t *testing.T)) func(t *testing.T) {
	return func(t *testing.T) { t.Helper(); synctest.Test(t, test) }
}
