package session

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Send is that of transport.Conn. A message is Sent when a connection has handed it to
// the operating system; it is kept until the peer acknowledges it.
func (c *conversation) Send(ctx context.Context, item *transport.Item) {
	e := entry{data: item.Data, binary: item.Binary, packer: item.Packer, item: item}
	if !e.binary && len(e.data) > 0 && e.data[0] == mark {
		e.data, e.packer = append([]byte{mark}, e.data...), nil
	}
	c.mu.Lock()
	outcome, told, err := c.admit(ctx, len(e.data), item.Room)
	if err != nil {
		c.mu.Unlock()
		told.tell()
		verdicts{{item, outcome, err}}.tell()
		return
	}
	c.out.push(e)
	if c.outbox.Age > 0 && c.aging == nil {
		c.aging = time.AfterFunc(c.outbox.Age/time.Duration(len(c.marks)), c.age)
	}
	// Otherwise its sender may hold a mutex that is needed to hear outcomes.
	flush := c.handOver(item.Room != transport.RoomIgnore)
	sent := c.leaving
	if sent { // a sender would wait for a connection in vain
		c.out.tellSent(c.out.last(), nil)
	}
	c.mu.Unlock()
	if sent {
		told = append(told, verdict{item: item, outcome: transport.Sent})
	}
	defer told.tell() // deferred, as an owner may end the goroutine
	flush.flush()
}

// admit waits for room, or makes it, as the policy decides. The outcome and error are the
// reason for not taking a message; mu is held before and after.
func (c *conversation) admit(ctx context.Context, size int, room transport.Room) (transport.Outcome, verdicts, error) {
	var told verdicts
	stop := func() bool { return true }
	waited := false
	for {
		switch {
		case c.over || c.ending != nil || c.peerEnd != nil || c.sealed:
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
		case room == transport.RoomIgnore || c.fits(size):
			stop()
			return 0, told, nil
		case room == transport.RoomRefuse || c.outbox.Overflow == observable.OverflowDropNewest:
			return transport.Refused, told, transport.ErrFull
		case c.outbox.Overflow == observable.OverflowDropOldest && c.canLetGo():
			told = append(told, c.out.letGo(transport.ErrFull)...)
			continue
		// Below, an outbox that drops the oldest waits for that one to be sent.
		case c.outbox.Overflow == observable.OverflowFail:
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

// fits reports whether the outbox has room for so many bytes; mu is held. A session that
// is handed on has twice the room, since its peer acknowledges nothing meanwhile, and a
// callback that runs has to come to its end.
func (c *conversation) fits(size int) bool {
	bounds := c.outbox
	if c.leaving {
		bounds.Messages *= 2
		bounds.Bytes *= 2
	}
	return c.out.fits(size, &bounds)
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

// wantAck asks the peer to acknowledge the messages that it has, and lets the connection
// be read on for that while a message is delivered; mu is held.
func (c *conversation) wantAck() {
	l := c.link
	if l == nil {
		return
	}
	if l.asked <= c.out.acked && c.out.handed > c.out.acked {
		l.asked = c.out.handed
		l.insert(control{word: wordAsk}, nil)
	}
	if reader, ok := l.conn.(interface{ ReadOn() }); ok && c.inline == l && c.turn.held() {
		c.inline = nil
		reader.ReadOn()
	}
}

// starved reports whether a sender or a message waits for an acknowledgement; mu is held.
func (c *conversation) starved() bool {
	return c.waiters > 0 || c.out.unsent() > 0 && !c.out.windowOpen()
}

// handOver hands waiting messages to the connection, as far as the window is open and the
// connection has room; mu is held. The rest goes when the connection has sent some. If
// the caller writes, it calls the flush of the returned link when mu is released.
func (c *conversation) handOver(writes bool) (flush *link) {
	l := c.link
	if l == nil || c.over {
		return nil
	}
	for c.out.unsent() > 0 && c.out.windowOpen() {
		e := c.out.at(c.out.handed + 1)
		fed := l.feed(e, c.out.handed > l.sent, writes)
		if fed == transport.FedRefused {
			break
		}
		c.out.handed++
		c.out.flight += len(e.data)
		if fed == transport.FedToFlush {
			flush = l
		}
	}
	switch {
	case c.out.unsent() > 0:
		if !c.out.windowOpen() {
			c.wantAck()
		}
	case c.ending != nil && !l.endSent:
		c.sendEnd(l)
	}
	return flush
}

// Withdraw is that of transport.Conn. Only a message that no connection has can be
// withdrawn.
func (c *conversation) Withdraw(item *transport.Item) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.out.withdraw(item) {
		return false
	}
	c.changed.Broadcast()
	return true
}

// acknowledged takes the peer's count of the messages that it has received. It reports
// false if that cannot be.
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
	c.handOver(false) // this goroutine reads
	if c.peerEnd != nil && c.out.count == 0 {
		c.wake()
	}
	c.mu.Unlock()
	told.tell()
	c.answered()
	return true
}

// answered tells the Subject that the messages it has asked about have arrived, if they
// have.
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

// canLetGo reports whether the oldest message can be given up; mu is held.
func (c *conversation) canLetGo() bool { return c.out.canLetGo(c.link != nil) }

// age lets go of messages that are too old.
func (c *conversation) age() {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	var told verdicts
	for oldest := c.marks[0]; c.canLetGo() && c.out.first <= oldest; {
		// It has no position, so that the next one gets this.
		if c.out.first > max(c.out.handed, c.out.told) {
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
