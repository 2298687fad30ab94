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

// Duplex is what a [Conn] speaks over: a stream of messages in both directions, such as a
// [*wsource.Socket].
//
// Over a *wsource.Subject of messages, as wsource.NewSubject makes with the codec wsource.Raw,
// a Conn lasts across connections. What was asked or is being answered on one of them fails
// when that one ends; what is emitted waits in the subject's outbox. Over a
// session.Session, that is so for a session in place of a connection.
type Duplex interface {
	observable.Observable[wsource.Message]
	observable.Observer[wsource.Message]
	Send(ctx context.Context, m wsource.Message) error
}

// Config configures a [Conn]. The zero value is the default. Both sides need the same Codec.
type Config struct {
	// Codec makes messages of envelopes. Default: JSON.
	Codec Codec
	// Values makes the data of envelopes of values. Default: JSONValues.
	Values Values
	// Source is the source of each event that has none when it is sent.
	Source string
	// MaxBytes is how long a message may be. A longer one is an error of that event only, if the
	// socket has let it pass. Default: DefaultMaxBytes.
	MaxBytes int
	// AskTimeout is how long a question of Ask may take if its context does not end before. 0 means
	// wsource.DefaultRequestTimeout; wsource.NoTimeout is none.
	AskTimeout time.Duration
	// MaxAnswers is how many questions of the peer may be under way on a connection; what it asks
	// beyond that is refused with CodeBusy. Default: DefaultMaxAnswers.
	MaxAnswers int
	// Window is how many values of a stream of AskMany may be on their way or wait for a slow
	// subscriber. Default: DefaultWindow.
	Window int
	// MaxErrors is how many events that cannot be used the peer may send in a minute on a
	// connection, before that is closed with 1008. Default: DefaultMaxErrors.
	MaxErrors int
}

// problem returns what is wrong with the config, or "".
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

// Conn is named events over a duplex stream. It is the same on both sides. It is made by [New];
// any goroutine may use it.
//
// There is one reader. [On] and [Emit] are events as streams, [Ask] and [Answer] questions with
// one answer, [AskMany] and [AnswerMany] with a stream of them.
type Conn struct {
	config  Config
	codec   Codec
	values  Values
	duplex  Duplex
	problem error // with an argument of New, or nil
	lasting bool  // it is over a subject, and has one link after the other

	errors  observable.Subject[error]
	unheard observable.Subject[*Envelope]
	topical observable.Subject[*Envelope] // events with a topic
	life    observable.Subject[struct{}]  // has no values, and completes with the Conn
	ending  chan struct{}                 // closes before the streams of the Conn end
	done    chan struct{}                 // closes after

	mu        interleave.Mutex
	linked    interleave.Cond // there is a link, or none will come
	reader    observable.Subscription
	connected bool
	waiting   []func() // are called when it is
	link      *link    // the connection that is open, or nil
	over      bool
	left      bool  // the Conn has ended before the duplex stream
	err       error // that it ended with; nil if it completed
	kinds     map[string]*kind
	answerers map[string]answerer

	subscribed map[string]*subscribed // by pattern
}

// New returns the Conn of a duplex stream. Nothing is read before Connect. What is wrong with
// an argument, an [*observable.ArgumentError], is the error of all streams of the Conn. A nil
// config is the default.
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
		c.problem = argument("New", "duplex", "is nil")
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

// argument returns the error for an argument that cannot be used.
func argument(function, name, problem string) error {
	return &observable.ArgumentError{Func: "event." + function, Argument: name, Problem: problem}
}

// checkType returns the error for a type that no event of the application has, or nil.
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

// Connect begins to read, when all is subscribed that wants what comes first: an event that
// comes while nobody listens is lost. It returns the subscription to the duplex stream. The end
// of ctx, and Unsubscribe, end the Conn and not the stream: questions under way fail, and the
// contexts of answers end. A second call returns the same subscription.
func (c *Conn) Connect(ctx context.Context) observable.Subscription {
	c.mu.Lock()
	if c.connected || c.over {
		sub := c.reader
		c.mu.Unlock()
		if sub == nil {
			sub = observable.Subscribe[struct{}](ctx, observable.AttachFunc[struct{}](
				func(_ *observable.Scope, down observable.Stage[struct{}]) { down.Complete() },
			), observable.ObserverFuncs[struct{}]{})
		}
		return sub
	}
	c.connected = true
	c.mu.Unlock()
	sub := observable.Subscribe(ctx, observable.AttachFunc[struct{}](
		func(sc *observable.Scope, down observable.Stage[struct{}]) { c.read(ctx, sc, down) },
	), observable.ObserverFuncs[struct{}]{
		OnError: c.quit, // that of ctx, or a panic
	})
	c.mu.Lock()
	c.reader = sub
	waiting := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for _, f := range waiting {
		f()
	}
	return sub
}

