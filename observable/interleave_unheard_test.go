//go:build interleave

package observable_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// TestInterleavePanicIsHeard has a callback panic while the subscription ends on another
// goroutine: the observer gets the panic, or the handler of unhandled errors.
func TestInterleavePanicIsHeard(t *testing.T) {
	var heard interleave.Int32
	defer observable.OnUnhandled(func(err *observable.UnhandledError) {
		if errors.Is(err, errTrial) {
			heard.Add(1)
		}
	})()
	for name, end := range map[string]func(cancel func(), sub observable.Subscription){
		"unsubscribe": func(_ func(), sub observable.Subscription) { sub.Unsubscribe() },
		"context":     func(cancel func(), _ observable.Subscription) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			interleave.Explore(t, interleave.Config{Preemptions: 2}, func(p *interleave.Program) {
				heard.Store(0)
				var s observable.Subject[int]
				var panicked interleave.Bool
				ctx, cancel := p.Context()
				failing := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
					observable.Attach(&s, sc, observable.Stage[int]{Terminal: down.Terminal, Next: func(int) {
						panicked.Store(true)
						panic(errTrial)
					}})
				})
				sub := failing.Subscribe(ctx, observable.ObserverFuncs[int]{OnError: func(err error) {
					if errors.Is(err, errTrial) {
						heard.Add(1)
					}
				}})
				p.Go("emit", func() { s.Next(1) })
				p.Go("end", func() { end(cancel, sub) })
				p.Check(func() error {
					if panicked.Load() && heard.Load() != 1 {
						return errors.New("the panic is not heard once")
					}
					return nil
				})
			})
		})
	}
}

// TestInterleavePanicWhileConnecting has the function of New fail with a panic while the
// context ends on another goroutine.
func TestInterleavePanicWhileConnecting(t *testing.T) {
	var heard interleave.Int32
	note := func(err error) {
		if errors.Is(err, errTrial) {
			heard.Add(1)
		}
	}
	defer observable.OnUnhandled(func(err *observable.UnhandledError) { note(err) })()
	interleave.Explore(t, interleave.Config{Preemptions: 2}, func(p *interleave.Program) {
		heard.Store(0)
		var called interleave.Bool
		ctx, cancel := p.Context()
		src := observable.New(func(_ context.Context, out observable.Observer[int]) func() {
			called.Store(true)
			out.Error(&observable.PanicError{Value: errTrial})
			return nil
		})
		p.Go("subscribe", func() { src.Subscribe(ctx, observable.ObserverFuncs[int]{OnError: note}) })
		p.Go("cancel", cancel)
		p.Check(func() error {
			if called.Load() && heard.Load() != 1 {
				return errors.New("the panic is not heard once")
			}
			return nil
		})
	})
}
