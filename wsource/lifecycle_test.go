package wsource_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// messagesOf is the stream of a connection that is dialled at each subscription.
func messagesOf(o *wsource.DialOptions) observable.Observable[wsource.Message] {
	return wsource.Messages("ws://"+host, o)
}

// life is a subscription to a connection, with the means to stop it at its moments.
type life struct {
	*site
	got     *observabletest.Recorder[wsource.Message]
	options *wsource.DialOptions
	start   func() // subscribes
	server  *wsource.Socket
	release func() // lets the held-up moment go on
}

// open brings the life to the point where the connection is open.
func (l *life) open() {
	l.start()
	l.server = <-l.sockets
	settle()
}

// moments are the points of a life at which the test gives it up.
var moments = map[string]func(t *testing.T, l *life){
	"before the subscription": func(*testing.T, *life) {},
	"at the subscription":     func(_ *testing.T, l *life) { l.start() },
	"in the look-up of the name": func(_ *testing.T, l *life) {
		l.options.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		l.start()
		settle()
	},
	"in the dial": func(t *testing.T, l *life) { // the backlog of the listener is full
		t.Helper()
		network := &wstest.Network{Backlog: 1}
		listener, err := network.Listen(host)
		require.NoError(t, err)
		waiting, err := network.DialContext(t.Context(), "tcp", host)
		require.NoError(t, err)
		t.Cleanup(func() {
			assert.NoError(t, waiting.Close())
			assert.NoError(t, listener.Close())
			assert.Empty(t, network.Links())
		})
		l.options.Transport = network.HTTPClient().Transport
		l.start()
		settle()
	},
	"in the handshake": func(t *testing.T, l *life) {
		t.Helper()
		require.NoError(t, l.network.OnEveryDial(wstest.Stall(wstest.ToClient, 20)))
		l.start()
		settle()
		l.release = func() { l.network.Link(1).Resume(wstest.ToClient) }
	},
	"open and idle": func(_ *testing.T, l *life) { l.open() },
	"in a callback": func(_ *testing.T, l *life) {
		blocked := make(chan struct{})
		l.got.OnNext(func(wsource.Message) { <-blocked })
		l.release = func() { close(blocked) }
		l.open()
		send(l.server, "1", "2", "3")
		settle()
	},
	"in a send": func(t *testing.T, l *life) {
		t.Helper()
		l.open()
		require.NoError(t, l.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		for range 3 {
			go l.server.Next(wsource.BinaryMessage(make([]byte, 1<<20)))
		}
		settle()
		l.release = func() { l.link().Resume(wstest.ToClient) }
	},
	"in the close handshake": func(t *testing.T, l *life) {
		t.Helper()
		l.open()
		require.NoError(t, l.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		l.server.Complete()
		settle()
		l.release = func() { l.link().Resume(wstest.ToClient) }
	},
	"after the close": func(t *testing.T, l *life) {
		t.Helper()
		l.open()
		l.server.Complete()
		_ = l.got.ExpectEnd(t)
	},
	"after a break": func(t *testing.T, l *life) {
		t.Helper()
		l.open()
		require.NoError(t, l.link().Inject(wstest.Reset(wstest.ToServer, 0)))
		_ = l.got.ExpectEnd(t)
	},
}

// TestGivingUpAtEachMoment unsubscribes, and ends the context, at each moment of a
// connection's life. It leaves no goroutine, which the bubble would find, and no
// connection, which the site would.
func TestGivingUpAtEachMoment(t *testing.T) {
	for name, moment := range moments {
		for _, way := range []string{"unsubscribe", "context"} {
			t.Run(name+" "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { giveUp(t, moment, way == "unsubscribe") })
			})
		}
	}
}

func giveUp(t *testing.T, moment func(t *testing.T, l *life), unsubscribe bool) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	l := &life{
		site:    newSite(t, wsource.AcceptOptions{Heartbeat: noBeat}),
		got:     observabletest.NewRecorder[wsource.Message](),
		options: &wsource.DialOptions{Heartbeat: noBeat},
	}
	var subscription observable.Subscription
	l.start = func() { subscription = messagesOf(on(l.network, l.options)).Subscribe(ctx, l.got) }
	moment(t, l)
	before := l.got.Ended()
	if unsubscribe && subscription != nil {
		subscription.Unsubscribe()
	} else {
		cancel(io.ErrNoProgress)
	}
	if subscription == nil {
		l.start()
	}
	settle()
	if l.release != nil {
		l.release()
	}
	<-subscription.Done()
	time.Sleep(wsource.DefaultCloseTimeout)
	if !before && (!unsubscribe || len(l.got.Values()) == 0 && l.got.Ended()) {
		require.ErrorIs(t, l.got.ExpectEnd(t), io.ErrNoProgress)
	} else {
		assert.Equal(t, before, l.got.Ended(), "an unsubscribe is silent")
		assert.Empty(t, l.got.Breaches())
	}
	assert.LessOrEqual(t, len(l.got.Values()), 1)
	assert.Empty(t, l.network.Links())
	assert.Zero(t, l.site.server.Len())
}

// TestUnsubscribeClosesNormally checks the peer's view of it.
func TestUnsubscribeClosesNormally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		got := observabletest.NewRecorder[wsource.Message]()
		subscription := messagesOf(s.options(nil)).Subscribe(t.Context(), got)
		server := <-s.sockets
		far := record[wsource.Message](t, server)
		settle() // the client knows that the connection is open
		subscription.Unsubscribe()
		require.NoError(t, far.ExpectEnd(t))
	})
}

func TestConnectEndsAsTheSocketDoes(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(s *site, server *wsource.Socket)
		code wsource.StatusCode
	}{
		"normally":   {func(_ *site, server *wsource.Socket) { server.Complete() }, wsource.StatusNormalClosure},
		"with error": {func(_ *site, server *wsource.Socket) { server.Error(io.EOF) }, wsource.StatusInternalError},
		"breaking":   {func(_ *site, server *wsource.Socket) { server.CloseNow() }, wsource.StatusAbnormalClosure},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{})
				sockets := record(t, wsource.Connect("ws://"+host, s.options(nil)))
				test.end(s, <-s.sockets)
				assert.Equal(t, test.code, wsource.CloseStatus(sockets.ExpectEnd(t)))
				require.Len(t, sockets.Values(), 1)
				assert.Equal(t, wsource.Closed, sockets.Values()[0].State())
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		sockets := record(t, wsource.Connect("ws://"+host, on(new(wstest.Network), nil)))
		requireHandshake(t, sockets.ExpectEnd(t), 0)
	})
}
