package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServeEndsByItself(t *testing.T) {
	require.NoError(t, run(t.Context(), []string{"serve", "-addr", "127.0.0.1:0", "-duration", "1ms"}, io.Discard))
}

// start runs a server on a free port and returns its URL. The server is stopped with the
// test.
func start(t *testing.T) string {
	t.Helper()
	url, _ := startWith(t)
	return url
}

// startWith is start that also returns a function like Ctrl-C.
func startWith(t *testing.T) (url string, interrupt func()) {
	t.Helper()
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{"serve", "-addr", "127.0.0.1:0"}, out)
	})
	return "ws://" + p.Addr(), p.Stop
}

func TestServeSaysGoodbye(t *testing.T) {
	url, interrupt := startWith(t)
	socket, err := wsource.Dial(t.Context(), url, nil)
	require.NoError(t, err)
	interrupt()
	<-socket.Done()
	assert.Equal(t, wsource.StatusServiceRestart, wsource.CloseStatus(socket.Err()))
}

func TestSendReceivesWhatItSent(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"send", "-url", start(t) + "/any/path", "-n", "5000"}, &out))
	assert.Contains(t, out.String(), "5000 messages came back in order")
}

func TestServeEchoesTheTypeAndLargeMessages(t *testing.T) {
	socket, err := wsource.Dial(t.Context(), start(t), &wsource.DialOptions{Compression: wsource.CompressMessages})
	require.NoError(t, err)
	defer socket.CloseNow()
	for _, m := range []wsource.Message{
		wsource.TextMessage("héllo"), wsource.TextMessage(""), wsource.BinaryMessage([]byte{0, 0xFF, 1}),
		wsource.BinaryMessage(bytes.Repeat([]byte("x"), 1<<20)),
	} {
		socket.Next(m)
		got, err := observable.FirstValue(t.Context(), socket)
		require.NoError(t, err)
		assert.Equal(t, m, got)
	}
	assert.Contains(t, socket.ResponseHeader().Get("Sec-WebSocket-Extensions"), "permessage-deflate")
}

func TestServeRefusesTooBig(t *testing.T) {
	socket, err := wsource.Dial(t.Context(), start(t), nil)
	require.NoError(t, err)
	socket.Next(wsource.BinaryMessage(make([]byte, 1<<20+1)))
	<-socket.Done()
	assert.Equal(t, wsource.StatusMessageTooBig, wsource.CloseStatus(socket.Err()))
}

func TestServeNegotiates(t *testing.T) {
	url := start(t)
	socket, err := wsource.Dial(t.Context(), url, &wsource.DialOptions{Subprotocols: []string{"chat", "echo"}})
	require.NoError(t, err)
	assert.Equal(t, "echo", socket.Subprotocol())
	socket.Complete()
	<-socket.Done()
	assert.NoError(t, socket.Err())

	_, err = wsource.Dial(t.Context(), url, &wsource.DialOptions{Header: http.Header{"Origin": {"https://elsewhere.example"}}})
	var he *wsource.HandshakeError
	require.ErrorAs(t, err, &he)
	assert.Equal(t, http.StatusForbidden, he.Status)
}

// A program without a command is the server, as the other examples are.
func TestServesWithoutACommand(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"-addr", "127.0.0.1:0", "-duration", "1ms"}, &out))
	assert.Contains(t, out.String(), "listening on ws://127.0.0.1:")
	out.Reset()
	require.NoError(t, run(t.Context(), []string{"-h"}, &out))
	assert.Contains(t, out.String(), "echo send -url URL")
	require.ErrorContains(t, run(t.Context(), []string{"-port", "1"}, io.Discard), "flag provided but not defined: -port")
}

func TestMistakesAreNamed(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"unknown command": {[]string{"shout"}, `unknown command "shout"`},
		"stray argument":  {[]string{"serve", "now"}, `unexpected argument "now"`},
		"negative time":   {[]string{"serve", "-duration", "-1s"}, "-duration -1s is negative"},
		"bad flag":        {[]string{"serve", "-port", "1"}, "flag provided but not defined: -port"},
		"port in use":     {[]string{"serve", "-addr", busy.Addr().String()}, "address already in use"},
		"no URL":          {[]string{"send"}, "-url is needed"},
		"no messages":     {[]string{"send", "-url", "ws://127.0.0.1:1", "-n", "0"}, "-n is 0"},
		"nobody there":    {[]string{"send", "-url", "ws://127.0.0.1:1"}, "connection refused"},
		"not a WebSocket": {[]string{"send", "-url", "ftp://127.0.0.1"}, "scheme"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, run(t.Context(), test.args, io.Discard), test.want)
		})
	}
}

func TestSendTellsWhatCameBackWrong(t *testing.T) {
	server := new(wsource.Server)
	server.Connections().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Socket]{OnNext: func(s *wsource.Socket) {
		s.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
			OnNext: func(m wsource.Message) {
				switch m.String() {
				case "message 2":
					s.Next(wsource.TextMessage("other"))
				case "message 3":
				default:
					s.Next(m)
				}
			},
		})
	}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(listener) }()
	defer func() { _ = server.Shutdown(context.Background()); <-served }()

	err = run(t.Context(), []string{"send", "-url", "ws://" + listener.Addr().String(), "-n", "3", "-timeout", time.Second.String()}, io.Discard)
	assert.ErrorContains(t, err, `after 2 of 3 messages: text "other" came back as number 2, not "message 2"`)
}
