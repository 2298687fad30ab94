package event

import (
	"context"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// maxCredit is how many values a stream may ask for at most.
const maxCredit = 1 << 31

// AskMany returns the observable of the values with which the peer answers a question of
// a type: one value of [Answer], any number of [AnswerMany]. It is cold: each
// subscription asks, without blocking.
//
// A slow subscriber slows the peer's stream, while other traffic goes on: up to
// Config.Window values are on their way or wait for it, and it asks for more as it takes
// them. A goroutine that exists only while there are values delivers them.
//
// It completes when the peer's stream does. It fails as [Ask] does, but waits without
// limit unless the context of the subscription has a deadline, which the peer is told.
// The end of the connection is an [*AskError], even if values have come. A value that
// does not fit A is a [*DataError] that ends the stream. Unsubscribe and the end of the
// context tell the peer, which unsubscribes its stream.
func AskMany[A, Q any](conn *Conn, typ string, q Q) observable.Observable[A] {
	conn = given(conn, "AskMany")
	return observable.AttachFunc[A](func(sc *observable.Scope, down observable.Stage[A]) {
		e, err := pose(conn, "AskMany", typ, q)
		if err != nil {
			down.Error(err)
			return
		}
		e.Credit = int64(conn.config.Window)
		s := &stream{conn: conn, question: question{id: e.ID, typ: typ}, credit: e.Credit}
		s.question.stream = s
		s.question.changed.L = &conn.mu
		buffered := operators.OnBackpressureBuffer(
			observable.AttachFunc[*Envelope](func(sc *observable.Scope, down observable.Stage[*Envelope]) {
				s.start(sc, down, e)
			}), conn.config.Window, observable.OverflowFail, nil)
		values := operators.TryMap(buffered, func(e *Envelope) (A, error) { return unpack[A](conn, e) })
		observable.Attach(values, sc, observable.Stage[A]{
			Terminal: down.Terminal,
			Next:     func(value A) { down.Next(value); s.took() },
		})
	})
}

// stream is a question with many answers.
type stream struct {
	conn     *Conn
	question question
	out      *observable.Emitter[*Envelope]
	taken    int64 // values taken since the peer was asked for more

	// Guarded by the Conn's mu.
	credit int64 // how many values the peer may send
	link   *link // link that the question was sent on
	from   *link // link that the last value came from
}

// start asks, on a goroutine of its own as asking may block.
func (s *stream) start(sc *observable.Scope, down observable.Stage[*Envelope], e *Envelope) {
	s.out = observable.NewEmitter(sc, down)
	sc.OnClose(s.cancel)
	go func() {
		l, err := s.conn.sendQuestion(sc, e, &s.question)
		if err != nil {
			s.out.Error(err)
			return
		}
		s.conn.mu.Lock()
		s.link = l
		lost := s.question.lost
		s.conn.mu.Unlock()
		if lost != nil {
			s.question.ended(lost)
		}
		if !sc.Open() {
			s.cancel()
		}
	}()
}

// cancel gives the question up, if it was sent and has no answer.
func (s *stream) cancel() {
	s.conn.mu.Lock()
	l := s.link
	s.conn.mu.Unlock()
	if l != nil { // if it is nil, start will see that the scope is closed
		l.giveUp(&s.question, true)
	}
}

// receive handles an answer of the peer. Only the reader calls it.
func (s *stream) receive(l *link, e *Envelope) {
	switch e.Type {
	case typeError:
		s.out.Error(remoteError(e))
		return
	case typeComplete:
		s.out.Complete()
		return
	}
	s.conn.mu.Lock()
	s.credit--
	s.from = l
	exceeded := s.credit < 0
	s.conn.mu.Unlock()
	if exceeded {
		err := &EnvelopeError{
			Code: CodeCredit, ID: s.question.id, Type: e.Type, Field: "corr", Problem: "has had more values than were asked for",
		}
		l.giveUp(&s.question, true)
		l.fault(err)
		s.out.Error(err)
		return
	}
	s.out.Next(e)
	if e.Type == typeReply {
		s.out.Complete()
	}
}

// took counts a value that the subscriber has taken, and asks for more.
func (s *stream) took() {
	s.taken++
	if s.taken < max(int64(s.conn.config.Window)/2, 1) {
		return
	}
	n := s.taken
	s.taken = 0
	s.conn.mu.Lock()
	s.credit += n
	l := s.from
	wanted := !s.question.over
	s.conn.mu.Unlock()
	if wanted {
		l.tell(&Envelope{Type: typeCredit, Corr: s.question.id, Credit: n})
	}
}

// AnswerMany has f answer the peer's questions of a type with a stream each, as long as
// the returned subscription lasts. A goroutine of its own calls f and subscribes to its
// stream. The rest is as [Answer] says, for the context and errors too.
//
// A value is sent when the peer has asked for it; until then Next blocks, as with any
// slow observer. So a stream with several subscribers waits for the slowest, unless an
// operator of backpressure stands before it. A stream that would wait for itself, as its
// values come from the connection that it slows, fails with CodeOverflow. The stream is
// unsubscribed when the peer does not want it any more, and when the connection ends. Ask
// gets its first value.
func AnswerMany[Q, A any](
	conn *Conn, typ string, f func(ctx context.Context, question Q) observable.Observable[A],
) observable.Subscription {
	conn = given(conn, "AnswerMany")
	if f == nil {
		return conn.answerWith("AnswerMany", typ, nil)
	}
	return conn.answerWith("AnswerMany", typ, func(a *answer) (func(), error) {
		q, err := unpack[Q](conn, a.question)
		return func() {
			s := &answerStream[A]{answer: a}
			err := observable.ErrGoexit
			defer func() {
				if err != nil {
					s.Error(err)
				}
			}()
			err = guarded(func() error {
				values := f(&a.ctx, q)
				if values == nil {
					return argument("AnswerMany", "f", "has returned nil")
				}
				a.unwatch = context.AfterFunc(&a.ctx, func() { a.grant(0) })
				values.Subscribe(&a.ctx, s)
				return nil
			})
		}, err
	})
}

// answerStream is the observer that sends an answer's values.
type answerStream[A any] struct{ answer *answer }

// Next sends a value, when there is credit.
func (s *answerStream[A]) Next(value A) {
	a, c := s.answer, s.answer.link.conn
	c.mu.Lock()
	for a.credit <= 0 && a.ctx.Err() == nil {
		if !a.link.scope.Wait(&a.changed) {
			c.mu.Unlock()
			a.cancel(&PublicError{CodeOverflow, "the stream cannot be slowed"})
			return
		}
	}
	a.credit--
	c.mu.Unlock()
	if a.ctx.Err() != nil {
		return // Error follows
	}
	e, err := Pack(c, typeNext, value)
	if err != nil {
		a.cancel(err)
		return
	}
	e.Corr = a.question.ID
	m, err := c.encode(e)
	if err != nil {
		a.cancel(err)
		return
	}
	a.link.out.Next(m)
}

// Error tells the peer that the stream has failed.
func (s *answerStream[A]) Error(err error) { s.answer.finish(nil, err) }

// ContextEnded ends the stream after a cancel, by the peer or because of a value.
func (s *answerStream[A]) ContextEnded(cause error) { s.answer.finish(nil, cause) }

// Complete tells the peer that there are no more values.
func (s *answerStream[A]) Complete() { s.answer.finish(&Envelope{Type: typeComplete}, nil) }

var _ observable.ContextObserver = (*answerStream[int])(nil)
