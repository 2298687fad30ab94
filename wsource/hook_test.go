package wsource_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// diary is a hook that keeps the events.
type diary struct {
	mu     sync.Mutex
	events []wsource.Event
}

func (d *diary) Handle(e wsource.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
}

// of returns the events of one kind.
func (d *diary) of(kind wsource.EventKind) []wsource.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	var some []wsource.Event
	for _, e := range d.events {
		if e.Kind == kind {
			some = append(some, e)
		}
	}
	return some
}

// sum returns the messages and bytes of the events of one kind.
func (d *diary) sum(kind wsource.EventKind) (messages, size int) {
	for _, e := range d.of(kind) {
		messages += e.Messages
		size += e.Bytes
	}
	return messages, size
}

func TestHookHearsOfASocketsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := map[string]*diary{"client": {}, "server": {}}
		site := newSite(t, wsource.AcceptOptions{Hook: at["server"], Heartbeat: noBeat})
		client, server := site.pair(&wsource.DialOptions{
			Hook: at["client"], Heartbeat: wsource.Heartbeat{Interval: time.Second},
		})
		received := record(t, server)
		const count = 100
		for range count {
			client.Next(wsource.TextMessage("four"))
		}
		require.NoError(t, client.Send(t.Context(), wsource.TextMessage("last")))
		time.Sleep(1500 * time.Millisecond)
		require.NoError(t, client.Close(4000, "bye"))
		require.Error(t, received.ExpectEnd(t))
		settle()

		for name, d := range at {
			opened := d.of(wsource.EventOpened)
			require.Len(t, opened, 1, name)
			assert.Equal(t, wsource.EventOpened, d.events[0].Kind, name)
			closed := d.of(wsource.EventClosed)
			require.Len(t, closed, 1, name)
			assert.Same(t, opened[0].Socket, closed[0].Socket, name)
			assert.Equal(t, wsource.StatusCode(4000), closed[0].Code, name)
			requireClose(t, closed[0].Err, 4000)
			assert.Empty(t, d.of(wsource.EventDropped), name)
		}
		assert.Same(t, client, at["client"].of(wsource.EventOpened)[0].Socket)
		messages, size := at["client"].sum(wsource.EventSent)
		assert.Equal(t, []int{count + 1, 4 * (count + 1)}, []int{messages, size})
		messages, size = at["server"].sum(wsource.EventReceived)
		assert.Equal(t, []int{count + 1, 4 * (count + 1)}, []int{messages, size})
		assert.Empty(t, at["server"].of(wsource.EventSent), "a pong is no message")
		assert.Len(t, at["client"].of(wsource.EventHeartbeat), 1)
	})
}

func TestHookHearsTheRoundTripTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		require.NoError(t, site.network.OnDial(1, wstest.Delay(wstest.ToServer, 20*time.Millisecond),
			wstest.Delay(wstest.ToClient, 30*time.Millisecond)))
		d := new(diary)
		client, server := site.pair(&wsource.DialOptions{Hook: d, Heartbeat: wsource.Heartbeat{Interval: time.Second}})
		record(t, server)
		time.Sleep(2 * time.Second)
		beats := d.of(wsource.EventHeartbeat)
		require.NotEmpty(t, beats)
		assert.Equal(t, 50*time.Millisecond, beats[0].RTT)
		client.Complete()
		<-client.Done()
		settle()
		closed := d.of(wsource.EventClosed)
		require.Len(t, closed, 1)
		assert.Equal(t, wsource.StatusNormalClosure, closed[0].Code)
		assert.NoError(t, closed[0].Err)
	})
}

func TestHookHearsHowMuchIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		site := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := site.pair(&wsource.DialOptions{Hook: d, Heartbeat: noBeat})
		record(t, server)
		require.NoError(t, site.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		// Its sender is stuck with it.
		go client.Next(wsource.BinaryMessage(make([]byte, 2*wstest.DefaultBuffer)))
		settle()
		for range 3 {
			client.Next(wsource.TextMessage("four"))
		}
		site.link().Resume(wstest.ToServer)
		settle()
		var told []string
		for _, e := range d.of(wsource.EventSent) {
			told = append(told, fmt.Sprint(e.Messages, " ", e.Bytes, " ", e.Queued))
		}
		assert.Equal(t, []string{fmt.Sprint("1 ", 2*wstest.DefaultBuffer, " 3"), "3 12 0"}, told)
		client.Complete()
		<-client.Done()
	})
}

func TestHookHearsOfWhatASocketDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		site := newSite(t, wsource.AcceptOptions{})
		client, _ := site.pair(&wsource.DialOptions{Hook: d, Heartbeat: noBeat})
		undelivered := record(t, client.Undelivered())
		client.Next(wsource.TextMessage("\xff"))
		require.ErrorIs(t, client.Send(t.Context(), wsource.TextMessage("\xff\xff")), wsource.ErrInvalidUTF8)
		require.NoError(t, site.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		// Its sender is stuck with it.
		go client.Next(wsource.BinaryMessage(make([]byte, 2*wstest.DefaultBuffer)))
		settle()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, client.Send(ctx, wsource.TextMessage("given up")))
		client.Next(wsource.TextMessage("unsent"))
		client.CloseNow()
		require.NoError(t, undelivered.ExpectEnd(t))

		told := d.of(wsource.EventDropped)
		outcomes := make([]string, 0, len(told))
		for _, e := range told {
			var se *wsource.SendError
			require.ErrorAs(t, e.Err, &se)
			assert.Equal(t, len(se.Message.Data), e.Bytes)
			assert.Same(t, client, e.Socket)
			outcomes = append(outcomes, fmt.Sprint(e.Bytes, " ", se.Outcome))
		}
		for _, e := range undelivered.Values() {
			assert.Contains(t, outcomes, fmt.Sprint(len(e.Message.Data), " ", e.Outcome))
		}
		assert.Len(t, told, len(undelivered.Values())+2)
		unknown := fmt.Sprint(2*wstest.DefaultBuffer, " ", wsource.Unknown)
		assert.ElementsMatch(t, []string{"1 unsent", "2 unsent", "8 unsent", "6 unsent", unknown}, outcomes)
		assert.Empty(t, d.of(wsource.EventSent))
	})
}

func TestHookHearsOfASubjectsReconnectsAndDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, own := new(diary), new(diary)
		site := newSite(t, wsource.AcceptOptions{})
		attempts := 0
		subject := wsource.NewSubject("ws://"+host, wsource.TextCodec(), &wsource.SubjectConfig[string]{
			Target: func(_ context.Context, attempt int, _ wsource.DialOptions) (string, wsource.DialOptions, error) {
				attempts++
				options := *site.options(nil)
				if attempts == 3 { // with a hook of its own
					options.Hook = own
				}
				return "ws://" + host, options, nil
			},
			Reconnect: &backoff.Config{Base: time.Second, Max: time.Second},
			Hook:      d,
		})
		waiting := make(chan struct{}, 2) // gets a notice when the subject begins to wait
		subject.Status().Subscribe(t.Context(), observable.ObserverFuncs[wsource.Status]{OnNext: func(s wsource.Status) {
			if s.State == wsource.LinkBackoff {
				waiting <- struct{}{}
			}
		}})
		subscription := subject.Subscribe(t.Context(), observabletest.NewRecorder[string]())
		first := <-site.sockets
		settle()
		volatile := wsource.Delivery{Volatile: true}
		require.NoError(t, subject.SendAs(t.Context(), "one", volatile))
		for range 2 {
			require.NoError(t, first.Close(wsource.StatusServiceRestart, ""))
			<-waiting
			synctest.Wait() // for the reports on the ended connection
			require.ErrorIs(t, subject.SendAs(t.Context(), "dropped", volatile), wsource.ErrNotOpen)
			first = <-site.sockets
			settle()
		}
		subject.Next("\xff")
		subscription.Unsubscribe()
		settle()

		retries := d.of(wsource.EventReconnect)
		require.Len(t, retries, 2)
		for i, e := range retries {
			assert.Nil(t, e.Socket)
			assert.Equal(t, i+1, e.Attempt)
			assert.LessOrEqual(t, e.Delay, time.Second)
			requireClose(t, e.Err, wsource.StatusServiceRestart)
		}
		reasons := make([]string, 0, 4)
		for _, e := range d.of(wsource.EventDropped) {
			var se *wsource.SendError
			require.ErrorAs(t, e.Err, &se)
			reasons = append(reasons, fmt.Sprint(e.Bytes, " ", se.Outcome))
		}
		// First, the message that was sent and not confirmed when the connection ended;
		// last, the value that does not encode.
		assert.Equal(t, []string{"3 unknown", "7 unsent", "7 unsent", "0 unsent"}, reasons)
		assert.Len(t, d.of(wsource.EventOpened), 2, "the third connection has its own hook")
		assert.Len(t, own.of(wsource.EventOpened), 1)
		messages, _ := d.sum(wsource.EventSent)
		assert.Equal(t, 1, messages)
	})
}

