package session

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// pumpInline is how many messages a sender hands to the connection, its own and those of others,
// before it leaves that to a goroutine.
const pumpInline = 64

// Send is that of transport.Conn. A message is Sent when a connection has handed it to the
// operating system; it is kept until the peer acknowledges it.
func (c *conversation) Send(ctx context.Context, item *transport.Item) {
	e := entry{data: item.Data, binary: item.Binary, packer: item.Packer, item: item, owner: item.Owner}
	if !e.binary && len(e.data) > 0 && e.data[0] == mark {
		e.data, e.packer = append([]byte{mark}, e.data...), nil
	}
	c.mu.Lock()
	outcome, told, err := c.admit(ctx, len(e.data), item.Room)
	if err != nil {
		c.mu.Unlock()
		told.tell()
		verdicts{{e, outcome, err}}.tell()
		return
	}
	c.out.push(e)
	if c.outbox.Age > 0 && c.aging == nil {
		c.aging = time.AfterFunc(c.outbox.Age/time.Duration(len(c.marks)), c.age)
	}
	if item.Room == transport.RoomIgnore { // its sender may hold what is needed to hear outcomes
		c.startPump()
		c.mu.Unlock()
		return
	}
	if told != nil {
		c.mu.Unlock()
		told.tell()
		c.mu.Lock()
	}
	c.pump(true)
}

// admit waits for room, or makes it, as the policy says. The outcome and error say why a message
// is not taken. mu is held before and after.
func (c *conversation) admit(ctx context.Context, size int, room transport.Room) (transport.Outcome, verdicts, error) {
	var told verdicts
	stop := func() bool { return true }
	waited := false
	for {
		switch {
		case c.over || c.ending != nil || c.peerEnd != nil:
			stop()
			err := c.err
			if err == nil {
				err = transport.ErrClosed
			}
			return transport.Unsent, told, err
		case ctx.Err() != nil:
			stop()
			return transport.Refused, told, context.Cause(ctx)
		case room == transport.RoomRefuse && c.link == nil:
			return transport.Refused, told, wsource.ErrNotOpen
		case room == transport.RoomIgnore || c.out.fits(size, &c.outbox):
			stop()
			return 0, told, nil
		case room == transport.RoomRefuse || c.outbox.Overflow == observable.OverflowDropNewest:
			return transport.Refused, told, transport.ErrFull
		case c.outbox.Overflow == observable.OverflowDropOldest && c.canLetGo():
			told = append(told, c.out.letGo(transport.ErrFull)...)
			continue
		case c.outbox.Overflow == observable.OverflowFail: // below, an outbox that drops the oldest waits for that to be sent
			err := &OverflowError{Messages: c.out.count, Bytes: c.out.bytes}
			c.overflow(err)
			return transport.Unsent, told, err
		}
		if !waited {
			waited = true
			if ctx.Done() != nil {
				stop = context.AfterFunc(ctx, func() {
					c.mu.Lock()
					c.changed.Broadcast()
					c.mu.Unlock()
				})
			}
			c.mu.Unlock()
			observable.Waiting()
			c.mu.Lock()
			continue
		}
		c.waiters++
		c.wantAck()
		c.changed.Wait()
		c.waiters--
	}
}

// overflow ends the session since its outbox is full; mu is held.
func (c *conversation) overflow(err error) {
	l := c.link
	go func() {
		if l != nil {
			l.conn.Close(&transport.End{Code: uint16(StatusOverflow), Reason: "the outbox is full"})
			c.mu.Lock()
			if c.link == l {
				c.link = nil
			}
			c.mu.Unlock()
		}
		c.finish(err)
	}()
}

// wantAck asks the peer to acknowledge what it has, and lets the connection be read on for that
// while a message is delivered; mu is held.
func (c *conversation) wantAck() {
	l := c.link
	if l == nil {
		return
	}
	if l.asked <= c.out.acked && c.out.handed > c.out.acked {
		l.asked = c.out.handed
		l.insert(control{word: wordAsk}, nil)
	}
	if reader, ok := l.conn.(interface{ ReadOn() }); ok && c.inline == l {
		c.inline = nil
		reader.ReadOn()
	}
}

// starved reports whether something waits for an acknowledgement; mu is held.
func (c *conversation) starved() bool {
	return c.waiters > 0 || c.out.unsent() > 0 && !c.out.windowOpen()
}

