//go:build interleave

package judge_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

var walk = interleave.Config{Preemptions: 2}

// broken is a subject that breaks its contract.
type broken struct {
	observer observable.Observer[int]
	next     func(o observable.Observer[int], v int)
	done     chan struct{}
}

func (b *broken) Subscribe(_ context.Context, observer observable.Observer[int]) observable.Subscription {
	b.observer, b.done = observer, make(chan struct{})
	return b
}
func (b *broken) Done() <-chan struct{} { return b.done }
func (b *broken) Err() error            { return nil }
func (b *broken) Unsubscribe()          {}
func (b *broken) Next(v int)            { b.next(b.observer, v) }
func (b *broken) Error(err error)       { b.observer.Error(err) }
func (b *broken) Complete()             { b.observer.Complete() }

// TestJudge finds each breach of the contract.
func TestJudge(t *testing.T) {
	pass := observable.Observer[int].Next
	for name, c := range map[string]struct {
		next   func() func(o observable.Observer[int], v int)
		judged func(p *judge.Program, b *broken, o *judge.Observer)
		says   string
	}{
		"two notifications at once": {nil, nil, "during another notification"},
		"a value that is lost when two come at a time": {
			func() func(o observable.Observer[int], v int) {
				var busy interleave.Bool
				return func(o observable.Observer[int], v int) {
					if busy.CompareAndSwap(false, true) {
						o.Next(v)
						busy.Store(false)
					}
				}
			}, nil, "it is to get all",
		},
		"a value that comes twice when two come at a time": {
			func() func(o observable.Observer[int], v int) {
				var mu interleave.Mutex
				var waiting interleave.Int32
				return func(o observable.Observer[int], v int) {
					again := waiting.Add(1) > 1
					mu.Lock()
					if o.Next(v); again {
						o.Next(v)
					}
					waiting.Add(-1)
					mu.Unlock()
				}
			}, nil, "it is to get all",
		},
		"a value after the end": {
			func() func(o observable.Observer[int], v int) { return pass },
			func(p *judge.Program, b *broken, o *judge.Observer) {
				p.Go("complete", b.Complete)
				o.Ends(observabletest.Complete)
			}, "after the end",
		},
		"an end that does not come": {
			func() func(o observable.Observer[int], v int) { return func(observable.Observer[int], int) {} },
			func(_ *judge.Program, _ *broken, o *judge.Observer) { o.Ends(observabletest.Complete) }, "it ends with Next",
		},
		"Done that does not close": {
			func() func(o observable.Observer[int], v int) { return func(observable.Observer[int], int) {} },
			func(p *judge.Program, b *broken, o *judge.Observer) {
				p.Go("complete", b.Complete)
				o.Ends(observabletest.Complete)
			}, "Done is closed: false",
		},
		"values after Unsubscribe": {
			func() func(o observable.Observer[int], v int) { return pass },
			func(p *judge.Program, b *broken, o *judge.Observer) {
				p.Go("unsubscribe", func() {
					o.Unsubscribe()
					close(b.done)
				})
			}, "notifications come after Unsubscribe",
		},
		"a value that nobody has emitted": {
			func() func(o observable.Observer[int], v int) {
				return func(o observable.Observer[int], v int) { o.Next(v + 7) }
			}, nil, "nobody has emitted",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := judge.Fails(t, walk, func(p *judge.Program) {
				b := &broken{next: pass}
				if c.next != nil {
					b.next = c.next()
				}
				o := p.Observe("o", b)
				if c.judged != nil {
					c.judged(p, b, o)
					o.Gets(judge.Some, p.Emit("a", b, 10, 11))
				} else {
					o.Gets(judge.Everything, p.Emit("a", b, 10, 11), p.Emit("b", b, 20))
				}
			})
			assert.Contains(t, text, c.says)
		})
	}
}

// TestSameOrder finds two observers that get two values in different orders.
func TestSameOrder(t *testing.T) {
	text := judge.Fails(t, walk, func(p *judge.Program) {
		var first, second observable.Subject[int]
		a, b := p.Observe("a", &first), p.Observe("b", &second)
		for _, v := range []int{1, 2} {
			p.Go("emit", func() {
				first.Next(v)
				second.Next(v)
			})
		}
		p.SameOrder(a, b)
	})
	assert.Contains(t, text, "has got")
}

// TestShares lists the parts of 1 2 3 that each share allows.
func TestShares(t *testing.T) {
	sent := []int{1, 2, 3}
	for _, c := range []struct {
		share judge.Share
		yes   [][]int
		no    [][]int
	}{
		{judge.Everything, [][]int{{1, 2, 3}}, [][]int{{1, 2}, {}, {1, 3, 2}, {1, 2, 3, 3}}},
		{judge.Beginning, [][]int{{}, {1}, {1, 2, 3}}, [][]int{{2}, {1, 3}, {1, 1}}},
		{judge.Ending, [][]int{{}, {3}, {2, 3}, {1, 2, 3}}, [][]int{{2}, {1, 3}, {3, 3}}},
		{judge.Stretch, [][]int{{}, {2}, {1, 2}, {2, 3}}, [][]int{{1, 3}, {2, 1}, {2, 2}}},
		{judge.Some, [][]int{{}, {2}, {1, 3}, {1, 2, 3}}, [][]int{{2, 1}, {2, 2}, {1, 2, 3, 3}}},
	} {
		for _, got := range c.yes {
			assert.NoError(t, c.share.Of(sent)(got), "%v", got)
		}
		for _, got := range c.no {
			assert.Error(t, c.share.Of(sent)(got), "%v", got)
		}
	}
	assert.NoError(t, judge.Everything.Of(sent)([]int{1, 9, 2, 3}), "the others are not of this producer")
}

// TestDeadlock has an exploration in which a thread waits for ever, and another that ends
// because an observer leaves.
func TestDeadlock(t *testing.T) {
	text := judge.Fails(t, walk, func(p *judge.Program) {
		var s observable.Subject[int]
		o := p.Observe("o", &s)
		p.LeaveAfter(o, 2)
		p.Emit("a", &s, 1)
	})
	assert.Contains(t, text, "deadlock")
	judge.Explore(t, func(p *judge.Program) {
		var s observable.Subject[int]
		o := p.Observe("o", &s)
		p.LeaveAfter(o, 2)
		o.Gets(judge.Beginning, p.Emit("a", &s, 1, 2, 3))
		o.Wants(judge.Everything.Of([]int{1, 2}))
	})
}

// TestMutant shows that an operator with a value shared by two sources, each in a gate of
// its own, does not pass; with both producers in one gate it passes.
func TestMutant(t *testing.T) {
	type stream = observable.Observable[int]
	program := func(lost bool) func(p *judge.Program) {
		return func(p *judge.Program) {
			var s, other observable.Subject[int]
			in := [2]observable.Observer[int]{&s, &s}
			if lost {
				in[1] = &other
			}
			var last interleave.Int64
			o := p.Observer("o")
			o.Subscribe(context.Background(), observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
				next := func(v int) {
					last.Store(int64(v))
					o.Next(int(last.Load()))
				}
				for _, src := range []stream{&s, &other} {
					src.Subscribe(ctx, observable.ObserverFuncs[int]{OnNext: next})
				}
				return nil
			}))
			o.Gets(judge.Everything, p.Emit("a", in[0], 1, 2), p.Emit("b", in[1], 3))
		}
	}
	judge.Explore(t, program(false))
	assert.Contains(t, judge.Fails(t, walk, program(true)), "it is to get all")
}
