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

	"github.com/rxsocket/rxsocket/wsource"
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
