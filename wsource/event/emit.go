package event

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/rxsocket/rxsocket/observable"
)

// Sink is the observer of [Emit].
type Sink[T any] struct {
	conn  *Conn
	typ   string
	topic string
	wrong error // problem with the type, or nil
}

var (
	_ observable.Observer[int]   = (*Sink[int])(nil)
	_ observable.Ender           = (*Sink[int])(nil)
	_ observable.ContextObserver = (*Sink[int])(nil)
)

// Emit returns the observer that sends each value as an event of a type. A value that
// cannot be sent is told by [Conn.Errors], or in the way of the duplex stream. A stream
// that is subscribed to it is unsubscribed when the Conn ends (see [observable.Ender]).
// The stream's own end changes nothing, and its error is reported to
// [observable.OnUnhandled].
func Emit[T any](conn *Conn, typ string) *Sink[T] {
	return &Sink[T]{conn: given(conn, "Emit"), typ: typ, wrong: checkType("Emit", typ)}
}

// Under returns the sink whose events have a topic. With a wildcard in the topic, each of
// them fails with an [*observable.ArgumentError].
func (s *Sink[T]) Under(topic string) *Sink[T] {
	with := *s
	with.topic = topic
	if problem := topicProblem(topic, false); problem != "" && with.wrong == nil {
		with.wrong = argument("Sink.Under", "topic", problem)
	}
	return &with
}

// Next sends a value. It blocks as Next of the duplex stream does.
func (s *Sink[T]) Next(value T) {
	e, err := s.pack(value)
	if err != nil {
		s.conn.report(err)
		return
	}
	m, err := s.conn.encode(e)
	if err != nil {
		s.conn.report(err)
		return
	}
	s.conn.duplex.Next(m)
}

// Send sends a value and returns when it was handed to the operating system, or has
// failed before. The error is that of the duplex stream's Send, or a *DataError if the
// value does not encode.
func (s *Sink[T]) Send(ctx context.Context, value T) error {
	e, err := s.pack(value)
	if err != nil {
		return err
	}
	return s.conn.send(ctx, e)
}

func (s *Sink[T]) pack(value T) (*Envelope, error) {
	if err := cmp.Or(s.conn.problem, s.wrong); err != nil {
		return nil, err
	}
	e, err := Pack(s.conn, s.typ, value)
	if err != nil {
		return nil, err
	}
	e.Topic = s.topic
	e.complete(s.conn.config.Source)
	return e, nil
}

// Error reports err to [observable.OnUnhandled], unless the Conn is over: the stream may
// be one of its own.
func (s *Sink[T]) Error(err error) {
	select {
	case <-s.conn.ending:
	default:
		observable.ReportUnhandled(err, s)
	}
}

// ContextEnded does nothing: the end of a stream changes nothing.
func (s *Sink[T]) ContextEnded(error) {}

// Complete does nothing.
func (s *Sink[T]) Complete() {}

// OnEnd has f called when the Conn is over, as [observable.Ender] says.
func (s *Sink[T]) OnEnd(f func()) (stop func()) { return s.conn.life.OnEnd(f) }

// Send sends an event as it is, such as one of [Pack]; it fills in a missing ID, Created
// and Source. It returns when the event was handed to the operating system, or has failed
// before. The error is that of the duplex stream's Send, or an [*EnvelopeError].
func (c *Conn) Send(ctx context.Context, e *Envelope) error {
	if c.problem != nil {
		return c.problem
	}
	if e == nil {
		return argument("Conn.Send", "e", isNil)
	}
	if err := checkType("Conn.Send", e.Type); err != nil {
		return err
	}
	if err := e.checkJSON(); err != nil {
		return err
	}
	filled := *e
	filled.complete(c.config.Source)
	return c.send(ctx, &filled)
}

// send sends an event.
func (c *Conn) send(ctx context.Context, e *Envelope) error {
	m, err := c.encode(e)
	if err != nil {
		return err
	}
	return c.duplex.Send(ctx, m)
}

// checkJSON returns the problem with the parts of an event that must be JSON, or nil.
func (e *Envelope) checkJSON() error {
	if !e.Binary && len(e.Data) > 0 && !json.Valid(e.Data) {
		return e.wrong(CodeMalformed, "data", "is not JSON")
	}
	for _, f := range e.Extra {
		if !json.Valid(f.Value) {
			return e.wrong(CodeMalformed, f.Name, "is not JSON")
		}
	}
	return nil
}
