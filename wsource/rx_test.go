package wsource_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// The pipeline of these tests takes numbers in bursts, keeps the even ones, doubles them,
// and passes the last of each burst.

func even(m wsource.Message) bool {
	n, err := strconv.Atoi(m.String())
	return err == nil && n%2 == 0
}

func double(m wsource.Message) string {
	n, _ := strconv.Atoi(m.String())
	return fmt.Sprint(2 * n)
}

const quiet = 50 * time.Millisecond // Debounce's time

// rxPipeline is the pipeline in RxGo, with RxGo's Retry. Retry observes the stages before
// it again, which Debounce does not survive: so Debounce stands behind it.
func rxPipeline(rx rxgo.Observable) rxgo.Observable {
	return rx.
		Filter(func(i any) bool { return even(i.(wsource.Message)) }).
		Map(func(_ context.Context, i any) (any, error) { return double(i.(wsource.Message)), nil }).
		Retry(5, func(error) bool { return true }).
		Debounce(rxgo.WithDuration(quiet))
}

// ourPipeline is the pipeline in this toolkit's operators.
func ourPipeline(messages observable.Observable[wsource.Message]) observable.Observable[string] {
	numbers := operators.Filter(messages, even)
	doubled := operators.Map(numbers, double)
	calm := operators.DebounceTime(doubled, quiet)
	return operators.Retry(calm, 5)
}

// burst sends numbers at once, and waits until Debounce lets the last even one pass.
func burst(s *wsource.Socket, from, to int) {
	for i := from; i <= to; i++ {
		send(s, fmt.Sprint(i))
	}
	time.Sleep(2 * quiet)
}

// TestRxGoOnASocket composes RxGo's operators on the RxGo face of both ends of one
// connection.
func TestRxGoOnASocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		client, server := s.pair(nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		near := client.Observable(rxgo.WithContext(ctx)).
			Filter(func(i any) bool { return even(i.(wsource.Message)) }, rxgo.WithContext(ctx)).
			Map(func(_ context.Context, i any) (any, error) { return double(i.(wsource.Message)), nil }, rxgo.WithContext(ctx)).
			Observe(rxgo.WithContext(ctx))
		far := server.Observable().Filter(func(i any) bool { return even(i.(wsource.Message)) }).
			Observe(rxgo.WithContext(ctx))
		settle()
		send(server, "1", "2", "3", "4")
		send(client, "5", "6")
		assert.Equal(t, "4", (<-near).V)
		assert.Equal(t, "8", (<-near).V)
		assert.Equal(t, "6", (<-far).V.(wsource.Message).String())
		require.NoError(t, s.link().Inject(wstest.Cut(wstest.ToServer, 0)))
		requireClose(t, (<-near).E, wsource.StatusAbnormalClosure)
		requireClose(t, (<-far).E, wsource.StatusAbnormalClosure)
		_, open := <-near
		assert.False(t, open)
		late := <-client.Observable().Observe(rxgo.WithContext(ctx))
		requireClose(t, late.E, wsource.StatusAbnormalClosure)
	})
}

// TestRxContextEndsASubscription ends an Observe. The socket stays, and nothing is lost.
func TestRxContextEndsASubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		ctx, cancel := context.WithCancel(t.Context())
		items := server.Observable().Observe(rxgo.WithContext(ctx))
		settle()
		send(client, "1")
		assert.Equal(t, "1", (<-items).V.(wsource.Message).String())
		cancel()
		for range items {
			t.Error("an item after the end")
		}
		settle()
		send(client, "2")
		m, err := observable.FirstValue(t.Context(), observable.Observable[wsource.Message](server))
		require.NoError(t, err)
		assert.Equal(t, "2", m.String())
		client.Complete()
		<-server.Done()
	})
}

