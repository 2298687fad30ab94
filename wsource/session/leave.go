package session

import (
	"context"

	"github.com/rxsocket/rxsocket/wsource"
)

// leave begins to hand the session on to another server: nothing comes in or goes out by
// a connection any more, and no further message is delivered. A callback that runs goes
// on to its end, and the session takes its answers. Senders that wait for a connection
// are told that their messages are sent, as from now on the session keeps them; mu is
// held. The caller tells sent when mu is released.
func (c *conversation) leave(sent *items) {
	c.leaving, c.quiet = true, make(chan struct{})
	c.inbox, c.inboxBytes = nil, 0 // the peer sends it again
	if c.expiry != nil {
		c.expiry.Stop()
	}
	if !c.turn.held() {
		close(c.quiet)
	}
	sent.list = c.out.tellSent(c.out.last(), sent.list)
	c.changed.Broadcast()
}

// settled notes that no message is being delivered; mu is held.
func (c *conversation) settled() {
	if c.quiet != nil && !isClosed(c.quiet) {
		close(c.quiet)
	}
}

// awaitQuiet waits until no message is being delivered, ctx ends, or the session is over.
func (c *conversation) awaitQuiet(ctx context.Context) {
	select {
	case <-c.quiet:
	case <-ctx.Done():
	case <-c.context.Done():
	}
}

// seal returns the record for a store, of all messages that were taken; no other is from
// now on. It returns nil if the session is over.
func (c *conversation) seal() *Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil
	}
	c.sealed = true
	c.changed.Broadcast()
	return recordOf(c)
}

// handedOn notes that a store has taken care of all messages sent.
func (c *conversation) handedOn() {
	c.mu.Lock()
	told := c.out.acknowledge(c.out.last())
	c.mu.Unlock()
	told.tell()
}

// recordOf returns a conversation's record for a store; mu is held.
func recordOf(c *conversation) *Record {
	k := &c.out
	r := &Record{Received: c.received, First: k.first, Handed: k.handed, Acked: k.acked, Connections: c.number}
	for p := k.first; p <= k.last(); p++ {
		r.Messages = append(r.Messages, RecordMessage{k.at(p).binary, k.at(p).data})
	}
	if c.ending != nil {
		r.EndCode, r.EndReason = wsource.StatusCode(c.ending.Code), c.ending.Reason
	}
	return r
}