func TestHooks(t *testing.T) {
	assert.Nil(t, wsource.Hooks())
	assert.Nil(t, wsource.Hooks(nil, nil))
	d := new(diary)
	assert.Same(t, d, wsource.Hooks(nil, d))
	var order []string
	note := func(name string) wsource.Hook {
		return wsource.HookFunc(func(e wsource.Event) { order = append(order, name+" "+e.Kind.String()) })
	}
	wsource.Hooks(note("a"), nil, note("b")).Handle(wsource.Event{Kind: wsource.EventSent})
	assert.Equal(t, []string{"a sent", "b sent"}, order)
	assert.Equal(t, "unknown", wsource.EventKind(99).String())
}

func TestLogHookKeepsSecrets(t *testing.T) {
	const secret = "hunter2"
	text := func(err error) string {
		var out bytes.Buffer
		wsource.LogHook(slog.New(slog.NewTextHandler(&out, nil))).Handle(wsource.Event{Kind: wsource.EventReconnect, Err: err})
		return out.String()
	}
	for name, err := range map[string]error{
		"message": &wsource.SendError{Message: wsource.TextMessage(secret), Err: wsource.ErrClosed},
		"codec": &wsource.SendError{Err: &wsource.CodecError{
			Codec: "JSON", Message: wsource.TextMessage(secret), Err: errors.New(secret),
		}},
		"panic":   &wsource.SendError{Err: &observable.PanicError{Value: secret}},
		"refusal": &wsource.HandshakeError{URL: "ws://" + host, Status: 403, Body: secret},
	} {
		shown := text(err)
		assert.Contains(t, shown, "level=WARN", name)
		assert.NotContains(t, shown, secret, name)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://token.test/?key="+secret, nil)
	require.NoError(t, err)
	client := new(wstest.Network).HTTPClient()
	response, err := client.Do(request)
	if response != nil {
		_ = response.Body.Close()
	}
	require.ErrorContains(t, err, secret)
	assert.NotContains(t, text(fmt.Errorf("no token: %w", err)), secret)
	assert.Contains(t, text(&wsource.CloseError{Code: 4001, Reason: "expired"}), "expired")
}

func TestLogHookLevels(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, e := range []wsource.Event{
		{Kind: wsource.EventOpened},
		{Kind: wsource.EventReceived, Messages: 1, Frames: 2, Bytes: 3},
		{Kind: wsource.EventSent, Messages: 2, Frames: 2, Bytes: 6, Queued: 1},
		{Kind: wsource.EventHeartbeat, RTT: time.Second},
		{Kind: wsource.EventReconnect, Attempt: 1, Delay: time.Second},
		{Kind: wsource.EventClosed, Code: 1000},
		{Kind: wsource.EventClosed, Code: 1001, Err: &wsource.CloseError{Code: 1001}},
		{Kind: wsource.EventClosed, Code: 1005, Err: &wsource.CloseError{Code: 1005}},
		{Kind: wsource.EventClosed, Code: 1006, Err: &wsource.CloseError{Code: 1006}},
		{Kind: wsource.EventRefused, Err: &wsource.HandshakeError{
			URL: "ws://a.test/", Remote: "b.test:1", Status: 403, Body: "secret", Err: wsource.ErrOrigin,
		}},
	} {
		wsource.LogHook(logger).Handle(e)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	wanted := []string{
		`level=INFO msg="websocket opened"`,
		`level=DEBUG msg="websocket received" frames=2 bytes=3`,
		`level=DEBUG msg="websocket sent" messages=2 frames=2 bytes=6 queued=1`,
		`level=DEBUG msg="websocket heartbeat" rtt=1s`,
		`level=WARN msg="websocket reconnect" attempt=1 delay=1s`,
		`level=INFO msg="websocket closed" code="1000 normal closure"`,
		`level=INFO msg="websocket closed" code="1001 going away" error="wsource: connection closed: 1001 going away"`,
		`level=INFO msg="websocket closed" code="1005 no status received" ` +
			`error="wsource: connection closed: 1005 no status received"`,
		`level=WARN msg="websocket closed" code="1006 abnormal closure" ` +
			`error="wsource: connection closed: 1006 abnormal closure"`,
		`level=WARN msg="websocket refused" remote=b.test:1 status=403 error="wsource: handshake of b.test:1 for ` +
			`ws://a.test/ failed: status 403 Forbidden: the origin is not allowed"`,
	}
	require.Len(t, lines, len(wanted))
	for i, line := range lines {
		_, line, _ = strings.Cut(line, " ") // the time
		assert.Equal(t, wanted[i], line)
	}
	// Below the default's level.
	wsource.LogHook(nil).Handle(wsource.Event{Kind: wsource.EventReceived})
}

// A server's own Drain, and the end of an admission, are no warnings at the server; they
// are at a client.
func TestLogHookOfADrain(t *testing.T) {
	for _, until := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var out, far bytes.Buffer
			server := &wsource.Server{Options: wsource.AcceptOptions{
				Hook: wsource.LogHook(slog.New(slog.NewTextHandler(&out, nil))),
				Authorize: func(*http.Request) (admission wsource.Admission, err error) {
					if until > 0 {
						admission.Until = time.Now().Add(until)
					}
					return admission, nil
				},
			}}
			r := run(t, server, handling(func(ctx context.Context, _ *wsource.Socket) error {
				<-ctx.Done()
				return context.Cause(ctx)
			}))
			client, err := wsource.Dial(t.Context(), "ws://"+host, on(r.network, &wsource.DialOptions{
				Hook: wsource.LogHook(slog.New(slog.NewTextHandler(&far, nil))),
			}))
			require.NoError(t, err)
			time.Sleep(2 * until)
			require.NoError(t, server.Drain(t.Context(), wsource.Farewell{}))
			require.EqualError(t, server.Ready(),
				"wsource: refused with 503 Service Unavailable: the server is draining: http: Server closed")
			<-client.Done()
			synctest.Wait()
			assert.Contains(t, out.String(), `msg="websocket closed"`)
			assert.NotContains(t, out.String(), "level=WARN")
			assert.Contains(t, far.String(), `level=WARN msg="websocket closed"`)
		})
	}
}

