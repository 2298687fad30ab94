package wsource_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// TestMergedConnections merges the streams of all sockets. Neither a client that leaves
// nor a failure ends more than one socket. Behind an operator that makes other values of
// the sockets, the failure is the stream's and the accepting is over: later clients are
// refused.
func TestMergedConnections(t *testing.T) {
	type strings = observable.Observable[string]
	own := func(s *wsource.Socket) strings {
		return operators.TryMap(s, func(m wsource.Message) (string, error) {
			switch m.String() {
			case "bad":
				return "", errHandler
			case "panic":
				panic("boom")
			}
			return m.String(), nil
		})
	}
	for name, test := range map[string]struct {
		merged func(sockets observable.Observable[*wsource.Socket]) strings
		alone  bool
	}{
		"MergeMap": {func(sockets observable.Observable[*wsource.Socket]) strings {
			return operators.MergeMap(sockets, own)
		}, true},
		"MergeMapConcurrent": {func(sockets observable.Observable[*wsource.Socket]) strings {
			return operators.MergeMapConcurrent(operators.Filter(sockets, func(*wsource.Socket) bool { return true }), 4, own)
		}, true},
		"a Catch for each": {func(sockets observable.Observable[*wsource.Socket]) strings {
			return operators.MergeMap(sockets, func(s *wsource.Socket) strings {
				return operators.Catch(own(s), func(err error) strings {
					s.Error(err)
					return observable.Empty[string]()
				})
			})
		}, true},
		"MergeAll": {func(sockets observable.Observable[*wsource.Socket]) strings {
			return operators.MergeAll(operators.Map(sockets, own))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				hook, failed := failures()
				server := &wsource.Server{Options: wsource.AcceptOptions{Hook: hook}}
				got := record(t, test.merged(server.Connections()))
				network := serveHTTP(t, server.ServeHTTP)
				var clients []*wsource.Socket
				for range 4 {
					client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
					require.NoError(t, err)
					defer client.CloseNow()
					clients = append(clients, client)
				}
				require.NoError(t, clients[0].Close(wsource.StatusGoingAway, "the page is left"))
				settle()
				if !test.alone {
					requireClose(t, got.ExpectEnd(t), wsource.StatusGoingAway)
					requireHandshake(t, dialError(t, network, "ws://"+host, nil), http.StatusServiceUnavailable)
					require.NoError(t, server.Shutdown(t.Context()))
					return
				}
				assert.Empty(t, failed(), "a page that is left is no failure")
				for i, text := range []string{"bad", "panic"} {
					send(clients[1+i], text)
					<-clients[1+i].Done()
					requireClose(t, clients[1+i].Err(), wsource.StatusInternalError)
				}
				settle()
				if name != "a Catch for each" { // a Catch reports nothing
					assert.Len(t, failed(), 2)
					require.Len(t, unhandled.All(), 2)
					require.ErrorIs(t, unhandled.All()[0], errHandler)
				}
				send(clients[3], "good")
				settle()
				last, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
				require.NoError(t, err)
				send(last, "better")
				settle()
				assert.Equal(t, []string{"good", "better"}, got.Values())
				require.NoError(t, server.Shutdown(t.Context()))
				require.NoError(t, got.ExpectEnd(t))
			})
		})
	}
}

