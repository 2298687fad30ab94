package observable

import (
	"context"
	"errors"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// root is one subscription as its subscriber holds it: the scope of its chain,
// the gate into it and its end.
type root struct {
	Scope

	// The entering goroutine writes or reads these fields: they lie beside the gate's
	// owner, to come with it to another processor.
	current       *handler        // gets panics of the running code; the gate holder's
	state         state           // whether it has ended, and more
	offer         outcome         // outcome of the value being offered; the gate holder's
	connectingAll int8            // calls of ConnectAll in progress; likewise
	left          interleave.Bool // the subscriber has left, or the context has ended
	silent        interleave.Bool // Unsubscribe was called
	gate          gate

	mu      interleave.Mutex // guards the insides of all scopes, and the end below
	ctx     context.Context
	ctxDone <-chan struct{}
	stopCtx func() bool // undoes the wait for ctx
	end     handler     // the end of the chain

	// The end of it all, guarded by mu: done closes when the subscription is over and
	// nothing works for it any more, neither a teardown nor a function called outside the
	// gate.
	err    error
	over   bool
	done   chan struct{}
	isDone bool              // done is closed, or will be as soon as it is asked for
	after  []func()          // called when it is
	idle   map[*Scope]func() // called when nothing works for that scope any more
}

// rootOf is a root with the observer at its end.
type rootOf[T any] struct {
	root
	observer Observer[T]
	taker    taker[T] // the observer, if it is one
}

// Subscribe starts a run of src for observer, with a gate and scope of its own. Types
// that implement [Attacher] implement their Subscribe method with it. It keeps the rules
// of [Observable]. With a nil observer nothing is subscribed to, and the subscription has
// ended with an [*ArgumentError] as its Err.
func Subscribe[T any](ctx context.Context, src Attacher[T], observer Observer[T]) (sub Subscription) {
	r := &rootOf[T]{observer: observer}
	r.root.init(ctx, r)
	sub = &r.root // also the result when a callback panics in Attach
	switch {
	case observer == nil:
		r.observer = ObserverFuncs[T]{}
		r.Error(&ArgumentError{"observable.Subscribe", "observer", isNil})
		return sub
	case ctx == nil:
		r.Error(&ArgumentError{"observable.Subscribe", "ctx", isNil})
		return sub
	case ctx.Err() != nil:
		r.ctxDone = ctx.Done()
		r.state.end()
		r.deliverCause()
		return sub
	}
	me := goroutine()
	r.gate.owner.Store(me)
	if detecting() {
		noteHolder(me)
	}
	returned := false
	defer r.attached(me, &returned)
	r.current = &r.end
	r.bind(observer)
	if r.ctxDone = ctx.Done(); r.ctxDone != nil {
		stop := afterFunc(ctx, r.cancel)
		r.mu.Lock()
		r.stopCtx = stop
		r.mu.Unlock()
	}
	if r.Scope.Open() { // or else the observer has ended
		src.AttachTo(&r.Scope, Stage[T]{Next: r.receiver(), Terminal: r})
	}
	returned = true
	return sub
}

// bind finds the observer's optional methods.
func (r *rootOf[T]) bind(observer Observer[T]) {
	if e, ok := observer.(Ender); ok {
		r.Scope.OnClose(e.OnEnd(r.Unsubscribe))
	}
	if t, ok := observer.(taker[T]); ok {
		r.taker = t
	}
}

func (r *root) init(ctx context.Context, end Terminal) {
	r.Scope.root = r
	r.ctx = ctx
	r.end = handler{Terminal: end, scope: &r.Scope}
	r.Scope.handler = &r.end
}

// afterFunc is context.AfterFunc, but a scope calls f itself when it closes: a
// subscription whose context is a scope is torn down with that scope, not some time
// later.
func afterFunc(ctx context.Context, f func()) (stop func() bool) {
	if sc, ok := ctx.(*Scope); ok {
		return sc.AfterFunc(f)
	}
	return interleave.AfterFunc(ctx, f)
}

// Error ends the subscription with err. A panic that comes after the end is unhandled.
func (r *rootOf[T]) Error(err error) {
	if !r.canceled() && r.state.end() {
		r.deliverError(err)
	} else {
		r.drop(err)
	}
}

// Complete ends the subscription.
func (r *rootOf[T]) Complete() {
	if !r.canceled() && r.state.end() {
		returned := false
		defer r.finishAfter(&returned)
		r.observer.Complete()
		returned = true
	}
}

func (r *rootOf[T]) deliverError(err error) {
	if err == nil { // a nil error must not look like success
		err = &ArgumentError{"observable.Observer.Error", "err", isNil}
	}
	r.addErr(err)
	returned := false
	defer r.finishAfter(&returned)
	if !r.listens() {
		r.unhandled(err)
	}
	r.observer.Error(err)
	returned = true
}

// deliverCause delivers the end of the context.
func (r *rootOf[T]) deliverCause() {
	cause := context.Cause(r.ctx)
	observer, ok := r.observer.(ContextObserver)
	if !ok {
		r.deliverError(cause)
		return
	}
	r.addErr(cause)
	returned := false
	defer r.finishAfter(&returned)
	observer.ContextEnded(cause)
	returned = true
}

// canceled reports whether the context has ended. From then on only its cause passes.
// cancel delivers the cause, and may not have been called yet.
func (r *root) canceled() bool { return r.ctxDone != nil && r.ctx.Err() != nil }

// cancel ends the subscription because its context ended. It runs on a goroutine of its
// own, or where a value finds that the context has ended. It tears the source down first,
// so that a producer that holds the gate and waits gets out.
func (r *rootOf[T]) cancel() {
	r.left.Store(true)
	if r.state.end() {
		defer r.gate.post(&cancellation[T]{r}) // a teardown may end this goroutine
	}
	r.Scope.Close()
}

// cancelNow is cancel for code that does not know the type of the values.
func (r *root) cancelNow() {
	r.end.Terminal.(interface{ cancel() }).cancel() //nolint:forcetypeassert // a rootOf
}

// cancellation is the queued notice that the context ended.
type cancellation[T any] struct{ r *rootOf[T] }

func (c *cancellation[T]) take(int)       {}
func (c *cancellation[T]) within() *Scope { return &c.r.Scope }
func (c *cancellation[T]) deliver(uintptr) {
	if c.r.silent.Load() { // Unsubscribe came while a callback was in progress
		c.r.finish()
	} else {
		c.r.deliverCause()
	}
}

func (c *cancellation[T]) settle() int { return 0 }

// finishAfter is finish, deferred around the observer's terminals, whose panics end here.
func (r *root) finishAfter(returned *bool) {
	defer r.finish() // also when the handler of unhandled errors ends this goroutine
	if !*returned {
		r.lose(failure(recover()))
	}
}

// lose notes a failure that no observer hears: Err returns it, and the handler of
// OnUnhandled gets it.
func (r *root) lose(err error) {
	r.addErr(err)
	r.unhandled(err)
}

// finish tears down the rest and closes Done.
func (r *root) finish() {
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
	if owner := r.gate.owner.Load(); owner != 0 && owner != goroutine() {
		r.gate.post(&conclusion{r}) // Done waits for the callback that is in progress
		return
	}
	r.conclude()
}

func (r *root) conclude() {
	r.mu.Lock()
	r.over = true
	after := r.closeDone()
	r.mu.Unlock()
	callAll(after)
}

// conclusion is the queued notice that the subscription is over.
type conclusion struct{ r *root }

func (c *conclusion) take(int)        {}
func (c *conclusion) within() *Scope  { return &c.r.Scope }
func (c *conclusion) deliver(uintptr) { c.r.conclude() }
func (c *conclusion) settle() int     { return 0 }

// closeDone closes done when it is time, and returns the functions to call then; mu is
// held.
func (r *root) closeDone() (after []func()) {
	if !r.over || r.working > 0 || r.isDone {
		return nil
	}
	r.isDone = true
	if r.done != nil {
		interleave.Close(r.done)
	}
	after, r.after = r.after, nil
	return after
}

// hasEnded reports whether Done has closed.
func (r *root) hasEnded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isDone
}

