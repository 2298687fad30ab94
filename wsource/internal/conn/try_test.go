package conn_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// narrow is a connection in memory that takes so many bytes without waiting. A write that
// waits does so until it is opened.
type narrow struct {
	net.Conn // a pipe, of which only this end is used

	mu     sync.Mutex
	room   int
	fails  bool  // a write of more than fits fails
	broken error // the error of a write that waits
	opened chan struct{}
	got    strings.Builder
}

func (n *narrow) TryWrite(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := min(len(p), n.room)
	n.room -= taken
	n.got.Write(p[:taken])
	if taken < len(p) && n.fails {
		return taken, errBroken
	}
	return taken, nil
}

func (n *narrow) Write(p []byte) (int, error) {
	<-n.opened
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broken != nil {
		return 0, n.broken
	}
	return n.got.Write(p)
}

func (n *narrow) written() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.got.String()
}

// openNarrow returns a connection over n.
func openNarrow(t *testing.T, n *narrow) (c *conn.Conn, o *owner) {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { _ = far.Close() })
	n.Conn = near
	c, o = new(conn.Conn), new(owner)
	c.Open(conn.NewStream(n, n), conn.Config{
		ReadLimit: 1 << 20, CloseTimeout: time.Second, WriteTimeout: time.Hour,
		Heartbeat: conn.Heartbeat{Off: true}, Owner: o,
	})
	c.Start()
	// The first message in a bubble does not count as lone, as the clock there is behind.
	n.opened = make(chan struct{})
	close(n.opened)
	c.Next(false, nil, false)
	time.Sleep(time.Millisecond)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.got.Reset()
	n.opened = make(chan struct{})
	return c, o
}

// heard returns the outcomes that an owner was told.
func (o *owner) heard() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.told, ", ")
}

// frames returns the frames of a server that are these texts.
func frames(texts ...string) string {
	var all strings.Builder
	for _, text := range texts {
		fmt.Fprintf(&all, "\x81%c%s", len(text), text)
	}
	return all.String()
}

// TestASenderThatCanBeCalledOffWritesWithoutWaiting sends items that the system takes in
// part: each is whole, in its place and told of once, whichever part it is.
func TestASenderThatCanBeCalledOffWritesWithoutWaiting(t *testing.T) {
	texts := []string{"one", "two", "three"}
	whole := frames(texts...)
	first := len(frames(texts[0]))
	for room := range len(whole) + 1 {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n := &narrow{room: room}
			c, o := openNarrow(t, n)
			for i, text := range texts {
				c.Send(ctx, &transport.Item{Data: []byte(text), Owner: o})
				if sent := len(frames(texts[:i+1]...)); sent <= room {
					require.Equal(t, sent, len(n.written()), "it is written when Send returns")
					require.Len(t, o.told, i+1)
				}
				time.Sleep(time.Millisecond)
			}
			synctest.Wait()
			assert.Equal(t, whole[:room], n.written(), "nobody waits for the rest")
			close(n.opened)
			synctest.Wait()
			assert.Equal(t, whole, n.written())
			assert.Equal(t, "one 0, two 0, thre 0", o.heard())
			messages, bytes := c.Queued()
			assert.Zero(t, messages+bytes)
			c.Send(ctx, &transport.Item{Data: []byte("four"), Owner: o})
			synctest.Wait()
			assert.Equal(t, frames("one", "two", "three", "four"), n.written(), "it goes on as before")
			c.Break(&transport.End{Code: 1006})
			synctest.Wait()
			assert.True(t, o.over)
		})
		synctest.Test(t, func(t *testing.T) { // and the rest is never taken
			n := &narrow{room: room}
			c, o := openNarrow(t, n)
			for _, text := range texts {
				c.Send(t.Context(), &transport.Item{Data: []byte(text), Owner: o})
				time.Sleep(time.Millisecond)
			}
			n.mu.Lock()
			n.broken = errBroken
			n.mu.Unlock()
			close(n.opened)
			synctest.Wait()
			var want []string
			start := 0
			for _, text := range texts {
				outcome := transport.Unknown
				switch end := start + len(frames(text)); {
				case end <= room:
					outcome = transport.Sent
				case start >= room:
					outcome = transport.Unsent
				}
				want = append(want, fmt.Sprint(text[:min(4, len(text))], " ", outcome))
				start += len(frames(text))
			}
			assert.Equal(t, strings.Join(want, ", "), o.heard(), room)
			c.Break(&transport.End{Code: 1006})
			synctest.Wait()
			assert.True(t, o.over)
		})
		synctest.Test(t, func(t *testing.T) { // and the attempt itself fails
			n := &narrow{room: min(room, first), fails: true}
			c, o := openNarrow(t, n)
			c.Send(t.Context(), &transport.Item{Data: []byte("one"), Owner: o})
			switch {
			case room == 0:
				assert.Equal(t, "one 2", o.heard())
			case room < first:
				assert.Equal(t, "one 3", o.heard())
			default:
				assert.Equal(t, "one 0", o.heard())
			}
			c.Break(&transport.End{Code: 1006})
			synctest.Wait()
			assert.True(t, o.over)
		})
	}
}