// TestAFailureOverOneSocket has operators fail over their first socket, before any stream
// of it: the next ones are served.
func TestAFailureOverOneSocket(t *testing.T) {
	type sockets = observable.Observable[*wsource.Socket]
	failing := func() func(*wsource.Socket) error {
		n := 0
		return func(*wsource.Socket) error {
			if n++; n == 1 {
				return errHandler
			}
			return nil
		}
	}
	for name, operator := range map[string]func(src sockets, f func(*wsource.Socket) error) sockets{
		"TryMap": func(src sockets, f func(*wsource.Socket) error) sockets {
			return operators.TryMap(src, func(s *wsource.Socket) (*wsource.Socket, error) { return s, f(s) })
		},
		"TryFilter": func(src sockets, f func(*wsource.Socket) error) sockets {
			return operators.TryFilter(src, func(s *wsource.Socket) (bool, error) { return true, f(s) })
		},
		"TryFilterMap": func(src sockets, f func(*wsource.Socket) error) sockets {
			return operators.TryFilterMap(src, func(s *wsource.Socket) (*wsource.Socket, bool, error) { return s, true, f(s) })
		},
		"TryMergeMap": func(src sockets, f func(*wsource.Socket) error) sockets {
			return operators.TryMergeMap(src, func(s *wsource.Socket) (sockets, error) { return observable.Of(s), f(s) })
		},
		"TryConcatMap": func(src sockets, f func(*wsource.Socket) error) sockets {
			return operators.TryConcatMap(src, func(s *wsource.Socket) (sockets, error) { return observable.Of(s), f(s) })
		},
		"TrySwitchMap": func(src sockets, f func(*wsource.Socket) error) sockets {
			return operators.TrySwitchMap(src, func(s *wsource.Socket) (sockets, error) { return observable.Of(s), f(s) })
		},
		"TryExhaustMap": func(src sockets, f func(*wsource.Socket) error) sockets {
			return operators.TryExhaustMap(src, func(s *wsource.Socket) (sockets, error) { return observable.Of(s), f(s) })
		},
		"ParallelMap": func(src sockets, f func(*wsource.Socket) error) sockets {
			return operators.ParallelMap(src, 2, func(_ context.Context, s *wsource.Socket) (*wsource.Socket, error) {
				return s, f(s)
			})
		},
		"ParallelMap, by a panic": func(src sockets, f func(*wsource.Socket) error) sockets {
			return operators.ParallelMap(src, 2, func(_ context.Context, s *wsource.Socket) (*wsource.Socket, error) {
				if err := f(s); err != nil {
					panic(err)
				}
				return s, nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				server := new(wsource.Server)
				got := record(t, operator(server.Connections(), failing()))
				network := serveHTTP(t, server.ServeHTTP)
				var clients []*wsource.Socket
				for range 3 {
					client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
					require.NoError(t, err)
					defer client.CloseNow()
					clients = append(clients, client)
					settle()
				}
				<-clients[0].Done()
				requireClose(t, clients[0].Err(), wsource.StatusInternalError)
				assert.Len(t, got.Values(), 2)
				require.Len(t, unhandled.All(), 1)
				require.ErrorIs(t, unhandled.All()[0], errHandler)
				require.NoError(t, server.Shutdown(t.Context()))
				require.NoError(t, got.ExpectEnd(t))
			})
		})
	}
}

// TestADialledSocketIsTheProgramsOwn: a failure over a dialled socket ends the stream.
func TestADialledSocketIsTheProgramsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		socket, err := wsource.Dial(t.Context(), "ws://"+host, s.options(nil))
		require.NoError(t, err)
		got := record(t, operators.MergeMap(observable.Of(socket), func(*wsource.Socket) observable.Observable[int] {
			return observable.Throw[int](errHandler)
		}))
		require.ErrorIs(t, got.ExpectEnd(t), errHandler)
		assert.Equal(t, wsource.Open, socket.State())
		socket.CloseNow()
	})
}

// TestAFailureOverOneRequest has code for a handshake fail before and after the decision:
// the next ones are served, and Refusals has the refusal.
func TestAFailureOverOneRequest(t *testing.T) {
	accept := func(t *testing.T, q *wsource.Request) {
		_, err := q.Accept(nil, wsource.Admission{})
		require.NoError(t, err)
	}
	for name, test := range map[string]struct {
		decide  func(t *testing.T, q *wsource.Request)
		err     error
		status  int                // the refusal's, or
		code    wsource.StatusCode // the closure's
		logged  int
		refused int
	}{
		"undecided":               {func(*testing.T, *wsource.Request) {}, errHandler, 500, 0, 1, 1},
		"undecided, by a refusal": {func(*testing.T, *wsource.Request) {}, &wsource.RefusalError{Status: 404}, 404, 0, 0, 1},
		"accepted":                {accept, errHandler, 0, wsource.StatusInternalError, 1, 0},
		"refused": {func(t *testing.T, q *wsource.Request) {
			require.NoError(t, q.Refuse(&wsource.RefusalError{Status: 403}))
		}, errHandler, 403, 0, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				server := new(wsource.Server)
				refusals := record(t, server.Refusals())
				n := 0
				got := record(t, operators.MergeMap(server.Requests(), func(q *wsource.Request) observable.Observable[string] {
					if n++; n > 1 {
						accept(t, q)
						return observable.Of("accepted")
					}
					test.decide(t, q)
					return observable.Throw[string](test.err)
				}))
				network := serveHTTP(t, server.ServeHTTP)
				client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
				if test.status != 0 {
					requireHandshake(t, err, test.status)
				} else {
					require.NoError(t, err)
					<-client.Done()
					requireClose(t, client.Err(), test.code)
				}
				settle()
				assert.Len(t, unhandled.All(), test.logged)
				assert.Len(t, refusals.Values(), test.refused)
				second, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
				require.NoError(t, err)
				defer second.CloseNow()
				settle()
				assert.Equal(t, []string{"accepted"}, got.Values())
				require.NoError(t, server.Shutdown(t.Context()))
				require.NoError(t, got.ExpectEnd(t))
			})
		})
	}
}
