package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// patience bounds steps that should take no time.
const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start starts the program, and returns its address and a function that stops it.
func start(t *testing.T, url string) (addr string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"-nats", url, "-addr", "127.0.0.1:0"}, writer)
		_ = writer.Close()
	}()
	_, err := fmt.Fscanf(reader, "nodes is listening on %s\n", &addr)
	require.NoError(t, err)
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	return addr, func() error {
		cancel()
		return <-ended
	}
}

// Two nodes are one chat.
func TestNodes(t *testing.T) {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	})
	require.NoError(t, err)
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	require.True(t, s.ReadyForConnections(patience))
	one, stopOne := start(t, s.ClientURL())
	other, stopOther := start(t, s.ClientURL())

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ann, err := wsource.Dial(ctx, "ws://"+one+"/?name=ann", nil)
	require.NoError(t, err)
	bob, err := wsource.Dial(ctx, "ws://"+other+"/?name=bob", nil)
	require.NoError(t, err)
	type event = hub.Event[string, string, string]
	said := operators.Filter(
		operators.TryMap(bob, wsource.DecodeFunc(wsource.JSON[event, event]())),
		func(e event) bool { return e.Kind == hub.Said },
	)
	ann.Next(wsource.TextMessage("hello"))
	got, err := observable.FirstValue(ctx, said)
	require.NoError(t, err)
	assert.Equal(t, "ann: hello", got.Member+": "+got.Value)
	ann.Complete()
	bob.Complete()
	require.NoError(t, stopOne())
	require.NoError(t, stopOther())
}

// A problem with the command line is the program's error.
func TestWrong(t *testing.T) {
	var out strings.Builder
	require.ErrorContains(t, run(t.Context(), []string{"-nats", "nats://127.0.0.1:1"}, &out), "cannot connect to the server of -nats: nats: no servers available")
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, &out), flag.ErrHelp)
	assert.Contains(t, out.String(), "-nats URL")
}
