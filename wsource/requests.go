package wsource

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
)

// The defaults of [RequestsConfig].
const (
	DefaultRequestTimeout = 10 * time.Second
	DefaultMaxRequests    = 1024
)

// NoTimeout is the Timeout of [RequestsConfig] that lets requests wait for ever.
const NoTimeout time.Duration = -1

// RequestsConfig says how [Requests] find the answer to a request.
type RequestsConfig[In, Out any] struct {
	// SetID returns the request as it is sent, with the ID that marks the peer's answer:
	// 1 for the first request of the subject, 2 for the next. Its panic fails the
	// request.
	SetID func(request Out, id uint64) Out
	// ID returns the ID of the request that a value answers; false if it answers none. A
	// value with an ID for which no request waits is no answer. Its panic fails all
	// requests that are under way.
	ID func(value In) (id uint64, ok bool)
	// Cancel, if it is not nil, makes the message that tells the peer that an answer is
	// not wanted any more: when a subscriber of a call leaves, its context ends, or its
	// time is over. The message goes out on the connection that has got the request, if
	// that is open. Subject.Undelivered reports its failure.
	Cancel func(id uint64) Out
	// Timeout bounds the time of a request, from the call to the answer. 0 means
	// DefaultRequestTimeout; NoTimeout is none.
	Timeout time.Duration
	// Max is the number of requests that may be under way at a time; others wait for
	// their turn, in their order. 0 means DefaultMaxRequests.
	Max int
}

// Requests sends requests by a [Subject], and finds their answers: [Requests.Do] waits
// for one answer, [Requests.Call] is one answer as a stream. A value that arrives costs
// the same, however many requests are under way. [NewRequests] makes it.
//
// While a request is under way it counts as a subscriber of the subject: the first
// request dials. When the last is answered, and the subject has no other subscriber, the
// connection is closed: so two calls of Do in a row dial twice, unless
// SubjectConfig.Linger holds the connection. A request that has not been written when a
// connection breaks is sent on the next one. A request that may have arrived fails, with
// a [*RequestError] whose outcome is [Unknown]: only the caller knows whether it is safe
// to ask again. The subject's other subscribers see the answers, too. Requests do not
// count for the subject's Outbox, and Undelivered does not report them.
type Requests[In, Out any] struct {
	subject *Subject[In, Out]
	config  RequestsConfig[In, Out]
	invalid error

	mu      sync.Mutex // never held while the user's code runs
	pending map[uint64]*request[In, Out]
	first   *request[In, Out] // all requests, in the order of their deadlines
	last    *request[In, Out]
	waiting *request[In, Out] // the first that waits for its turn, as do all behind it
	active  int               // the number of requests that do not wait
	hold    *requestsHold     // the latest hold of requests that go on any connection
	pumping bool              // a goroutine sends the requests whose turn has come
	timer   *time.Timer
}

// requestsHold is the subscription that requests need: to one generation of the subject's
// subscribers, or to the values of one connection for a request that goes on that
// connection only.
type requestsHold struct {
	generation   *delivery.Generation // known once it is ready; nil for one connection
	subscription observable.Subscription
	sharing      int  // requests that need it
	ready        bool // arriving values are seen
	over         bool // nobody needs it
}

// request is one request under way. Its fields are guarded by the mu of Requests.
type request[In, Out any] struct {
	id         uint64
	out        Out
	only       *Connection[In, Out] // the connection that it goes on; nil: any
	hold       *requestsHold        // the hold that it needs
	deadline   time.Time
	done       func(In, error)   // called once, without mu
	message    *delivery.Message // nil until it is sent
	active     bool
	over       bool
	prev, next *request[In, Out]
}

