package wsource_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
)

// TestHandshakeRequests accepts, refuses and forgets handshakes, at once and after a
// while.
func TestHandshakeRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &wsource.Server{MaxConnections: 2}
		refused := record(t, server.Refusals())
		requests := make(chan *wsource.Request, 10)
		ended := make(chan struct{})
		server.Requests().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Request]{
			OnNext: func(q *wsource.Request) {
				if q.HTTP.URL.Path == "/now" { // on the goroutine of the handshake
					_, err := q.Accept(&wsource.AcceptOptions{Subprotocols: []string{"v2"}}, wsource.Admission{Key: "anna"})
					assert.NoError(t, err)
				}
				requests <- q
			},
			OnComplete: func() { close(ended) },
		})
		require.NoError(t, server.Ready())
		network := serveHTTP(t, server.ServeHTTP)
		type dialled struct {
			socket *wsource.Socket
			err    error
		}
		dial := func(path string) <-chan dialled {
			result := make(chan dialled, 1)
			go func() {
				socket, err := wsource.Dial(t.Context(), "ws://"+host+path, on(network, &wsource.DialOptions{
					Subprotocols: []string{"v1", "v2"}, HandshakeTimeout: time.Minute,
				}))
				result <- dialled{socket, err}
			}()
			return result
		}

		first := <-dial("/now")
		require.NoError(t, first.err)
		assert.Equal(t, "v2", first.socket.Subprotocol())
		q := <-requests
		require.Error(t, q.Refuse(nil), "it is decided")
		require.Len(t, server.SocketsOf("anna"), 1)

		second := dial("/later")
		q = <-requests
		time.Sleep(5 * time.Second)
		require.ErrorIs(t, server.Ready(), wsource.ErrTooManyConnections, "it counts while it waits")
		require.NoError(t, q.Refuse(&wsource.RefusalError{Status: http.StatusTeapot, Body: "no"}))
		he := requireHandshake(t, (<-second).err, http.StatusTeapot)
		assert.Equal(t, "no\n", he.Body)
		_, err := q.Accept(nil, wsource.Admission{})
		require.Error(t, err, "it is decided")

		started := time.Now()
		third := dial("/never")
		q = <-requests
		requireHandshake(t, (<-third).err, http.StatusServiceUnavailable)
		assert.Equal(t, wsource.DefaultHandshakeTimeout, time.Since(started))
		require.Error(t, q.HTTP.Context().Err())
		require.Error(t, q.Refuse(nil), "its time is over")
		settle()
		assert.Len(t, refused.Values(), 2)

		fourth := dial("/later")
		q = <-requests
		socket, err := q.Accept(nil, wsource.Admission{})
		require.NoError(t, err)
		socket.Next(wsource.TextMessage("hello"))
		got := <-fourth
		require.NoError(t, got.err)
		text, err := observable.FirstValue(t.Context(), got.socket)
		require.NoError(t, err)
		assert.Equal(t, "hello", text.String())

		require.NoError(t, server.Shutdown(context.Background()))
		<-ended
		for _, client := range []*wsource.Socket{first.socket, got.socket} {
			<-client.Done()
			requireClose(t, client.Err(), wsource.StatusGoingAway)
		}
		assert.Zero(t, server.Len())
	})
}

// TestPanicInRequests has a subscriber panic over one request: that request is refused,
// and the others are decided.
func TestPanicInRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		server := new(wsource.Server)
		n := 0
		server.Requests().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Request]{
			OnNext: func(q *wsource.Request) {
				if n++; n == 1 {
					panic("boom")
				}
				_, err := q.Accept(nil, wsource.Admission{})
				assert.NoError(t, err)
			},
		})
		network := serveHTTP(t, server.ServeHTTP)
		requireHandshake(t, dialError(t, network, "ws://"+host, nil), http.StatusInternalServerError)
		_, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
		require.NoError(t, err)
		settle()
		unhandled.Expect(t, "boom")
		require.NoError(t, server.Shutdown(context.Background()))
	})
}

