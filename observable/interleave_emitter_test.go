//go:build interleave

package observable_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// The programs of this file have several threads at one emitter.

// emitter returns an observable, and the emitter of its one subscription, which exists
// once it is subscribed to.
func emitter() (ints, **observable.Emitter[int]) {
	var in *observable.Emitter[int]
	return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		in = observable.NewEmitter(sc, down)
	}), &in
}

type ints = observable.Observable[int]

var errTrial = errors.New("trial")

const (
	value    = observabletest.Next
	failed   = observabletest.Error
	complete = observabletest.Complete
)

func TestInterleaveEmit(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		src, in := emitter()
		o := p.Observe("o", src)
		o.Gets(judge.Everything, p.Emit("a", *in, 10, 11), p.Emit("b", *in, 20, 21))
	})
}

func TestInterleaveEmitThree(t *testing.T) {
	program := func(values int) func(p *judge.Program) {
		return func(p *judge.Program) {
			src, in := emitter()
			o := p.Observe("o", src)
			var sent [][]int
			for i := range 3 {
				values := []int{10 * i, 10*i + 1, 10*i + 2}[:values]
				sent = append(sent, p.Emit(fmt.Sprint("producer ", i), *in, values...))
			}
			o.Gets(judge.Everything, sent...)
		}
	}
	judge.Explore(t, program(1))
	judge.Sample(t, program(3)) // more values than the queue takes
}

// TestInterleaveEmitTwoEmitters has two emitters in one gate.
func TestInterleaveEmitTwoEmitters(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var a, b *observable.Emitter[int]
		o := p.Observe("o", observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			a, b = observable.NewEmitter(sc, down), observable.NewEmitter(sc, down)
		}))
		o.Gets(judge.Everything, p.Emit("a", a, 10, 11), p.Emit("b", b, 20, 21))
	})
}

func TestInterleaveEmitUnsubscribe(t *testing.T) {
	program := func(producers, values int) func(p *judge.Program) {
		return func(p *judge.Program) {
			src, in := emitter()
			o := p.Observe("o", src)
			var sent [][]int
			for i := range producers {
				values := []int{10 * i, 10*i + 1, 10*i + 2}[:values]
				sent = append(sent, p.Emit(fmt.Sprint("producer ", i), *in, values...))
			}
			p.Go("unsubscribe", o.Unsubscribe)
			o.Gets(judge.Beginning, sent...)
		}
	}
	judge.Explore(t, program(1, 2))
	judge.Explore(t, program(2, 1))
	judge.Sample(t, program(3, 3))
}

func TestInterleaveEmitContextEnd(t *testing.T) {
	program := func(producers, values int) func(p *judge.Program) {
		return func(p *judge.Program) {
			src, in := emitter()
			ctx, cancel := p.Context()
			o := p.Observer("o")
			o.Subscribe(ctx, src)
			var sent [][]int
			for i := range producers {
				values := []int{10 * i, 10*i + 1, 10*i + 2}[:values]
				sent = append(sent, p.Emit(fmt.Sprint("producer ", i), *in, values...))
			}
			p.Go("cancel", cancel)
			o.Gets(judge.Beginning, sent...)
			o.Ends(failed)
			p.Check(func() error {
				if !errors.Is(o.Err(), context.Canceled) {
					return fmt.Errorf("it ends with %w", o.Err())
				}
				return nil
			})
		}
	}
	judge.Explore(t, program(1, 2))
	judge.Explore(t, program(2, 1))
	judge.Sample(t, program(3, 3))
}

func TestInterleaveEmitTerminal(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		src, in := emitter()
		o := p.Observe("o", src)
		p.Go("a", func() {
			(*in).Next(10)
			(*in).Next(11)
			(*in).Complete()
			(*in).Next(12)
		})
		o.Gets(judge.Beginning, []int{10, 11}, p.Emit("b", *in, 20, 21))
		o.Wants(judge.Everything.Of([]int{10, 11}))
		o.Ends(complete)
	})
	judge.Explore(t, func(p *judge.Program) {
		src, in := emitter()
		o := p.Observe("o", src)
		sent := p.Emit("a", *in, 10)
		p.Go("complete", (*in).Complete)
		p.Go("fail", func() { (*in).Error(errTrial) })
		o.Gets(judge.Beginning, sent)
		o.Ends(complete, failed)
	})
}

func TestInterleaveTerminalEnd(t *testing.T) {
	for name, end := range map[string]func(p *judge.Program, o *judge.Observer, cancel func()){
		"unsubscribe": func(p *judge.Program, o *judge.Observer, _ func()) {
			p.Go("unsubscribe", o.Unsubscribe)
			o.Ends(value, complete)
		},
		"unsubscribe twice": func(p *judge.Program, o *judge.Observer, _ func()) {
			p.Go("unsubscribe", o.Unsubscribe)
			p.Go("unsubscribe too", o.Unsubscribe)
			o.Ends(value, complete)
		},
		"context": func(p *judge.Program, o *judge.Observer, cancel func()) {
			p.Go("cancel", cancel)
			o.Ends(failed, complete)
		},
		"unsubscribe and context": func(p *judge.Program, o *judge.Observer, cancel func()) {
			p.Go("unsubscribe", o.Unsubscribe)
			p.Go("cancel", cancel)
			o.Ends(value, failed, complete)
		},
	} {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				torn := 0
				var in observable.Observer[int]
				src := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
					in = o
					return func() { torn++ }
				})
				ctx, cancel := p.Context()
				o := p.Observer("o")
				o.Subscribe(ctx, src)
				end(p, o, cancel)
				p.Go("complete", in.Complete)
				p.Check(func() error {
					if torn != 1 {
						return fmt.Errorf("the teardown has run %d times", torn)
					}
					return nil
				})
			})
		})
	}
}

