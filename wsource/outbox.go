package wsource

import (
	"cmp"
	"context"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Outbox bounds the messages that wait to be sent: on a connection, for [AcceptOptions],
// or while a [Subject] has no connection, for [SubjectConfig]. The zero value is the
// default.
type Outbox struct {
	// Messages is the number of messages that may wait; 0 means 1,024.
	Messages int
	// Bytes bounds the size of their data together; 0 means 1 MiB. A message that waits
	// alone may have more.
	Bytes int
	// Overflow says what happens to a message that finds the outbox full. Dropped
	// messages are reported, with ErrOutboxFull.
	//
	//	OverflowBlock       its sender waits until there is room. It is the default
	//	OverflowDropOldest  the message that has waited longest is dropped
	//	OverflowDropNewest  the new message is dropped
	//	OverflowFail        on a connection: it is closed with StatusTryAgainLater; all
	//	                    waiting and later messages are dropped. In a Subject: the
	//	                    new message is dropped, as a send does not fail its stream
	//
	// On a connection with a policy other than OverflowBlock, no sender ever waits for
	// its peer: a goroutine of the writers writes every message. A message waits until it
	// is written. A message that is just being written cannot be dropped;
	// OverflowDropOldest does not count it any more, so that the queue may hold as much
	// again.
	Overflow observable.Overflow
}

// problem returns the problem with the settings, or "".
func (o Outbox) problem() string {
	switch {
	case o.Messages < 0 || o.Bytes < 0:
		return "has a negative limit"
	case o.Overflow < observable.OverflowBlock || o.Overflow > observable.OverflowFail:
		return "has an unknown overflow policy: " + o.Overflow.String()
	}
	return ""
}

// limitOf returns the settings, with their defaults, for the engine of a [Subject].
func limitOf(o Outbox) delivery.Limit { return delivery.Limit(o.withDefaults()) }

// withDefaults returns the settings with their defaults.
func (o Outbox) withDefaults() Outbox {
	o.Messages, o.Bytes = cmp.Or(o.Messages, conn.MaxMessages), cmp.Or(o.Bytes, conn.MaxBytes)
	return o
}

// outbox holds the messages that wait at a socket whose senders never wait. The policy
// that blocks is the connection's part.
type outbox struct {
	socket *Socket
	limit  Outbox

	// mu guards the fields below and the entries. It is not held while sending or
	// reporting.
	mu          sync.Mutex
	first, last *outgoing
	count       int
	bytes       int
	closed      bool // it was full, and closed the connection
}

func newOutbox(s *Socket, limit Outbox) *outbox {
	return &outbox{socket: s, limit: limit.withDefaults()}
}

// outgoing is a message that waits in an outbox, or is being written.
type outgoing struct {
	outbox     *outbox
	message    Message
	item       transport.Item
	result     chan *SendError // of Send, with room for one; nil for Next
	prev, next *outgoing
	waits      bool // it is in the outbox
	dropped    bool // it was dropped from it
}

// outgoingPool holds the memory of the messages of Next.
var outgoingPool = sync.Pool{New: func() any { return new(outgoing) }}

// next sends a message of Next.
func (o *outbox) next(m Message) {
	out, _ := outgoingPool.Get().(*outgoing)
	out.outbox, out.message = o, m
	o.submit(out, nil)
}

// send sends a message of Send, and waits for its outcome.
func (o *outbox) send(ctx context.Context, m Message, packer transport.Packer) *SendError {
	out := &outgoing{outbox: o, message: m, result: make(chan *SendError, 1)}
	o.submit(out, packer)
	select {
	case err := <-out.result:
		return err
	case <-ctx.Done():
	}
	o.mu.Lock()
	dropped, withdrawn := out.dropped, o.withdraw(out)
	o.mu.Unlock()
	switch {
	case dropped:
		return &SendError{Message: m, Outcome: Unsent, Err: ErrOutboxFull}
	case withdrawn:
		return &SendError{Message: m, Outcome: Unsent, Err: context.Cause(ctx)}
	}
	select {
	case err := <-out.result:
		return err
	default:
		return &SendError{Message: m, Outcome: Unknown, Err: context.Cause(ctx)}
	}
}

// submit sends a message, if there is room or the policy makes some.
func (o *outbox) submit(out *outgoing, packer transport.Packer) {
	m := &out.message
	out.item = transport.Item{
		Binary: m.Type == Binary, Data: m.Data, Packer: packer, Room: transport.RoomIgnore, Owner: out,
	}
	o.mu.Lock()
	lost, closes := o.makeRoom(len(m.Data))
	takes := o.fits(len(m.Data)) && !o.closed
	if takes {
		o.add(out)
	}
	o.mu.Unlock()
	if closes {
		o.socket.startClose(&CloseError{
			Code: StatusTryAgainLater, Reason: "too slow for the messages", Err: ErrOutboxFull,
		})
	}
	defer lost.tellAll() // deferred, as a report may end the goroutine
	if !takes {
		out.tell(&SendError{Message: *m, Outcome: Unsent, Err: ErrOutboxFull})
		return
	}
	o.socket.conn.Send(context.Background(), &out.item)
}

// makeRoom makes room for a message as the policy says. It returns the list of the
// messages dropped for it, and whether the connection is to be closed; mu is held.
func (o *outbox) makeRoom(size int) (lost *outgoing, closes bool) {
	end := &lost
	drop := func() {
		oldest := o.first
		if o.withdraw(oldest) {
			oldest.dropped = true
			*end, end = oldest, &oldest.next
		} else { // it is being written
			o.remove(oldest)
		}
	}
	switch o.limit.Overflow {
	case observable.OverflowDropOldest:
		for !o.fits(size) {
			drop()
		}
	case observable.OverflowFail:
		if o.fits(size) || o.closed {
			break
		}
		for o.closed, closes = true, true; o.first != nil; {
			drop()
		}
	case observable.OverflowBlock, observable.OverflowDropNewest:
	}
	return lost, closes
}

// fits reports whether there is room for a message; mu is held.
func (o *outbox) fits(size int) bool {
	return o.count == 0 || o.count < o.limit.Messages && o.bytes+size <= o.limit.Bytes
}

// withdraw takes back a message of which nothing was written, and reports whether it
// could; mu is held.
func (o *outbox) withdraw(out *outgoing) bool {
	if !out.waits || !o.socket.conn.Withdraw(&out.item) {
		return false
	}
	o.remove(out)
	return true
}

func (o *outbox) add(out *outgoing) {
	out.waits, out.prev = true, o.last
	if o.last == nil {
		o.first = out
	} else {
		o.last.next = out
	}
	o.last = out
	o.count++
	o.bytes += len(out.message.Data)
}

func (o *outbox) remove(out *outgoing) {
	if out.prev == nil {
		o.first = out.next
	} else {
		out.prev.next = out.next
	}
	if out.next == nil {
		o.last = out.prev
	} else {
		out.next.prev = out.prev
	}
	out.waits, out.prev, out.next = false, nil, nil
	o.count--
	o.bytes -= len(out.message.Data)
}

// Done hears the outcome of the message.
func (out *outgoing) Done(_ *transport.Item, outcome transport.Outcome, err error) {
	o := out.outbox
	o.mu.Lock()
	if out.waits {
		o.remove(out)
	}
	o.mu.Unlock()
	if outcome == transport.Sent {
		out.tell(nil)
	} else {
		out.tell(sendError(out.message, outcome, err))
	}
}

// tellAll reports the messages of a list as dropped to their senders.
func (out *outgoing) tellAll() {
	if out == nil {
		return
	}
	defer out.next.tellAll()
	out.tell(&SendError{Message: out.message, Outcome: Unsent, Err: ErrOutboxFull})
}

// tell reports the outcome of the message to its sender, which ends the use of out.
func (out *outgoing) tell(err *SendError) {
	if out.result != nil {
		out.result <- err
		return
	}
	socket := out.outbox.socket
	*out = outgoing{}
	outgoingPool.Put(out)
	if err != nil {
		socket.reportUndelivered(err)
	}
}
