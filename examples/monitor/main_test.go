package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/programtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startMonitor runs the program until the test ends. live has it take its output for a
// terminal.
func startMonitor(t *testing.T, live bool, args ...string) *programtest.Program {
	t.Helper()
	return programtest.Start(t, func(ctx context.Context, out io.Writer) error { return run(ctx, args, out, live) })
}

func TestRunPrintsLines(t *testing.T) {
	m := startMonitor(t, false, "-interval", "100ms", "-metrics", "heap,goroutines")
	m.Until(t, `\d\d:\d\d:\d\d  watching heap, goroutines on .+ every 100ms\n`)
	m.Until(t, `\d\d:\d\d:\d\d  heap objects [\d.]+ [KM]iB, goal [\d.]+ MiB \| goroutines \d+\n`)
}

func TestRunDrawsATableOnATerminal(t *testing.T) {
	m := startMonitor(t, true, "-interval", "100ms")
	m.Until(t, `Goroutines\s.*live\s.*\s\d+  [▁▂▃▄▅▆▇█]+`)
	// Goes up to draw again.
	m.Until(t, `\n`+regexp.QuoteMeta(below+wrap+cut)+`\x1b\[\d+A`)
}

func TestRunEndsByItself(t *testing.T) {
	start := time.Now()
	require.NoError(t, run(t.Context(), []string{"-duration", "300ms"}, io.Discard, false))
	assert.GreaterOrEqual(t, time.Since(start), 300*ms)
}

func TestMistakesAreNamed(t *testing.T) {
	busy, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"stray argument":    {[]string{"now"}, `unexpected argument "now"`},
		"unknown flag":      {[]string{"-port", "1"}, "flag provided but not defined: -port (-h lists the flags)"},
		"port in use":       {[]string{"-addr", busy.Addr().String()}, "cannot listen on " + busy.Addr().String()},
		"no address":        {[]string{"-addr", "nowhere"}, "cannot listen on nowhere"},
		"no duration":       {[]string{"-duration", "long"}, `invalid value "long" for flag -duration`},
		"negative duration": {[]string{"-duration", "-1s"}, "-duration -1s is negative"},
		"interval too long": {[]string{"-interval", "1h"}, "interval 1h0m0s is not between 100ms and 1m0s"},
		"unknown metric":    {[]string{"-metrics", "heap,disk"}, `there is no metric "disk"; there are`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, run(t.Context(), test.args, io.Discard, false), test.want)
		})
	}
	var out bytes.Buffer
	require.ErrorIs(t, run(t.Context(), []string{"-h"}, &out, false), flag.ErrHelp)
	assert.Contains(t, out.String(), "-metrics names")
}
