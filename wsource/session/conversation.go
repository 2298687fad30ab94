package session

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// endTimeout is how long the peer may take to close the connection when it was told the
// end and has acknowledged all messages before it.
const endTimeout = 5 * time.Second

// conversation is one session on one side, without the types of its values. It is the
// carrier of a Subject's messages (see transport.Conn), over one [link] after the other.
//
// A message of the peer's is delivered by the goroutine that reads it, if nothing stands
// before it. Otherwise it waits in the inbox, which the peer's window bounds, and the
// reader reads on. The goroutine that delivers also tells the status, so that a gap is
// told before the messages behind it.
type conversation struct {
	outbox Outbox
	status func(Status) // hears the statuses of the session
	// Called when the connection has ended, and the session waits for another.
	broken func(c *conversation, err error)
	gone   func(c *conversation) // called when the session is over

	mu      sync.Mutex // never held while user code or the Subject's code runs
	changed sync.Cond  // signals room in the outbox, or the end
	link    *link      // the connection, if there is one
	number  int        // the number of connections so far
	// A client's token to resume with; "" if there is no session yet.
	token      string
	ttl        time.Duration
	expiry     *time.Timer // ends a session without a connection
	over       bool
	endTold    bool  // the end was told as a status
	err        error // the error that it has ended with
	endCalls   each.EndCalls
	context    context.Context // ends with the session
	endContext context.CancelFunc

	// The fields for messages that are sent.
	out     kept
	waiters int // the senders that wait for room
	aging   *time.Timer
	marks   [8]uint64 // the last position at each of the latest eighths of Outbox.Age
	// The end with which this side has begun to end the session.
	ending *transport.End
	ended  chan struct{} // closes when the peer was told the end, or will not be
	asked  uint64        // the number that Ask has returned and that was not answered
	answer func(number uint64, rtt time.Duration)
	last   func(number uint64)

	// The fields for messages that are received.
	deliver func(binary bool, data []byte)
	turn    turn // held by the goroutine that delivers, or tells the status
	// The link whose reader has the turn, or had it last; nil if it has been replaced.
	inline *link
	// The Subject's session before this one, while it may still deliver.
	before     *conversation
	after      *conversation // the session after this one
	received   uint64
	inbox      []incoming
	inboxBytes int
	news       []Status
	told       uint64 // the last position that the peer knows to be received
	toldBytes  int    // the bytes of the messages since
	askedFor   uint64 // the last position that the peer has asked about
	ackTimer   *time.Timer
	acking     bool // the timer runs
	// The end with which the peer ends the session, behind the messages in the inbox.
	peerEnd *transport.End
	closing bool // the connection is being closed for that end

	// The fields for a session that is handed on to another server.
	leaving bool // nothing comes in or goes out any more; sends are still taken
	sealed  bool // the record is taken, and no sends are
	// Closes when no message is being delivered; nil before the session leaves.
	quiet chan struct{}
}

// incoming is a message that waits to be delivered.
type incoming struct {
	position uint64
	binary   bool
	data     []byte
}

func newConversation(outbox Outbox) *conversation {
	c := &conversation{outbox: outbox.withDefaults()}
	c.changed.L = &c.mu
	c.out.first = 1
	c.context, c.endContext = context.WithCancel(context.Background())
	return c
}

// attach makes l the session's connection; its peer has received so many messages. It
// returns the connection that l takes the place of; mu is held.
func (c *conversation) attach(l *link, received uint64) (lost Range, old *link, told verdicts, ok bool) {
	lost, told, ok = c.out.resume(received)
	if !ok {
		return lost, nil, nil, false
	}
	old = c.link
	c.link, l.c = l, c
	c.number++
	l.number, l.sent = c.number, c.out.handed
	c.inbox, c.inboxBytes = nil, 0 // the peer sends it again
	c.told, c.toldBytes, c.askedFor = c.received, 0, 0
	c.peerEnd, c.closing = nil, false
	if c.expiry != nil {
		c.expiry.Stop()
	}
	c.changed.Broadcast()
	return lost, old, told, true
}

// open lets messages of the application come in by the connection. Next is the position
// of the first. It returns the positions that are lost; mu is held.
func (c *conversation) open(l *link, next uint64) (lost Range) {
	if next > c.received+1 {
		lost = Range{From: c.received + 1, To: next - 1}
		c.received = next - 1
		c.told = c.received
	}
	l.position, l.in = next-1, true
	return lost
}

// tell lets the status be told, before the next message is delivered; mu is held.
func (c *conversation) tell(s Status) {
	s.Connection = c.number
	c.news = append(c.news, s)
	c.wake()
}

// wake has a goroutine deliver the messages and statuses that wait, unless one does; mu
// is held.
func (c *conversation) wake() {
	waits := len(c.news) > 0 || len(c.inbox) > 0 && c.deliver != nil || len(c.inbox) == 0 && c.peerEnd != nil
	if waits && !c.turn.held() && !c.waitsTurn() {
		c.turn.take(true)
		c.inline = nil
		go c.drain()
	}
}

// began returns the status of a connection that has begun.
func began(l *link, fresh, replaced bool, in, out Range) Status {
	s := Status{Kind: Recovered, Replaced: replaced, LostIn: in, LostOut: out, Socket: l.socket}
	switch {
	case fresh:
		s.Kind = Fresh
	case in.From != 0 || out.From != 0:
		s.Kind = Gap
	}
	return s
}

