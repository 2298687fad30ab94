//go:build interleave

package operators_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/operators"
)

// TestInterleavePanicIsHeard has a callback panic, in a chain whose operators do
// something on an error, while the subscription ends on another goroutine: the observer
// gets the panic, or the handler of unhandled errors.
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

// TestInterleavePanicOfPartsIsHeard has the source of groups, windows or a shared stream
// panic while the subscribers of the parts and of the whole leave on another goroutine:
// one of them hears of the panic, or the handler of unhandled errors does, once.
func TestInterleavePanicOfPartsIsHeard(t *testing.T) {
	trial := errors.New("trial")
	var reports, heard interleave.Int32
	count := func(n *interleave.Int32, err error) {
		if errors.Is(err, trial) {
			n.Add(1)
		}
	}
	defer observable.OnUnhandled(func(err *observable.UnhandledError) { count(&reports, err) })()
	asInts := func(g *operators.Group[int, int]) ints { return g }
	one := func(int) int { return 1 }
	for name, parts := range map[string]func(src ints) observable.Observable[ints]{
		"GroupBy": func(src ints) observable.Observable[ints] { return operators.Map(operators.GroupBy(src, one), asInts) },
		"Window": func(src ints) observable.Observable[ints] {
			return operators.Window(src, observable.Never[int]())
		},
		"WindowCount": func(src ints) observable.Observable[ints] { return operators.WindowCount(src, 9) },
		"Share": func(src ints) observable.Observable[ints] {
			shared := operators.Share(src)
			return observable.Of(shared, shared)
		},
	} {
		t.Run(name, func(t *testing.T) {
			interleave.Explore(t, interleave.Config{Preemptions: 2, MaxRuns: 5000}, func(p *interleave.Program) {
				reports.Store(0)
				heard.Store(0)
				var s observable.Subject[int]
				var panicked interleave.Bool
				var leaving []observable.Subscription
				hears := func(err error) { count(&heard, err) }
				src := operators.Map(ints(&s), func(v int) int {
					if v == 1 {
						return v
					}
					panicked.Store(true)
					panic(trial)
				})
				whole := parts(src).Subscribe(context.Background(), observable.ObserverFuncs[ints]{
					OnNext: func(part ints) {
						leaving = append(leaving, part.Subscribe(context.Background(), observable.ObserverFuncs[int]{OnError: hears}))
					},
					OnError: hears,
				})
				s.Next(1)
				p.Go("panic", func() { s.Next(2) })
				p.Go("leave", func() {
					for _, sub := range append(leaving, whole) {
						sub.Unsubscribe()
					}
				})
				p.Check(func() error {
					if panicked.Load() && (heard.Load() > 0) == (reports.Load() > 0) || reports.Load() > 1 {
						return fmt.Errorf("the panic is heard %d times and reported %d times", heard.Load(), reports.Load())
					}
					return nil
				})
			})
		})
	}
}

func asKey(v int) int { return v }
