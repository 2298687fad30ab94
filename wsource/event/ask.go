package event

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource"
)

// Ask sends a question of a type and returns the peer's answer. It blocks until that has
// come, ctx ends, Config.AskTimeout is over, or the connection ends. The peer is told how
// long the answer is wanted, and when it is not wanted any more. Both sides may ask. A
// question without data has struct{}{} as q.
//
// The error is a [*RemoteError] if the peer reports one, as [PublicError] and the codes
// say; a [*DataError] if the question does not encode or the answer does not fit A;
// observable.ErrEmpty if a stream answers and is empty; otherwise an [*AskError], which
// knows whether the question may have arrived.
//
// Over a subject, a question that certainly has not arrived is sent on the next
// connection. It is not in the outbox: it leaves as soon as there is a connection, and
// may be ahead of the first messages of a subscriber of [wsource.Subject.Connections].
// Such a subscriber asks with [AskOn].
func Ask[A, Q any](ctx context.Context, conn *Conn, typ string, q Q) (A, error) {
	var answer A
	conn = given(conn, "Ask")
	e, err := pose(conn, "Ask", typ, q)
	switch {
	case err != nil:
		return answer, err
	case ctx == nil:
		return answer, argument("Ask", "ctx", isNil)
	}
	e.Credit = 1
	reply, err := conn.ask(ctx, e, conn.config.AskTimeout, nil)
	if err != nil {
		return answer, err
	}
	return unpack[A](conn, reply)
}

// pose makes the event of a question.
func pose[Q any](conn *Conn, function, typ string, q Q) (*Envelope, error) {
	if err := cmp.Or(conn.problem, checkType(function, typ)); err != nil {
		return nil, err
	}
	e, err := Pack(conn, typ, q)
	if err == nil {
		e.complete(conn.config.Source)
	}
	return e, err
}

// question is a question of this side that is under way. Its fields below are guarded by
// the Conn's mu.
type question struct {
	id, typ  string
	deadline time.Time // its link watches it; zero if only a context has one

	changed interleave.Cond // for a question with a single answer
	posing  bool            // it is being sent; the sender handles a loss meanwhile
	over    bool            // reply, err and lost will not change
	reply   *Envelope
	err     error
	lost    error // cause of the connection's end, if the question's fate is unknown

	stream *stream // for a question with many answers, or nil

	only *connection // connection of AskOn, or nil
	gone bool        // only has ended
}

// lose ends a question with its link; mu is held.
func (q *question) lose(err error) {
	q.over, q.lost = true, err
	q.changed.Broadcast()
}

// ended tells the stream of a question that was sent that the question is lost.
func (q *question) ended(err error) {
	if q.stream != nil {
		q.stream.out.Error(q.failed(wsource.Unknown, err))
	}
}

// failed returns the error for a question without an answer.
func (q *question) failed(outcome wsource.Outcome, err error) error {
	return &AskError{ID: q.id, Type: q.typ, Outcome: outcome, Err: err}
}

// ask sends a question and waits for its answer, for limit at most. The question goes on
// the connection only, or on any connection if that is nil.
func (c *Conn) ask(ctx context.Context, e *Envelope, limit time.Duration, only *connection) (*Envelope, error) {
	both := &struct { // in one piece of memory
		question
		call callContext
	}{
		question: question{id: e.ID, typ: e.Type, only: only},
		call:     callContext{parent: ctx, expired: wsource.ErrRequestTimeout},
	}
	q, call := &both.question, &both.call
	q.changed.L = &c.mu
	defer call.end()
	deadline, limited := ctx.Deadline()
	if limit > 0 && (!limited || time.Until(deadline) > limit) {
		call.deadline = time.Now().Add(limit)
		q.deadline = call.deadline
	}
	if only != nil {
		defer only.OnEnd(func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			q.gone = true
			c.linked.Broadcast()
		})()
	}
	l, err := c.sendQuestion(call, e, q)
	if err != nil {
		return nil, err
	}
	if ends := call.latest(); ends.Done() != nil {
		defer context.AfterFunc(ends, q.wake(c))()
	}
	return l.answerTo(call, q)
}

// isLate reports whether the question's time is over. Its context has a timer of its own
// once a goroutine has waited for its end: that may fire a moment later than the timer of
// the link.
func (q *question) isLate() bool { return !q.deadline.IsZero() && !time.Now().Before(q.deadline) }

// wake returns a function that has the goroutine that waits for a question look at its
// context.
func (q *question) wake(c *Conn) func() {
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		q.changed.Broadcast()
		c.linked.Broadcast()
	}
}

// sendQuestion sends a question, on the next connection if it certainly has not left on
// this one.
func (c *Conn) sendQuestion(ctx context.Context, e *Envelope, q *question) (*link, error) {
	for {
		l, err := c.await(ctx, q)
		if err != nil {
			return nil, err
		}
		err = l.pose(ctx, e, q)
		if err == nil || q.only != nil || !c.again(ctx, l, err) {
			return l, err
		}
	}
}

// await returns the link on which a question can be asked, and registers the question
// there.
func (c *Conn) await(ctx context.Context, q *question) (*link, error) {
	var stop func() bool
	defer func() {
		if stop != nil {
			stop()
		}
	}()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if err := c.unreachable(ctx, q); err != nil {
			return nil, q.failed(wsource.Unsent, err)
		}
		if l := c.reached(q); l != nil {
			q.posing, q.over, q.lost = true, false, nil // another link may have lost it
			l.questions[q.id] = q
			l.watch(q.deadline)
			return l, nil
		}
		if stop == nil {
			stop = context.AfterFunc(ctx, q.wake(c))
		}
		c.linked.Wait()
	}
}

