package program_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/examples/internal/programtest"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// beProgram is the variable that makes the test binary a program. Its value is the
// program's name.
const beProgram = "RXSOCKET_TEST_BE_PROGRAM"

func TestMain(m *testing.M) {
	switch os.Getenv(beProgram) {
	case "":
		goleak.VerifyTestMain(m)
	case "stubborn": // ignores the end of its context
		program.Main("stubborn", func(ctx context.Context, _ []string) error {
			fmt.Println("begun")
			<-ctx.Done()
			fmt.Println("interrupted")
			select {}
		})
	case "exits":
		program.Main("exits", func(context.Context, []string) error {
			return fmt.Errorf("well: %w", &program.ExitError{Status: 3, Err: errors.New("abnormal")})
		})
	default:
		program.Main("echo", func(ctx context.Context, args []string) error { return run(ctx, args, os.Stdout) })
	}
}

// run is a program: an echo server.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := program.NewFlags("echo", "127.0.0.1:0")
	if err := flags.Parse(args, out); err != nil {
		return err
	}
	ctx, cancel := flags.Context(ctx)
	defer cancel()
	listener, err := flags.Listen(ctx, out, program.Browse)
	if err != nil {
		return err
	}
	return program.Serve(ctx, listener, echo())
}

func echo() program.Site {
	sockets := new(wsource.Server)
	return program.Site{Handler: sockets, Sockets: sockets, Work: func(ctx context.Context) error {
		return sockets.Answer(ctx, func(s *wsource.Socket) observable.Observable[wsource.Message] { return s })
	}}
}

// process is a program as a process of its own.
func process(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append(os.Environ(), beProgram+"="+name)
	return command
}

func TestMainExits(t *testing.T) {
	require.NoError(t, process(t, "echo", "-duration", "10ms").Run(), "with 0 after its time")
	help, err := process(t, "echo", "-h").Output()
	require.NoError(t, err, "with 0 after help")
	assert.Contains(t, string(help), "usage of echo:\n  -addr address")

	said, err := process(t, "echo", "now").CombinedOutput()
	failed, ok := errors.AsType[*exec.ExitError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, 1, failed.ExitCode())
	assert.Equal(t, "echo: unexpected argument \"now\"\n", string(said))

	said, err = process(t, "exits").CombinedOutput()
	failed, ok = errors.AsType[*exec.ExitError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, 3, failed.ExitCode())
	assert.Equal(t, "exits: well: abnormal\n", string(said))
}

func TestMainIsInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("one process cannot interrupt another here")
	}
	p := process(t, "stubborn")
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	assert.Equal(t, "begun", lines.Text())
	require.NoError(t, p.Process.Signal(os.Interrupt))
	require.True(t, lines.Scan())
	assert.Equal(t, "interrupted", lines.Text())
	// The process stops listening for signals a moment after its context ends: one of
	// them ends it.
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-ended:
				return
			default:
				_ = p.Process.Signal(os.Interrupt) // it may have ended
				runtime.Gosched()
			}
		}
	}()
	assert.False(t, lines.Scan())
	err = p.Wait()
	close(ended)
	require.Error(t, err)
}

func TestFlags(t *testing.T) {
	for args, wanted := range map[string]string{
		"now":            `unexpected argument "now"`,
		"-port 1":        "flag provided but not defined: -port (-h lists the flags)",
		"-duration -1s":  "-duration -1s is negative",
		"-duration long": `invalid value "long" for flag -duration`,
		"-addr nowhere":  "cannot listen on nowhere",
		"-duration 1ms":  "",
	} {
		err := run(t.Context(), strings.Fields(args), io.Discard)
		if wanted == "" {
			assert.NoError(t, err, args)
		} else {
			assert.ErrorContains(t, err, wanted, args)
		}
	}
	var out strings.Builder
	none := program.NewFlags("none", "")
	require.ErrorIs(t, none.Parse([]string{"-h"}, &out), flag.ErrHelp)
	assert.NotContains(t, out.String(), "-addr")
	require.NoError(t, none.ParseAll([]string{"-duration", "1s", "a", "b"}, &out))
	assert.Equal(t, []string{"a", "b"}, none.Args())
}

func TestServeDrains(t *testing.T) {
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error { return run(ctx, nil, out) })
	url := "ws://" + p.Addr()
	socket, err := wsource.Dial(t.Context(), url, nil)
	require.NoError(t, err, "the first handshake is not refused")
	_, err = wsource.Dial(t.Context(), url, &wsource.DialOptions{Host: "elsewhere.example"})
	var refused *wsource.HandshakeError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, http.StatusMisdirectedRequest, refused.Status)
	idle, err := net.Dial("tcp", p.Addr()) // as browsers do
	require.NoError(t, err)
	defer idle.Close()
	p.Stop()
	<-socket.Done()
	assert.Equal(t, wsource.StatusServiceRestart, wsource.CloseStatus(socket.Err()))
	assert.ErrorContains(t, socket.Err(), "retry-after=")
	_, err = wsource.Dial(t.Context(), url, nil)
	assert.ErrorContains(t, err, "refused")
}

// A site behind a proxy is reached by any name, and one with TLS by TLS.
func TestServeBehindAProxyAndWithTLS(t *testing.T) {
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	p := programtest.Start(t, func(ctx context.Context, out io.Writer) error {
		listener, err := program.NewFlags("echo", "127.0.0.1:0").Listen(ctx, out, program.Browse)
		if err != nil {
			return err
		}
		site := echo()
		site.AnyHost, site.TLS = true, &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
		return program.Serve(ctx, listener, site)
	})
	dial := &wsource.DialOptions{Host: "shop.example", Transport: certified.Client().Transport}
	socket, err := wsource.Dial(t.Context(), "wss://"+p.Addr(), dial)
	require.NoError(t, err)
	socket.Next(wsource.TextMessage("hello"))
	got, err := observable.FirstValue(t.Context(), socket)
	require.NoError(t, err)
	assert.Equal(t, "hello", got.String())
	_, err = wsource.Dial(t.Context(), "ws://"+p.Addr(), nil)
	require.Error(t, err, "without TLS")
	socket.CloseNow()
}

func TestServeEnds(t *testing.T) {
	errBroken := errors.New("broken")
	listen := func() net.Listener {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		return listener
	}

	failing := echo()
	failing.Work = func(context.Context) error { return errBroken }
	require.ErrorIs(t, program.Serve(t.Context(), listen(), failing), errBroken, "with its work")

	closed := listen()
	require.NoError(t, closed.Close())
	require.ErrorIs(t, program.Serve(t.Context(), closed, echo()), net.ErrClosed, "with its listener")

	over, cancel := context.WithCancel(t.Context())
	cancel()
	closing := echo()
	closing.Close = func(ctx context.Context) error {
		require.NoError(t, ctx.Err())
		return errBroken
	}
	require.ErrorIs(t, program.Serve(over, listen(), closing), errBroken, "with its context, and returns the failure of Close")

	listener := listen()
	later := echo()
	answer, asked := later.Work, make(chan struct{})
	// It takes sockets only after some time.
	later.Work = func(ctx context.Context) error {
		<-asked
		return answer(ctx)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- program.Serve(ctx, listener, later) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", listener.Addr())
	require.NoError(t, err)
	close(asked)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusUpgradeRequired, response.StatusCode, "not 503")
	stop()
	require.NoError(t, <-served)
}
