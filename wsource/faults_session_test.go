package wsource_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// kind is the kind of the two ends of a scripted session.
type kind string

const (
	sockets      kind = "sockets"              // a Socket on either side
	packed       kind = "compressed fragments" // compressed, every other one in fragments
	subjects     kind = "subjects"             // a Subject on either side, no policy
	reconnecting kind = "reconnecting subject" // as before, and the client's has one
)

var kinds = []kind{sockets, subjects, reconnecting}

// ofSockets reports whether the ends are sockets.
func (k kind) ofSockets() bool { return k == sockets || k == packed }

// compression returns the compression of the ends.
func (k kind) compression() wsource.Compression {
	if k == packed {
		return wsource.CompressStream
	}
	return wsource.NoCompression
}

// accept returns the options of a server for the kind.
func (k kind) accept() wsource.AcceptOptions {
	return wsource.AcceptOptions{Heartbeat: serverBeat, Compression: k.compression()}
}

// The heartbeats of the two sides. They differ, so that the client always sends the ping
// in a pause.
var (
	clientBeat = wsource.Heartbeat{Interval: 8 * time.Second, Timeout: 5 * time.Second}
	serverBeat = wsource.Heartbeat{Interval: 11 * time.Second, Timeout: 5 * time.Second}
)

// pause is the time in which the script does nothing. In two of them either side finds a
// dead peer.
const pause = 12 * time.Second

// The time limits of the client are shorter than other limits, as the server's for the
// header of a request.
const (
	handshakeTimeout = 9 * time.Second
	closeTimeout     = 4 * time.Second
)

// party is one end of a session, with its ways to send and to end.
type party struct {
	next     func(text string)
	send     func(ctx context.Context, text string) error
	complete func()
	leave    func()          // ends the subscription
	socket   *wsource.Socket // nil for the subject that dials
	received recorded
	t        *testing.T
}

// wait waits for the end of the party's stream and returns its error.
func (p *party) wait() error {
	p.t.Helper()
	return p.received.ExpectEnd(p.t)
}

// session is one run of the script.
type session struct {
	*site
	kind    kind
	client  *party
	failed  error // the dial's error; then there is no client
	subject *wsource.Subject[string, string]
	left    bool // the client has unsubscribed

	// repair makes the client's end notice the fault, and sends more after that.
	repair bool

	toServer, toClient *ledger
	posted             [2]int // the number of messages sent, by direction

	mu      sync.Mutex
	servers []*party // in the order of their acceptance
	over    chan struct{}
	done    chan struct{}
}

// newSession begins to accept.
func newSession(s *site, k kind) *session {
	c := &session{
		site: s, kind: k, toServer: newLedger(), toClient: newLedger(), over: make(chan struct{}), done: make(chan struct{}),
	}
	go func() {
		defer close(c.done)
		for {
			select {
			case socket := <-s.sockets:
				c.accept(socket)
			case <-c.over:
				return
			}
		}
	}()
	return c
}

