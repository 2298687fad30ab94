//go:build interleave

package observable_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
)

// The programs of this file have emitters whose producers learn which values were taken:
// exactly those that the observer was called with.

// delivering adds a thread that delivers values. The outcome is exact.
func delivering(p *judge.Program, name string, in *observable.Emitter[int], o *judge.Observer, values ...int) []int {
	var taken []int
	p.Go(name, func() {
		for _, v := range values {
			unknown := true
			// A callback of another thread's value may end the goroutine before Deliver
			// returns.
			defer func() {
				if unknown && slices.Contains(o.Values(), v) {
					taken = append(taken, v)
				}
			}()
			if in.Deliver(v) {
				taken = append(taken, v)
			}
			unknown = false
		}
	})
	o.Wants(func(got []int) error {
		got = slices.DeleteFunc(slices.Clone(got), func(v int) bool { return !slices.Contains(values, v) })
		if !slices.Equal(got, taken) {
			return fmt.Errorf("%v were taken, it is said", taken)
		}
		return nil
	})
	return values
}

// gateOf returns an observable with n emitters, which exist once it is subscribed to.
func gateOf(n int) (ints, []*observable.Emitter[int]) {
	all := make([]*observable.Emitter[int], n)
	return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		for i := range all {
			all[i] = observable.NewEmitter(sc, down)
		}
	}), all
}

// TestInterleaveDeliver runs Deliver beside other producers and each end of the
// subscription.
func TestInterleaveDeliver(t *testing.T) {
	type setting struct {
		p      *judge.Program
		o      *judge.Observer
		in     []*observable.Emitter[int]
		cancel func()
	}
	for name, others := range map[string]func(s setting){
		"alone": func(s setting) {
			s.o.Gets(judge.Everything, delivering(s.p, "deliver", s.in[0], s.o, 10, 11))
		},
		"Next": func(s setting) {
			s.o.Gets(judge.Everything, delivering(s.p, "deliver", s.in[0], s.o, 10, 11), s.p.Emit("a", s.in[1], 20, 21))
		},
		"Deliver": func(s setting) {
			s.o.Gets(judge.Everything, delivering(s.p, "deliver", s.in[0], s.o, 10, 11), delivering(s.p, "too", s.in[1], s.o, 20, 21))
		},
		"unsubscribe": func(s setting) {
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10, 11))
			s.p.Go("unsubscribe", s.o.Unsubscribe)
		},
		"context": func(s setting) {
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10, 11))
			s.p.Go("cancel", s.cancel)
			s.o.Ends(failed)
		},
		"Next and unsubscribe": func(s setting) {
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10, 11), s.p.Emit("a", s.in[1], 20))
			s.p.Go("unsubscribe", s.o.Unsubscribe)
		},
		"Next and context": func(s setting) {
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10), s.p.Emit("a", s.in[1], 20))
			s.p.Go("cancel", s.cancel)
			s.o.Ends(failed)
		},
		"Complete": func(s setting) {
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10, 11))
			s.p.Go("complete", s.in[1].Complete)
			s.o.Ends(complete)
		},
		"Next and Complete": func(s setting) {
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10), s.p.Emit("a", s.in[1], 20))
			s.p.Go("complete", s.in[2].Complete)
			s.o.Ends(complete)
		},
		"a callback that leaves": func(s setting) {
			s.o.OnNext(func(v int) {
				if v == 20 {
					s.o.Unsubscribe()
				}
			})
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10, 11), s.p.Emit("a", s.in[1], 20))
		},
		"a callback that leaves at once": func(s setting) {
			s.o.OnNext(func(v int) {
				if v == 10 {
					s.o.Unsubscribe()
				}
			})
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10, 11), s.p.Emit("a", s.in[1], 20))
		},
		"a callback that panics": func(s setting) {
			s.o.OnNext(func(v int) {
				if v == 10 {
					panic("trial")
				}
			})
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10, 11), s.p.Emit("a", s.in[1], 20))
			s.o.Ends(failed)
		},
		"another's goroutine that ends": func(s setting) {
			s.o.OnNext(func(v int) {
				if v == 20 {
					runtime.Goexit()
				}
			})
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10, 11), s.p.Emit("a", s.in[1], 20))
			s.o.Ends(failed)
		},
		"Deliver on the same emitter": func(s setting) {
			s.o.Gets(judge.Everything, delivering(s.p, "deliver", s.in[0], s.o, 10), delivering(s.p, "too", s.in[0], s.o, 20),
				s.p.Emit("a", s.in[1], 30))
		},
		"Deliver on the same emitter and unsubscribe": func(s setting) {
			s.o.Gets(judge.Beginning, delivering(s.p, "deliver", s.in[0], s.o, 10), delivering(s.p, "too", s.in[0], s.o, 20),
				s.p.Emit("a", s.in[1], 30))
			s.p.Go("unsubscribe", s.o.Unsubscribe)
		},
		"a callback that feeds": func(s setting) {
			s.o.OnNext(func(v int) {
				if v == 10 {
					for v := range 4 {
						s.in[1].Next(30 + v)
					}
				}
			})
			s.o.Gets(judge.Everything, delivering(s.p, "deliver", s.in[0], s.o, 10, 11), s.p.Emit("a", s.in[2], 20),
				[]int{30, 31, 32, 33})
		},
	} {
		t.Run(name, func(t *testing.T) {
			program := func(p *judge.Program) {
				src, in := gateOf(3)
				ctx, cancel := p.Context()
				o := p.Observer("o")
				o.Subscribe(ctx, src)
				others(setting{p, o, in, cancel})
			}
			judge.Explore(t, program)
		})
	}
}

