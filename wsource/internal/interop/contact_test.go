package interop_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// site is the server that peers dial. The path of a connection is the id.
type site struct {
	*httptest.Server
	mux *http.ServeMux

	mu    sync.Mutex
	posts map[int]post
}

// post has the options of a peer's connection, and takes its socket.
type post struct {
	options wsource.AcceptOptions
	sockets chan *wsource.Socket
}

// startSite starts a site until the test ends.
func startSite(t *testing.T) *site {
	t.Helper()
	s := &site{mux: http.NewServeMux(), posts: make(map[int]post)}
	s.mux.HandleFunc("GET /sockets/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id"))
		s.mu.Lock()
		p, ok := s.posts[id]
		s.mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		// Otherwise the peer hears the reason.
		if socket, err := wsource.Accept(w, r, &p.options); err == nil {
			p.sockets <- socket
		}
	})
	s.Server = httptest.NewServer(s.mux)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// await returns the sockets of the connections that come with the id.
func (s *site) await(id int, options wsource.AcceptOptions) <-chan *wsource.Socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := post{options, make(chan *wsource.Socket, 10)}
	s.posts[id] = p
	return p.sockets
}

// config is a scenario's set-up of its connections.
type config struct {
	protocols   []string // the client's, in its order of preference
	served      []string // the server's
	compression wsource.Compression
	deflate     map[string]any // the peer's compression; nil for none
	heartbeat   wsource.Heartbeat
}

// contact is the means of a scenario: both ends of connections between a peer and this
// side.
type contact struct {
	*testing.T
	*config
	ctx     context.Context // the scenario's
	process *process
	site    *site
	id      int
	side    side // the peer's side
	url     string
	sockets <-chan *wsource.Socket

	ours *wsource.Socket
	open event // the peer's word on its end
	// Round-trip times of pings from here, as far as there is room.
	beats chan time.Duration
}

// hook returns the hook that fills c.beats.
func (c *contact) hook() wsource.Hook {
	return wsource.HookFunc(func(e wsource.Event) {
		if e.Kind == wsource.EventHeartbeat {
			select {
			case c.beats <- e.RTT:
			default:
			}
		}
	})
}

// dialOptions are those of this side as the client.
func (c *contact) dialOptions() wsource.DialOptions {
	return wsource.DialOptions{
		Subprotocols: c.protocols, Compression: c.compression, Heartbeat: c.heartbeat, Hook: c.hook(),
	}
}

// prepare has the server listen: c.url, or c.sockets.
func (c *contact) prepare() {
	if c.side == server {
		c.tell(command{"do": "listen", "protocols": orNone(c.served), "deflate": c.deflate})
		c.url = fmt.Sprintf("ws://127.0.0.1:%d", c.take("listening").Port)
		return
	}
	c.url = "ws" + c.site.URL[len("http"):] + "/sockets/" + strconv.Itoa(c.id)
	c.sockets = c.site.await(c.id, wsource.AcceptOptions{
		Subprotocols: c.served, Compression: c.compression, Heartbeat: c.heartbeat, Hook: c.hook(),
	})
}

// connect makes a connection, and sets c.ours and c.open.
func (c *contact) connect() {
	if c.side == client {
		c.tell(command{"do": "dial", "url": c.url, "protocols": orNone(c.protocols), "deflate": c.deflate})
		c.open = c.take("open")
		c.accept()
		return
	}
	options := c.dialOptions()
	var err error
	c.ours, err = wsource.Dial(c.ctx, c.url, &options)
	require.NoError(c, err)
	c.Cleanup(c.ours.CloseNow)
	c.open = c.take("open")
}

// accept waits for a connection of the peer: c.ours.
func (c *contact) accept() {
	select {
	case c.ours = <-c.sockets:
		c.Cleanup(c.ours.CloseNow)
	case <-c.ctx.Done():
		require.Fail(c, "no connection comes")
	}
}

// orNone returns a list that is not null in JSON.
func orNone(list []string) []string { return append([]string{}, list...) }

