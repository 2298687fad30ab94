package observable

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// Source is an observable given by its subscribe function: the form in which
// this package and the operators build observables, and in which operators of
// your own are built:
//
//	func Double(src observable.Observable[int]) observable.Observable[int] {
//		return observable.Source[int](func(sc *observable.Scope, down observable.Stage[int]) {
//			observable.Attach(src, sc, observable.Stage[int]{
//				Next:     func(v int) { down.Next(2 * v) },
//				Terminal: down.Terminal,
//			})
//		})
//	}
//
// The function runs once per subscription, inside the gate of sc. It registers
// its teardown, then attaches its source or emits, and returns; a second source is attached
// in [Scope.Then]. See [Stage] for what it keeps to.
type Source[T any] func(sc *Scope, down Stage[T])

// Attach runs the source in sc, emitting to down.
func (s Source[T]) Attach(sc *Scope, down Stage[T]) { s(sc, down) }

// Subscribe starts a run of the source, as [Subscribe] does.
func (s Source[T]) Subscribe(ctx context.Context, observer Observer[T]) Subscription {
	return Subscribe(ctx, s, observer)
}

// Attacher is an observable that can join a subscription that exists, and so
// share its gate and scope. The toolkit's observables are attachers; any other
// observable is attached through an [Inlet].
type Attacher[T any] interface {
	// Attach runs the observable in sc, inside its gate, and emits to down.
	Attach(sc *Scope, down Stage[T])
}

// root is one subscription as its subscriber holds it: the scope of its chain,
// the gate into it and its end.
type root struct {
	Scope

	// What whoever enters writes or reads: beside the gate's owner, to come with it to another processor.
	current *handler    // where a panic of the code now running goes; belongs to the gate
	ended   atomic.Bool // the terminal state: set before the terminal runs
	final   bool        // the goroutine inside is in Subscribe, and will just return; belongs to the gate
	lost    atomic.Bool // that goroutine has done without the gate: see Outside
	gate    gate
	direct  marker // the subject whose value is being handled, if that has made no mark of it; belongs to the gate

	mu      sync.Mutex // guards the insides of all scopes, and the end below
	ctx     context.Context
	ctxDone <-chan struct{}
	stopCtx func() bool // undoes the wait for ctx
	end     handler     // the end of the chain

	// The end of it all, guarded by mu: done closes when the subscription is over and nothing works
	// for it any more, neither a teardown nor a function that was called outside the gate.
	err     error
	over    bool
	working int
	done    chan struct{}
	isDone  bool // done is closed, or will be as soon as it is asked for
}

// marker is a subject as Outside needs it: see multicast.direct.
type marker interface{ mark(goroutine uintptr) }

// rootOf is a root with the observer at its end.
type rootOf[T any] struct {
	root
	observer Observer[T]
}

// Subscribe starts a run of src for observer, with a gate and scope of its own.
// Types that implement [Attacher] implement their Subscribe method with it. It
// keeps to what [Observable] says; a nil observer gets nothing subscribed and a
// subscription that has ended, with an [*ArgumentError] that [Err] returns.
func Subscribe[T any](ctx context.Context, src Attacher[T], observer Observer[T]) (sub Subscription) {
	r := &rootOf[T]{observer: observer}
	r.root.init(ctx, r)
	sub = &r.root // also what is returned when a callback panics in Attach
	switch {
	case observer == nil:
		r.observer = ObserverFuncs[T]{}
		r.Error(&ArgumentError{"observable.Subscribe", "observer", isNil})
		return sub
	case ctx == nil:
		r.Error(&ArgumentError{"observable.Subscribe", "ctx", isNil})
		return sub
	case ctx.Err() != nil:
		r.Error(context.Cause(ctx))
		return sub
	}
	if r.ctxDone = ctx.Done(); r.ctxDone != nil {
		stop := afterFunc(ctx, r.cancel)
		r.mu.Lock()
		r.stopCtx = stop
		r.mu.Unlock()
	}
	r.gate.owner.Store(goroutine())
	returned := false
	defer r.attached(&returned)
	r.current, r.final = &r.end, true
	down := Stage[T]{Terminal: r}
	if r.ctxDone == nil {
		down.Next = r.pass
	} else {
		down.Next = r.next
	}
	src.Attach(&r.Scope, down)
	returned = true
	return sub
}