// accept makes an end of an accepted socket.
func (c *session) accept(socket *wsource.Socket) {
	_, port, _ := net.SplitHostPort(socket.RemoteAddr().String())
	number, _ := strconv.Atoi(port)
	var p *party
	if c.kind.ofSockets() {
		p = ofSocket(c.t, socket, func(text string) { c.toServer.receive(number, text) }, c.toClient)
		p.pack(c.kind)
	} else {
		subject := wsource.WrapSocket(socket, wsource.TextCodec(), nil)
		p = ofSubject(c.t, subject, func(text string) { c.toServer.receive(number, text) }, c.toClient)
		p.socket = socket
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.servers = append(c.servers, p)
}

// server returns the server's latest end, or nil.
func (c *session) server() *party {
	if all := c.accepted(); len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}

// accepted returns the server's ends, in their order.
func (c *session) accepted() []*party {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.servers
}

func ofSocket(t *testing.T, socket *wsource.Socket, received func(string), sent *ledger) *party {
	t.Helper()
	got := observabletest.NewRecorder[wsource.Message]().OnNext(func(m wsource.Message) { received(m.String()) })
	undelivered := observabletest.NewRecorder[*wsource.SendError]().OnNext(sent.report)
	socket.Undelivered().Subscribe(context.Background(), undelivered)
	subscription := socket.Subscribe(context.Background(), got)
	return &party{
		next:     func(text string) { socket.Next(wsource.TextMessage(text)) },
		send:     func(ctx context.Context, text string) error { return socket.Send(ctx, wsource.TextMessage(text)) },
		complete: socket.Complete,
		leave:    subscription.Unsubscribe,
		socket:   socket,
		received: got,
		t:        t,
	}
}

// pack makes the party send in fragments, if the kind does.
func (p *party) pack(k kind) {
	if k != packed {
		return
	}
	p.send = func(ctx context.Context, text string) error {
		half := len(text) / 2
		r := io.MultiReader(strings.NewReader(text[:half]), strings.NewReader(text[half:]))
		err := p.socket.SendReader(ctx, wsource.Text, r)
		if se, ok := errors.AsType[*wsource.SendError](err); ok {
			se.Message = wsource.TextMessage(text) // for the ledger
		}
		return err
	}
}

func ofSubject(t *testing.T, subject *wsource.Subject[string, string], received func(string), sent *ledger) *party {
	t.Helper()
	got := observabletest.NewRecorder[string]().OnNext(received)
	undelivered := observabletest.NewRecorder[*wsource.SendError]().OnNext(sent.report)
	subject.Undelivered().Subscribe(context.Background(), undelivered)
	subscription := subject.Subscribe(context.Background(), got)
	return &party{
		next: subject.Next, send: subject.Send, complete: subject.Complete, leave: subscription.Unsubscribe,
		received: got, t: t,
	}
}

// dial makes the client's end, and reports whether there is one.
func (c *session) dial() bool {
	received := func(text string) { c.toClient.receive(0, text) }
	options := wsource.DialOptions{
		Heartbeat: clientBeat, HandshakeTimeout: handshakeTimeout, CloseTimeout: closeTimeout, Compression: c.kind.compression(),
	}
	if c.kind.ofSockets() {
		socket, err := wsource.Dial(context.Background(), address, c.options(&options))
		if err != nil {
			c.failed = err
			return false
		}
		c.client = ofSocket(c.t, socket, received, c.toServer)
		c.client.pack(c.kind)
		return true
	}
	config := &wsource.SubjectConfig[string]{Dial: options}
	if c.kind == reconnecting {
		config.Reconnect = &backoff.Config{Base: 100 * time.Millisecond, Max: time.Second}
	}
	c.subject = c.site.subject(config)
	c.client = ofSubject(c.t, c.subject, received, c.toServer)
	return true
}

// way returns the parts of one direction of a session.
func (c *session) way(direction wstest.Direction) (from *party, sent *ledger, count *int) {
	if direction == wstest.ToServer {
		return c.client, c.toServer, &c.posted[0]
	}
	return c.server(), c.toClient, &c.posted[1]
}

// post sends a message of each size, by Next and by Send in turn.
func (c *session) post(direction wstest.Direction, sizes ...int) {
	from, sent, count := c.way(direction)
	if from == nil {
		return // no client to send
	}
	for _, size := range sizes {
		if c.kind == packed {
			size += 150 // enough to be compressed
		}
		text := numbered(*count, size)
		*count++
		if *count%2 == 1 {
			from.next(text)
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if err, ok := errors.AsType[*wsource.SendError](from.send(ctx, text)); ok {
			sent.report(err)
		}
		cancel()
	}
}

// burst sends a message of each size by Next alone, so that they wait one behind the
// other.
func (c *session) burst(direction wstest.Direction, sizes ...int) {
	from, _, count := c.way(direction)
	for _, size := range sizes {
		from.next(numbered(*count, size))
		*count++
	}
}

// marks are the numbers of bytes that have passed, by direction, at the steps of a
// session.
type marks struct{ open, closing, end [2]int }

func (c *session) passed() (bytes [2]int) {
	if link := c.network.Link(1); link != nil {
		bytes = [2]int{link.Passed(wstest.ToServer), link.Passed(wstest.ToClient)}
	}
	return bytes
}

// run plays the script: a handshake, messages both ways, a pause with pings, more
// messages, and the client closes.
func (c *session) run() (m marks) {
	defer c.finish()
	if !c.dial() {
		return m
	}
	settle()
	m.open = c.passed()
	c.post(wstest.ToServer, 1, 126)
	c.post(wstest.ToClient, 126, 1)
	time.Sleep(pause)
	c.post(wstest.ToServer, 0, 2, 4)
	c.post(wstest.ToClient, 3, 1, 0)
	settle()
	if c.repair {
		time.Sleep(2 * pause)
		c.post(wstest.ToServer, 5, 5)
		c.post(wstest.ToClient, 5, 5)
		settle()
	}
	m.closing = c.passed()
	c.client.complete()
	_ = c.client.wait()
	settle()
	m.end = c.passed()
	return m
}

// finish waits for the server's ends, and audits the session.
func (c *session) finish() {
	time.Sleep(2 * pause)
	if c.subject != nil {
		c.subject.Discard() // the messages that wait for another subscriber
	}
	close(c.over)
	<-c.done
	settle()
	for i, p := range c.accepted() {
		if assertEnded(c.t, p.received, "server's end %d", i) {
			c.toClient.broken = c.toClient.broken || c.kind.ofSockets() && p.wait() != nil
		}
	}
	if c.client != nil && !c.left {
		assertEnded(c.t, c.client.received)
		c.toServer.broken = c.kind.ofSockets() && c.client.wait() != nil
		// A Socket whose peer closes does not know the messages that the peer has read
		// before. The peer's own end shows them.
		c.toClient.broken = c.toClient.broken || c.toServer.broken
	}
	assert.Empty(c.t, c.network.Links(), "connections are left")
	assert.Zero(c.t, c.site.server.Len())
}

// audit checks that no message was lost without a word, in either direction.
func (c *session) audit() {
	c.toServer.audit(c.t, c.posted[0])
	c.toClient.audit(c.t, c.posted[1])
}

// requireWhole requires that everything arrived and that all ended well.
func (c *session) requireWhole() {
	require.NoError(c.t, c.failed)
	require.NoError(c.t, c.client.wait())
	require.NoError(c.t, c.server().wait())
	c.audit()
	assert.Empty(c.t, c.toServer.reports)
	assert.Len(c.t, c.toServer.received[1], c.posted[0])
	// A Subject does not know the messages that a closing peer has read before; so the
	// server's may be in doubt, but none is missing.
	assert.Len(c.t, c.toClient.received[0], c.posted[1])
}
