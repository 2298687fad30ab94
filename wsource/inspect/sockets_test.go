package inspect_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/inspect"
	"github.com/rxsocket/rxsocket/wsource/session"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// echo is a stream that sends each message back.
func echo(s *wsource.Socket) observable.Observable[wsource.Message] {
	return operators.Named(s, "echo")
}

func TestSockets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInspector(t, nil)
		s := newSite(t, i.Hook(), echo)
		ann, bob := s.dial("ann"), s.dial("bob")
		ann.Next(wsource.TextMessage("hello"))
		settle()

		got := state(t, i, "").Sockets
		assert.Equal(t, [4]uint64{2, 2, 1, 1}, [4]uint64{uint64(got.Open), got.Opened, got.Received, got.Sent})
		assert.Equal(t, [2]uint64{5, 5}, [2]uint64{got.ReceivedBytes, got.SentBytes})
		require.Len(t, got.Shown, 2)
		assert.Equal(t, "bob", got.Shown[0].Key, "the newest first")
		of := got.Shown[1]
		assert.Equal(t, []string{"ann", "server", "open", "/live"}, []string{of.Key, of.Side, of.State, of.Path})
		assert.Equal(t, [4]uint64{1, 5, 1, 5}, [4]uint64{of.Received, of.ReceivedBytes, of.Sent, of.SentBytes})
		assert.NotEmpty(t, of.Remote)

		for query, want := range map[string]int{
			"?q=ANN": 1, "?q=live": 2, "?q=nobody": 0, "?socket=" + of.ID: 1, "?socket=x": 0, "?q=bob&socket=" + of.ID: 0,
		} {
			assert.Len(t, state(t, i, query).Sockets.Shown, want, query)
		}

		_ = bob.Close(4321, "enough")
		settle()
		got = state(t, i, "").Sockets
		assert.Equal(t, 1, got.Open)
		require.Len(t, got.Ended, 1)
		assert.Equal(t, []any{"bob", 4321}, []any{got.Ended[0].Key, got.Ended[0].Code})
	})
}

// TestASlowSocket has a peer that reads nothing: the page counts its queue, and shows the
// socket first.
func TestASlowSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInspector(t, nil)
		var said observable.Subject[wsource.Message]
		s := newSite(t, i.Hook(), func(*wsource.Socket) observable.Observable[wsource.Message] {
			return operators.OnBackpressureBuffer(&said, 100, observable.OverflowBlock, nil)
		})
		s.dial("slow")
		slow := s.network.Link(s.network.Dials())
		s.dial("quick")
		require.NoError(t, slow.Inject(wstest.Stall(wstest.ToClient, 0)))
		for range 3 {
			said.Next(wsource.BinaryMessage(make([]byte, 2*wstest.DefaultBuffer)))
		}
		settle()
		first := state(t, i, "").Sockets.Shown
		time.Sleep(2 * time.Second)
		second := state(t, i, "").Sockets.Shown
		for n, shown := range [][]inspect.Socket{first, second} {
			of := shown[1-n] // the first look finds nobody waiting, and the newest first
			assert.Equal(t, "slow", of.Key)
			assert.Equal(t, 3, of.Queued)
			assert.Equal(t, 6*wstest.DefaultBuffer, of.QueuedBytes)
			assert.Equal(t, n == 1, of.Slow)
			assert.Equal(t, inspect.Milliseconds(n*2)*inspect.Milliseconds(time.Second), of.Waiting)
			assert.False(t, shown[n].Slow)
		}
		slow.Resume(wstest.ToClient)
		settle()
		for _, of := range state(t, i, "").Sockets.Shown {
			assert.Zero(t, of.Waiting)
			assert.Zero(t, of.Queued)
		}
	})
}

func TestHookCountsWhatGoesWrong(t *testing.T) {
	i := newInspector(t, nil)
	hook := i.Hook()
	for _, kind := range []wsource.EventKind{
		wsource.EventRefused, wsource.EventReconnect, wsource.EventFailed, wsource.EventDropped, wsource.EventUndecodable,
		wsource.EventHeartbeat,
	} {
		hook.Handle(wsource.Event{Kind: kind})
	}
	got := i.Snapshot().Sockets
	assert.Equal(t, [5]uint64{1, 1, 1, 1, 1}, [5]uint64{got.Refused, got.Reconnects, got.Failed, got.Dropped, got.Undecodable})
}

// TestHookIsToldOfASocketThatIsOver sends an event after the end: the socket does not
// come back.
func TestHookIsToldOfASocketThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInspector(t, nil)
		var socket *wsource.Socket
		s := newSite(t, i.Hook(), func(s *wsource.Socket) observable.Observable[wsource.Message] {
			socket = s
			return s
		})
		client := s.dial("ann")
		client.CloseNow()
		settle()
		i.Hook().Handle(wsource.Event{Kind: wsource.EventDropped, Socket: socket})
		assert.Empty(t, i.Snapshot().Sockets.Shown)
	})
}