// again reports whether a question that has failed on a link is to be asked on the next
// one. A connection that does not send is ending, even if that was not told yet.
func (c *Conn) again(ctx context.Context, l *link, err error) bool {
	var (
		ae  *AskError
		arg *observable.ArgumentError
	)
	// The connection is not the cause of an invalid text or argument.
	if !errors.As(err, &ae) || ae.Outcome != wsource.Unsent || ctx.Err() != nil ||
		errors.Is(err, wsource.ErrInvalidUTF8) || errors.As(err, &arg) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	l.ending = true
	return c.lasting && !c.over
}

// pose sends a question on the link. The error is the question's end.
func (l *link) pose(ctx context.Context, e *Envelope, q *question) error {
	if deadline, ok := ctx.Deadline(); ok {
		e.Timeout = max(time.Until(deadline), time.Millisecond)
	}
	c := l.conn
	m, problem := c.encode(e)
	if problem != nil {
		c.mu.Lock()
		delete(l.questions, q.id)
		c.mu.Unlock()
		return problem
	}
	err := l.out.Send(ctx, m)
	c.mu.Lock()
	q.posing = false
	if err == nil || q.over && q.lost == nil { // the answer may have come all the same
		c.mu.Unlock()
		return nil
	}
	q.over, q.lost = false, nil // the outcome of the sending is more exact
	c.mu.Unlock()
	se, ok := errors.AsType[*wsource.SendError](err)
	if !ok { // a foreign stream does not tell
		se = &wsource.SendError{Outcome: wsource.Unknown, Err: err}
	}
	l.giveUp(q, se.Outcome != wsource.Unsent)
	return q.failed(se.Outcome, se.Err)
}

// answerTo waits for the answer to a question that was sent.
func (l *link) answerTo(ctx context.Context, q *question) (*Envelope, error) {
	c := l.conn
	c.mu.Lock()
	for !q.over && !q.isLate() && ctx.Err() == nil {
		if !l.scope.Wait(&q.changed) {
			c.mu.Unlock()
			l.giveUp(q, true)
			return nil, q.failed(wsource.Unknown, ErrAskInCallback)
		}
	}
	defer c.mu.Unlock()
	switch {
	case !q.over:
		c.mu.Unlock()
		l.giveUp(q, true)
		c.mu.Lock()
		return nil, q.failed(wsource.Unknown, cmp.Or(context.Cause(ctx), wsource.ErrRequestTimeout))
	case q.lost != nil:
		return nil, q.failed(wsource.Unknown, q.lost)
	default:
		return q.reply, q.err
	}
}

// giveUp ends a question of this side, and tells the peer if it may know the question.
func (l *link) giveUp(q *question, sent bool) {
	c := l.conn
	c.mu.Lock()
	if q.over || l.questions[q.id] != q {
		c.mu.Unlock()
		return
	}
	q.over = true
	delete(l.questions, q.id)
	if sent {
		l.late.note(q.id, q.left())
	}
	c.mu.Unlock()
	if sent {
		l.tell(&Envelope{Type: typeCancel, Corr: q.id})
	}
}

// left returns how many events may still come about a question that is given up: the
// values that it has asked for and the end of its stream; mu is held.
func (q *question) left() int {
	if q.stream == nil {
		return 2
	}
	return int(max(q.stream.credit, 0)) + 1
}

// answered handles an answer of the peer.
func (l *link) answered(e *Envelope) {
	c := l.conn
	c.mu.Lock()
	q := l.questions[e.Corr]
	last := e.Type != typeNext
	late, first := false, false
	if q == nil {
		late, first = l.late.take(e.Corr, last)
	}
	single := q != nil && q.stream == nil
	if q != nil && (single || last) {
		delete(l.questions, e.Corr)
		q.over = true
	}
	if single {
		q.settle(e)
		if !last {
			l.late.note(e.Corr, 1) // the end of its stream
		}
		q.changed.Signal()
	}
	c.mu.Unlock()
	switch {
	case single:
		if !last { // the first value of a stream is enough
			l.tell(&Envelope{Type: typeCancel, Corr: e.Corr})
		}
	case q != nil:
		q.stream.receive(l, e)
	case e.Type == typeError:
		if a := l.answer(e.Corr); a != nil { // the peer forgot the question
			a.cancel(ErrCancelled)
		}
		if err := remoteError(e); !late && !c.refused(err) {
			// The peer may not flood this side; it is not told of its own reports.
			l.blame(err)
		}
	case late: // one report for a stream, of which a whole window may be on its way
		if first {
			c.report(&StrayError{Corr: e.Corr, Type: e.Type, Late: true})
		}
	default:
		l.fault(&StrayError{Corr: e.Corr, Type: e.Type})
	}
}

// settle notes the answer to a question with a single one.
func (q *question) settle(e *Envelope) {
	switch e.Type {
	case typeError:
		q.err = remoteError(e)
	case typeComplete:
		q.err = observable.ErrEmpty
	default:
		q.reply = e
	}
}

// remoteError makes the error that the peer reports.
func remoteError(e *Envelope) *RemoteError {
	var f struct {
		Code    Code   `json:"code"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(e.Data, &f); err != nil || f.Code == "" {
		f.Code = CodeMalformed
	}
	return &RemoteError{Code: f.Code, Message: f.Message, Corr: e.Corr, Topic: e.Topic}
}