// WhenDone calls f once when Done of sub closes, at once if it has. For a subscription of
// this package, it needs no goroutine that waits, and the goroutine that ends the
// subscription calls f: f must return soon. A panic in f goes to the handler of
// [OnUnhandled].
func WhenDone(sub Subscription, f func()) {
	if r, ok := sub.(*root); ok {
		r.whenDone(f)
		return
	}
	interleave.Go(func() {
		interleave.Wait(sub.Done())
		call(f)
	})
}

// whenDone has f called when Done closes, or calls it if it has.
func (r *root) whenDone(f func()) {
	r.mu.Lock()
	done := r.isDone
	if !done {
		r.after = append(r.after, f)
	}
	r.mu.Unlock()
	if done {
		call(f)
	}
}

// Unsubscribe ends the subscription silently.
func (r *root) Unsubscribe() {
	r.silent.Store(true)
	r.left.Store(true)
	if !r.state.end() {
		// The goroutine that delivers the terminal would do so too, but perhaps late.
		r.Scope.Close()
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
			interleave.Close(r.done)
		}
	}
	return r.done
}

// Err returns the error that ended the subscription: see [Subscription].
func (r *root) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// addErr adds err to the error that Err returns.
func (r *root) addErr(err error) {
	r.mu.Lock()
	if r.err != nil {
		err = errors.Join(r.err, err)
	}
	r.err = err
	r.mu.Unlock()
}
