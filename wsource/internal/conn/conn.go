package conn

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/each"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Conn is one live WebSocket connection, from the handshake to its end: it reads, sends,
// answers pings, watches the peer, and closes. It is a [transport.Conn]. [Conn.Open]
// makes one of the zero value.
type Conn struct {
	stream  Stream
	frames  *frame.Reader
	writer  Writer
	queue   queue
	heart   heart
	owner   Owner
	monitor Monitor // or nil

	readLimit    int64
	streamLimit  int64
	closeTimeout time.Duration

	arrivals *arrivals // nil without a bound
	// controlReceived, once a message needed it.
	control func(h frame.Header, payload []byte) error
	sink    atomic.Pointer[func(binary bool, data []byte)]
	epoch   atomic.Int64 // tells the goroutine that reads: see read.go
	// Counts the readers, one after the other; fills a gap of the next field.
	readers    atomic.Uint32
	discarding atomic.Bool // messages that still arrive are dropped
	// The message that a subscriber has; belongs to the reading goroutine.
	lent *Incoming

	watched  watched // the Pool's note
	endCalls each.EndCalls

	mu      sync.Mutex
	state   State
	closing *transport.End // the end whose close frame this side has sent first
	// Closes when that frame was handed to the operating system, or will not be.
	closeSent chan struct{}
	forced    *transport.End // the end of the connection, also if another cause follows
	// The error that it has ended with, nil for a normal closure.
	err        error
	end        *transport.End // the end, a normal closure included
	unwritable *unwritable    // set once the connection cannot be written to any more
	done       chan struct{}  // closes when the connection is over; made on demand
	isDone     bool           // done is closed, or would be if it were made
}

// unwritable is a connection that cannot be written to any more.
type unwritable struct {
	cause error
	grace *time.Timer // ends the connection
}

// State is where a connection is in its life.
type State uint8

// The states.
const (
	Open    State = iota // messages go both ways
	Closing              // the close handshake goes on
	Closed               // the connection is over
)

// Config is the make of a [Conn]. The zero values of the times are no defaults.
type Config struct {
	Frames    frame.Config
	Direct    bool  // data for the Stream goes to its connection as it is
	Pool      *Pool // writes; nil for a Pool of the Conn's own
	ReadLimit int64 // the most bytes of a message that is read whole
	// The most bytes of a message that is read while it comes; 0 for ReadLimit, and see
	// [Owner].
	StreamLimit  int64
	CloseTimeout time.Duration
	// The longest time in which the peer takes none of the bytes that are being written.
	WriteTimeout time.Duration
	Heartbeat    Heartbeat
	Arrivals     Arrivals
	// The most messages that wait to be sent before senders block; 0 for MaxMessages.
	MaxMessages int
	MaxBytes    int // likewise the bytes; 0 for MaxBytes
	Owner       Owner
	Monitor     Monitor // or nil
}

// Owner is the owner of a connection. It takes the messages that arrive, unless a
// function is given to [Conn.Receive], and hears how the connection ends.
type Owner interface {
	// Demand reports whether a taker of messages is there, and in what form it wants
	// them. If none is, and there is a StreamLimit, a message that begins waits for one
	// with no more than its beginning read.
	Demand() Demand
	// Await returns when ready reports true, or done is closed. Ready is asked again
	// after Notify, and whenever the Demand has changed.
	Await(ready func() bool, done <-chan struct{})
	// Notify has Await ask again.
	Notify()
	// Message offers a message, and reports whether it was taken. If the data is not
	// owned, its memory is used again when Message has returned.
	Message(binary bool, data []byte, owned bool) (taken bool)
	// Reader offers a message that is used until Reader returns, and reports whether it
	// was taken.
	Reader(m *Incoming) (taken bool)

	// Undelivered is told of each message that [Conn.Next] took and that was not sent.
	Undelivered(binary bool, data []byte, outcome transport.Outcome, err error)
	// Failure returns the error that an end is to users.
	Failure(end *transport.End) error
	// Ending is called when the connection is over, right before Done closes.
	Ending(err error)
	// Ended is called when the connection is over and the outcome of all queued messages
	// was told.
	Ended(end *transport.End, err error)
	// Over is called when no further outcome will be told.
	Over()
}

// Demand is the form in which a message is wanted.
type Demand uint8

// The forms.
const (
	DemandNone     Demand = iota // nobody is there
	DemandReader                 // to be read while it comes
	DemandOwned                  // with data to keep
	DemandBorrowed               // with data whose memory is used again after
)