// TestNothingIsKept ends a socket and a stream: the Inspector does not keep them in
// memory.
func TestNothingIsKept(t *testing.T) {
	i := newInspector(t, nil)
	type value [64]byte
	var socket weak.Pointer[wsource.Socket]
	var shown weak.Pointer[value]
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, i.Hook(), func(s *wsource.Socket) observable.Observable[wsource.Message] {
			socket = weak.Make(s)
			v := new(value)
			shown = weak.Make(v)
			values := operators.Named(operators.Merge(observable.Of(v), observable.Never[*value]()), "values")
			return operators.Map(values, func(*value) wsource.Message { return wsource.TextMessage("x") })
		})
		i.Snapshot() // so that values are looked at
		client := s.dial("ann")
		i.Snapshot()
		client.CloseNow()
		settle()
		assert.Len(t, i.Snapshot().Streams.Shown, 1)
	})
	for range 100 {
		if runtime.GC(); socket.Value() == nil && shown.Value() == nil {
			return
		}
		time.Sleep(10 * time.Millisecond) // the collector's time is the machine's
	}
	t.Error("the socket or the value is kept: ", socket.Value() != nil, shown.Value() != nil)
}

func TestParts(t *testing.T) {
	i := newInspector(t, nil)
	remove := i.Add("server", new(wsource.Server))
	i.Add("broken", stringer(func() string { panic("broken") }))
	i.Add("long", stringer(func() string { return strings.Repeat("x", 1000) }))
	ending := new(ender)
	i.Add("ending", ending)
	got := i.Snapshot().Parts
	require.Len(t, got, 4)
	assert.Equal(t, inspect.Part{Name: "broken", Text: "(a panic)"}, got[0])
	assert.Equal(t, inspect.Part{Name: "server", Text: "server of 0 connections"}, got[3])
	assert.Len(t, got[2].Text, inspect.MaxText)
	remove()
	ending.end()
	assert.Len(t, i.Snapshot().Parts, 2)
}

// lost is a part whose position panics, and its socket if there is none.
type lost struct{ socket *wsource.Socket }

func (lost) String() string { return "here" }

func (l lost) Socket() *wsource.Socket {
	if l.socket == nil {
		panic("socket")
	}
	return l.socket
}

func (lost) Position() session.Position { panic("position") }

func TestPositionPanics(t *testing.T) {
	i := newInspector(t, nil)
	socket := new(wsource.Socket)
	i.Hook().Handle(wsource.Event{Kind: wsource.EventOpened, Socket: socket})
	i.Add("without a socket", lost{nil})
	i.Add("without a position", lost{socket})
	got := i.Snapshot()
	require.Len(t, got.Sockets.Shown, 1)
	assert.Nil(t, got.Sockets.Shown[0].Session)
	assert.Equal(t, []inspect.Part{{"without a position", "here"}, {"without a socket", "here"}}, got.Parts)
}

type stringer func() string

func (s stringer) String() string { return s() }

// ender is a part that ends.
type ender struct{ end func() }

func (*ender) String() string { return "here" }

func (e *ender) OnEnd(f func()) (stop func()) {
	e.end = f
	return func() {}
}

func TestOffIsNothing(t *testing.T) {
	var i *inspect.Inspector
	assert.Nil(t, i.Hook())
	assert.Nil(t, wsource.Hooks(i.Hook()))
	i.Add("server", new(wsource.Server))()
	assert.Empty(t, i.Snapshot().Streams.Shown)
	assert.Equal(t, http.StatusNotFound, answer(i, request(http.MethodGet, "/inspect/")).Code)
	i.Close()
}

func TestClose(t *testing.T) {
	i := inspect.New(nil)
	live := operators.Named(observable.Never[int](), "never").Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	i.Add("server", new(wsource.Server))
	assert.Len(t, i.Snapshot().Streams.Shown, 1)
	i.Close()
	i.Close()
	live.Unsubscribe()
	assert.Equal(t, http.StatusNotFound, answer(i, request(http.MethodGet, "/inspect/")).Code)
	assert.Empty(t, i.Snapshot().Streams.Shown)
	i.Add("late", new(wsource.Server))
	i.Hook().Handle(wsource.Event{Kind: wsource.EventRefused})
}

// TestSession adds the session of a socket: its position stands beside the socket.
func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newInspector(t, nil)
		codec := wsource.TextCodec()
		server := &wsource.Server{Options: wsource.AcceptOptions{Hook: i.Hook(), Subprotocols: []string{session.Subprotocol}}}
		network := new(wstest.Network)
		listener, err := network.Listen("server.test:80")
		require.NoError(t, err)
		ended := make(chan error, 2)
		go func() {
			ended <- session.NewServer(codec, nil).Handle(context.Background(), server,
				func(ctx context.Context, s *session.Session[string, string]) error {
					defer i.Add("session", s)()
					return observable.ForEach(ctx, s, s.Next)
				})
		}()
		go func() { ended <- server.Serve(listener) }()
		settle()
		client := session.New("ws://server.test", codec, &session.Config[string]{Subject: wsource.SubjectConfig[string]{
			Dial: wsource.DialOptions{Transport: network.HTTPClient().Transport},
		}})
		sub := client.Subscribe(t.Context(), observable.ObserverFuncs[string]{})
		client.Next("a")
		client.Next("b")
		time.Sleep(2 * time.Second)
		got := state(t, i, "")
		require.Len(t, got.Sockets.Shown, 1)
		assert.Equal(t, &inspect.Position{Received: 2, Sent: 2, Acknowledged: 2}, got.Sockets.Shown[0].Session)
		require.Len(t, got.Parts, 1)
		sub.Unsubscribe()
		time.Sleep(time.Second)
		assert.Empty(t, i.Snapshot().Parts, "the handler has returned")
		require.NoError(t, server.Shutdown(context.Background()))
		<-ended
		<-ended
	})
}
