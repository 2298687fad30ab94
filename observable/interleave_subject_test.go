//go:build interleave

package observable_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
)

// The programs of this file have several threads at one subject.

// producers adds threads that emit the given number of values each.
func producers(p *judge.Program, into observable.Observer[int], threads, values int) (sent [][]int) {
	for i := range threads {
		var numbers []int
		for n := range values {
			numbers = append(numbers, 10*i+n)
		}
		sent = append(sent, p.Emit(fmt.Sprint("producer ", i), into, numbers...))
	}
	return sent
}

// subscribers returns n observers of src.
func subscribers(p *judge.Program, src ints, n int) (all []*judge.Observer) {
	for i := range n {
		all = append(all, p.Observe(fmt.Sprint("subscriber ", i), src))
	}
	p.SameOrder(all...)
	return all
}

func TestInterleaveSubject(t *testing.T) {
	program := func(threads, values, n int) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s observable.Subject[int]
			all := subscribers(p, &s, n)
			sent := producers(p, &s, threads, values)
			for _, o := range all {
				o.Gets(judge.Everything, sent...)
			}
		}
	}
	judge.Explore(t, program(2, 2, 1))
	judge.Explore(t, program(2, 2, 2))
	judge.Explore(t, program(3, 1, 2))
	judge.Sample(t, program(3, 3, 2))
	judge.Sample(t, program(3, 2, 3))
}

// TestInterleaveSubjectSubscribe has subscribers come while others emit.
func TestInterleaveSubjectSubscribe(t *testing.T) {
	program := func(threads, values, n int, s func() observable.Processor[int], share judge.Share) func(p *judge.Program) {
		return func(p *judge.Program) {
			s := s()
			all := subscribers(p, s, n)
			late := p.Observer("late")
			p.SameOrder(append(all, late)...)
			sent := producers(p, s, threads, values)
			for _, o := range all {
				o.Gets(judge.Everything, sent...)
			}
			p.Go("subscribe", func() { late.Subscribe(context.Background(), s) })
			late.Gets(share, sent...)
		}
	}
	subject := func() observable.Processor[int] { return new(observable.Subject[int]) }
	judge.Explore(t, program(1, 2, 0, subject, judge.Ending))
	judge.Explore(t, program(1, 2, 1, subject, judge.Ending))
	judge.Explore(t, program(2, 1, 1, subject, judge.Ending))
	judge.Sample(t, program(2, 3, 2, subject, judge.Ending))
	replay := func() observable.Processor[int] { return observable.NewReplaySubject[int](observable.ReplayConfig{}) }
	judge.Explore(t, program(1, 2, 0, replay, judge.Everything))
	judge.Explore(t, program(2, 1, 1, replay, judge.Everything))
	judge.Sample(t, program(2, 3, 2, replay, judge.Everything))
}

// TestInterleaveBehaviorSubject has a subscriber that comes while others emit: it gets a
// current value, and all after that.
func TestInterleaveBehaviorSubject(t *testing.T) {
	program := func(threads, values int) func(p *judge.Program) {
		return func(p *judge.Program) {
			s := observable.NewBehaviorSubject(-1)
			first, late := p.Observe("first", s), p.Observer("late")
			sent := producers(p, s, threads, values)
			first.Gets(judge.Everything, append(sent, []int{-1})...)
			p.Go("subscribe", func() { late.Subscribe(context.Background(), s) })
			p.Check(func() error {
				all, got := first.Values(), late.Values()
				if len(got) == 0 || !slices.Equal(got, all[len(all)-len(got):]) {
					return fmt.Errorf("the first gets %v, the late subscriber gets %v", all, got)
				}
				return nil
			})
		}
	}
	judge.Explore(t, program(1, 2))
	judge.Explore(t, program(2, 1))
	judge.Sample(t, program(3, 2))
}

func TestInterleaveAsyncSubject(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		s := observable.NewAsyncSubject[int]()
		first, late := p.Observe("first", s), p.Observer("late")
		sent := p.Emit("a", s, 10, 11)
		p.Go("complete", s.Complete)
		p.Go("subscribe", func() { late.Subscribe(context.Background(), s) })
		for _, o := range []*judge.Observer{first, late} {
			o.Gets(judge.Some, sent)
			o.Ends(complete)
		}
		p.Check(func() error {
			if !slices.Equal(first.Values(), late.Values()) || len(first.Values()) > 1 {
				return fmt.Errorf("the one gets %v, the other %v", first.Values(), late.Values())
			}
			return nil
		})
	})
}