// pump hands to the connection what waits, as far as the window is open. If that takes
// long, it leaves the rest to a goroutine, as a sender that pumps inline is not to wait for the
// messages of others. mu is held, and is not afterwards.
func (c *conversation) pump(inline bool) {
	if c.pumping || c.link == nil {
		c.mu.Unlock()
		return
	}
	c.pumping = true
	for n := 0; ; n++ {
		l := c.link
		if l == nil || c.over || c.out.unsent() == 0 || !c.out.windowOpen() {
			break
		}
		if inline && n == pumpInline {
			c.mu.Unlock()
			go c.pumpOn()
			return
		}
		e := c.out.at(c.out.handed + 1)
		item, size := l.item(), len(e.data)
		item.Binary, item.Data, item.Packer, item.Owner = e.binary, e.data, e.packer, l
		if inline {
			item.Room = transport.RoomRefuse
		}
		c.out.handed++
		c.out.flight += size
		c.mu.Unlock()
		l.conn.Send(context.Background(), item)
		c.mu.Lock()
		if l.refused { // there is no room, so that a goroutine has to wait for it
			l.refused = false
			if c.link == l { // the entry is still there: see canLetGo
				c.out.handed--
				c.out.flight -= size
			}
			c.mu.Unlock()
			go c.pumpOn()
			return
		}
	}
	c.pumping = false
	switch l := c.link; {
	case l == nil || c.over:
	case c.out.unsent() > 0:
		c.wantAck()
	case c.ending != nil && !l.endSent:
		c.sendEnd(l)
	}
	c.mu.Unlock()
}

// startPump has a goroutine pump, if there is something to be handed over; mu is held.
func (c *conversation) startPump() {
	if c.link == nil || c.pumping || c.out.unsent() == 0 && (c.ending == nil || c.link.endSent) {
		return
	}
	c.pumping = true
	go c.pumpOn()
}

// pumpOn pumps on a goroutine of its own, in place of who did before.
func (c *conversation) pumpOn() {
	c.mu.Lock()
	c.pumping = false
	c.pump(false)
}

// done hears what became of a message at a connection.
func (c *conversation) done(l *link, outcome transport.Outcome) {
	c.mu.Lock()
	switch {
	case outcome == transport.Refused:
		l.refused = true
	case outcome == transport.Sent && c.link == l:
		// Outcomes may be heard in another order than that of the messages; but if so many are
		// sent, the first so many are.
		if l.sent++; l.sent > c.out.told && l.sent >= c.out.first {
			c.out.told = l.sent
			e := *c.out.at(l.sent)
			c.mu.Unlock()
			verdicts{{entry: e, outcome: transport.Sent}}.tell()
			return
		}
	}
	c.mu.Unlock()
}

// Withdraw is that of transport.Conn. Only what no connection has can be withdrawn.
func (c *conversation) Withdraw(item *transport.Item) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.out.withdraw(item) {
		return false
	}
	c.changed.Broadcast()
	return true
}

// acknowledged hears that the peer has received so many messages. It reports false if that
// cannot be.
func (c *conversation) acknowledged(l *link, received uint64) bool {
	c.mu.Lock()
	if c.link != l {
		c.mu.Unlock()
		return true
	}
	if received > c.out.handed {
		c.mu.Unlock()
		return false
	}
	told := c.out.acknowledge(received)
	if c.waiters > 0 {
		c.changed.Broadcast()
	}
	c.startPump() // this goroutine reads
	if c.peerEnd != nil && c.out.count == 0 {
		c.wake()
	}
	c.mu.Unlock()
	told.tell()
	c.answered()
	return true
}

// answered tells the Subject that what it has asked about has arrived, if it has.
func (c *conversation) answered() {
	c.mu.Lock()
	answer, number := c.answer, c.asked
	if number == 0 || c.out.acked < number || answer == nil {
		c.mu.Unlock()
		return
	}
	c.asked = 0
	c.mu.Unlock()
	answer(number, 0)
}

// canLetGo reports whether the oldest message can be given up; mu is held. What is being handed
// over cannot, as the connection may refuse it.
func (c *conversation) canLetGo() bool {
	return c.out.canLetGo(c.link != nil) && (!c.pumping || c.out.first != c.out.handed)
}

// age lets go what is too old.
func (c *conversation) age() {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	var told verdicts
	for oldest := c.marks[0]; c.canLetGo() && c.out.first <= oldest; {
		if c.out.first > max(c.out.handed, c.out.told) { // it has no position, so that the next one gets this
			oldest--
			for i := range c.marks {
				c.marks[i] = max(c.marks[i], 1) - 1
			}
		}
		told = append(told, c.out.letGo(wsource.ErrExpired)...)
	}
	copy(c.marks[:], c.marks[1:])
	c.marks[len(c.marks)-1] = c.out.last()
	if told != nil {
		c.changed.Broadcast()
	}
	if c.aging = nil; c.out.count > 0 {
		c.aging = time.AfterFunc(c.outbox.Age/time.Duration(len(c.marks)), c.age)
	}
	c.mu.Unlock()
	told.tell()
}
