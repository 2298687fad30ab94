package wsource_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestTraceHook(t *testing.T) {
	for level, want := range map[slog.Level][]string{
		slog.LevelDebug: {
			`msg="websocket message sent" socket=N type=text bytes=5 message=he***`,
			`msg="websocket message received" socket=N type=text bytes=6 message=an***`,
		},
		slog.LevelInfo: nil,
	} {
		t.Run(level.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				var log bytes.Buffer
				logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
				trace := wsource.TraceHook(logger, func(m wsource.Message) string { return m.String()[:2] + "***" })
				other := wsource.HookFunc(func(wsource.Event) {})
				client, server := s.pair(&wsource.DialOptions{Hook: wsource.Hooks(other, trace)})
				got := record[wsource.Message](t, client)
				require.NoError(t, client.Send(t.Context(), wsource.TextMessage("hello")))
				settle()
				require.NoError(t, server.Send(t.Context(), wsource.TextMessage("answer")))
				settle()
				require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
				require.NoError(t, got.ExpectEnd(t))
				var lines []string
				for line := range strings.Lines(log.String()) {
					if _, after, ok := strings.Cut(strings.TrimSpace(line), "level=DEBUG "); ok && strings.Contains(line, " message=") {
						lines = append(lines, strings.Replace(after, "socket="+client.ID(), "socket=N", 1))
					}
				}
				assert.Equal(t, want, lines)
				assert.NotContains(t, log.String(), "hello")
			})
		})
	}
	_, traces := wsource.TraceHook(nil, nil).(wsource.Tracer)
	assert.False(t, traces, "without a function nothing is shown")
}

// hopeless is a hook that panics at all events.
type hopeless struct{}

func (hopeless) Handle(wsource.Event) { panic("the hook's") }

func (hopeless) Trace(*wsource.Socket, bool, wsource.Message) { panic("the tracer's") }

// noting notes its events and messages.
type noting struct{ kinds, traced []string }

func (n *noting) Handle(e wsource.Event) { n.kinds = append(n.kinds, e.Kind.String()) }

func (n *noting) Trace(_ *wsource.Socket, _ bool, m wsource.Message) {
	n.traced = append(n.traced, m.String())
}

// askWith makes a client and a server with these hooks exchange messages.
func askWith(t *testing.T, client, server wsource.Hook) {
	t.Helper()
	inBubbleWith(t, wsource.AcceptOptions{Hook: server}, func(t *testing.T, s *site) {
		near, far := s.pair(&wsource.DialOptions{Hook: client})
		got, at := record[wsource.Message](t, near), record[wsource.Message](t, far)
		go send(near, "question")
		settle()
		go send(far, "answer")
		settle()
		near.Complete()
		require.NoError(t, got.ExpectEnd(t))
		require.NoError(t, at.ExpectEnd(t))
		assert.Equal(t, []string{"question"}, texts(at.Values()))
		assert.Equal(t, []string{"answer"}, texts(got.Values()))
	})
}

// TestHooksThatFail has the first of two hooks panic at every event, or end the
// goroutine: the second gets all events, and neither the socket nor the process fails.
func TestHooksThatFail(t *testing.T) {
	t.Run("a panic", func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		second := new(noting)
		askWith(t, hopeless{}, wsource.Hooks(hopeless{}, second))
		assert.Equal(t, []string{"opened", "received", "sent", "closed"}, second.kinds)
		assert.Equal(t, []string{"question", "answer"}, second.traced)
		assert.Len(t, unhandled.All(), 12, "four events and two messages of either side")
	})
	t.Run("two panics", func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		askWith(t, nil, wsource.Hooks(hopeless{}, hopeless{}))
		assert.Len(t, unhandled.All(), 12, "four events and two messages of either hook")
	})
	for kind := leavingHook(wsource.EventOpened); kind <= tracesOnly; kind++ {
		second := new(noting)
		askWith(t, nil, wsource.Hooks(kind, second))
		switch kind {
		case tracesOnly:
			assert.Equal(t, []string{"question", "answer"}, second.traced)
		case leavingHook(wsource.EventOpened), leavingHook(wsource.EventClosed), leavingHook(wsource.EventReceived), leavingHook(wsource.EventSent):
			assert.Contains(t, second.kinds, wsource.EventKind(kind).String())
		}
	}
}

// leavingNoting notes each call, and then ends the goroutine as leavingHook does.
type leavingNoting struct {
	noting
	leaving leavingHook
}

func (n *leavingNoting) Handle(e wsource.Event) {
	n.noting.Handle(e)
	n.leaving.Handle(e)
}

func (n *leavingNoting) Trace(s *wsource.Socket, sent bool, m wsource.Message) {
	n.noting.Trace(s, sent, m)
	n.leaving.Trace(s, sent, m)
}

// TestAHookThatEndsTheGoroutineIsToldTheRest checks that a hook which ends the goroutine
// at one event, or in Trace, is still called with the rest of the same message.
func TestAHookThatEndsTheGoroutineIsToldTheRest(t *testing.T) {
	for kind := leavingHook(wsource.EventOpened); kind <= tracesOnly; kind++ {
		hook := &leavingNoting{leaving: kind}
		askWith(t, nil, hook)
		assert.ElementsMatch(t, []string{"opened", "received", "sent", "closed"}, hook.kinds)
		assert.Equal(t, []string{"question", "answer"}, hook.traced)
	}
}

// TestTraceOfABurst checks that Trace is called with each of several messages that leave
// together, although it ends the goroutine each time.
func TestTraceOfABurst(t *testing.T) {
	hook := &leavingNoting{leaving: tracesOnly}
	inBubbleWith(t, wsource.AcceptOptions{Heartbeat: noBeat}, func(t *testing.T, s *site) {
		client, server := s.pair(&wsource.DialOptions{Hook: hook, Heartbeat: noBeat})
		got := record[wsource.Message](t, server)
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		for range 20 {
			client.Next(wsource.BinaryMessage(make([]byte, 10<<10)))
		}
		settle()
		s.link().Resume(wstest.ToServer)
		client.Complete()
		require.NoError(t, got.ExpectEnd(t))
		assert.Len(t, got.Values(), 20)
	})
	assert.Len(t, hook.traced, 20)
}

func ExampleTraceHook() {
	url, stop := echo()
	defer stop()
	handler := slog.NewTextHandler(printer{}, &slog.HandlerOptions{Level: slog.LevelDebug})
	hook := wsource.TraceHook(slog.New(handler), func(m wsource.Message) string {
		return strings.ReplaceAll(m.String(), "secret", "***")
	})
	socket, err := wsource.Dial(context.Background(), url, &wsource.DialOptions{Hook: hook})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = socket.Send(context.Background(), wsource.TextMessage("my key is secret"))
	socket.CloseNow()
	<-socket.Done()

	// Output: message="my key is ***"
}

// printer prints the messages of a log that were sent.
type printer struct{}

func (printer) Write(line []byte) (int, error) {
	_, message, ok := strings.Cut(string(line), " message=")
	if ok && strings.Contains(string(line), "message sent") {
		fmt.Print("message=" + message)
	}
	return len(line), nil
}
