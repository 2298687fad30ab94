package interop_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// command is a command to a peer.
type command map[string]any

// event is an event that a peer tells.
type event struct {
	Event      string `json:"event"`
	ID         int    `json:"id"`
	Version    string `json:"version"`
	Port       int    `json:"port"`
	Protocol   string `json:"protocol"`
	Compressed bool   `json:"compressed"`
	Type       string `json:"type"`
	Data       string `json:"data"`
	Size       int    `json:"size"`
	CRC32      uint32 `json:"crc32"`
	Code       int    `json:"code"`
	Reason     string `json:"reason"`
	Error      string `json:"error"`
	Topic      string `json:"topic"`
	Value      int    `json:"value"`
	How        string `json:"how"`
}

// kind is the key by which events are looked for.
type kind struct {
	id    int
	event string
}

// process is a running peer.
type process struct {
	name  string
	input io.WriteCloser // takes commands

	mu      sync.Mutex
	events  map[kind][]event // events that were not taken yet
	err     error            // the reason why there will be no more
	changed chan struct{}    // closed at the next change
}

// attach returns the process that reads commands from input and writes events to output.
func attach(t *testing.T, name string, input io.WriteCloser, output io.Reader) *process {
	t.Helper()
	p := &process{name: name, input: input, events: make(map[kind][]event), changed: make(chan struct{})}
	over := make(chan struct{})
	go func() {
		defer close(over)
		lines := bufio.NewReaderSize(output, 1<<16)
		for {
			line, err := lines.ReadBytes('\n')
			var e event
			if err == nil {
				err = json.Unmarshal(line, &e)
			}
			if err != nil {
				p.put(e, fmt.Errorf("%s tells no more: %w", name, err))
				// Its own end is not to wait for this one.
				_, _ = io.Copy(io.Discard, lines)
				return
			}
			p.put(e, nil)
		}
	}()
	t.Cleanup(func() { <-over })
	return p
}

// put adds an event, or the reason why there will be no more.
func (p *process) put(e event, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.err = err
	} else {
		k := kind{e.ID, e.Event}
		p.events[k] = append(p.events[k], e)
	}
	close(p.changed)
	p.changed = make(chan struct{})
}

// look returns the next event of the kind, if it is there, and otherwise a channel that
// tells of a change. The end of the connection is an error, unless that is the kind.
func (p *process) look(k kind) (e event, ok bool, changed <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if list := p.events[k]; len(list) > 0 {
		p.events[k] = list[1:]
		return list[0], true, nil, nil
	}
	if failed := p.events[kind{k.id, "failed"}]; len(failed) > 0 && k.event != "close" {
		return event{}, false, nil, errors.New(failed[0].Error)
	}
	if closed := p.events[kind{k.id, "close"}]; len(closed) > 0 {
		return event{}, false, nil, fmt.Errorf("closed with %d, %q", closed[0].Code, closed[0].Reason)
	}
	return event{}, false, p.changed, p.err
}

// take waits for the next event of the kind.
func (p *process) take(ctx context.Context, t *testing.T, k kind) event {
	t.Helper()
	for {
		e, ok, changed, err := p.look(k)
		switch {
		case ok:
			return e
		case err != nil:
			require.NoError(t, err, "%s was to tell of %q", p.name, k.event)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			require.Fail(t, "nothing comes", "%s was to tell of %q", p.name, k.event)
		}
	}
}

// forget removes all events of the id, and returns the messages that were not taken.
func (p *process) forget(id int) (messages []event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	messages = p.events[kind{id, "message"}]
	for k := range p.events {
		if k.id == id {
			delete(p.events, k)
		}
	}
	return messages
}

// tell gives the process a command.
func (p *process) tell(t *testing.T, c command) {
	t.Helper()
	line, err := json.Marshal(c)
	require.NoError(t, err)
	_, err = p.input.Write(append(line, '\n'))
	require.NoError(t, err, "%s reads no commands", p.name)
}

// start runs a program as a peer until the test ends.
func start(t *testing.T, name string, program string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, program, args...)
	command.Dir = "peers"
	command.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	said := new(bytes.Buffer)
	command.Stderr = said
	input, err := command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() { // after the events' end
		_ = command.Wait() // it was told to end, one way or the other
		cancel()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, said)
		}
	})
	p := attach(t, name, input, output)
	t.Cleanup(func() {
		_ = input.Close() // a peer takes that for the end
		time.AfterFunc(patience, cancel)
	})
	return p
}
