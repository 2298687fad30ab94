package event

import (
	"context"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// AskOn is [Ask] on one connection of the Conn's subject. It is for a login, in an
// observer of [wsource.Subject.Connections]: the messages of the outbox are not sent on
// that connection before the observer has returned. Questions of Ask and AskMany, and
// subscriptions of OnTopic, do not wait in the outbox, and may be ahead of the login.
//
// It blocks as Ask does, and until Connect is called, which may come after the
// subscription to Connections. A subscriber of the Conn's events must not call it: the
// answer comes by the same reader, and so never.
//
// The errors are those of Ask, except that the question is never sent on another
// connection: if on has ended before the question left, the error is an [*AskError] with
// wsource.ErrClosed and Unsent. The observer asks again on the next connection.
func AskOn[A, Q any](
	ctx context.Context, conn *Conn, on *wsource.Connection[wsource.Message, wsource.Message], typ string, q Q,
) (A, error) {
	var answer A
	conn = given(conn, "AskOn")
	e, err := pose(conn, "AskOn", typ, q)
	switch {
	case err != nil:
		return answer, err
	case ctx == nil:
		return answer, argument("AskOn", "ctx", isNil)
	case on == nil:
		return answer, argument("AskOn", "on", isNil)
	case !conn.lasting:
		return answer, argument("AskOn", "conn", "is not over a subject")
	}
	e.Credit = 1
	var reply *Envelope
	err = observable.ErrGoexit // of the codec
	done := make(chan struct{})
	// An observer that is about to wait in a function of the subject, or inside of a
	// gate, opens the connection to the outbox. So another goroutine asks here.
	go func() {
		defer close(done)
		reply, err = conn.ask(ctx, e, conn.config.AskTimeout, on)
	}()
	<-done
	if err != nil {
		return answer, err
	}
	return unpack[A](conn, reply)
}

// reached returns the link on which a question can be asked at this moment, or nil; mu is
// held.
func (c *Conn) reached(q *question) *link {
	if c.link == nil || c.link.ending && q.only == nil || q.only != nil && c.link.out != Duplex(q.only) {
		return nil
	}
	return c.link
}

// unreachable returns why a question will not be asked, or nil; mu is held.
func (c *Conn) unreachable(ctx context.Context, q *question) error {
	switch {
	case c.reader == nil && !c.over && q.only == nil:
		return ErrNotConnected
	case c.over:
		return c.closed()
	case q.gone:
		return wsource.ErrClosed
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return nil
	}
}