// TestLogHookNamesTheSocket looks for the ID and the address of the socket in the log.
func TestLogHookNamesTheSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		var out bytes.Buffer
		hook := wsource.LogHook(slog.New(slog.NewTextHandler(&out, nil)))
		hook.Handle(wsource.Event{Kind: wsource.EventOpened, Socket: server})
		assert.Contains(t, out.String(),
			`msg="websocket opened" socket=`+server.ID()+" remote="+server.RemoteAddr().String()+"\n")
	})
}

// One hook logs and one counts.
func ExampleHooks() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	opened := 0
	hook := wsource.Hooks(wsource.LogHook(logger), wsource.HookFunc(func(e wsource.Event) {
		if e.Kind == wsource.EventOpened {
			opened++
		}
	}))
	// For Dial; AcceptOptions and SubjectConfig have it too.
	options := wsource.DialOptions{Hook: hook}
	options.Hook.Handle(wsource.Event{Kind: wsource.EventOpened})
	options.Hook.Handle(wsource.Event{Kind: wsource.EventClosed, Code: wsource.StatusNormalClosure})
	fmt.Println(opened, "opened")
	// Output:
	// level=INFO msg="websocket opened"
	// level=INFO msg="websocket closed" code="1000 normal closure"
	// 1 opened
}

// A hook that panics gets later events, too, and neither the socket nor the process
// fails.
func TestHookPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		var kinds []wsource.EventKind
		hook := wsource.HookFunc(func(e wsource.Event) {
			kinds = append(kinds, e.Kind)
			panic("the hook's")
		})
		s := newSite(t, wsource.AcceptOptions{Hook: hook})
		client, server := s.pair(nil)
		got := record[wsource.Message](t, server)
		send(client, "hello")
		synctest.Wait()
		client.Complete()
		require.NoError(t, got.ExpectEnd(t))
		<-server.Done()
		synctest.Wait()
		assert.Equal(t, []string{"hello"}, texts(got.Values()))
		assert.Equal(t, []wsource.EventKind{wsource.EventOpened, wsource.EventReceived, wsource.EventClosed}, kinds)
		assert.Len(t, unhandled.All(), 3)
	})
}
