package wsource

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
)

// Delivery says how to send a message. The zero value is reliable: the message waits, in
// its order, until there is a connection.
type Delivery struct {
	// Volatile drops the message if it cannot go now, because there is no open connection
	// or its queue is full: for positions of a mouse pointer. It never blocks its sender.
	Volatile bool
	// Key, if it is not empty, makes the message replace a message with the same key that
	// has not been written yet, at the end of the queue: for a state of which only the
	// latest counts.
	Key string
	// TTL, if it is over 0, is the time after which a message that has not been written
	// is dropped.
	TTL time.Duration
	// ID, if it is not empty, names the message for [Subject.Confirm], which alone
	// confirms its arrival: no pong does. It is for a peer that acknowledges messages
	// itself, and for a peer behind a gateway, which may answer pings for a server that
	// it does not reach.
	ID string
}

// The reasons for dropping a message from a [Subject]'s outbox: the causes of its
// [*SendError].
var (
	// ErrNotOpen: the message was volatile and there was no open connection.
	ErrNotOpen = delivery.ErrNotOpen
	// ErrNotSubscribed: nobody is subscribed to the subject, so it does not dial.
	ErrNotSubscribed = delivery.ErrNotSubscribed
	// ErrExpired: the message's time to live was over before it could be sent.
	ErrExpired = delivery.ErrExpired
	// ErrReplaced: a later message with the same key took its place.
	ErrReplaced = delivery.ErrReplaced
	// ErrOutboxFull: the outbox was full, and its policy or the message's own said to
	// drop the message. A connection's outbox can be full, too.
	ErrOutboxFull = delivery.ErrFull
	// ErrDiscarded: Discard, or the end of the last subscription, emptied the outbox.
	ErrDiscarded = delivery.ErrDiscarded
)

// Next sends a value; [Subject.Undelivered] reports a value that cannot be sent. It
// blocks while the outbox is full, if its policy says so: for ever, if nobody subscribes,
// as the subject then does not dial.
func (s *Subject[In, Out]) Next(value Out) {
	s.post(context.Background(), value, newMessage(value), s.delivery)
}

// Send sends a value and returns when it was handed to the operating system, or the error
// that prevented it, as a [*SendError]; that wraps a [*CodecError] for a value that
// cannot be encoded. It waits for a connection, and so for a subscriber, as the subject
// does not dial without one ([ErrNotSubscribed]). If ctx ends meanwhile it takes the
// message back, and the error wraps the context's cause. If the connection breaks after
// Send has returned, [Subject.Undelivered] reports the message.
func (s *Subject[In, Out]) Send(ctx context.Context, value Out) error {
	return s.sendTold(ctx, value, newMessage(value), s.delivery)
}

// SendAs is [Subject.Send] with a delivery of its own.
func (s *Subject[In, Out]) SendAs(ctx context.Context, value Out, d Delivery) error {
	return s.sendTold(ctx, value, newMessage(value), func(Out) Delivery { return d })
}

// sendTold is send, and reports its failure to the hook.
func (s *Subject[In, Out]) sendTold(
	ctx context.Context, value Out, m *delivery.Message, how func(Out) Delivery,
) error {
	err := s.send(ctx, value, m, how)
	if err != nil {
		dropped(s.host.hook, nil, err)
	}
	return err
}

func (s *Subject[In, Out]) send(
	ctx context.Context, value Out, m *delivery.Message, how func(Out) Delivery,
) error {
	if ctx == nil {
		return &SendError{Err: argument("Subject.Send", "ctx", isNil)}
	}
	result := make(chan error, 1)
	m.Told = func(failure *delivery.Failure) {
		if failure != nil {
			result <- failed(failure)
		} else {
			result <- nil
		}
	}
	s.post(ctx, value, m, how)
	select {
	case err := <-result:
		return err
	default:
	}
	var err error
	s.engine.Wait(func() {
		select {
		case err = <-result:
		case <-ctx.Done():
			if failure, known := s.engine.TakeBack(ctx, m); known {
				err = failed(failure)
			} else {
				err = <-result
			}
		}
	})
	return err
}

// post makes a message of a value and sends it.
func (s *Subject[In, Out]) post(ctx context.Context, value Out, m *delivery.Message, how func(Out) Delivery) {
	returned := false
	defer func() {
		if !returned { // the user's code has ended the goroutine: nobody waits
			m.Told = nil
			s.drop(m, observable.ErrGoexit)
		}
	}()
	err := s.write(value, m, how)
	returned = true
	if err != nil {
		s.drop(m, err)
		return
	}
	s.engine.Post(ctx, m)
}

// drop reports a message that could not be made.
func (s *Subject[In, Out]) drop(m *delivery.Message, err error) {
	m.Settle()
	s.engine.Report(m, err)
}

// write makes a message of a value.
func (s *Subject[In, Out]) write(value Out, m *delivery.Message, how func(Out) Delivery) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = delivery.Panicked(v)
		}
	}()
	if how != nil {
		m.Options = delivery.Options(how(value))
	}
	message, err := s.encode(value)
	m.Payload = payloadOf(message)
	return err
}

// encode makes a message of a value that can be sent.
func (s *Subject[In, Out]) encode(value Out) (Message, error) {
	if s.invalid != nil {
		return Message{}, s.invalid
	}
	m, err := s.codec.Encode(value)
	if err != nil {
		return Message{}, &CodecError{Codec: s.codec.Name(), Err: err}
	}
	if err := check(m); err != nil {
		return m, &CodecError{Codec: s.codec.Name(), Err: err.Err}
	}
	return m, nil
}

// payloadOf returns a message in the engine's form.
func payloadOf(m Message) delivery.Payload {
	return delivery.Payload{Binary: m.Type == Binary, Data: m.Owned().Data}
}

// failed returns a failure as an error.
func failed(f *delivery.Failure) *SendError {
	err := sendError(Message{Type: messageType(f.Payload.Binary), Data: f.Payload.Data}, f.Outcome, f.Err)
	if f.Value != nil {
		err.Value = f.Value.Any()
	}
	return err
}

// valueMessage is a message of a [Subject] with the value that it encodes.
type valueMessage[Out any] struct {
	delivery.Message

	sent Out
}

// Any implements delivery.Valuer.
func (o *valueMessage[Out]) Any() any { return o.sent }

// newMessage returns a message for a value.
func newMessage[Out any](value Out) *delivery.Message {
	o := &valueMessage[Out]{sent: value}
	o.Value = o
	return &o.Message
}
