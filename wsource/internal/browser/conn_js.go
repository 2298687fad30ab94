package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall/js"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

var (
	// ErrNoWebSocket: the program does not run where there are WebSockets.
	ErrNoWebSocket = fmt.Errorf("there is no WebSocket in this JavaScript environment: %w", errors.ErrUnsupported)
	// ErrRefused: the browser does not let the page have the connection, as one by ws to
	// a page that came by https.
	ErrRefused = fmt.Errorf("the browser does not let this page have the connection: %w", errors.ErrUnsupported)
	// ErrNotOpened: the connection did not come about.
	ErrNotOpened = errors.New("the connection was not opened; a browser does not tell why")
	// ErrLost: the connection broke.
	ErrLost = errors.New("the connection was lost; a browser does not tell why")
)

// Conn is one live WebSocket of a browser. It is a [transport.Conn]. [Conn.Dial] makes
// one of the zero value.
type Conn struct {
	config   Config
	object   js.Value // the WebSocket
	array    js.Value // the class Uint8Array
	events   js.Func  // takes open, error and close
	data     js.Func  // takes message
	opened   chan error
	out      outbox
	in       inbox
	endCalls each.EndCalls

	mu        sync.Mutex
	listening bool // events are listened to
	state     conn.State
	closing   *transport.End // the end with which this side has begun to close
	// Closes when the browser has sent the messages before that close, or will not.
	closeSent chan struct{}
	closed    bool           // the browser was told to close
	timeout   *time.Timer    // ends a close handshake that takes too long
	forced    *transport.End // the end of the connection, also if another cause follows
	err       error          // the error that it has ended with, nil for a normal closure
	end       *transport.End // the end, a normal closure included
	done      chan struct{}  // closes when the connection is over
}

var _ transport.Conn = (*Conn)(nil)

// Config is the make of a [Conn]. There are no defaults.
type Config struct {
	ReadLimit    int64         // the most bytes of a message that arrives
	InboxLimit   int64         // the most bytes that wait to be delivered
	CloseTimeout time.Duration // bounds the closing handshake
	// The longest time in which the browser sends none of the bytes that it was given.
	WriteTimeout time.Duration
	Owner        conn.Owner
	Monitor      conn.Monitor // or nil
}

// Dial opens the connection, within the life of ctx. Then [Conn.Start] has to be called:
// until then, messages that arrive wait. After an error the Conn is of no use.
func (c *Conn) Dial(ctx context.Context, url string, subprotocols []string, config Config) error {
	c.config, c.done, c.opened = config, make(chan struct{}), make(chan error, 1)
	c.out.init(c)
	c.in.changed.L = &c.mu
	object, err := newWebSocket(url, subprotocols)
	if err != nil {
		return err
	}
	c.object, c.array = object, js.Global().Get("Uint8Array")
	c.listen()
	select {
	case err = <-c.opened:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		c.mu.Lock()
		c.state = conn.Closed
		c.drop()
		c.mu.Unlock()
	}
	return err
}

// Start begins to deliver the messages that arrive.
func (c *Conn) Start() { go c.deliverAll() }

// Subprotocol returns the subprotocol that was negotiated, or "".
func (c *Conn) Subprotocol() string { return c.object.Get("protocol").String() }

// Next sends a message, and blocks while there is no room for it. The Owner hears of a
// failure. If the data is borrowed, it is not used any more when Next has returned.
func (c *Conn) Next(binary bool, data []byte, borrowed bool) {
	if borrowed {
		data = bytes.Clone(data)
	}
	c.out.submit(context.Background(), outgoing{binary: binary, data: data}, transport.RoomWait)
}

// Send is that of [transport.Conn].
func (c *Conn) Send(ctx context.Context, item *transport.Item) {
	c.out.submit(ctx, outgoing{binary: item.Binary, data: item.Data, item: item}, item.Room)
}

// Withdraw is that of [transport.Conn].
func (c *Conn) Withdraw(item *transport.Item) bool { return c.out.withdraw(item) }

// Receive is that of [transport.Conn].
func (c *Conn) Receive(f func(binary bool, data []byte)) {
	c.in.sink.Store(&f)
	c.config.Owner.Notify()
}

// Receives reports whether a function was given to Receive.
func (c *Conn) Receives() bool { return c.in.sink.Load() != nil }

// Asks reports false: a browser sends no pings for a page.
func (c *Conn) Asks() bool { return false }

// Ask does nothing: see Asks.
func (c *Conn) Ask() (number uint64) { return 0 }

// OnAnswer does nothing: see Asks.
func (c *Conn) OnAnswer(func(number uint64, rtt time.Duration), func(number uint64)) {}

// Queued returns how many messages were taken and have not left the browser yet, and
// their size.
func (c *Conn) Queued() (messages, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.count, c.out.bytes
}

// RTT returns 0: see Asks.
func (c *Conn) RTT() time.Duration { return 0 }

// Done returns a channel that closes when the connection is over.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is that of [transport.Conn].
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// End returns how the connection has ended, a normal closure included; nil while it
// lives.
func (c *Conn) End() *transport.End {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// State returns where the connection is in its life. It is Open while messages are to be
// delivered that came before the peer closed.
func (c *Conn) State() conn.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}
