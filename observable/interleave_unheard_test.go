//go:build interleave

package observable_test

import (
	"errors"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// TestInterleavePanicIsHeard has a callback panic while the subscription ends on another goroutine: the observer gets the
// panic, or the handler of unhandled errors.
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
