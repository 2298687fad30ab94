package wsource

import (
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// socketOwner is a Socket as the owner and the monitor of its connection.
type socketOwner Socket

var (
	_ conn.Owner   = (*socketOwner)(nil)
	_ conn.Monitor = (*socketOwner)(nil)
)

func (o *socketOwner) socket() *Socket { return (*Socket)(o) }

// Demand reports in what form the subscribers want a message.
func (o *socketOwner) Demand() conn.Demand { return o.subscribers.demand() }

// Await waits for subscribers to come or go.
func (o *socketOwner) Await(ready func() bool, done <-chan struct{}) {
	o.subscribers.await(ready, done)
}

// Notify has Await ask again.
func (o *socketOwner) Notify() { o.subscribers.notify() }

// Message hands a message to the subscribers.
func (o *socketOwner) Message(binary bool, data []byte, owned bool) (taken bool) {
	return o.subscribers.deliver(Message{Type: messageType(binary), borrowed: !owned, Data: data})
}

// Reader lends a message to the subscriber of Readers.
func (o *socketOwner) Reader(m *conn.Incoming) (taken bool) {
	return o.subscribers.lend(&MessageReader{Type: messageType(m.Binary), in: m})
}

// Undelivered tells of a message that Next took.
func (o *socketOwner) Undelivered(binary bool, data []byte, outcome transport.Outcome, err error) {
	o.socket().reportUndelivered(sendError(Message{Type: messageType(binary), Data: data}, outcome, err))
}

// Failure returns an end as a [*CloseError].
func (o *socketOwner) Failure(end *transport.End) error { return closeError(end) }

// Ending ends the context.
func (o *socketOwner) Ending(err error) { o.socket().endContext(err) }

// Ended ends the subscribers.
func (o *socketOwner) Ended(end *transport.End, err error) {
	defer o.subscribers.end(err) // the hook may end the goroutine
	if o.hook != nil {
		tell(o.hook, Event{Kind: EventClosed, Socket: o.socket(), Code: StatusCode(end.Code), Err: err})
	}
}

// Over ends Undelivered.
func (o *socketOwner) Over() {
	o.mu.Lock()
	o.allTold = true
	undelivered := o.undelivered
	o.mu.Unlock()
	if undelivered != nil {
		undelivered.Complete()
	}
}

// Received tells the hook of a message that has come.
func (o *socketOwner) Received(frames, bytes int) {
	tell(o.hook, Event{Kind: EventReceived, Socket: o.socket(), Messages: 1, Frames: frames, Bytes: bytes})
}

// OverRate tells the hook of a message that came sooner than it may.
func (o *socketOwner) OverRate(bytes int) {
	tell(o.hook, Event{Kind: EventOverRate, Socket: o.socket(), Messages: 1, Bytes: bytes})
}

// Sent tells the hook of messages that were sent.
func (o *socketOwner) Sent(messages, frames, bytes, queued int) {
	tell(o.hook, Event{
		Kind: EventSent, Socket: o.socket(), Messages: messages, Frames: frames, Bytes: bytes, Queued: queued,
	})
}

// RoundTrip tells the hook of a round-trip time.
func (o *socketOwner) RoundTrip(rtt time.Duration) {
	tell(o.hook, Event{Kind: EventHeartbeat, Socket: o.socket(), RTT: rtt})
}

// tracingOwner is a socketOwner whose hook is a Tracer.
type tracingOwner struct{ *socketOwner }

// Trace tells the hook of a message.
func (o tracingOwner) Trace(sent, binary bool, data []byte) {
	if t, ok := o.hook.(Tracer); ok {
		t.Trace(o.socket(), sent, Message{Type: messageType(binary), Data: data})
	}
}

// monitor returns who watches the connection, or nil.
func (s *Socket) monitor() conn.Monitor {
	switch s.hook.(type) {
	case nil:
		return nil
	case Tracer:
		return tracingOwner{(*socketOwner)(s)}
	default:
		return (*socketOwner)(s)
	}
}
