package main

import (
	"context"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/samber/ro"
)

func chainWorks() []work {
	return []work{
		{
			name: chainWork, unit: "ns",
			contenders: []contender{
				timed("rxsocket", func(b *testing.B) { ours(b.N).Subscribe(context.Background(), new(sum)) }),
				timed("hand-written", func(b *testing.B) {
					chain := handWritten()
					for i := range b.N {
						chain.Next(i)
					}
					chain.Complete()
				}),
				timed("samber/ro", func(b *testing.B) { roChain(b.N).Subscribe(ro.OnNext(func(v int64) { sunk += int(v) })) }),
				timed("RxGo", func(b *testing.B) {
					for item := range rxgoChain(b.N).Observe() {
						sunk += item.V.(int)
					}
				}),
				timed("RxGo, buffered channels", func(b *testing.B) {
					for item := range rxgoChain(b.N, rxgo.WithBufferedChannel(1024)).Observe() {
						sunk += item.V.(int)
					}
				}),
				rxjs("RxJS", "chain", 2_000_000),
			},
		},
		{
			name: subscribeWork, unit: "allocs", beside: "ns",
			contenders: []contender{
				allocated("rxsocket", func(b *testing.B) {
					chain := ours(1)
					for range b.N {
						chain.Subscribe(context.Background(), new(sum))
					}
				}),
				allocated("samber/ro", func(b *testing.B) {
					chain := roChain(1)
					for range b.N {
						chain.Subscribe(ro.OnNext(func(v int64) { sunk += int(v) }))
					}
				}),
				allocated("RxGo", func(b *testing.B) {
					chain := rxgoChain(1)
					for range b.N {
						for item := range chain.Observe() {
							sunk += item.V.(int)
						}
					}
				}),
			},
		},
	}
}

// sunk takes results, so that the compiler computes them.
var sunk int

// sum is an observer that adds the values that it gets.
type sum struct{ total int }

func (s *sum) Next(v int)  { s.total += v }
func (s *sum) Error(error) {}
func (s *sum) Complete()   {}

func increment(v int) int { return v + 1 }
func positive(v int) bool { return v >= 0 }

func ours(n int) observable.Observable[int] {
	added := operators.Map(operators.Map(observable.Range(0, n), increment), increment)
	return operators.Map(operators.Map(operators.Filter(added, positive), increment), increment)
}

// observer, mapper and filterer are the chain as one would write it by hand, for ints
// only.
type observer interface {
	Next(v int)
	Error(err error)
	Complete()
}

type mapper struct {
	project func(int) int
	observer
}

func (m *mapper) Next(v int) { m.observer.Next(m.project(v)) }

type filterer struct {
	keep func(int) bool
	observer
}

func (f *filterer) Next(v int) {
	if f.keep(v) {
		f.observer.Next(v)
	}
}

func handWritten() observer {
	rest := &filterer{positive, &mapper{increment, &mapper{increment, new(sum)}}}
	return &mapper{increment, &mapper{increment, rest}}
}

func roChain(n int) ro.Observable[int64] {
	increment := func(v int64) int64 { return v + 1 }
	return ro.Pipe5(ro.Range(0, int64(n)), ro.Map(increment), ro.Map(increment),
		ro.Filter(func(v int64) bool { return v >= 0 }), ro.Map(increment), ro.Map(increment))
}

func rxgoChain(n int, options ...rxgo.Option) rxgo.Observable {
	increment := func(_ context.Context, v any) (any, error) { return v.(int) + 1, nil }
	source := rxgo.Defer([]rxgo.Producer{func(_ context.Context, next chan<- rxgo.Item) {
		for i := range n {
			next <- rxgo.Of(i)
		}
	}}, options...)
	return source.Map(increment, options...).Map(increment, options...).
		Filter(func(v any) bool { return v.(int) >= 0 }, options...).
		Map(increment, options...).Map(increment, options...)
}