// TestAPartThatIsLeftIsNotInterrupted closes, pings and withdraws while a part of an item
// is left.
func TestAPartThatIsLeftIsNotInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &narrow{room: 3}
		c, o := openNarrow(t, n)
		item := &transport.Item{Data: []byte("one"), Owner: o}
		c.Send(t.Context(), item)
		assert.False(t, c.Withdraw(item), "some of it was written")
		other := &transport.Item{Data: []byte("two"), Owner: o}
		c.Send(t.Context(), other)
		assert.True(t, c.Withdraw(other))
		sent := c.Close(&transport.End{Code: 1000})
		synctest.Wait()
		assert.Equal(t, frames("one")[:3], n.written())
		close(n.opened)
		<-sent
		assert.Equal(t, frames("one")+"\x88\x02\x03\xe8", n.written())
		assert.Equal(t, "one 0", o.heard())
		c.Break(&transport.End{Code: 1006})
		synctest.Wait()
	})
}

// TestTriesOverTCP fills a TCP connection whose peer does not read: a sender writes the
// part that is taken and does not wait for more, and the peer gets all in order when it
// reads.
func TestTriesOverTCP(t *testing.T) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	defer listener.Close()
	far, err := net.DialTCP("tcp", nil, listener.Addr().(*net.TCPAddr))
	require.NoError(t, err)
	defer far.Close()
	near, err := listener.AcceptTCP()
	require.NoError(t, err)
	c, o := new(conn.Conn), new(owner)
	// As on a client, whose stream is a wrapper of the connection.
	c.Open(conn.NewStream(struct{ io.ReadWriteCloser }{near}, near), conn.Config{
		ReadLimit: 1 << 20, CloseTimeout: time.Second, WriteTimeout: time.Hour, Direct: true,
		Heartbeat: conn.Heartbeat{Off: true}, Owner: o,
	})
	c.Start()
	const size = 16 << 10
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	count := 0
	for { // the system keeps some megabytes
		c.Send(ctx, &transport.Item{Data: []byte(fmt.Sprintf("%0*d", size, count)), Owner: o})
		count++
		if o.count() < count {
			break
		}
	}
	for range 3 {
		c.Send(ctx, &transport.Item{Data: []byte(fmt.Sprintf("%0*d", size, count)), Owner: o})
		count++
	}
	got := make(chan []string)
	go func() { got <- messagesOf(t, far) }()
	<-c.Close(&transport.End{Code: 1000})
	messages := <-got
	require.Len(t, messages, count)
	for i, m := range messages {
		require.Equal(t, fmt.Sprintf("%0*d", size, i), m)
	}
	assert.Equal(t, count, o.count())
	require.NoError(t, far.Close())
	<-c.Done()
}

// count returns how many outcomes an owner was told.
func (o *owner) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.told)
}