func (r *root) init(ctx context.Context, end Terminal) {
	r.Scope.root = r
	r.gate.changed.L = &r.gate.mu
	r.ctx = ctx
	r.end = handler{Terminal: end, scope: &r.Scope}
	r.Scope.handler = &r.end
}

// afterFunc is context.AfterFunc, but a scope calls f itself when it closes: what has been subscribed to
// in a scope's name is torn down when that scope is, not at some time after.
func afterFunc(ctx context.Context, f func()) (stop func() bool) {
	if sc, ok := ctx.(*Scope); ok {
		return sc.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}

// next is the end of the path of every value.
func (r *rootOf[T]) next(value T) {
	if !r.ended.Load() && r.ctx.Err() == nil {
		r.observer.Next(value)
	}
}

// pass is next for a context that cannot end.
func (r *rootOf[T]) pass(value T) {
	if !r.ended.Load() {
		r.observer.Next(value)
	}
}

// Error ends the subscription with err.
func (r *rootOf[T]) Error(err error) {
	if !r.canceled() && !r.ended.Swap(true) {
		r.deliverError(err)
	}
}

// Complete ends the subscription.
func (r *rootOf[T]) Complete() {
	if !r.canceled() && !r.ended.Swap(true) {
		defer r.finish()
		r.observer.Complete()
	}
}

func (r *rootOf[T]) deliverError(err error) {
	if err == nil { // which must not look like success
		err = &ArgumentError{"observable.Observer.Error", "err", isNil}
	}
	r.addErr(err)
	defer r.finish()
	r.observer.Error(err)
}

// canceled reports whether the context has ended. Nothing passes then but its cause, of which cancel takes
// care; it may not have come round yet.
func (r *root) canceled() bool { return r.ctxDone != nil && r.ctx.Err() != nil }

// cancel ends the subscription because its context ended. It runs on a goroutine of its own. The source
// is torn down first, so that whoever is in the gate waiting for it gets out.
func (r *rootOf[T]) cancel() {
	if !r.ended.Swap(true) {
		defer r.gate.post(&cancellation[T]{r}) // a teardown may end this goroutine
	}
	r.Scope.Close()
}

// cancellation is the queued notice that the context ended.
type cancellation[T any] struct{ r *rootOf[T] }

func (c *cancellation[T]) drain(int) {
	c.r.gate.mu.Unlock()
	c.r.deliverError(context.Cause(c.r.ctx))
	c.r.gate.mu.Lock()
}

func (c *cancellation[T]) putBack() int { return 0 }

// finish tears down what is left and closes Done. It is deferred around the
// observer's terminals, whose panics end here.
func (r *root) finish() {
	if v := recover(); v != nil {
		r.addErr(failure(v))
	}
	defer r.setOver() // a teardown may end this goroutine
	r.Scope.Close()
}

func (r *root) setOver() {
	r.mu.Lock()
	stop := r.stopCtx
	r.mu.Unlock()
	if stop != nil {
		stop()
	}
	r.mu.Lock()
	r.over = true
	r.closeDone()
	r.mu.Unlock()
}

// workDone is called when something that was counted in working has been done.
func (r *root) workDone() {
	r.mu.Lock()
	r.working--
	r.closeDone()
	r.mu.Unlock()
}

// closeDone closes done when it is time; mu is held.
func (r *root) closeDone() {
	if !r.over || r.working > 0 || r.isDone {
		return
	}
	r.isDone = true
	if r.done != nil {
		close(r.done)
	}
}

// Unsubscribe ends the subscription silently.
func (r *root) Unsubscribe() {
	if r.ended.Swap(true) {
		r.Scope.Close() // whoever delivers the terminal would do so, but may be long about it
		return
	}
	r.finish()
}

// Done returns a channel that closes when the subscription is over.
func (r *root) Done() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = make(chan struct{})
		if r.isDone {
			close(r.done)
		}
	}
	return r.done
}