// TestRetryRedials drops the connection under the pipeline, on the client, several times,
// in RxGo's and in this toolkit's operators.
func TestRetryRedials(t *testing.T) {
	for name, pipeline := range pipelines {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{})
				got := record(t, pipeline(messagesOf(s.options(nil))))
				for i, drop := range drops {
					server := <-s.sockets
					burst(server, 10*i, 10*i+5)
					drop(t, s, server)
				}
				server := <-s.sockets
				burst(server, 90, 99)
				server.Complete()
				require.NoError(t, got.ExpectEnd(t))
				assert.Equal(t, "8 28 48 68 196", strings.Join(got.Values(), " "))
				assert.Equal(t, len(drops)+1, s.network.Dials())
			})
		})
	}
}

var pipelines = map[string]func(observable.Observable[wsource.Message]) observable.Observable[string]{
	"RxGo": func(messages observable.Observable[wsource.Message]) observable.Observable[string] {
		return observable.Via[string](messages, rxPipeline)
	},
	"rxsocket": ourPipeline,
}

// drops are ways to lose a connection.
var drops = []func(t *testing.T, s *site, server *wsource.Socket){
	func(t *testing.T, s *site, _ *wsource.Socket) {
		t.Helper()
		require.NoError(t, s.link().Inject(wstest.Cut(wstest.ToClient, 0)))
	},
	func(t *testing.T, s *site, server *wsource.Socket) { // in the middle of a message
		t.Helper()
		require.NoError(t, s.link().Inject(wstest.Reset(wstest.ToClient, 5)))
		send(server, "2222222222")
	},
	func(_ *testing.T, _ *site, server *wsource.Socket) { server.CloseNow() },
	func(_ *testing.T, _ *site, server *wsource.Socket) {
		_ = server.Close(wsource.StatusServiceRestart, "")
	},
}

// TestRetryOnAServer has the server retry: when a client's connection breaks, it waits
// for the next one.
func TestRetryOnAServer(t *testing.T) {
	for name, pipeline := range pipelines {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := new(wsource.Server)
				latest := operators.SwitchMap(server.Connections(),
					func(s *wsource.Socket) observable.Observable[wsource.Message] { return s })
				got := record(t, pipeline(latest))
				settle()
				network := serveHTTP(t, server.ServeHTTP)
				for i, fault := range []wstest.Fault{wstest.Cut(wstest.ToServer, 0), wstest.Reset(wstest.ToServer, 0)} {
					client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
					require.NoError(t, err)
					burst(client, 10*i, 10*i+5)
					require.NoError(t, network.Link(i+1).Inject(fault))
					<-client.Done()
					settle()
				}
				client, err := wsource.Dial(t.Context(), "ws://"+host, on(network, nil))
				require.NoError(t, err)
				burst(client, 90, 99)
				client.Complete()
				<-client.Done()
				require.NoError(t, server.Shutdown(context.Background()))
				require.NoError(t, got.ExpectEnd(t))
				assert.Equal(t, "8 28 196", strings.Join(got.Values(), " "))
			})
		})
	}
}

// TestRetryGivesUp tries a server that refuses.
func TestRetryGivesUp(t *testing.T) {
	for name, pipeline := range pipelines {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := new(wstest.Network)
				got := record(t, pipeline(messagesOf(on(network, nil))))
				requireHandshake(t, got.ExpectEnd(t), 0)
				assert.Equal(t, 6, network.Dials())
			})
		})
	}
}

// TestRetryIsGivenUp unsubscribes between attempts, in them and after them.
func TestRetryIsGivenUp(t *testing.T) {
	for name, pipeline := range pipelines {
		for at := range 12 { // the sixth attempt, the last, ends after 60 ms
			t.Run(fmt.Sprint(name, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, wsource.AcceptOptions{})
					require.NoError(t, s.network.OnEveryDial(
						// Within the response.
						wstest.Delay(wstest.ToClient, 10*time.Millisecond), wstest.Cut(wstest.ToClient, 100)))
					got := observabletest.NewRecorder[string]()
					subscription := pipeline(messagesOf(s.options(nil))).Subscribe(t.Context(), got)
					time.Sleep(time.Duration(at) * 5 * time.Millisecond)
					subscription.Unsubscribe()
					<-subscription.Done()
					assert.False(t, got.Ended())
				})
			})
		}
	}
}