// linkOver ends the use of a connection that is over.
func (c *conversation) linkOver(l *link) {
	err := l.conn.Err()
	c.mu.Lock()
	if c.link != l || c.over {
		c.mu.Unlock()
		return
	}
	c.link = nil
	c.stopAcks()
	switch {
	case c.closing: // the peer had told the end
		end := c.peerEnd
		c.mu.Unlock()
		c.finish(endError(end))
		return
	case l.endSent && (wsource.CloseStatus(err) == wsource.StatusCode(c.ending.Code)):
		end := c.ending
		c.mu.Unlock()
		c.finish(endError(end))
		return
	}
	c.peerEnd = nil
	c.tell(Status{Kind: Waiting, Err: err})
	c.startExpiry(err)
	c.mu.Unlock()
	c.broken(c, err)
}

// startExpiry ends the session unless a connection comes in time; mu is held. Err is the
// reason why there is none.
func (c *conversation) startExpiry(err error) {
	if c.ttl > 0 && !c.over {
		c.expiry = time.AfterFunc(c.ttl, func() { c.expire(err) })
	}
}

// expire ends a session for which no connection has come in time.
func (c *conversation) expire(err error) {
	c.mu.Lock()
	if c.link != nil || c.over {
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	c.finishAs(Expired, &ExpiredError{Err: err})
}

// endError returns an end as an error, nil if it is a normal closure.
func endError(end *transport.End) error {
	if wsource.StatusCode(end.Code) == wsource.StatusNormalClosure {
		return nil
	}
	return &wsource.CloseError{Code: wsource.StatusCode(end.Code), Reason: end.Reason, Err: end.Err}
}

// finishAs is finish with a status.
func (c *conversation) finishAs(kind Kind, err error) {
	c.mu.Lock()
	if !c.over {
		c.endTold = true
		c.tell(Status{Kind: kind, Err: err})
	}
	c.mu.Unlock()
	c.finish(err)
}

// finish ends the session, and its connection.
func (c *conversation) finish(err error) {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	c.over, c.err = true, err
	l := c.link
	c.link = nil
	c.stopAcks()
	for _, timer := range []*time.Timer{c.expiry, c.aging} {
		if timer != nil {
			timer.Stop()
		}
	}
	cause := err
	if cause == nil {
		cause = transport.ErrClosed
	}
	last, answer, number := c.last, c.answer, c.out.acked
	if number < c.out.told {
		last = nil // it does not count all messages that the Subject has sent
	}
	told := c.out.end(cause)
	c.inbox = nil
	callEnd := c.endCalls.End()
	if c.ended != nil && !isClosed(c.ended) {
		close(c.ended)
	}
	c.changed.Broadcast()
	c.mu.Unlock()
	c.endContext()
	if l != nil {
		l.conn.Break(&transport.End{Code: uint16(wsource.StatusAbnormalClosure), Err: cause})
	}
	c.gone(c)
	if last != nil && number > 0 {
		last(number)
		answer(number, 0)
	}
	told.tell()
	callEnd()
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// OnAnswer is that of transport.Conn.
func (c *conversation) OnAnswer(answered func(number uint64, rtt time.Duration), last func(number uint64)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer, c.last = answered, last
}

// Asks is that of transport.Conn.
func (c *conversation) Asks() bool { return true }

// Ask is that of transport.Conn: the number is the position of the last message that is
// known to be sent, and the peer acknowledges by itself.
func (c *conversation) Ask() (number uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	number = c.out.told
	if c.asked = number; c.out.acked >= number {
		c.asked = 0
		go c.answer(number, 0) // the caller is not to be called back now
	}
	return number
}

// Break is that of transport.Conn.
func (c *conversation) Break(end *transport.End) {
	c.finish(&wsource.CloseError{Code: wsource.StatusCode(end.Code), Reason: end.Reason, Err: end.Err})
}

// Close is that of transport.Conn: it ends the session behind all earlier messages, also
// if another connection is needed for that.
func (c *conversation) Close(end *transport.End) (sent <-chan struct{}) {
	c.mu.Lock()
	if c.over || c.ending != nil {
		c.mu.Unlock()
		return nil
	}
	c.ending, c.ended = end, make(chan struct{})
	c.changed.Broadcast()
	c.handOver(false)
	c.mu.Unlock()
	return c.ended
}

// sendEnd tells the peer that the session ends; mu is held, and nothing waits any more.
func (c *conversation) sendEnd(l *link) {
	l.endSent = true
	l.insert(control{word: wordEnd, code: wsource.StatusCode(c.ending.Code), reason: c.ending.Reason}, (*endOwner)(c))
	time.AfterFunc(endTimeout, func() { c.awaitClose(l, endTimeout, false) })
}

// awaitClose ends the session if the peer, which was told the end so long ago, has
// acknowledged all messages before it and has not closed the connection. A peer whose
// application is slow may take as long as a session waits. Slow says that not all was
// acknowledged at the last look.
func (c *conversation) awaitClose(l *link, waited time.Duration, slow bool) {
	c.mu.Lock()
	stuck, behind := c.link == l, c.out.acked < c.out.handed
	c.mu.Unlock()
	switch {
	case !stuck:
	case (behind || slow) && waited < cmp.Or(c.ttl, DefaultTTL):
		time.AfterFunc(endTimeout, func() { c.awaitClose(l, waited+endTimeout, behind) })
	default:
		c.finish(&wsource.CloseError{Code: wsource.StatusAbnormalClosure, Err: wsource.ErrCloseTimeout})
	}
}

// endOwner is a conversation as the owner of its end message.
type endOwner conversation

// Done hears the outcome.
func (o *endOwner) Done(_ *transport.Item, outcome transport.Outcome, _ error) {
	// Otherwise the caller may be the sender of the end, which holds mu.
	if outcome != transport.Sent {
		return
	}
	c := (*conversation)(o)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !isClosed(c.ended) {
		close(c.ended)
	}
}

// WhenOver is that of transport.Conn.
func (c *conversation) WhenOver(f func()) { c.endCalls.Add(f) }

// Err is that of transport.Conn.
func (c *conversation) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