// Err returns what the package's function Err says.
func (r *root) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// addErr adds to what Err returns.
func (r *root) addErr(err error) {
	r.mu.Lock()
	if r.err != nil {
		err = errors.Join(r.err, err)
	}
	r.err = err
	r.mu.Unlock()
}

// exit is deferred by whoever holds the gate while it runs a chain: it sends a
// panic where it belongs and leaves the gate.
func (r *root) exit(returned *bool) {
	if *returned {
		r.leave()
		return
	}
	defer r.leave() // what fail calls may end this goroutine
	r.fail(failure(recover()))
}

func (r *root) leave() {
	me, direct := r.gate.owner.Load(), r.direct
	r.current, r.direct = nil, nil
	if r.gate.release() {
		if direct != nil { // what is delivered now may leave the gate too
			direct.mark(me)
		}
		r.gate.workOff(me)
	}
}

// attached is what exit is, for the goroutine that subscribes.
func (r *root) attached(returned *bool) {
	if !r.holds() {
		if *returned {
			return
		}
		r.gate.acquire(goroutine())
	}
	defer r.gate.handOver()
	r.final = false
	if !*returned {
		r.fail(failure(recover()))
	}
	r.current = nil
}

// settle is deferred by whoever runs a part of a chain that has another handler
// than what surrounds it: it sends a panic where it belongs and goes on, with what
// was current before.
func (r *root) settle(returned *bool, current *handler, final bool) {
	switch {
	case r.holds():
	case *returned:
		return
	default:
		r.gate.acquire(goroutine())
	}
	if *returned {
		r.current, r.final = current, final
		return
	}
	defer func() { r.current, r.final = current, final }() // what fail calls may end this goroutine
	r.fail(failure(recover()))
}

// fail gives err to the stage that is to handle panics at this moment. If that
// one panics too, the next one down has it.
func (r *root) fail(err error) {
	h := r.current
	returned := false
	defer func() {
		if returned {
			return
		}
		err := failure(recover())
		if r.current == h || r.current == nil {
			r.current = &r.end
		}
		r.fail(err)
	}()
	if h == nil {
		h = &r.end
	}
	if h.scope.Open() { // or else it has had its terminal, or is not wanted any more
		h.Error(err)
	}
	returned = true
}

// protect calls a teardown function; a panic in it is told by Err.
func (r *root) protect(teardown finalizer) {
	defer func() {
		if v := recover(); v != nil {
			r.addErr(failure(v))
		}
	}()
	teardown.finalize()
}

// Attach runs src in sc, emitting to down: how an operator subscribes to its
// sources. It is called inside the gate of sc, in a state in which notifications
// may come before it returns, and it is the last thing that its caller does: what
// has to follow goes through [Scope.Then], and an Attach in a callback that is not the
// source's last, as in Next, goes into [Scope.Inside]. An observable that is not an [Attacher] is
// subscribed to with sc as its context, and its notifications are serialised
// with the others. If src is nil, down receives an [*ArgumentError].
func Attach[T any](src Observable[T], sc *Scope, down Stage[T]) {
	if !sc.Open() {
		return
	}
	r := sc.root
	if r.current == sc.handler {
		attach(src, sc, down)
		return
	}
	returned := false
	defer r.settle(&returned, r.current, r.final)
	r.current = sc.handler
	attach(src, sc, down)
	returned = true
}

func attach[T any](src Observable[T], sc *Scope, down Stage[T]) {
	switch src := src.(type) {
	case Attacher[T]:
		src.Attach(sc, down)
	case nil:
		down.Error(&ArgumentError{"observable.Attach", "src",
			"is nil: given to an operator, or returned by its callback"})
	default:
		in := NewInlet(sc, down)
		sc.Outside(func() {
			if sub := src.Subscribe(sc, in); sub != nil {
				sc.OnClose(sub.Unsubscribe)
			}
		})
	}
}
