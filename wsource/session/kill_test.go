package session

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

var kills = flag.Int("session.kills", 6, "how often TestKilled kills a process of a session")

// sideProcess is a side of sessions that can be killed.
type sideProcess struct {
	command *exec.Cmd
	input   io.Closer
	killed  bool
	read    sync.WaitGroup

	mu      sync.Mutex
	entries []entryOf
}

func startSide(t *testing.T, role, addr, name string) *sideProcess {
	t.Helper()
	p := &sideProcess{command: exec.Command(os.Args[0])} //nolint:noctx // it ends with its input
	p.command.Env = append(os.Environ(), beSide+"="+role, sideAddr+"="+addr, sideName+"="+name)
	p.command.Stderr = os.Stderr
	var err error
	p.input, err = p.command.StdinPipe()
	require.NoError(t, err)
	out, err := p.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	p.read.Go(func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var e entryOf
			// Otherwise it was killed in the middle of the line.
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				p.mu.Lock()
				p.entries = append(p.entries, e)
				p.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() { p.end(true) })
	return p
}

// end ends the process, or kills it, and waits for its output.
func (p *sideProcess) end(kill bool) {
	if p.command.ProcessState != nil {
		return
	}
	if p.killed = kill; kill {
		_ = p.command.Process.Kill() // it may be over
	}
	_ = p.input.Close() // likewise
	p.read.Wait()
	_ = p.command.Wait() // it was killed
}

// all returns the process's output.
func (p *sideProcess) all() []entryOf {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.entries)
}

// until waits until the process has printed some lines of a kind.
func (p *sideProcess) until(t *testing.T, n int, kind func(entryOf) bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		count := 0
		for _, e := range p.all() {
			if kind(e) {
				count++
			}
		}
		return count >= n
	}, time.Minute, time.Millisecond)
}

// history is the values that one side has sent in a session, or all of its sessions, and
// the events that it was told.
type history struct {
	sent    []string
	events  []told
	reports map[string]wsource.Outcome
	dead    bool // its process was killed
}

func (h *history) add(e entryOf) {
	switch {
	case e.Sends != "":
		h.sent = append(h.sent, e.Sends)
	case e.Got != "":
		h.events = append(h.events, told{value: e.Got})
	case e.Lost != "":
		h.reports[e.Lost] = *e.Outcome
	case e.Status != nil:
		h.events = append(h.events, told{status: e.Status})
	}
}

// owner returns the name that values begin with, "" if there are none.
func owner(events []told) string {
	for _, e := range events {
		if e.status == nil {
			return e.value[:strings.LastIndex(e.value, "-")]
		}
	}
	return ""
}

// judgeDead judges one direction. A sender that was killed tells nothing of the messages
// that it has lost at its end.
func judgeDead(t *testing.T, what string, sender *history, sessions ...[]told) figures {
	t.Helper()
	sent := sender.sent
	if sender.dead {
		heard := 0
		for _, events := range sessions {
			for _, e := range events {
				heard = max(heard, slices.Index(sent, e.value)+1)
			}
		}
		sent = sent[:heard]
		for v := range sender.reports {
			if !slices.Contains(sent, v) {
				delete(sender.reports, v)
			}
		}
	}
	return judge(t, what, sent, sender.reports, sessions...)
}

// TestKilled kills the processes of sessions, one or the other, while both send. The
// received values are judged by history: once, in order, without a gap in any session. A
// process that lives is told of all that are missing.
func TestKilled(t *testing.T) {
	server := startSide(t, "server", "127.0.0.1:0", "s0")
	server.until(t, 1, func(e entryOf) bool { return e.Addr != "" })
	addr := server.all()[0].Addr
	client := startSide(t, "client", addr, "c0")
	servers, clients := []*sideProcess{server}, []*sideProcess{client}
	got := func(e entryOf) bool { return e.Got != "" }
	for range *kills {
		client.until(t, 20, got)
		server.until(t, 20, got)
		time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond) // at any moment
		if rand.IntN(2) == 0 {
			server.end(true)
			server = startSide(t, "server", addr, fmt.Sprint("s", len(servers)))
			servers = append(servers, server)
		} else {
			client.end(true)
			client = startSide(t, "client", addr, fmt.Sprint("c", len(clients)))
			clients = append(clients, client)
		}
	}
	client.until(t, 20, got)
	server.until(t, 20, got)
	client.end(false)
	server.end(false)

	// The server's histories are of each session, the client's of each process.
	var atServer []*history
	byName := make(map[string]*history) // by the values sent
	for _, p := range servers {
		known := make(map[string]*history)
		for _, e := range p.all() {
			if e.Session == "" {
				continue
			}
			h := known[e.Session]
			if h == nil {
				h = &history{reports: make(map[string]wsource.Outcome), dead: p.killed}
				known[e.Session] = h
				atServer = append(atServer, h)
			}
			h.add(e)
			if e.Sends != "" {
				byName[e.Sends[:strings.LastIndex(e.Sends, "-")]] = h
			}
		}
	}
	var all figures
	heard := make(map[*history]bool)
	for i, p := range clients {
		h := &history{reports: make(map[string]wsource.Outcome), dead: p.killed}
		for _, e := range p.all() {
			h.add(e)
		}
		var sessions [][]told
		for _, s := range atServer {
			if owner(s.events) == fmt.Sprint("c", i) {
				sessions = append(sessions, s.events)
			}
		}
		all.add(judgeDead(t, fmt.Sprint("from client ", i), h, sessions...))
		for _, events := range splitFresh(h.events) {
			if s := byName[owner(events)]; s != nil && assert.False(t, heard[s]) {
				heard[s] = true
				all.add(judgeDead(t, "to client "+fmt.Sprint(i), s, events))
			}
		}
	}
	t.Logf("%d servers and %d clients; %v", len(servers), len(clients), &all)
}

// splitFresh splits a client's events into its sessions.
func splitFresh(events []told) (sessions [][]told) {
	for _, e := range events {
		if e.status != nil && e.status.Kind == Fresh || len(sessions) == 0 {
			sessions = append(sessions, nil)
		}
		last := len(sessions) - 1
		sessions[last] = append(sessions[last], e)
	}
	return sessions
}
