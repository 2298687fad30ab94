package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// wire is a listener some of whose connections lose the server's messages, and break.
type wire struct {
	net.Listener

	mu    sync.Mutex
	conns []*wired
}

// wired is a connection of a wire.
type wired struct {
	net.Conn

	mu   sync.Mutex
	deaf bool // whether the client gets nothing any more
}

func (w *wire) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &wired{Conn: conn}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
	return c, nil
}

func (c *wired) Write(p []byte) (int, error) {
	c.mu.Lock()
	deaf := c.deaf
	c.mu.Unlock()
	if deaf {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// deafen has all present clients get nothing more. They can speak until they are cut off.
func (w *wire) deafen() (cut func()) {
	w.mu.Lock()
	conns := w.conns
	w.conns = nil
	w.mu.Unlock()
	for _, c := range conns {
		c.mu.Lock()
		c.deaf = true
		c.mu.Unlock()
	}
	return func() {
		for _, c := range conns {
			_ = c.Close() // some are closed already
		}
	}
}

// startOn runs a server whose connections the test can break.
func startOn(t *testing.T) (url string, w *wire) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w = &wire{Listener: listener}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() {
		served <- newChat(map[string]string{"ann": "a", "bob": "b", "eve": "e", "eva": "e"}).serve(ctx, w)
	}()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-served)
	})
	return "http://" + listener.Addr().String(), w
}

// TestALineIsShownOnce breaks connections after the server has got a line, and before its
// sender knows. A terminal sends its line again, which the room has once. A page learns
// first that it need not.
func TestALineIsShownOnce(t *testing.T) {
	url, w := startOn(t)
	t.Run("of a terminal", func(t *testing.T) {
		ann := open(t, url, "ann:a")
		ann.until(t, "* in lobby: ann\n")
		cut := w.deafen()
		bob := open(t, url, "bob:b")
		bob.until(t, "* in lobby: ann, bob\n")
		eve := mustEnter(t, url, "eve", "e", "lobby") // she shows every line
		ann.write(t, "is it you?")
		first := eve.untilSaid("ann", "is it you?")
		cut()
		ann.untilTimes(t, "* in lobby: ", 2)
		ann.write(t, "it is me")
		next := eve.untilSaid("ann", "it is me")
		assert.Equal(t, first.Position.Offset+1, next.Position.Offset, "nothing was said between them")
		for _, client := range []*terminal{ann, bob} {
			client.until(t, " ann: it is me\n")
			assert.Equal(t, 1, client.times(" ann: is it you?\n"))
		}
	})
	t.Run("of a page", func(t *testing.T) {
		b := browsertest.Start(t, false)
		visit(b, url, "a")
		b.Until(live + " && " + shown("it is me"))
		assert.EqualValues(t, 1, b.Evaluate(lines("is it you?")), "of the past")
		cut := w.deafen()
		bob := open(t, url, "bob:b")
		say(b, "a page speaks")
		b.Until(shown("a page speaks"))
		bob.until(t, " ann: a page speaks\n")
		assert.Equal(t, true, b.Evaluate(waiting))
		cut()
		b.Until("!" + waiting)
		say(b, "it is the page")
		bob.until(t, " ann: it is the page\n")
		b.Until(lines("it is the page") + " === 1 && !" + waiting)
		assert.EqualValues(t, 1, b.Evaluate(lines("a page speaks")))
		assert.Equal(t, 1, bob.times(" ann: a page speaks\n"))
	})
}

// waiting is an expression: whether the page shows a line that has not come back yet.
const waiting = `(document.querySelector("#said .waiting") !== null)`

// lines is an expression: how many lines of the conversation have exactly this text.
func lines(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("#said .text")].filter(line => line.textContent === %q).length`, text)
}

// untilSaid waits until a member says something.
func (v *visitor) untilSaid(who, text string) event {
	v.t.Helper()
	for e := range v.events {
		if e.Kind == hub.Said && e.Member == who && e.Value.Text == text {
			return e
		}
	}
	v.t.Fatal("the connection is over")
	return event{}
}

// times returns how often the screen shows a text.
func (s *screen) times(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), text)
}