// whenConnected calls f when Connect has been called, at once if it has.
func (c *Conn) whenConnected(f func()) {
	c.mu.Lock()
	if !c.connected || c.reader == nil {
		c.waiting = append(c.waiting, f)
		c.mu.Unlock()
		return
	}
	c.mu.Unlock()
	f()
}

// read reads the duplex stream in sc, the scope of a subscription with ctx.
func (c *Conn) read(ctx context.Context, sc *observable.Scope, down observable.Stage[struct{}]) {
	terminal := &observable.TerminalFuncs{
		OnError:    func(err error) { c.end(err); down.Complete() },
		OnComplete: func() { c.end(nil); down.Complete() },
	}
	subject, _ := c.duplex.(lasting)
	sc.OnClose(func() { // the context has ended, or somebody has unsubscribed
		c.quit(cmp.Or(context.Cause(ctx), wsource.ErrClosed))
	})
	if c.lasting {
		observable.Attach(subject.Connections(), sc, observable.Stage[*connection]{
			Next:     func(one *connection) { c.follow(sc, one) },
			Terminal: terminal,
		})
		return
	}
	l := newLink(c, sc, c.duplex)
	observable.Attach[wsource.Message](c.duplex, sc, observable.Stage[wsource.Message]{
		Next: l.receive, Terminal: terminal,
	})
}

// lasting is what has one connection after the other: a subject, or a session.
type lasting interface {
	Connections() observable.Observable[*connection]
}

type connection = wsource.Connection[wsource.Message, wsource.Message]

// follow reads one connection of a subject.
func (c *Conn) follow(sc *observable.Scope, one *connection) {
	source := observable.AttachFunc[wsource.Message](
		func(inner *observable.Scope, down observable.Stage[wsource.Message]) {
			l := newLink(c, inner, one)
			inner.OnClose(func() {
				l.lose(cmp.Or(one.Err(), wsource.ErrClosed))
			})
			observable.Attach[wsource.Message](one, inner, observable.Stage[wsource.Message]{
				Next: l.receive, Terminal: down.Terminal,
			})
		})
	observable.Subscribe(sc, source, observable.ObserverFuncs[wsource.Message]{
		OnError: func(error) {}, // the subject tells
	})
}

// quit ends the Conn, whose duplex stream may go on.
func (c *Conn) quit(err error) {
	c.mu.Lock()
	c.left = c.left || !c.over
	c.mu.Unlock()
	c.end(err)
}

// end ends the Conn, once: with err, or completing its streams if that is nil.
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

// closed returns why nothing can be sent any more, once the Conn is over.
func (c *Conn) closed() error {
	if c.err != nil {
		return c.err
	}
	return wsource.ErrClosed
}

// Done returns a channel that closes when the Conn is over.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns nil while the Conn lives and after the duplex stream has completed, and otherwise
// what has ended it: the stream's error, the cause of the end of Connect's context, or
// wsource.ErrClosed after an Unsubscribe.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Errors returns the observable of what goes wrong with single events: *EnvelopeError,
// *DataError, *StrayError, *RemoteError for what the peer could not use, *AnswerError,
// *wsource.SendError. None of them ends the Conn. What is told while nobody listens goes to
// [observable.OnUnhandled], save late values. It is hot, and completes with the Conn.
func (c *Conn) Errors() observable.Observable[error] { return &c.errors }

// Unheard returns the observable of the events that come while nobody listens to their type,
// questions that nobody answers included. It is hot, and ends as the Conn does.
func (c *Conn) Unheard() observable.Observable[*Envelope] { return &c.unheard }

// report tells of a failure.
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