// NewRequests returns the requests of subject. SetID and ID must be set. An argument that
// cannot be used is the error of each request, a [*RequestError] with an
// [*observable.ArgumentError]. Several Requests of one subject have no ID in common.
func NewRequests[In, Out any](subject *Subject[In, Out], config RequestsConfig[In, Out]) *Requests[In, Out] {
	config.Timeout = orDefault(config.Timeout, DefaultRequestTimeout)
	config.Max = orDefault(config.Max, DefaultMaxRequests)
	r := &Requests[In, Out]{subject: subject, config: config, pending: make(map[uint64]*request[In, Out])}
	const function = "NewRequests"
	switch {
	case subject == nil:
		r.invalid = argument(function, "subject", isNil)
	case config.SetID == nil:
		r.invalid = argument(function, "config.SetID", isNil)
	case config.ID == nil:
		r.invalid = argument(function, "config.ID", isNil)
	case config.Timeout < NoTimeout:
		r.invalid = argument(function, "config.Timeout", "is negative")
	case config.Max < 0:
		r.invalid = argument(function, "config.Max", "is negative")
	}
	return r
}

// Do sends a request and returns the answer, or a [*RequestError]. If ctx ends first, the
// error wraps the context's cause, and the peer gets the Cancel message. An observer of
// the subject's values must not call it: the answer comes the same way.
func (r *Requests[In, Out]) Do(ctx context.Context, out Out) (In, error) {
	return r.do(ctx, &request[In, Out]{out: out})
}

// DoOn is [Requests.Do] on one connection of the subject, ahead of the messages that wait
// for a connection: for a login, in an observer of [Subject.Connections]. Until it has
// returned, that connection sends neither subscriptions nor the outbox. It fails with
// [ErrClosed] when the connection has ended.
func (r *Requests[In, Out]) DoOn(ctx context.Context, c *Connection[In, Out], out Out) (In, error) {
	if c == nil {
		var none In
		return none, &RequestError{Err: argument("Requests.DoOn", "c", isNil)}
	}
	return r.do(ctx, &request[In, Out]{out: out, only: c})
}

// answer is the outcome of a request.
type answer[In any] struct {
	value In
	err   error
}

func (r *Requests[In, Out]) do(ctx context.Context, q *request[In, Out]) (In, error) {
	var none In
	if ctx == nil {
		return none, &RequestError{Err: argument("Requests.Do", "ctx", isNil)}
	}
	if ctx.Err() != nil {
		return none, &RequestError{Err: context.Cause(ctx)}
	}
	result := make(chan answer[In], 1)
	q.done = func(v In, err error) { result <- answer[In]{v, err} }
	r.start(ctx, q)
	if r.invalid != nil {
		a := <-result
		return a.value, a.err
	}
	var a answer[In]
	wait := func() {
		select {
		case a = <-result:
		case <-ctx.Done():
			r.end(q, context.Cause(ctx))
			a = <-result
		}
	}
	if q.only == nil {
		r.subject.engine.Wait(wait)
	} else {
		r.subject.engine.WaitForAnswer(wait)
	}
	return a.value, a.err
}

// Call returns the answer to a request as a stream: each subscriber sends the request,
// and gets the answer and completion, or a [*RequestError]. If the subscriber leaves
// before, the peer gets the Cancel message: with operators.SwitchMap a new request takes
// the place of the one before.
//
//	answers := operators.SwitchMap(inputs, func(text string) observable.Observable[Reply] {
//		return operators.Catch(requests.Call(Search{Text: text}), func(err error) observable.Observable[Reply] {
//			return observable.Of(Reply{Error: err}) // or it would end all answers
//		})
//	})
func (r *Requests[In, Out]) Call(out Out) observable.Observable[In] {
	return observable.AttachFunc[In](func(sc *observable.Scope, down observable.Stage[In]) {
		up := sc.Child()
		to := observable.NewEmitter(up, down)
		q := &request[In, Out]{out: out}
		q.done = func(v In, err error) {
			if err != nil {
				to.Error(err)
				return
			}
			to.Next(v)
			to.Complete()
		}
		up.OnClose(func() { r.end(q, context.Canceled) })
		up.Connect(func() { r.start(up, q) })
	})
}

// String tells the number of requests under way.
func (r *Requests[In, Out]) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("%d requests", len(r.pending))
}

// GoString is String: a format that looks into requests would race with their goroutines.
func (r *Requests[In, Out]) GoString() string { return r.String() }
