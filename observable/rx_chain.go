package observable

import (
	"context"
	"fmt"
	"slices"

	"github.com/reactivex/rxgo/v2"
)

// ChainError reports an operator or option of RxGo that cannot work in a chain on a
// stream of this package. The chain then ends with it instead of a wrong result, a leak
// or a panic.
type ChainError struct {
	Operator string // name of RxGo's operator, as "WindowWithTime"
	Problem  string // its fault, and the operator to use
}

// Error names the operator and the problem.
func (e *ChainError) Error() string {
	return fmt.Sprintf("observable: RxGo's %s cannot be used here: %s", e.Operator, e.Problem)
}

// chain is an RxGo observable that keeps the recipe of its operators and not the
// operators. Each run builds them anew with the context of that run: several operators of
// RxGo keep the context that they are built with, subscribe while they are built, or run
// only once.
//
// The embedded observable is one of RxGo's own. Each Observe of it runs the chain, so it
// serves the operators that end a chain, such as First and Count.
type chain struct {
	rxgo.Observable

	options []rxgo.Option
	within  bound // bounds the context of a run
	build   func(context.Context) rxgo.Observable
	err     error // reason that the chain cannot run
}

// bound returns the context of a run that was given a context, and a function to release
// it.
type bound = func(context.Context) (context.Context, context.CancelFunc)

// unbound leaves a run the context that it is given.
func unbound(ctx context.Context) (context.Context, context.CancelFunc) {
	return ctx, func() {}
}

// boundBy makes sc end every run, whatever its context.
func boundBy(sc *Scope) bound {
	return func(ctx context.Context) (context.Context, context.CancelFunc) {
		if ctx == sc || ctx.Done() == nil {
			return unbound(sc)
		}
		ctx, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(sc, cancel)
		return ctx, func() {
			stop()
			cancel()
		}
	}
}

// noPublishing is the problem of WithPublishStrategy.
const noPublishing = "nothing connects it, so it delivers nothing; use a Connectable or operators.Share"

// extend returns a chain that keeps the options and the context of c.
func (c *chain) extend(build func(context.Context) rxgo.Observable) *chain {
	extended := &chain{options: c.options, within: c.within, build: build}
	extended.Observable = rxgo.Defer([]rxgo.Producer{extended.produce}, c.options...)
	return extended
}

// refuse returns a chain that fails with err, whatever operators follow.
func (c *chain) refuse(operator, problem string) *chain {
	if c.err != nil {
		return c
	}
	err := &ChainError{Operator: operator, Problem: problem}
	refused := &chain{options: c.options, within: c.within, err: err, Observable: rxgo.Thrown(err)}
	refused.build = func(context.Context) rxgo.Observable { return refused.Observable }
	return refused
}

// step applies an operator of RxGo with options.
type step = func(rx rxgo.Observable, options ...rxgo.Option) rxgo.Observable

// then appends an operator.
func (c *chain) then(operator string, options []rxgo.Option, apply step) *chain {
	return c.add(operator, options, c.build, apply)
}

// again appends an operator that observes its source several times, or without a context.
// A stage before it starts a run of the chain each time. A run ends at its first error,
// and has ended before the operator gets the error.
func (c *chain) again(operator string, options []rxgo.Option, apply step) *chain {
	return c.add(operator, options, func(ctx context.Context) rxgo.Observable {
		return c.piped(ctx, true)
	}, apply)
}

// add appends an operator to the observable that build makes of c.
func (c *chain) add(
	operator string, options []rxgo.Option, build func(context.Context) rxgo.Observable, apply step,
) *chain {
	switch {
	case c.err != nil:
		return c
	case publishes(options):
		return c.refuse(operator+" with WithPublishStrategy",
			noPublishing)
	}
	return c.extend(func(ctx context.Context) rxgo.Observable {
		return apply(build(ctx), bounded(ctx, options)...)
	})
}

// drained appends a stage that receives until the operator before it closes its channel:
// some operators of RxGo send without regard to their context.
func (c *chain) drained() *chain {
	if c.err != nil {
		return c
	}
	return c.extend(func(ctx context.Context) rxgo.Observable { return c.piped(ctx, false) })
}

// piped returns an observable that starts a run of c at each Observe.
func (c *chain) piped(ctx context.Context, once bool) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(given context.Context, next chan<- rxgo.Item) {
		if ctx.Done() == nil { // the chain is unbounded; an option may bound the operator
			c.forward(given, next, once)
		} else {
			c.forward(ctx, next, once)
		}
	}})
}

// produce is the producer of the embedded observable.
func (c *chain) produce(ctx context.Context, next chan<- rxgo.Item) {
	ctx, release := c.within(ctx)
	defer release()
	c.forward(ctx, next, false)
}

// forward runs the chain and sends its items to next, with once up to the first error.
func (c *chain) forward(ctx context.Context, next chan<- rxgo.Item, once bool) {
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	items := c.run(run)
	for {
		select {
		case item, ok := <-items:
			if !ok {
				return
			}
			if once && item.Error() {
				cancel()
				settleRun(ctx, items)
				item.SendContext(ctx, next)
				return
			}
			select {
			case next <- item:
			case <-ctx.Done():
				go drain(items)
				return
			}
		case <-ctx.Done():
			go drain(items)
			return
		}
	}
}

// run builds the chain and observes it.
func (c *chain) run(ctx context.Context) <-chan rxgo.Item {
	return c.build(ctx).Observe(bounded(ctx, nil)...)
}

// bounded returns options and, if it can end, the context, in an array of their own: RxGo
// appends to it.
func bounded(ctx context.Context, options []rxgo.Option) []rxgo.Option {
	if ctx.Done() != nil {
		options = append(slices.Clip(options), rxgo.WithContext(ctx))
	}
	return slices.Clip(options)
}

// publishes reports whether options have WithPublishStrategy. Only RxGo's behaviour shows
// that: Observe then makes a channel of its own.
func publishes(options []rxgo.Option) bool {
	if len(options) == 0 {
		return false
	}
	items := make(chan rxgo.Item)
	return rxgo.FromChannel(items).Observe(options...) != (<-chan rxgo.Item)(items)
}

// settleRun receives and drops items until the channel is closed or ctx ends.
func settleRun(ctx context.Context, items <-chan rxgo.Item) {
	for {
		select {
		case _, ok := <-items:
			if !ok {
				return
			}
		case <-ctx.Done():
			go drain(items)
			return
		}
	}
}

// drain receives and drops items until RxGo closes the channel: an operator blocked in a
// plain send gets free that way.
func drain(items <-chan rxgo.Item) {
	for range items {
	}
}
