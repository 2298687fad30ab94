//go:build interleave

package operators_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/operators"
)

// TestInterleavePanicIsHeard has a callback panic, in a chain whose operators do something on an error, while the
// subscription ends on another goroutine: the observer gets the panic, or the handler of unhandled errors.
func TestInterleavePanicIsHeard(t *testing.T) {
	trial := errors.New("trial")
	var heard interleave.Int32
	defer observable.OnUnhandled(func(err *observable.UnhandledError) {
		if errors.Is(err, trial) {
			heard.Add(1)
		}
	})()
	ends := map[string]func(cancel func(), sub observable.Subscription){
		"unsubscribe": func(_ func(), sub observable.Subscription) { sub.Unsubscribe() },
		"context":     func(cancel func(), _ observable.Subscription) { cancel() },
	}
	for name, op := range map[string]func(src ints) ints{
		"GroupBy": func(src ints) ints {
			return operators.Map(operators.GroupBy(src, asKey), func(*operators.Group[int, int]) int { return 0 })
		},
		"WindowCount": func(src ints) ints {
			return operators.Map(operators.WindowCount(src, 2), func(ints) int { return 0 })
		},
		"MergeMap": func(src ints) ints { return operators.MergeMap(src, func(v int) ints { return observable.Of(v) }) },
		"Named":    func(src ints) ints { return operators.Named(src, "name") },
		"Share":    func(src ints) ints { return operators.Share(src) },
	} {
		for how, end := range ends {
			t.Run(name+"/"+how, func(t *testing.T) {
				interleave.Explore(t, interleave.Config{Preemptions: 2, MaxRuns: 2000}, func(p *interleave.Program) {
					heard.Store(0)
					var s observable.Subject[int]
					var panicked interleave.Bool
					ctx, cancel := p.Context()
					sub := op(operators.Map(ints(&s), func(int) int {
						panicked.Store(true)
						panic(trial)
					})).Subscribe(ctx, observable.ObserverFuncs[int]{OnError: func(err error) {
						if errors.Is(err, trial) {
							heard.Add(1)
						}
					}})
					p.Go("emit", func() { s.Next(1) })
					p.Go("end", func() { end(cancel, sub) })
					p.Check(func() error {
						if panicked.Load() && heard.Load() != 1 {
							return fmt.Errorf("the panic is heard %d times", heard.Load())
						}
						return nil
					})
				})
			})
		}
	}
}

func asKey(v int) int { return v }