// TestInterleaveSubjectLeave has subscribers leave while others emit.
func TestInterleaveSubjectLeave(t *testing.T) {
	program := func(threads, values, n int) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s observable.Subject[int]
			leaving := p.Observe("leaving", &s)
			all := subscribers(p, &s, n)
			ctx, cancel := p.Context()
			bound := p.Observer("bound to a context")
			bound.Subscribe(ctx, &s)
			p.SameOrder(append(all, leaving, bound)...)
			sent := producers(p, &s, threads, values)
			for _, o := range all {
				o.Gets(judge.Everything, sent...)
			}
			p.Go("unsubscribe", leaving.Unsubscribe)
			p.Go("cancel", cancel)
			leaving.Gets(judge.Beginning, sent...)
			bound.Gets(judge.Beginning, sent...)
			bound.Ends(failed)
		}
	}
	judge.Explore(t, program(1, 1, 0))
	judge.Explore(t, program(1, 2, 1))
	judge.Sample(t, program(2, 3, 2))
}

// TestInterleaveSubjectComes has a subscriber come and go while others stay.
func TestInterleaveSubjectComes(t *testing.T) {
	program := func(threads, values, n int) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s observable.Subject[int]
			all := subscribers(p, &s, n)
			sent := producers(p, &s, threads, values)
			for _, o := range all {
				o.Gets(judge.Everything, sent...)
			}
			guest := p.Observer("guest")
			p.SameOrder(append(all, guest)...)
			p.Go("come and go", func() {
				guest.Subscribe(context.Background(), &s)
				guest.Unsubscribe()
			})
			guest.Gets(judge.Stretch, sent...)
		}
	}
	judge.Explore(t, program(1, 2, 1))
	judge.Explore(t, program(2, 1, 1))
	judge.Sample(t, program(2, 3, 2))
}

func TestInterleaveSubjectTerminal(t *testing.T) {
	program := func(threads, values, n int, end func(s *observable.Subject[int])) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s observable.Subject[int]
			all := subscribers(p, &s, n)
			late := p.Observer("late")
			p.SameOrder(append(all, late)...)
			sent := producers(p, &s, threads, values)
			p.Go("end", func() { end(&s) })
			p.Go("subscribe", func() { late.Subscribe(context.Background(), &s) })
			for _, o := range all {
				o.Gets(judge.Beginning, sent...)
				o.Ends(complete, failed)
			}
			late.Gets(judge.Stretch, sent...)
			late.Ends(complete, failed)
			p.Check(func() error {
				for _, o := range all {
					if got, want := o.Values(), all[0].Values(); !slices.Equal(got, want) {
						return fmt.Errorf("one gets %v, another one %v", want, got)
					}
				}
				return nil
			})
		}
	}
	completes := func(s *observable.Subject[int]) { s.Complete() }
	judge.Explore(t, program(1, 1, 1, completes))
	judge.Explore(t, program(1, 2, 2, completes))
	judge.Explore(t, program(2, 1, 2, func(s *observable.Subject[int]) { s.Error(errTrial) }))
	judge.Sample(t, program(3, 2, 2, completes))
}

// TestInterleaveSubjectFeedback has a callback that feeds the subject while others emit.
func TestInterleaveSubjectFeedback(t *testing.T) {
	program := func(threads, values, fed, n int) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s observable.Subject[int]
			feeds := p.Observer("feeding")
			var back []int
			for i := range fed {
				back = append(back, 100+i)
			}
			feeds.OnNext(func(v int) {
				if v == 0 {
					for _, v := range back {
						s.Next(v)
					}
				}
			})
			feeds.Subscribe(context.Background(), &s)
			all := append(subscribers(p, &s, n), feeds)
			p.SameOrder(all...)
			sent := append(producers(p, &s, threads, values), back)
			for _, o := range all {
				o.Gets(judge.Everything, sent...)
			}
		}
	}
	judge.Explore(t, program(2, 2, 1, 0))
	judge.Explore(t, program(2, 1, 2, 1))
	judge.Sample(t, program(2, 3, 4, 1))
	judge.Sample(t, program(3, 2, 2, 2))
}

