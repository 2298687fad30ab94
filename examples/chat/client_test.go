package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// screen is the text that a terminal shows.
type screen struct {
	mu      sync.Mutex
	text    strings.Builder
	changed chan struct{} // closed at the next change
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return s.text.Write(p)
}

// until waits until the screen shows a text.
func (s *screen) until(t *testing.T, wanted string) {
	t.Helper()
	s.untilTimes(t, wanted, 1)
}

// untilTimes waits until the screen shows a text that often.
func (s *screen) untilTimes(t *testing.T, wanted string, times int) {
	t.Helper()
	timeout := time.After(patience)
	for {
		s.mu.Lock()
		text, changed := s.text.String(), s.changed
		s.mu.Unlock()
		if strings.Count(text, wanted) >= times {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			require.GreaterOrEqual(t, strings.Count(text, wanted), times, "%q in %q", wanted, text)
		}
	}
}

// terminal is a client in a terminal, running.
type terminal struct {
	*screen
	keyboard io.WriteCloser
	ended    chan error
}

// open runs a client.
func open(t *testing.T, url, as string) *terminal {
	t.Helper()
	in, keyboard := io.Pipe()
	client := &terminal{&screen{changed: make(chan struct{})}, keyboard, make(chan error, 1)}
	ctx, stop := context.WithCancel(context.Background())
	go func() { client.ended <- run(ctx, []string{"-connect", url, "-as", as}, in, client) }()
	t.Cleanup(func() {
		stop()
		_ = keyboard.Close()
	})
	return client
}

func (c *terminal) write(t *testing.T, line string) {
	t.Helper()
	_, err := fmt.Fprintln(c.keyboard, line)
	require.NoError(t, err)
}

// TestTerminals has two clients talk, in private too, across a restart of the server.
func TestTerminals(t *testing.T) {
	url, interrupt := start(t, "127.0.0.1:0")
	ann := open(t, url, "ann:a")
	ann.until(t, "* in lobby: ann\n")
	bob := open(t, url, "bob:b")
	ann.until(t, "* bob has come\n")
	bob.write(t, "hello")
	ann.until(t, " bob: hello\n")
	ann.write(t, "  /tell bob  pssst, you\x1b[31m")
	// A control character does not command the terminal.
	bob.until(t, " ann to bob: pssst, you\uFFFD[31m\n")

	ann.write(t, "/tell eve are you there?")
	ann.until(t, "* not told, as eve is not here: are you there?\n")

	interrupt()
	ann.untilTimes(t, "* no connection, next attempt in ", 2) // one attempt has failed
	ann.until(t, "connection refused\n")
	ann.write(t, "is anybody there?") // it waits
	start(t, strings.TrimPrefix(url, "http://"))
	ann.until(t, "* something may be missing here\n")
	bob.until(t, " ann: is anybody there?\n")

	bob.write(t, "bye")
	require.NoError(t, bob.keyboard.Close())
	require.NoError(t, <-bob.ended)
	ann.until(t, " bob: bye\n") // the last line has arrived
}

func TestATerminalThatMayNotCome(t *testing.T) {
	url, _ := start(t, "127.0.0.1:0")
	require.ErrorContains(t, <-open(t, url, "ann:wrong").ended, "cannot log in as ann: 401 Unauthorized")
	// Another attempt would mend none of these.
	for _, wrong := range []string{"http://\x7f", "ftp://127.0.0.1:1", "127.0.0.1:1"} {
		assert.ErrorContains(t, <-open(t, wrong, "ann:a").ended, "-connect: ")
	}
	assert.ErrorContains(t, <-open(t, url, "ann").ended, "-as: ")
	assert.ErrorContains(t, run(t.Context(), []string{"-connect", url, "-room", "a room"}, strings.NewReader(""), io.Discard), "-room: ")
}

// TestWhatATerminalDoesNotSend: a line that the server would not take ends nothing, and a
// slip does not say private text to all.
func TestWhatATerminalDoesNotSend(t *testing.T) {
	url, _ := start(t, "127.0.0.1:0")
	ann := open(t, url, "ann:a")
	ann.write(t, strings.Repeat("x", maxText+1))
	ann.until(t, "* not sent: a line has at most 1000 characters\n")
	for i, line := range []string{"/tell", "/tell bob", "/tel bob psst"} {
		ann.write(t, line)
		ann.untilTimes(t, "* not sent: to tell somebody something: /tell NAME TEXT\n", i+1)
	}
	longest := strings.Repeat("<", maxText) // JSON makes it six times as long
	ann.write(t, longest)
	ann.until(t, " ann: "+longest+"\n")
}
