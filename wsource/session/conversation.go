package session

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// endTimeout is how long the peer may take to close the connection when it was told the end and has
// acknowledged all that came before.
const endTimeout = 5 * time.Second

// conversation is one session on one side, without the types of its values: the carrier of
// a Subject's messages (see transport.Conn), over one [link] after the other.
//
// A message of the peer's is delivered by the goroutine that reads it, if nothing stands
// before it. Otherwise it waits in the inbox, which the peer's window bounds, and the reader reads on. The
// goroutine that delivers tells the status, too, so that a gap is told before what is behind it.
type conversation struct {
	outbox Outbox
	status func(Status)                     // is told what has become of the session
	broken func(c *conversation, err error) // the connection has ended, and the session waits for another
	gone   func(c *conversation)            // the session is over

	mu         sync.Mutex // never held while code of the user's or the Subject's runs
	changed    sync.Cond  // room in the outbox, or the end
	link       *link      // the connection, if there is one
	number     int        // of connections
	token      string     // of a client, to resume with; "" if there is no session yet
	ttl        time.Duration
	expiry     *time.Timer // ends a session without a connection
	over       bool
	endTold    bool  // as a status
	err        error // how it has ended
	endCalls   conn.EndCalls
	context    context.Context // ends with it
	endContext context.CancelFunc

	// What is sent.
	out     kept
	waiters int // senders that wait for room
	aging   *time.Timer
	marks   [8]uint64      // the last position at each of the latest eighths of Outbox.Age
	ending  *transport.End // this side has begun to end the session
	ended   chan struct{}  // closes when the peer was told so, or will not be
	asked   uint64         // the number that Ask has returned, and that was not answered
	answer  func(number uint64, rtt time.Duration)
	last    func(number uint64)

	// What is received.
	deliver    func(binary bool, data []byte)
	turn       turn          // of who delivers, or tells the status
	inline     *link         // whose reader has the turn, or had it last; nil if it has been replaced
	before     *conversation // the Subject's session before this one, while it may still deliver
	after      *conversation // and the one after it
	received   uint64
	inbox      []incoming
	inboxBytes int
	news       []Status
	told       uint64 // the last position that the peer knows to be received
	toldBytes  int    // of the messages since
	askedFor   uint64 // the last position that the peer has asked about
	ackTimer   *time.Timer
	acking     bool           // it runs
	peerEnd    *transport.End // the peer ends the session, behind what is in the inbox
	closing    bool           // the connection is being closed for that
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

// attach makes a connection that of the session, whose peer has received so many messages. It
// returns the connection that it takes the place of. mu is held.
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

// open lets messages of the application come in by the connection, of which next is the first.
// It returns which are lost. mu is held.
func (c *conversation) open(l *link, next uint64) (lost Range) {
	if next > c.received+1 {
		lost = Range{From: c.received + 1, To: next - 1}
		c.received = next - 1
		c.told = c.received
	}
	l.position, l.in = next-1, true
	return lost
}

// tell lets the status be told, before what is delivered next; mu is held.
func (c *conversation) tell(s Status) {
	s.Connection = c.number
	c.news = append(c.news, s)
	c.wake()
}

// wake has a goroutine deliver what waits, unless one does; mu is held.
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

// linkOver hears that a connection is over.
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
	case c.closing: // the peer had said that it is the end
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

// startExpiry ends the session unless a connection comes in time; mu is held. err is why there is
// none.
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

// finish ends the session, and what it has of a connection.
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
		last = nil // it is not all that the Subject has sent
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

// handedOn notes that all that was sent is taken care of: a store has it.
func (c *conversation) handedOn() {
	c.mu.Lock()
	told := c.out.acknowledge(c.out.last())
	c.mu.Unlock()
	told.tell()
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

// Ask is that of transport.Conn: the number is the position of the last message that is known to
// be sent, and the peer acknowledges by itself.
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

// Close is that of transport.Conn: it ends the session behind what was sent before, also if
// another connection is needed for that.
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

// awaitClose ends the session if the peer, which was told the end so long ago, has acknowledged all before
// it and has not closed the connection. One whose application is slow may take as long as a session waits:
// slow says that not all was acknowledged when this was looked at last.
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

// endOwner is a conversation as the one who hears that the peer was told its end.
type endOwner conversation

// Done hears the outcome.
func (o *endOwner) Done(_ *transport.Item, outcome transport.Outcome, _ error) {
	if outcome != transport.Sent { // then it may be the one who has just given it, and holds mu
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