// Monitor watches a connection: for logs and counts.
type Monitor interface {
	// Received hears of a message that has come in so many frames.
	Received(frames, bytes int)
	// OverRate hears of a message that has come sooner than it may.
	OverRate(bytes int)
	// Sent hears of messages that were handed to the operating system together.
	Sent(messages, frames, bytes, queued int)
	// RoundTrip hears of a round-trip time.
	RoundTrip(rtt time.Duration)
}

// Tracer is a Monitor that also sees the messages' data, whose memory is used again when
// Trace has returned. Messages in fragments are left out, and so are those that a reader
// takes piece by piece.
type Tracer interface {
	// Trace hears of a message that was handed to the operating system, or has come.
	Trace(sent, binary bool, data []byte)
}

// Open makes c the connection over a stream. Then [Conn.Start] has to be called.
func (c *Conn) Open(stream Stream, config Config) {
	c.stream, c.owner, c.monitor = stream, config.Owner, config.Monitor
	c.frames = frame.NewReader(lazy(&c.stream), config.Frames)
	c.writer.init(&c.stream, config.Frames.Client, config.Frames.Params)
	c.writer.tries = stream.triable(config.Direct)
	c.readLimit, c.streamLimit, c.closeTimeout = config.ReadLimit, config.StreamLimit, config.CloseTimeout
	c.queue.init(c, config)
	c.boundArrivals(config.Arrivals)
	c.heart.init(c, config.Heartbeat, config.WriteTimeout)
	c.queue.pool.heldUp.add(c)
}

// Start begins to read, and to watch the peer.
func (c *Conn) Start() {
	c.heart.start()
	c.arrivals.start()
	go c.read(nil)
}

// Next sends a message, and blocks while there is no room for it. The Owner hears of a
// failure. If the data is borrowed, it is not used any more when Next has returned.
func (c *Conn) Next(binary bool, data []byte, borrowed bool) { c.queue.next(binary, data, borrowed) }

// Send is that of [transport.Conn].
func (c *Conn) Send(ctx context.Context, item *transport.Item) { c.queue.send(ctx, item) }

// Feed is that of [transport.Feeder].
func (c *Conn) Feed(
	item *transport.Item, binary bool, data []byte, packer transport.Packer, room transport.Room, writes bool,
) transport.Fed {
	return c.queue.feed(outgoing{binary: binary, data: data, packer: packer, item: item}, room, writes)
}

// Flush is that of [transport.Feeder].
func (c *Conn) Flush() { c.queue.writeLone() }

// Waiting is that of [transport.Feeder].
func (c *Conn) Waiting(item *transport.Item) int { return c.queue.fed(item) }

// TakeBack is that of [transport.Feeder].
func (c *Conn) TakeBack(item *transport.Item, behind int) bool { return c.queue.takeBack(item, behind) }

// Withdraw is that of [transport.Conn].
func (c *Conn) Withdraw(item *transport.Item) bool { return c.queue.withdraw(item) }

// SendFailure returns the error with which a write has failed before the connection was
// over, or nil.
func (c *Conn) SendFailure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unwritable == nil {
		return nil
	}
	return c.unwritable.cause
}

// Receive is that of [transport.Conn].
func (c *Conn) Receive(f func(binary bool, data []byte)) {
	c.sink.Store(&f)
	c.owner.Notify()
}

// Receives reports whether a function was given to Receive.
func (c *Conn) Receives() bool { return c.sink.Load() != nil }

// Asks is that of [transport.Conn].
func (c *Conn) Asks() bool { return c.heart.beats() }

// Ask is that of [transport.Conn].
func (c *Conn) Ask() (number uint64) { return c.heart.ask() }

// OnAnswer is that of [transport.Conn].
func (c *Conn) OnAnswer(answered func(number uint64, rtt time.Duration), last func(number uint64)) {
	c.heart.onAnswer(answered, last)
}

// RTT returns the round-trip time of the last ping that was measured, or 0 before the
// first.
func (c *Conn) RTT() time.Duration { return c.heart.roundTrip() }

// Queued returns how many messages were taken and not written yet, and their size.
func (c *Conn) Queued() (messages, bytes int) { return c.queue.size() }

// Done returns a channel that closes when the connection is over.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.isDone {
			close(c.done)
		}
	}
	return c.done
}

// Err is that of [transport.Conn].
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// overCause returns the error that keeps messages from being sent on a connection that is
// over, and nil while it is not.
func (c *Conn) overCause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state != Closed:
		return nil
	case c.err != nil:
		return c.err
	}
	return transport.ErrClosed
}

// End returns how the connection has ended, a normal closure included; nil while it
// lives.
func (c *Conn) End() *transport.End {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// State returns where the connection is in its life.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}
