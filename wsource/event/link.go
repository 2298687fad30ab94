package event

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// Bounds of a link.
const (
	maxTold   = 256 // events that wait to be told to the peer; further errors and rx.subscribed are not
	errorTime = time.Minute
)

// link is one connection of a [Conn]. Its fields below scope are guarded by the Conn's mu.
type link struct {
	conn   *Conn
	out    Duplex
	scope  *observable.Scope // of the reader
	values context.Context   // of its subscription's context: the parent of the contexts of answers

	lost      error                // why nothing comes or goes any more, or nil
	ending    bool                 // nothing can be sent any more, though it is not lost yet
	questions map[string]*question // this side's, by ID
	answers   map[string]*answer   // to the peer's questions, by ID
	late      late                 // this side's that were given up
	deadlines
	goroutines

	told    []*Envelope // that wait to be sent by a goroutine that exists only meanwhile
	telling bool

	errorsSince time.Time // the minute in which these came
	errors      int
	refusals    int
	banned      atomic.Bool // there were too many: the peer is not heard any more
}

// newLink makes the link on which a Conn speaks from now on.
func newLink(c *Conn, scope *observable.Scope, out Duplex) *link {
	l := &link{
		conn: c, out: out, scope: scope, values: scope.Values(),
		questions: make(map[string]*question), answers: make(map[string]*answer),
	}
	c.mu.Lock()
	if c.over {
		l.lost = c.closed()
	} else {
		c.link = l
	}
	c.linked.Broadcast()
	for _, s := range c.subscribed {
		s.ask(l)
	}
	c.mu.Unlock()
	return l
}

// lose ends the link: what was asked on it fails, and what is being answered is cancelled.
func (l *link) lose(err error) {
	c := l.conn
	c.mu.Lock()
	if l.lost != nil {
		c.mu.Unlock()
		return
	}
	l.lost = err
	if c.link == l {
		c.link = nil
	}
	answers := slices.Collect(maps.Values(l.answers))
	var sent []*question
	for _, q := range l.questions {
		if q.lose(err); !q.posing {
			sent = append(sent, q)
		}
	}
	l.questions, l.told = make(map[string]*question), nil
	l.endAll()
	l.unwatch()
	c.mu.Unlock()
	for _, a := range answers {
		a.cancel(err)
	}
	each.Call(sent, func(q *question) { q.ended(err) }) // which calls the subscribers of streams
}

// receive deals with a message.
func (l *link) receive(m wsource.Message) {
	c := l.conn
	if l.banned.Load() {
		return
	}
	if len(m.Data) > c.config.MaxBytes {
		l.fault(&EnvelopeError{Code: CodeTooLong, Problem: "the message is too long"})
		return
	}
	e, err := c.decode(m)
	switch {
	case err != nil:
		l.fault(err)
	case e.own():
		l.control(e)
	case e.Credit > 0:
		l.asked(e)
	default:
		c.dispatch(e)
	}
}

// ownedDecoder is a codec that can refer to a message which nobody changes any more.
type ownedDecoder interface {
	decodeOwned(data []byte) (*Envelope, error)
}

// decode makes an envelope of a message.
func (c *Conn) decode(m wsource.Message) (e *Envelope, err error) {
	if owned, ok := c.codec.(ownedDecoder); ok {
		return owned.decodeOwned(m.Data)
	}
	err = guarded(func() error {
		e, err = c.codec.Decode(m.Type, m.Data)
		return err
	})
	if err == nil {
		if problem := e.vet(); problem != nil {
			err = problem
		}
	}
	return e, err
}

// control deals with an event of the protocol.
func (l *link) control(e *Envelope) {
	switch e.Type {
	case typeReply, typeNext, typeComplete, typeError:
		l.answered(e)
	case typeCancel:
		if a := l.answer(e.Corr); a != nil { // or else the answer is on its way
			a.cancel(ErrCancelled)
		}
	case typeCredit:
		if a := l.answer(e.Corr); a != nil {
			a.grant(e.Credit)
		}
	case typeSubscribe, typeLeave:
		if !l.conn.hears(e) {
			l.fault(e.wrong(CodeReserved, "type", "is not for this connection"))
		}
	case typeJoined: // which values may follow
	default:
		l.fault(e.wrong(CodeReserved, "type", `begins with "rx."`))
	}
}

// answer returns the answer that is under way to a question of the peer, or nil.
func (l *link) answer(id string) *answer {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	return l.answers[id]
}

