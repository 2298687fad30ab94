package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve has a server handle each socket until the test ends, and returns its URL.
func serve(t *testing.T, options wsource.AcceptOptions, handle func(context.Context, *wsource.Socket) error) string {
	t.Helper()
	sockets := &wsource.Server{Options: options}
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		flags := program.NewFlags("server", "127.0.0.1:0")
		if err := flags.Parse(nil, out); err != nil {
			return err
		}
		listener, err := flags.Listen(ctx, out, "the server is at ws://%s\n")
		if err != nil {
			return err
		}
		return program.Serve(ctx, listener, program.Site{
			Handler: sockets, Sockets: sockets,
			Work: func(ctx context.Context) error { return sockets.Handle(ctx, handle) },
		})
	})
	return "ws://" + p.Addr()
}

// echo sends each message back.
func echo(ctx context.Context, s *wsource.Socket) error {
	return observable.TryForEach(ctx, s, func(m wsource.Message) error { return s.Send(ctx, m) })
}

// say sends messages and then ends with the error.
func say(err error, messages ...wsource.Message) func(context.Context, *wsource.Socket) error {
	return func(ctx context.Context, s *wsource.Socket) error {
		for _, m := range messages {
			if err := s.Send(ctx, m); err != nil {
				return err
			}
		}
		return err
	}
}

// cat runs the program with an input and returns its output and exit status.
func cat(t *testing.T, input io.Reader, args ...string) (printed string, status int) {
	t.Helper()
	var out, notes strings.Builder
	err := run(t.Context(), args, terminal{in: input, out: &out, notes: &notes})
	return out.String() + notes.String(), statusOf(err)
}

func statusOf(err error) int {
	if exit, ok := errors.AsType[*program.ExitError](err); ok {
		return exit.Status
	}
	if err != nil {
		return exitUsage
	}
	return 0
}

// never is an input that does not end before the test.
func never(t *testing.T) io.Reader {
	t.Helper()
	r, w := io.Pipe()
	t.Cleanup(func() { _ = w.Close() })
	return r
}

func TestInAPipe(t *testing.T) {
	url := serve(t, wsource.AcceptOptions{Subprotocols: []string{"v2"}}, echo)
	printed, status := cat(t, strings.NewReader("one\n\nthree"), url)
	assert.Equal(t, "one\n\nthree\n", printed, "the answers arrive behind the end of the input")
	assert.Zero(t, status)

	printed, status = cat(t, strings.NewReader("one\ntwo\n"), "-n", "1", "-subprotocol", "v1,v2", url)
	assert.Equal(t, "one\nsubprotocol: v2\n", printed)
	assert.Zero(t, status)

	printed, status = cat(t, strings.NewReader("{\"a\":[1],\"b\":{}}\nno json\n"), "-json", url)
	assert.Equal(t, "{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}\nno json\n", printed)
	assert.Zero(t, status)

	printed, status = cat(t, strings.NewReader("\x00\xff\n\x01"), "-binary", url)
	assert.Equal(t, "\x00\xff\n\x01", printed)
	assert.Zero(t, status)
}

func TestStatuses(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, nobody.Close())
	page := httptest.NewServer(http.NotFoundHandler())
	defer page.Close()
	text := wsource.TextMessage("hello")
	for name, test := range map[string]struct {
		url  string
		args string
		want int
	}{
		"a normal end":           {serve(t, wsource.AcceptOptions{}, say(nil, text)), "", 0},
		"as many as wanted":      {serve(t, wsource.AcceptOptions{}, say(nil, text, text)), "-n 2", 0},
		"fewer than wanted":      {serve(t, wsource.AcceptOptions{}, say(nil, text)), "-n 2", exitAbnormal},
		"a code of failure":      {serve(t, wsource.AcceptOptions{}, say(&wsource.CloseError{Code: 4000, Reason: "no"})), "", exitAbnormal},
		"a broken connection":    {serve(t, wsource.AcceptOptions{}, func(_ context.Context, s *wsource.Socket) error { s.CloseNow(); return nil }), "", exitAbnormal},
		"nobody there":           {"ws://" + nobody.Addr().String(), "", exitConnect},
		"no WebSocket":           {page.URL, "", exitConnect},
		"silence":                {serve(t, wsource.AcceptOptions{}, echo), "-timeout 100ms", exitTimeout},
		"silence that is wanted": {serve(t, wsource.AcceptOptions{}, echo), "-duration 100ms", 0},
		"no URL":                 {"", "", exitUsage},
		"two URLs":               {"ws://a", "ws://b", exitUsage},
		"no URL of a WebSocket":  {"ftp://a", "", exitUsage},
		"a subprotocol's name":   {"ws://a", "-subprotocol a/b", exitUsage},
		"a header of the socket": {"ws://a", "-H Upgrade:x", exitUsage},
		"a bad header":           {"ws://a", "-H Name", exitUsage},
		"a bad count":            {"ws://a", "-n -1", exitUsage},
		"a bad time":             {"ws://a", "-timeout -1s", exitUsage},
		"an unknown flag":        {"ws://a", "-x", exitUsage},
		"two kinds of output":    {"ws://a", "-binary -json", exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			printed, status := cat(t, never(t), append(strings.Fields(test.args), strings.Fields(test.url)...)...)
			assert.Equal(t, test.want, status, printed)
		})
	}
}

