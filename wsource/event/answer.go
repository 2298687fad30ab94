package event

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// answerer answers the questions of a type. The reader calls it. It returns the work for
// a goroutine of its own, until a.finish; or an error of the question's data.
type answerer func(a *answer) (work func(), err error)

// Answer has f answer the peer's questions of a type, as long as the returned
// subscription lasts. Each call of f has a goroutine of its own while it runs, up to
// Config.MaxAnswers of them on a connection, so f may block, and may [Ask] in turn. A
// goroutine that is done may run the next call.
//
// The context of f ends when the peer's time for it is over, when the peer does not want
// the answer any more (its cause is then ErrCancelled), and when the connection ends. The
// peer is told an error that is a [*PublicError]. For any other error, and for a panic,
// the peer gets CodeInternal, and this side an [*AnswerError] by [Conn.Errors].
//
// A type has one answer at a time. An argument that cannot be used is an
// [*observable.ArgumentError], which Conn.Errors tells.
func Answer[Q, A any](conn *Conn, typ string, f func(ctx context.Context, question Q) (A, error)) observable.Subscription {
	conn = given(conn, "Answer")
	if f == nil {
		return conn.answerWith("Answer", typ, nil)
	}
	return conn.answerWith("Answer", typ, func(a *answer) (func(), error) {
		q, err := unpack[Q](conn, a.question) // here, as it needs a big stack
		return func() {
			var e *Envelope
			err := observable.ErrGoexit
			defer func() { a.finish(e, err) }() // even when f ends the goroutine
			err = guarded(func() error {
				value, err := f(&a.ctx, q)
				if err != nil {
					return err
				}
				e, err = Pack(conn, typeReply, value)
				return err
			})
		}, err
	})
}

// questionKey is the key of the question in the context of its answer.
type questionKey struct{}

// Question returns the event of the question that is answered with ctx, or nil if none
// is. It has the question's ID, Source and Extra, and, for a job of a [Queue], the job's
// ID as Corr.
func Question(ctx context.Context) *Envelope {
	if ctx == nil {
		return nil
	}
	e, _ := ctx.Value(questionKey{}).(*Envelope)
	return e
}

// answerWith registers the answerer of a type.
func (c *Conn) answerWith(function, typ string, f answerer) observable.Subscription {
	problem := c.problem
	if problem == nil {
		problem = checkType(function, typ)
	}
	if f == nil && problem == nil {
		problem = argument(function, "f", isNil)
	}
	return observable.Subscribe[struct{}](context.Background(), observable.AttachFunc[struct{}](
		func(sc *observable.Scope, down observable.Stage[struct{}]) {
			c.mu.Lock()
			if problem == nil && !c.over && c.answerers[typ] != nil {
				problem = argument(function, "typ", "is answered already: "+typ)
			}
			over := c.over
			if problem == nil && !over {
				c.answerers[typ] = f
			}
			c.mu.Unlock()
			switch {
			case problem != nil:
				down.Error(problem)
			case over:
				down.Complete()
			default:
				sc.OnClose(func() {
					c.mu.Lock()
					defer c.mu.Unlock()
					delete(c.answerers, typ)
				})
				c.life.AttachTo(sc, down)
			}
		}), observable.ObserverFuncs[struct{}]{OnError: c.report})
}

// answer is an answer of this side that is under way.
type answer struct {
	link     *link
	question *Envelope
	ctx      callContext
	unwatch  func() (stopped bool)
	finished atomic.Bool

	// For a stream, guarded by the Conn's mu.
	credit  int64
	changed interleave.Cond
}

// asked handles a question of the peer.
func (l *link) asked(e *Envelope) {
	c := l.conn
	c.mu.Lock()
	f := c.answerers[e.Type]
	code := Code("")
	switch {
	case f == nil:
		code = CodeUnknownType
	case l.answers[e.ID] != nil:
		code = CodeDuplicateID
	case len(l.answers) >= c.config.MaxAnswers:
		code = CodeBusy
	}
	if code != "" || l.lost != nil {
		c.mu.Unlock()
		l.refuse(e, code)
		return
	}
	a := &answer{
		link: l, question: e, credit: e.Credit, ctx: callContext{parent: l.values, question: e},
	}
	a.changed.L = &c.mu
	if e.Timeout > 0 {
		a.ctx.deadline = time.Now().Add(e.Timeout)
	}
	l.answers[e.ID] = a
	c.mu.Unlock()
	work, err := f(a)
	if err != nil {
		l.fault(err)
		a.remove()
		return
	}
	l.do(work)
}

// refuse tells the peer that its question is not answered.
func (l *link) refuse(e *Envelope, code Code) {
	switch code {
	case CodeUnknownType:
		l.conn.unheard.Next(e)
		l.tell(refusal(e.ID, PublicError{code, "nobody answers this type"}))
	case CodeBusy:
		l.tell(refusal(e.ID, PublicError{code, "too many questions are under way"}))
	case CodeDuplicateID:
		l.fault(e.wrong(code, "id", "is that of a question under way"))
	default: // the connection is over
	}
}

// finish sends the end of an answer: e, or a failure if e is nil.
func (a *answer) finish(e *Envelope, err error) {
	if a.finished.Swap(true) {
		return
	}
	defer a.remove()
	l, c := a.link, a.link.conn
	c.mu.Lock()
	unwanted := l.lost != nil || a.ctx.cancelledBy(ErrCancelled)
	c.mu.Unlock()
	if unwanted { // the end of its context has caused other errors
		if panicked := (*observable.PanicError)(nil); errors.As(err, &panicked) {
			a.failure(err)
		}
		return
	}
	if err != nil || e == nil {
		e = refusal(a.question.ID, a.failure(err))
	}
	e.Corr = a.question.ID
	m, err := c.encode(e)
	if err != nil {
		c.report(err)
		m, _ = c.encode(refusal(a.question.ID, a.failure(err)))
	}
	l.out.Next(m)
}

// remove ends the context and the watch of an answer.
func (a *answer) remove() {
	c := a.link.conn
	c.mu.Lock()
	if a.link.answers[a.question.ID] == a {
		delete(a.link.answers, a.question.ID)
	}
	c.mu.Unlock()
	if a.unwatch != nil {
		a.unwatch()
	}
	a.ctx.end()
}

// cancel ends the context of an answer.
func (a *answer) cancel(cause error) { a.ctx.cancel(cause) }

// failure returns the error that the peer is told, and reports the others to this side.
func (a *answer) failure(err error) PublicError {
	var (
		failure *PublicError
	)
	switch {
	case errors.Is(context.Cause(&a.ctx), context.DeadlineExceeded):
		return PublicError{CodeTimeout, "the answer took too long"}
	case errors.As(err, &failure):
		return *failure
	default:
		a.link.conn.report(&AnswerError{ID: a.question.ID, Type: a.question.Type, Err: err})
		return PublicError{CodeInternal, "the answer has failed"}
	}
}

// grant lets a stream send more values.
func (a *answer) grant(n int64) {
	c := a.link.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	a.credit = min(a.credit+min(n, maxCredit), maxCredit)
	a.changed.Broadcast()
}
