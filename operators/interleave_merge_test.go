//go:build interleave

package operators_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
	"github.com/rxsocket/rxsocket/operators"
)

// The programs of this file have several threads at the sources of one chain.

var errExplored = errors.New("trial")

func TestInterleaveMerge(t *testing.T) {
	for name, others := range map[string]func(p *judge.Program, o *judge.Observer, a, b *observable.Subject[int], cancel func()){
		"two": func(p *judge.Program, o *judge.Observer, a, b *observable.Subject[int], _ func()) {
			o.Gets(judge.Everything, p.Emit("a", a, 10, 11), p.Emit("b", b, 20, 21))
		},
		"three": func(p *judge.Program, o *judge.Observer, a, b *observable.Subject[int], _ func()) {
			o.Gets(judge.Everything, p.Emit("a", a, 10), p.Emit("b", b, 20), p.Emit("c", b, 30))
		},
		"unsubscribe": func(p *judge.Program, o *judge.Observer, a, b *observable.Subject[int], _ func()) {
			o.Gets(judge.Beginning, p.Emit("a", a, 10), p.Emit("b", b, 20))
			p.Go("unsubscribe", o.Unsubscribe)
		},
		"context": func(p *judge.Program, o *judge.Observer, a, b *observable.Subject[int], cancel func()) {
			o.Gets(judge.Beginning, p.Emit("a", a, 10), p.Emit("b", b, 20))
			p.Go("cancel", cancel)
			o.Ends(failure)
		},
		"completion": func(p *judge.Program, o *judge.Observer, a, b *observable.Subject[int], _ func()) {
			o.Gets(judge.Everything, []int{10}, []int{20})
			p.Go("a", func() { a.Next(10); a.Complete() })
			p.Go("b", func() { b.Next(20); b.Complete() })
			o.Ends(completion)
		},
		"error": func(p *judge.Program, o *judge.Observer, a, b *observable.Subject[int], _ func()) {
			o.Gets(judge.Beginning, []int{10}, []int{20})
			o.Wants(judge.Everything.Of([]int{10}))
			p.Go("a", func() { a.Next(10); a.Error(errExplored) })
			p.Go("b", func() { b.Next(20); b.Complete() })
			o.Ends(failure)
		},
		"feedback": func(p *judge.Program, o *judge.Observer, a, b *observable.Subject[int], _ func()) {
			o.OnNext(func(v int) {
				if v == 10 {
					for v := range 3 {
						b.Next(30 + v)
					}
				}
			})
			o.Gets(judge.Everything, p.Emit("a", a, 10, 11), p.Emit("b", b, 20), []int{30, 31, 32})
		},
	} {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				var a, b observable.Subject[int]
				ctx, cancel := p.Context()
				o := p.Observer("o")
				o.Subscribe(ctx, operators.Merge[int](&a, &b))
				others(p, o, &a, &b, cancel)
			})
		})
	}
}

// TestInterleaveMergeSame has one subject twice in one chain, so that two of its
// subscribers have one gate.
func TestInterleaveMergeSame(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s observable.Subject[int]
		o := p.Observe("o", operators.Merge(ints(&s), raising(&s, 100)))
		other := p.Observe("other", &s)
		a, b := p.Emit("a", &s, 10, 11), p.Emit("b", &s, 20)
		o.Gets(judge.Everything, a, b, []int{110, 111}, []int{120})
		other.Gets(judge.Everything, a, b)
		p.SameOrder(o, other)
	})
}