// The output of -h has all that a user needs at a prompt: the flags, the URL, and each
// status.
func TestHelp(t *testing.T) {
	var out strings.Builder
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, terminal{out: &out}), flag.ErrHelp)
	printed := out.String()
	assert.Contains(t, printed, "behind the flags: the URL of a server")
	for code := range exitFile + 1 {
		assert.Regexp(t, fmt.Sprintf(`(?m)^  %d  \S`, code), printed)
	}
}

// failing is a file that cannot be used.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestFilesThatFail(t *testing.T) {
	errDisk := errors.New("disk full")
	url := serve(t, wsource.AcceptOptions{}, echo)
	for _, flag := range []string{"-binary=false", "-binary"} {
		err := run(t.Context(), []string{flag, url}, terminal{in: failing{errDisk}, out: io.Discard, notes: io.Discard})
		require.ErrorIs(t, err, errDisk)
		assert.Equal(t, exitFile, statusOf(err))
	}
	err := run(t.Context(), []string{url}, terminal{in: strings.NewReader("a\n"), out: failing{errDisk}, notes: io.Discard})
	require.ErrorIs(t, err, errDisk)
	assert.Equal(t, exitFile, statusOf(err))
}

// TestLinesThatAreNoMessages: a line that cannot be sent ends the program: it and those
// behind it are not left out.
func TestLinesThatAreNoMessages(t *testing.T) {
	url := serve(t, wsource.AcceptOptions{}, echo)
	for problem, input := range map[string]string{
		"line 1 is over 16 MiB":   strings.Repeat("x", maxLine+1),
		"line 2 is not UTF-8, as": "one\n\xff\nthree\n",
	} {
		err := run(t.Context(), []string{url}, terminal{in: strings.NewReader(input), out: io.Discard, notes: io.Discard})
		require.ErrorContains(t, err, "standard input: "+problem)
		assert.Equal(t, exitFile, statusOf(err))
	}
}

func TestHeaders(t *testing.T) {
	url := serve(t, wsource.AcceptOptions{}, func(ctx context.Context, s *wsource.Socket) error {
		h := s.Request().Header
		return s.Send(ctx, wsource.TextMessage(fmt.Sprint(h.Get("Authorization"), " ", h.Values("X-A"))))
	})
	printed, status := cat(t, never(t), "-H", "Authorization: Bearer a:b", "-H", "x-a:1", "-H", "X-A: 2", url)
	assert.Equal(t, "Bearer a:b [1 2]\n", printed)
	assert.Zero(t, status)
}

// A terminal's input is sent as it comes, and Ctrl-C is a normal end.
func TestInteractively(t *testing.T) {
	url := serve(t, wsource.AcceptOptions{}, echo)
	keys, typed := io.Pipe()
	defer typed.Close()
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		return run(ctx, []string{url}, terminal{in: keys, out: out, notes: out, screen: true})
	})
	for _, line := range []string{"one", "two \x1b[2J"} {
		_, err := io.WriteString(typed, line+"\n")
		require.NoError(t, err)
		p.Until(t, `(?m)^`+line[:3]+`.*\n`)
	}
	p.Stop()
	assert.Equal(t, "one\ntwo \uFFFD[2J\n", p.String(), "nothing commands the terminal")
}

func TestBinaryMessagesAreShown(t *testing.T) {
	url := serve(t, wsource.AcceptOptions{}, say(nil, wsource.BinaryMessage([]byte{0, 0xFF})))
	printed, _ := cat(t, never(t), url)
	assert.Equal(t, "binary 00ff\n", printed)
	start := time.Now()
	// No machine has that address.
	_, status := cat(t, never(t), "-timeout", "50ms", "ws://192.0.2.1")
	assert.Contains(t, []int{exitTimeout, exitConnect}, status)
	assert.Less(t, time.Since(start), connectTime)
}
