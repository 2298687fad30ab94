package event

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// The defaults of a [Config].
const (
	DefaultMaxBytes   = 1 << 20
	DefaultMaxAnswers = 256
	DefaultMaxErrors  = 60
	DefaultWindow     = 64
)

// Duplex is the stream under a [Conn]: messages in both directions, as of a
// [*wsource.Socket].
//
// Over a *wsource.Subject of messages, as wsource.NewSubject makes with the codec
// wsource.Raw, a Conn lasts across connections. Questions and answers under way fail when
// their connection ends; values emitted wait in the subject's outbox. Over a
// session.Session, that is so for a session in place of a connection.
type Duplex interface {
	observable.Observable[wsource.Message]
	observable.Observer[wsource.Message]
	Send(ctx context.Context, m wsource.Message) error
}

// Config configures a [Conn]. The zero value is the default. Both sides need the same
// Codec.
type Config struct {
	// Codec makes messages of envelopes. Default: JSON.
	Codec Codec
	// Values makes the data of envelopes of values. Default: JSONValues.
	Values Values
	// Source is the source of each event that is sent without one.
	Source string
	// MaxBytes is how long a message may be. A longer one is an error of that event only,
	// if the socket has let it pass. Default: DefaultMaxBytes.
	MaxBytes int
	// AskTimeout is how long a question of Ask may take if its context does not end
	// before. 0 means wsource.DefaultRequestTimeout; wsource.NoTimeout is none.
	AskTimeout time.Duration
	// MaxAnswers is how many questions of the peer may be under way on a connection;
	// further ones are refused with CodeBusy. A question that the peer has cancelled
	// counts until its answer has returned, or its stream has ended, as it holds a
	// goroutine until then: so a busy server may refuse a peer that cancels and asks
	// again, although few of its questions wait for an answer. Default:
	// DefaultMaxAnswers.
	MaxAnswers int
	// Window is how many values of a stream of AskMany may be on their way or wait for a
	// slow subscriber. Default: DefaultWindow.
	Window int
	// MaxErrors is how many events that cannot be used the peer may send in a minute on a
	// connection. One more closes the connection with 1008. The answers that were on
	// their way when this side gave a question up do not count: the end of it, and as
	// many values as it has asked for. Default: DefaultMaxErrors.
	MaxErrors int
}

// problem returns the problem with the config, or "".
func (c *Config) problem() string {
	switch {
	case c.MaxBytes < 0:
		return "MaxBytes is negative"
	case c.AskTimeout < 0 && c.AskTimeout != wsource.NoTimeout:
		return "AskTimeout is negative"
	case c.MaxAnswers < 0:
		return "MaxAnswers is negative"
	case c.Window < 0:
		return "Window is negative"
	case c.MaxErrors < 0:
		return "MaxErrors is negative"
	case len(c.Source) > MaxName:
		return "Source is too long"
	default:
		return ""
	}
}

// Conn is named events over a duplex stream. It is the same on both sides. [New] makes
// it; any goroutine may use it.
//
// It has one reader. [On] and [Emit] are events as streams, [Ask] and [Answer] questions
// with one answer, [AskMany] and [AnswerMany] questions with a stream of them.
type Conn struct {
	config  Config
	codec   Codec
	values  Values
	duplex  Duplex
	problem error // problem with an argument of New, or nil
	lasting bool  // it is over a subject, and has one link after the other

	errors  observable.Subject[error]
	unheard observable.Subject[*Envelope]
	topical observable.Subject[*Envelope] // events with a topic
	life    observable.Subject[struct{}]  // has no values, and completes with the Conn
	ending  chan struct{}                 // closes before the streams of the Conn end
	done    chan struct{}                 // closes after they have ended

	mu interleave.Mutex
	// There is a link, or none will come; or the reader's state has changed.
	linked    interleave.Cond
	reader    *reader  // subscription of Connect, or nil before that
	waiting   []func() // calls for the time when the reader reads
	link      *link    // open connection, or nil
	over      bool
	left      bool  // the Conn has ended before the duplex stream
	err       error // error of the end; nil after a completion
	kinds     map[string]*kind
	answerers map[string]answerer

	subscribed map[string]*subscribed // by pattern
}

