package wsource

import (
	"context"
	"unicode/utf8"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// check reports what keeps m from being sent on any connection.
func check(m Message) *SendError {
	switch {
	case m.Type > Binary:
		return &SendError{Message: m, Outcome: Unsent, Err: argument("Message", "Type", "is neither Text nor Binary")}
	case m.Type == Text && !utf8.Valid(m.Data):
		return &SendError{Message: m, Outcome: Unsent, Err: ErrInvalidUTF8}
	}
	return nil
}

// Next sends a message, as [Socket] says. It blocks while the outbox is full. On a closing socket the
// message goes to [Socket.Undelivered]; after the end it is dropped, as everything after a terminal is.
func (s *Socket) Next(m Message) {
	if err := check(m); err != nil {
		err.Message = m.Owned()
		s.reportUndelivered(err)
		return
	}
	if s.outbox != nil {
		s.outbox.next(m.Owned())
		return
	}
	s.conn.Next(m.Type == Binary, m.Data, m.borrowed)
}

// Send sends a message and returns when it was handed to the operating system. The error
// is a [*SendError], which tells whether the message is certainly unsent; if ctx ends
// first, it wraps the context's cause.
func (s *Socket) Send(ctx context.Context, m Message) error {
	return s.report(s.send(ctx, m, check(m), nil))
}

// Queued returns how many messages were taken to be sent and were not handed to the operating
// system yet, and the size of their data. In a browser they are those that have not left it.
func (s *Socket) Queued() (messages, bytes int) { return s.conn.Queued() }

// report tells the hook of a message that was not sent, and returns err as an error.
func (s *Socket) report(err *SendError) error {
	if err == nil {
		return nil
	}
	dropped(s.hook, s, err)
	return err
}

// send is Send without the hook, of a message that was checked. The packer, which may be nil,
// has it compressed.
func (s *Socket) send(ctx context.Context, m Message, problem *SendError, packer transport.Packer) *SendError {
	if ctx == nil {
		return &SendError{Message: m, Outcome: Unsent, Err: argument("Socket.Send", "ctx", isNil)}
	}
	if problem != nil {
		return problem
	}
	if ctx.Err() != nil {
		return &SendError{Message: m, Outcome: Unsent, Err: context.Cause(ctx)}
	}
	if ctx.Done() != nil { // the message may still be on its way when ctx ends
		m = m.Owned()
	}
	if s.outbox != nil {
		return s.outbox.send(ctx, m, packer)
	}
	p := &pendingSend{message: m, result: make(chan *SendError, 1)}
	p.item = transport.Item{Binary: m.Type == Binary, Data: m.Data, Owner: p, Packer: packer}
	s.conn.Send(ctx, &p.item)
	select {
	case err := <-p.result:
		return err
	case <-ctx.Done():
	}
	if s.conn.Withdraw(&p.item) {
		return &SendError{Message: m, Outcome: Unsent, Err: context.Cause(ctx)}
	}
	select {
	case err := <-p.result:
		return err
	default:
		return &SendError{Message: m, Outcome: Unknown, Err: context.Cause(ctx)}
	}
}

// pendingSend is a message of Send.
type pendingSend struct {
	item    transport.Item
	message Message
	result  chan *SendError
}

// Done hears the outcome.
func (p *pendingSend) Done(_ *transport.Item, outcome transport.Outcome, err error) {
	if outcome == transport.Sent {
		p.result <- nil
	} else {
		p.result <- sendError(p.message, outcome, err)
	}
}

// sendError returns the error for a message with an outcome that is not transport.Sent.
func sendError(m Message, outcome transport.Outcome, err error) *SendError {
	switch outcome {
	case transport.Unknown:
		return &SendError{Message: m, Outcome: Unknown, Err: err}
	case transport.Partial:
		return &SendError{Message: m, Outcome: Partial, Err: err}
	default:
		return &SendError{Message: m, Outcome: Unsent, Err: err}
	}
}

// insert sends a message whether there is room or not, so that it never waits. It is nobody's:
// if it is not sent, nobody is told.
func (s *Socket) insert(m Message) {
	item := &transport.Item{Binary: m.Type == Binary, Data: m.Data, Room: transport.RoomIgnore}
	s.conn.Send(context.Background(), item)
}

// reportUndelivered tells of a message that Next took and that was not sent.
func (s *Socket) reportUndelivered(err *SendError) {
	dropped(s.hook, s, err)
	s.mu.Lock()
	undelivered := s.undelivered
	s.mu.Unlock()
	if undelivered != nil {
		undelivered.Next(err)
	}
}