// TestInterleaveFeedback has the observer emit into its own chain.
func TestInterleaveFeedback(t *testing.T) {
	program := func(p *judge.Program) {
		src, in := emitter()
		o := p.Observer("o")
		o.OnNext(func(v int) {
			if v == 10 {
				for fed := range 3 { // more values than the queue takes
					(*in).Next(30 + fed)
				}
			}
		})
		o.Subscribe(context.Background(), src)
		o.Gets(judge.Everything, p.Emit("a", *in, 10, 11), p.Emit("b", *in, 20, 21), []int{30, 31, 32})
	}
	judge.Explore(t, program)
	judge.Sample(t, program)
}

// TestInterleaveEmitLeavingCallback has a callback end its subscription in every way.
func TestInterleaveEmitLeavingCallback(t *testing.T) {
	for name, leave := range map[string]func(o *judge.Observer, in *observable.Emitter[int], cancel func()){
		"unsubscribe": func(o *judge.Observer, _ *observable.Emitter[int], _ func()) { o.Unsubscribe() },
		"context": func(o *judge.Observer, _ *observable.Emitter[int], cancel func()) {
			o.Ends(failed)
			cancel()
		},
		"complete": func(o *judge.Observer, in *observable.Emitter[int], _ func()) {
			o.Ends(complete)
			in.Complete()
		},
		"panic": func(o *judge.Observer, _ *observable.Emitter[int], _ func()) {
			o.Ends(failed)
			panic("trial")
		},
		"goexit": func(o *judge.Observer, _ *observable.Emitter[int], _ func()) {
			o.Ends(failed)
			runtime.Goexit()
		},
	} {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				src, in := emitter()
				ctx, cancel := p.Context()
				o := p.Observer("o")
				o.OnNext(func(v int) {
					if v == 10 {
						leave(o, *in, cancel)
					}
				})
				o.Subscribe(ctx, src)
				o.Gets(judge.Beginning, p.Emit("a", *in, 10, 11), p.Emit("b", *in, 20, 21))
				o.Wants(func(got []int) error {
					if i := slices.Index(got, 10); i >= 0 && i < len(got)-1 && name != "complete" {
						return fmt.Errorf("something comes after the end: %v", got)
					}
					return nil
				})
			})
		})
	}
}

// TestInterleaveNew has a function of New that emits while others do.
func TestInterleaveNew(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		src := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			interleave.Go(func() {
				o.Next(10)
				o.Next(11)
			})
			o.Next(20)
			o.Next(21)
			return nil
		})
		p.Observe("o", src).Gets(judge.Everything, []int{10, 11}, []int{20, 21})
	})
	judge.Explore(t, func(p *judge.Program) {
		src := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			interleave.Go(func() { o.Next(10) })
			o.Next(20)
			o.Complete()
			return nil
		})
		o := p.Observe("o", src)
		o.Gets(judge.Beginning, []int{10}, []int{20})
		o.Ends(complete)
	})
}

// TestInterleaveGo runs a function of Go beside each end of its subscription.
func TestInterleaveGo(t *testing.T) {
	program := func(end func(p *judge.Program, o *judge.Observer, cancel func())) func(p *judge.Program) {
		return func(p *judge.Program) {
			var returned interleave.Bool
			src := observable.Go(func(_ context.Context, emit func(int)) error {
				defer returned.Store(true)
				emit(10)
				emit(11)
				return nil
			})
			ctx, cancel := p.Context()
			o := p.Observer("o")
			o.Subscribe(ctx, src)
			end(p, o, cancel)
			p.Go("done", func() {
				interleave.Wait(o.Done())
				if !returned.Load() {
					panic("Done has closed before the function has returned")
				}
			})
		}
	}
	judge.Explore(t, program(func(p *judge.Program, o *judge.Observer, _ func()) {
		o.Gets(judge.Everything, []int{10, 11})
		o.Ends(complete)
	}))
	judge.Explore(t, program(func(p *judge.Program, o *judge.Observer, _ func()) {
		p.Go("unsubscribe", o.Unsubscribe)
		o.Gets(judge.Beginning, []int{10, 11})
		o.Ends(value, complete)
	}))
	judge.Explore(t, program(func(p *judge.Program, o *judge.Observer, cancel func()) {
		p.Go("cancel", cancel)
		o.Gets(judge.Beginning, []int{10, 11})
		o.Ends(complete, failed)
	}))
}
