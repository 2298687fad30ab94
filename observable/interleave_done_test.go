//go:build interleave

package observable_test

import (
	"errors"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// TestInterleaveDoneAfterTeardown has a subscription end on two goroutines at a time.
func TestInterleaveDoneAfterTeardown(t *testing.T) {
	for name, second := range map[string]func(cancel func(), sub observable.Subscription){
		"unsubscribe": func(_ func(), sub observable.Subscription) { sub.Unsubscribe() },
		"context":     func(cancel func(), _ observable.Subscription) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			interleave.Explore(t, interleave.Config{Preemptions: 2}, func(p *interleave.Program) {
				var s observable.Subject[int]
				var torn, early interleave.Bool
				ctx, cancel := p.Context()
				src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
					sc.OnClose(func() { torn.Store(true) })
					observable.Attach(&s, sc, down)
				})
				sub := src.Subscribe(ctx, observable.ObserverFuncs[int]{OnError: func(error) {}})
				p.Go("complete", s.Complete)
				p.Go("end", func() { second(cancel, sub) })
				p.Go("wait", func() {
					interleave.Wait(sub.Done())
					early.Store(!torn.Load())
				})
				p.Check(func() error {
					if early.Load() {
						return errors.New("Done is closed before the teardown has run")
					}
					return nil
				})
			})
		})
	}
}
