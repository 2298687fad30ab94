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
	// maxTold is how many events may wait to be told to the peer; beyond it, no rx.error
	// and no rx.subscribed is told.
	maxTold   = 256
	errorTime = time.Minute
)

// link is one connection of a [Conn]. Its fields below scope are guarded by the Conn's
// mu.
type link struct {
	conn   *Conn
	out    Duplex
	scope  *observable.Scope // of the reader
	values context.Context   // parent of the contexts of answers

	lost      error                // reason why nothing comes or goes any more, or nil
	ending    bool                 // nothing can be sent any more; not lost yet
	questions map[string]*question // questions of this side, by ID
	answers   map[string]*answer   // answers to the peer's questions, by ID
	late      late                 // questions of this side that were given up
	deadlines
	goroutines

	told    []*Envelope // events that wait for a goroutine, which exists only meanwhile
	telling bool

	errorsSince time.Time // beginning of the minute that errors and refusals are of
	errors      int
	refusals    int
	banned      atomic.Bool // too many errors: this side ignores the peer from now on
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

// lose ends the link: questions asked on it fail, and answers under way are cancelled.
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
	// This calls subscribers of streams.
	each.Call(sent, func(q *question) { q.ended(err) })
}

// receive handles a message.
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

// ownedDecoder is a codec whose envelopes can refer to a message that no code changes any
// more.
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

// control handles an event of the protocol.
func (l *link) control(e *Envelope) {
	switch e.Type {
	case typeReply, typeNext, typeComplete, typeError:
		l.answered(e)
	case typeCancel:
		if a := l.answer(e.Corr); a != nil { // if it is nil, the answer is on its way
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
	case typeJoined: // values may follow
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

// fault handles an event of the peer that cannot be used: both sides are told, and a peer
// that sends too many is disconnected.
func (l *link) fault(err error) {
	if !l.blame(err) {
		return
	}
	corr, topic, failure := describe(err)
	told := refusal(corr, failure)
	told.Topic = topic
	l.tell(told)
}

// describe returns the failure that the peer is told for an event that cannot be used.
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

// blame reports an error of the peer to this side, and counts it. It returns false if the
// peer has made too many errors, with which the connection ends.
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

// refuseTopic tells both sides that a topic is refused; this side also the cause, if
// there is one. A refusal is not counted against the peer, which may not know better;
// beyond MaxErrors in a minute this side is not told.
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

// tell sends an event of the protocol without waiting, as the caller may be the reader.
func (l *link) tell(e *Envelope) {
	l.conn.mu.Lock()
	defer l.conn.mu.Unlock()
	l.tellLocked(e)
}

// tellLocked is tell; mu is held.
func (l *link) tellLocked(e *Envelope) {
	// The peer can cause any number of these. There is at most one of the others for each
	// question, and for each half of a window.
	bounded := e.Type == typeError || e.Type == typeJoined
	if l.lost != nil || bounded && len(l.told) >= maxTold {
		return
	}
	l.told = append(l.told, e)
	if !l.telling {
		l.telling = true
		go l.tellAll()
	}
}

// tellAll sends the events that wait to be told, until there are none.
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
		// The end of the connection tells of a SendError.
		if se := (*wsource.SendError)(nil); err != nil && !errors.As(err, &se) {
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