// TestGoexitInRequests has subscribers end the goroutine of a handshake: an accepted
// handshake counts once, a handshake that another goroutine accepts meanwhile is
// accepted, and any other is refused.
func TestGoexitInRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &wsource.Server{MaxConnections: 1}
		refused := record(t, server.Refusals())
		network := serveHTTP(t, server.ServeHTTP)
		decide := func(f func(q *wsource.Request)) {
			server.Requests().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Request]{
				OnNext: func(q *wsource.Request) {
					f(q)
					runtime.Goexit()
				},
				OnError: func(err error) { assert.ErrorIs(t, err, observable.ErrGoexit) },
			})
		}
		for name, accept := range map[string]func(q *wsource.Request){
			"accepted": func(q *wsource.Request) {
				_, err := q.Accept(nil, wsource.Admission{})
				assert.NoError(t, err)
			},
			"being accepted": func(q *wsource.Request) {
				opening := make(chan struct{})
				hook := wsource.HookFunc(func(e wsource.Event) {
					if e.Kind == wsource.EventOpened {
						close(opening)
						time.Sleep(time.Second)
					}
				})
				go func() {
					_, err := q.Accept(&wsource.AcceptOptions{Hook: hook}, wsource.Admission{})
					assert.NoError(t, err)
				}()
				<-opening
			},
		} {
			decide(accept)
			client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
			require.NoError(t, err, name)
			time.Sleep(time.Minute)
			assert.Equal(t, 1, server.Len(), name)
			decide(accept)
			require.ErrorIs(t, server.Ready(), wsource.ErrTooManyConnections, name)
			client.Complete()
			<-client.Done()
			settle()
			require.NoError(t, server.Ready(), name)
			// The remaining subscriber decides on the next one, and nobody after it.
			client, err = wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
			require.NoError(t, err, name)
			client.Complete()
			<-client.Done()
			settle()
			require.Error(t, server.Ready(), name)
		}
		assert.Empty(t, refused.Values())

		decide(func(*wsource.Request) {})
		started := time.Now()
		dialError(t, network, "ws://"+host, nil)
		assert.Zero(t, time.Since(started))
		settle()
		require.Len(t, refused.Values(), 1)
		require.ErrorIs(t, refused.Values()[0], observable.ErrGoexit)
		require.NoError(t, server.Shutdown(context.Background()))
	})
}

// TestHookThatFailsOverAnOpenedSocket has the Hook panic or end the goroutine: the socket
// is open all the same, and its places are free again after its end.
func TestHookThatFailsOverAnOpenedSocket(t *testing.T) {
	for name, fail := range map[string]func(){
		"panic": func() { panic(http.ErrAbortHandler) }, "Goexit": runtime.Goexit,
	} {
		for _, asked := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				server := &wsource.Server{MaxConnections: 1, MaxPerKey: 1, Options: wsource.AcceptOptions{
					Hook: wsource.HookFunc(func(e wsource.Event) {
						if e.Kind == wsource.EventOpened {
							fail()
						}
					}),
					Authorize: func(*http.Request) (wsource.Admission, error) { return wsource.Admission{Key: "anna"}, nil },
				}}
				unhandled := observabletest.Unhandled(t)
				if asked {
					server.Requests().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Request]{
						OnNext:  func(q *wsource.Request) { _, _ = q.Accept(nil, wsource.Admission{Key: "anna"}) },
						OnError: func(error) {},
					})
				} else {
					server.Connections().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Socket]{})
				}
				network := serveHTTP(t, server.ServeHTTP)
				for range 3 {
					client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
					require.NoError(t, err, "%s, asked: %v", name, asked)
					settle()
					require.Len(t, server.SocketsOf("anna"), 1)
					client.Complete()
					<-client.Done()
					require.NoError(t, client.Err())
					settle()
					assert.Zero(t, server.Len())
				}
				if name == "panic" {
					assert.Len(t, unhandled.All(), 3)
				}
				require.NoError(t, server.Shutdown(context.Background()))
			})
		}
	}
}

// TestHandshakeBesideTheFirstSubscriber has a handshake come in the moment that the
// server is ready.
func TestHandshakeBesideTheFirstSubscriber(t *testing.T) {
	for range 500 {
		server := new(wsource.Server)
		go server.Requests().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Request]{
			OnNext: func(q *wsource.Request) { _ = q.Refuse(&wsource.RefusalError{Status: http.StatusTeapot}) },
		})
		for server.Ready() != nil {
			runtime.Gosched()
		}
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://"+host, nil)
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket",
			"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		} {
			r.Header.Set(name, value)
		}
		server.ServeHTTP(struct { // a writer that can be upgraded
			http.ResponseWriter
			http.Hijacker
		}{w, nil}, r)
		require.Equal(t, http.StatusTeapot, w.Code)
		require.NoError(t, server.Shutdown(t.Context()))
	}
}