// tell gives the peer a command.
func (c *contact) tell(what command) {
	what["id"] = c.id
	c.process.tell(c.T, what)
}

// take waits for the peer to tell of such an event.
func (c *contact) take(event string) event { return c.process.take(c.ctx, c.T, kind{c.id, event}) }

// A message of more than large bytes repeats its first unit bytes, so that commands and
// events need not hold all of it.
const (
	unit  = 1 << 12
	large = 1 << 16
)

// say has the peer send a message.
func (c *contact) say(m wsource.Message) {
	data, times := m.Data, 1
	if len(data) > large {
		data, times = data[:unit], len(data)/unit
		require.True(c, bytes.Equal(m.Data, bytes.Repeat(data, times)), "a large message repeats its beginning")
	}
	what := command{"do": "send", "type": "text", "data": string(data), "times": times}
	if m.Type == wsource.Binary {
		what["type"], what["data"] = "binary", base64.StdEncoding.EncodeToString(data)
	}
	c.tell(what)
}

// send sends the peer a message.
func (c *contact) send(m wsource.Message) {
	require.NoError(c, c.ours.Send(c.ctx, m))
}

// hears waits for the peer to tell of a message, and requires that it is this one.
func (c *contact) hears(m wsource.Message) {
	e := c.take("message")
	switch {
	case e.Size > large:
		require.Equal(c, crc32.ChecksumIEEE(m.Data), e.CRC32)
		require.Len(c, m.Data, e.Size)
	case e.Type == "binary":
		require.Equal(c, base64.StdEncoding.EncodeToString(m.Data), e.Data)
	default:
		require.Equal(c, m.String(), e.Data)
	}
	require.Equal(c, m.Type == wsource.Binary, e.Type == "binary")
}

// received waits for the next message of the peer.
func (c *contact) received() wsource.Message {
	m, err := observable.FirstValue(c.ctx, c.ours)
	require.NoError(c, err)
	return m
}

// meanwhile collects the next messages of the peer while the caller does something else.
func (c *contact) meanwhile(n int) (wait func() []wsource.Message) {
	var (
		got     []wsource.Message
		err     error
		running sync.WaitGroup
	)
	running.Go(func() { got, err = observable.Collect(c.ctx, operators.Take(c.ours, n)) })
	return func() []wsource.Message {
		running.Wait()
		require.NoError(c, err, "%d of %d have come", len(got), n)
		return got
	}
}

// exchange sends messages in each direction, and requires that they come as they were.
func (c *contact) exchange(messages ...wsource.Message) {
	received := c.meanwhile(len(messages))
	for _, m := range messages {
		c.say(m)
		c.send(m)
	}
	for i, got := range received() {
		c.same(messages[i], got)
		c.hears(messages[i])
	}
}

// same requires that a message has come as it was. Large ones are not shown.
func (c *contact) same(sent, got wsource.Message) {
	require.Equal(c, sent.Type, got.Type)
	require.Len(c, got.Data, len(sent.Data))
	if len(sent.Data) > 1000 {
		require.True(c, string(sent.Data) == string(got.Data), "the message has changed")
		return
	}
	require.Equal(c, string(sent.Data), string(got.Data))
}

// ended waits for the end of this side's socket, and returns the code and the reason.
func (c *contact) ended() (code wsource.StatusCode, reason string) {
	select {
	case <-c.ours.Done():
	case <-c.ctx.Done():
		require.Fail(c, "the socket is still open")
	}
	if c.ours.Err() == nil {
		return wsource.StatusNormalClosure, ""
	}
	var end *wsource.CloseError
	require.ErrorAs(c, c.ours.Err(), &end)
	return end.Code, end.Reason
}

// finish gives up the rest of a scenario, and checks that no message came but those that
// were waited for.
func (c *contact) finish() {
	if c.ours != nil {
		c.ours.CloseNow()
	}
	c.tell(command{"do": "forget"})
	assert.Empty(c, c.process.forget(c.id), "the peer has received more than was sent")
}