// New returns the Conn of a duplex stream. It reads nothing before Connect. An argument
// that cannot be used is an [*observable.ArgumentError], which is the error of all
// streams of the Conn. A nil config is the default.
func New(duplex Duplex, config *Config) *Conn {
	c := &Conn{
		duplex: duplex, ending: make(chan struct{}), done: make(chan struct{}),
		kinds: make(map[string]*kind), answerers: make(map[string]answerer), subscribed: make(map[string]*subscribed),
	}
	_, c.lasting = duplex.(lasting)
	if config != nil {
		c.config = *config
	}
	c.linked.L = &c.mu
	if p := c.config.problem(); p != "" {
		c.problem = argument("New", "config", p)
	}
	if duplex == nil {
		c.problem = argument("New", "duplex", isNil)
	}
	c.codec, c.values = c.config.Codec, c.config.Values
	if c.codec == nil {
		c.codec = JSON()
	}
	if c.values == nil {
		c.values = JSONValues()
	}
	c.config.MaxBytes = cmp.Or(c.config.MaxBytes, DefaultMaxBytes)
	c.config.AskTimeout = cmp.Or(c.config.AskTimeout, wsource.DefaultRequestTimeout)
	c.config.MaxAnswers = cmp.Or(c.config.MaxAnswers, DefaultMaxAnswers)
	c.config.Window = cmp.Or(c.config.Window, DefaultWindow)
	c.config.MaxErrors = cmp.Or(c.config.MaxErrors, DefaultMaxErrors)
	if c.problem != nil {
		c.end(c.problem)
	}
	return c
}

// given returns conn, or in place of nil a Conn that has ended with the error for that
// argument of a function.
func given(conn *Conn, function string) *Conn {
	if conn != nil {
		return conn
	}
	none := New(nil, nil)
	none.problem = argument(function, "conn", isNil)
	none.err = none.problem
	return none
}

// isNil is the problem of many arguments.
const isNil = "is nil"

// argument returns the error for an argument that cannot be used.
func argument(function, name, problem string) error {
	return &observable.ArgumentError{Func: "event." + function, Argument: name, Problem: problem}
}

// checkType returns the error for a type that no event of the application may have, or
// nil.
func checkType(function, typ string) error {
	switch {
	case typ == "":
		return argument(function, "typ", "is empty")
	case len(typ) > MaxName:
		return argument(function, "typ", "is too long")
	case strings.HasPrefix(typ, reserved):
		return argument(function, "typ", `begins with "rx."`)
	default:
		return nil
	}
}

// quit ends the Conn; its duplex stream may go on.
func (c *Conn) quit(err error) {
	c.mu.Lock()
	c.left = c.left || !c.over
	c.mu.Unlock()
	c.end(err)
}

// end ends the Conn, once: with err, or with a completion if err is nil.
func (c *Conn) end(err error) {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	c.over, c.err = true, err
	l, kinds, all := c.link, c.kinds, c.subscribed
	c.kinds, c.subscribed = nil, nil
	c.linked.Broadcast()
	c.mu.Unlock()
	close(c.ending)
	defer close(c.done)
	defer c.errors.Complete()
	defer c.life.Complete()
	streams := []observable.Terminal{&c.topical, &c.unheard}
	for _, k := range kinds {
		streams = append(streams, &k.events)
	}
	for _, s := range all {
		streams = append(streams, &s.events)
	}
	defer each.Call(streams, func(s observable.Terminal) { terminate(s, err) })
	if l != nil {
		l.lose(c.closed())
	}
}

// closed returns the reason why nothing can be sent any more, once the Conn is over.
func (c *Conn) closed() error {
	if c.err != nil {
		return c.err
	}
	return wsource.ErrClosed
}

// Done returns a channel that closes when the Conn is over.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns nil while the Conn lives and after the duplex stream has completed.
// Otherwise it returns the cause of the Conn's end: the stream's error, the cause of the
// end of Connect's context, or wsource.ErrClosed after an Unsubscribe.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Errors returns the observable of the errors of single events: *EnvelopeError,
// *DataError, *StrayError, *RemoteError for an event that the peer could not use,
// *AnswerError, *wsource.SendError. None of them ends the Conn. Without a subscriber they
// go to [observable.OnUnhandled], save late values (StrayError.Late), of which only the
// first one of each question is reported. It is hot, and completes with the Conn.
func (c *Conn) Errors() observable.Observable[error] { return &c.errors }

// Unheard returns the observable of the events whose type has no subscriber, and of the
// questions whose type has no answerer. It is hot, and ends as the Conn does.
func (c *Conn) Unheard() observable.Observable[*Envelope] { return &c.unheard }

// report emits an error.
func (c *Conn) report(err error) {
	if c.errors.Observed() {
		c.errors.Next(err)
		return
	}
	var stray *StrayError
	if !errors.As(err, &stray) || !stray.Late {
		observable.ReportUnhandled(err, c)
	}
}

// guarded calls f, and returns its panic as an error.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &observable.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}