// fault deals with an event of the peer that cannot be used: both sides are told, and who sends
// too many is closed.
func (l *link) fault(err error) {
	if !l.blame(err) {
		return
	}
	corr, topic, failure := describe(err)
	told := refusal(corr, failure)
	told.Topic = topic
	l.tell(told)
}

// describe returns what the peer is told of an event that cannot be used.
func describe(err error) (corr, topic string, failure PublicError) {
	failure = PublicError{Code: CodeMalformed, Message: "the event cannot be used"}
	var (
		envelope *EnvelopeError
		stray    *StrayError
		data     *DataError
	)
	switch {
	case errors.As(err, &envelope):
		failure = PublicError{envelope.Code, strings.TrimSpace(envelope.Field + " " + envelope.Problem)}
		corr, topic = envelope.ID, envelope.Topic
	case errors.As(err, &data):
		failure, corr = PublicError{CodeBadData, "the data does not fit the type"}, data.Envelope.ID
	case errors.As(err, &stray):
		failure, corr = PublicError{CodeNoQuestion, "nobody has asked"}, stray.Corr
	}
	return corr, topic, failure
}

// blame tells this side of an error that the peer has made, and counts it. It reports false if they
// are too many, with which the connection ends.
func (l *link) blame(err error) bool {
	c := l.conn
	c.report(err)
	if l.count(&l.errors) {
		return true
	}
	if !l.banned.Swap(true) {
		c.report(ErrTooManyErrors)
		l.out.Error(&wsource.CloseError{
			Code: wsource.StatusPolicyViolation, Reason: ErrTooManyErrors.Error(), Err: ErrTooManyErrors,
		})
	}
	return false
}

// count counts one more in this minute, and reports false if that is one too many.
func (l *link) count(n *int) bool {
	c := l.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(l.errorsSince) >= errorTime {
		l.errorsSince, l.errors, l.refusals = now, 0, 0
	}
	*n++
	return *n <= c.config.MaxErrors
}

// refuseTopic tells both sides that something is not done with a topic, this one of the cause too
// if there is one. It is not counted against the peer, which may not know better; beyond MaxErrors
// in a minute this side is not told.
func (l *link) refuseTopic(err *EnvelopeError, cause error) {
	if l.count(&l.refusals) {
		if cause != nil {
			l.conn.report(cause)
		}
		l.conn.report(err)
	}
	corr, topic, failure := describe(err)
	told := refusal(corr, failure)
	told.Topic = topic
	l.tell(told)
}

// refusal returns the event that tells the peer of a failure.
func refusal(corr string, f PublicError) *Envelope {
	data := appendString([]byte(`{"code":`), string(f.Code))
	data = append(appendString(append(data, `,"message":`...), f.Message), '}')
	return &Envelope{Type: typeError, Corr: corr, Data: data}
}

// tell sends an event of the protocol without waiting: the caller may be who reads.
func (l *link) tell(e *Envelope) {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	l.tellLocked(e)
}

// tellLocked is tell; mu is held.
func (l *link) tellLocked(e *Envelope) {
	bounded := e.Type == typeError || e.Type == typeJoined // of what the peer can have as many as it likes
	if l.lost != nil || bounded && len(l.told) >= maxTold {
		return // there is at most one of the others for each question, and for each half of a window
	}
	l.told = append(l.told, e)
	if !l.telling {
		l.telling = true
		go l.tellAll()
	}
}

// tellAll sends what is to be told, until there is no more.
func (l *link) tellAll() {
	c := l.conn
	for {
		c.mu.Lock()
		if len(l.told) == 0 {
			l.telling = false
			c.mu.Unlock()
			return
		}
		e := l.told[0]
		l.told = l.told[1:]
		c.mu.Unlock()
		err := l.send(l.scope, e)
		if se := (*wsource.SendError)(nil); err != nil && !errors.As(err, &se) { // of which the connection's end tells
			c.report(err)
		}
	}
}

// send sends an event, and returns when it was handed to the operating system.
func (l *link) send(ctx context.Context, e *Envelope) error {
	m, err := l.conn.encode(e)
	if err != nil {
		return err
	}
	return l.out.Send(ctx, m)
}

// encode makes a message of an event.
func (c *Conn) encode(e *Envelope) (m wsource.Message, err error) {
	err = guarded(func() error {
		m, err = c.codec.Encode(e)
		return err
	})
	return m, err
}