// TestInterleaveSubjectSubscribesInCallback is the case in which values were lost: a
// callback subscribes another observer and emits, while another thread emits.
func TestInterleaveSubjectSubscribesInCallback(t *testing.T) {
	program := func(values int) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s observable.Subject[int]
			first, second := p.Observer("first"), p.Observer("second")
			p.SameOrder(first, second)
			first.OnNext(func(v int) {
				if v == 0 {
					second.Subscribe(context.Background(), &s)
					s.Next(100)
					s.Next(101)
				}
			})
			first.Subscribe(context.Background(), &s)
			sent := producers(p, &s, 2, values)
			first.Gets(judge.Everything, append(sent, []int{100, 101})...)
			second.Gets(judge.Ending, append(sent, []int{100, 101})...)
			second.Wants(judge.Everything.Of([]int{100, 101}))
		}
	}
	judge.Explore(t, program(1))
	judge.Sample(t, program(3))
}

// TestInterleaveSubjectLeavingCallback has a callback that ends a subscription, its own
// or another's.
func TestInterleaveSubjectLeavingCallback(t *testing.T) {
	for name, leave := range map[string]func(own, other *judge.Observer){
		"own":   func(own, _ *judge.Observer) { own.Unsubscribe() },
		"other": func(_, other *judge.Observer) { other.Unsubscribe() },
		"panic": func(own, _ *judge.Observer) {
			own.Ends(failed)
			panic("trial")
		},
		"goexit": func(own, _ *judge.Observer) {
			own.Ends(failed)
			runtime.Goexit()
		},
	} {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				var s observable.Subject[int]
				own, other, third := p.Observer("own"), p.Observer("other"), p.Observer("third")
				own.OnNext(func(v int) {
					if v == 0 {
						leave(own, other)
					}
				})
				sent := producers(p, &s, 2, 2)
				for _, o := range []*judge.Observer{own, other, third} {
					o.Subscribe(context.Background(), &s)
					o.Gets(judge.Beginning, sent...)
				}
				if name != "goexit" { // goexit ends a producer
					third.Wants(judge.Everything.Of(sent[0]))
					third.Wants(judge.Everything.Of(sent[1]))
				}
				p.SameOrder(own, other, third)
			})
		})
	}
}

// TestInterleaveSubjectsInACircle has two subjects that feed each other.
func TestInterleaveSubjectsInACircle(t *testing.T) {
	program := func(values int) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s1, s2 observable.Subject[int]
			o1, o2 := p.Observer("first"), p.Observer("second")
			var in1, in2 [][]int // the values emitted into each
			pass := func(o *judge.Observer, to *observable.Subject[int]) {
				o.OnNext(func(v int) {
					if v < 1000 {
						to.Next(v + 1000)
					}
				})
			}
			pass(o1, &s2)
			pass(o2, &s1)
			o1.Subscribe(context.Background(), &s1)
			o2.Subscribe(context.Background(), &s2)
			var first, second, passedFirst, passedSecond []int
			for i := range values {
				first, second = append(first, i), append(second, 100+i)
				passedFirst, passedSecond = append(passedFirst, 1000+i), append(passedSecond, 1100+i)
			}
			in1, in2 = [][]int{first, passedSecond}, [][]int{second, passedFirst}
			o1.Gets(judge.Everything, in1...)
			o2.Gets(judge.Everything, in2...)
			p.Emit("first", &s1, first...)
			p.Emit("second", &s2, second...)
		}
	}
	judge.Explore(t, program(1))
	judge.Explore(t, program(2))
	judge.Sample(t, program(5))
}

// TestInterleaveSubjectObserves has a subject that ends while its source emits: the
// source is unsubscribed from.
func TestInterleaveSubjectObserves(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var source, s observable.Subject[int]
		sub := source.Subscribe(context.Background(), &s)
		o := p.Observe("o", &s)
		sent := p.Emit("a", &source, 10, 11)
		p.Go("complete", s.Complete)
		o.Gets(judge.Beginning, sent)
		o.Ends(complete)
		p.Check(func() error {
			select {
			case <-sub.Done():
			default:
				return fmt.Errorf("the source is still subscribed to")
			}
			if source.Observed() {
				return fmt.Errorf("the source has a subscriber")
			}
			return nil
		})
	})
}