// TestInterleaveRefuse has an observer that refuses all values from some moment on, like
// an abandoned loop over All.
func TestInterleaveRefuse(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		src, in := gateOf(2)
		var left interleave.Bool
		o := p.Observer("o")
		accepting := observable.Accepting{Observer: o.Recorder, Accept: func(v int) bool {
			if left.Load() {
				return false
			}
			o.Next(v)
			return true
		}}
		src.Subscribe(context.Background(), accepting)
		o.Gets(judge.Beginning, delivering(p, "deliver", in[0], o, 10, 11), p.Emit("a", in[1], 20))
		p.Go("leave", func() { left.Store(true) })
	})
}

// TestInterleaveFromChan has two subscribers of a channel that has all its values. One of
// them leaves, and the other gets the values that the first did not.
func TestInterleaveFromChan(t *testing.T) { fromChan(t, func(src ints) ints { return src }) }

// TestInterleaveFromChanOfNew is TestInterleaveFromChan with a subscriber that leaves a
// function which has subscribed to the channel by itself, and emits too.
func TestInterleaveFromChanOfNew(t *testing.T) {
	fromChan(t, func(src ints) ints {
		return observable.New(func(ctx context.Context, out observable.Observer[int]) func() {
			return src.Subscribe(ctx, out).Unsubscribe
		})
	})
	fromChan(t, func(src ints) ints {
		return observable.New(func(ctx context.Context, out observable.Observer[int]) func() {
			sub := src.Subscribe(ctx, out)
			out.Next(-1)
			return sub.Unsubscribe
		})
	})
}

func fromChan(t *testing.T, left func(src ints) ints) {
	t.Helper()
	program := func(values int, leave func(p *judge.Program, o *judge.Observer, cancel func())) func(p *judge.Program) {
		return func(p *judge.Program) {
			ch := make(chan int, values)
			for v := range values {
				ch <- v
			}
			close(ch)
			src := observable.FromChan(ch)
			leaving, staying := p.Observer("leaving"), p.Observer("staying")
			ctx, cancel := p.Context()
			leaving.Subscribe(ctx, left(src))
			staying.Subscribe(context.Background(), src)
			leave(p, leaving, cancel)
			staying.Ends(complete)
			p.Check(func() error {
				got := slices.Concat(leaving.Values(), staying.Values())
				got = slices.DeleteFunc(got, func(v int) bool { return v < 0 })
				late, _ := observable.Collect(context.Background(), src)
				if slices.Sort(got); len(got)+len(late) != values {
					return fmt.Errorf("they get %v, and a later subscriber %v", got, late)
				}
				for i, v := range slices.Sorted(slices.Values(append(got, late...))) {
					if i != v {
						return fmt.Errorf("they get %v, and a later subscriber %v", got, late)
					}
				}
				return nil
			})
		}
	}
	unsubscribe := func(p *judge.Program, o *judge.Observer, _ func()) {
		p.Go("unsubscribe", o.Unsubscribe)
		o.Ends(value, complete)
	}
	cancels := func(p *judge.Program, o *judge.Observer, cancel func()) {
		p.Go("cancel", cancel)
		o.Ends(failed, complete)
	}
	for _, leave := range []func(p *judge.Program, o *judge.Observer, cancel func()){unsubscribe, cancels} {
		judge.Explore(t, program(2, leave))
		judge.Sample(t, program(4, leave))
	}
}
