package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// beMonitor is the variable that makes the test binary the program itself.
const beMonitor = "RXSOCKET_TEST_BE_MONITOR"

func TestMain(m *testing.M) {
	if os.Getenv(beMonitor) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// screen is what a program has printed.
type screen struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed at the next change, if somebody waits for that
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return s.text.Write(p)
}

// until waits until the screen has what the expression matches, and returns the match of its first group.
func (s *screen) until(t *testing.T, expression string) string {
	t.Helper()
	wanted := regexp.MustCompile(expression)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		s.mu.Lock()
		text := s.text.String()
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if match := wanted.FindStringSubmatch(text); match != nil {
			return append(match, "")[1]
		}
		select {
		case <-changed:
		case <-ctx.Done():
			require.Regexp(t, wanted, text, "in vain")
		}
	}
}

// monitor is the program, running.
type monitor struct {
	screen
	addr string
	stop func() // what Ctrl-C does; waits for the end
}

// startMonitor runs the program until the test ends. live says that it is to take its output for a terminal.
func startMonitor(t *testing.T, live bool, args ...string) *monitor {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	m := new(monitor)
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, args, m, live) }()
	m.stop = sync.OnceFunc(func() {
		interrupt()
		assert.NoError(t, <-ended)
	})
	t.Cleanup(m.stop)
	m.addr = m.until(t, `^open http://(.*)/ in a browser; Ctrl-C stops\n`)
	return m
}

func TestRunPrintsLines(t *testing.T) {
	m := startMonitor(t, false, "-interval", "100ms", "-metrics", "heap,goroutines")
	m.until(t, `\d\d:\d\d:\d\d  watching heap, goroutines on .+ every 100ms\n`)
	m.until(t, `\d\d:\d\d:\d\d  heap objects [\d.]+ [KM]iB, goal [\d.]+ MiB \| goroutines \d+\n`)
}

func TestRunDrawsATableOnATerminal(t *testing.T) {
	m := startMonitor(t, true, "-interval", "100ms")
	m.until(t, `Goroutines\s.*live\s.*\s\d+  [▁▂▃▄▅▆▇█]+`)
	m.until(t, `\n`+regexp.QuoteMeta(below+wrap+cut)+`\x1b\[\d+A`) // goes up to draw again
}

func TestRunEndsByItself(t *testing.T) {
	start := time.Now()
	require.NoError(t, run(t.Context(), []string{"-duration", "300ms"}, io.Discard, false))
	assert.GreaterOrEqual(t, time.Since(start), 300*ms)
}

// program is the program as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], args...)
	command.Env = append(os.Environ(), beMonitor+"=1")
	return command
}

func TestProgramExits(t *testing.T) {
	require.NoError(t, program(t, "-duration", "300ms").Run(), "with 0 after its time")

	said, err := program(t, "-interval", "soon").CombinedOutput()
	var failed *exec.ExitError
	require.ErrorAs(t, err, &failed, "with 1 after a mistake")
	assert.Equal(t, 1, failed.ExitCode())
	assert.Contains(t, string(said), `monitor: invalid value "soon" for flag -interval`)
}

func TestProgramExitsWhenInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("one process cannot interrupt another here")
	}
	p := program(t)
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, p.Process.Signal(os.Interrupt))
	_, _ = io.Copy(io.Discard, out)
	require.NoError(t, p.Wait())
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
	require.NoError(t, run(t.Context(), []string{"-h"}, &out, false), "help is no mistake")
	assert.Contains(t, out.String(), "-metrics names")
}