// TestInterleaveConcat has a second source that is subscribed to on the goroutine on
// which the first one ends.
func TestInterleaveConcat(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s observable.Subject[int]
		o := p.Observe("o", operators.Merge(operators.Concat(onItsOwn(10, 11), onItsOwn(12)), ints(&s)))
		o.Gets(judge.Everything, []int{10, 11, 12}, p.Emit("b", &s, 20, 21))
	})
	// The second source is hot: its earlier values are missed.
	judge.Explore(t, func(p *judge.Program) {
		var a, b observable.Subject[int]
		o := p.Observe("o", operators.Concat[int](&a, &b))
		o.Gets(judge.Some, []int{10}, []int{20, 21})
		o.Wants(judge.Everything.Of([]int{10}))
		o.Wants(judge.Ending.Of(p.Emit("b", &b, 20, 21)))
		p.Go("a", func() { a.Next(10); a.Complete() })
	})
}

// TestInterleaveRace has two sources; the first to emit wins.
func TestInterleaveRace(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var a, b observable.Subject[int]
		o := p.Observe("o", operators.Race[int](&a, &b))
		first, second := p.Emit("a", &a, 10, 11), p.Emit("b", &b, 20, 21)
		o.Wants(func(got []int) error {
			if judge.Everything.Of(first)(got) != nil && judge.Everything.Of(second)(got) != nil || len(got) != 2 {
				return errors.New("it is to get all values of one source, and none of the other")
			}
			return nil
		})
	})
}

// TestInterleavePairs has operators that wait for values of two sources.
func TestInterleavePairs(t *testing.T) {
	coded := func(v []int) int { return 100*v[0] + v[1] }
	for name, c := range map[string]struct {
		apply func(a, b ints) ints
		least int
	}{
		"Zip":           {func(a, b ints) ints { return operators.Map(operators.Zip(a, b), coded) }, 2},
		"CombineLatest": {func(a, b ints) ints { return operators.Map(operators.CombineLatest(a, b), coded) }, 1},
		"WithLatestFrom": {func(a, b ints) ints {
			return operators.WithLatestFrom(a, b, func(a, b int) int { return 100*a + b })
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			judge.Explore(t, func(p *judge.Program) {
				var a, b observable.Subject[int]
				o := p.Observe("o", c.apply(&a, &b))
				p.Emit("a", &a, 10, 11)
				p.Emit("b", &b, 20, 21)
				o.Wants(func(got []int) error {
					last, ok := 0, len(got) >= c.least
					for _, v := range got {
						ok = ok && v > last && v/100-10 < 2 && v%100-20 < 2
						last = v
					}
					switch {
					case name == "Zip":
						ok = ok && got[0] == 1020 && got[1] == 1121
					case c.least > 0:
						ok = ok && got[len(got)-1] == 1121
					}
					if !ok {
						return errors.New("these are not the pairs")
					}
					return nil
				})
			})
		})
	}
}

// TestInterleaveTakeSkipUntil has a notifier on a thread of its own.
func TestInterleaveTakeSkipUntil(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s, notifier observable.Subject[int]
		o := p.Observe("o", operators.TakeUntil(ints(&s), ints(&notifier)))
		o.Gets(judge.Beginning, p.Emit("a", &s, 10, 11), p.Emit("b", &s, 20))
		p.Emit("notify", &notifier, 1)
		o.Ends(completion)
	})
	judge.Explore(t, func(p *judge.Program) {
		var s, notifier observable.Subject[int]
		o := p.Observe("o", operators.SkipUntil(ints(&s), ints(&notifier)))
		o.Gets(judge.Ending, p.Emit("a", &s, 10, 11), p.Emit("b", &s, 20))
		p.Emit("notify", &notifier, 1)
	})
}

// TestInterleaveWithContext has a second context, which ends.
func TestInterleaveWithContext(t *testing.T) {
	judge.Explore(t, func(p *judge.Program) {
		var s observable.Subject[int]
		ctx, cancel := p.Context()
		o := p.Observer("o")
		o.Subscribe(context.Background(), operators.WithContext(ints(&s), ctx))
		o.Gets(judge.Beginning, p.Emit("a", &s, 10, 11), p.Emit("b", &s, 20))
		p.Go("cancel", cancel)
		o.Ends(failure)
	})
}
