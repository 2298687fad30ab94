package main

import (
	"context"
	"sync"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/samber/lo"
	"github.com/samber/ro"
)

func producerWorks() []work {
	return []work{
		{
			name: mergeWork, unit: "ns",
			contenders: []contender{
				timed("rxsocket", func(b *testing.B) {
					merged(func(emit []func(int)) {
						b.ResetTimer()
						eachOf(8, b.N, func(i, v int) { emit[i](v) })
					})
				}),
				timed("samber/ro", func(b *testing.B) {
					emit := roMerged()
					b.ResetTimer()
					eachOf(8, b.N, func(i, v int) { emit[i](v) })
				}),
				timed("RxGo", func(b *testing.B) {
					channels, sources := rxgoInputs(8)
					items := rxgo.Merge(sources).Observe()
					b.ResetTimer()
					go func() {
						eachOf(8, b.N, func(i, v int) { channels[i] <- rxgo.Of(v) })
						closeAll(channels)
					}()
					for item := range items {
						sunk += item.V.(int)
					}
				}),
				rxjs("RxJS (one thread)", "merge", 2_000_000),
			},
		},
		{
			name: inTurnWork, unit: "ns",
			contenders: []contender{
				timed("rxsocket", func(b *testing.B) {
					merged(func(emit []func(int)) { inTurn(b, emit...) })
				}),
				timed("samber/ro", func(b *testing.B) { inTurn(b, roMerged()...) }),
				rxjs("RxJS", "merge", 2_000_000),
			},
		},
		{
			name: combineWork, unit: "ns",
			contenders: []contender{
				timed("rxsocket", func(b *testing.B) {
					var a, c, d, e observable.Subject[int]
					operators.CombineLatest4(&a, &c, &d, &e, func(a, b, c, d int) int { return a + b + c + d }).
						Subscribe(context.Background(), new(sum))
					inTurn(b, a.Next, c.Next, d.Next, e.Next)
				}),
				timed("samber/ro", func(b *testing.B) {
					a, c, d, e := ro.NewPublishSubject[int](), ro.NewPublishSubject[int](), ro.NewPublishSubject[int](), ro.NewPublishSubject[int]()
					ro.CombineLatest4(a, c, d, e).Subscribe(ro.OnNext(func(v lo.Tuple4[int, int, int, int]) {
						sunk += v.A + v.B + v.C + v.D
					}))
					inTurn(b, a.Next, c.Next, d.Next, e.Next)
				}),
				timed("RxGo", func(b *testing.B) {
					channels, sources := rxgoInputs(4)
					add := func(v ...any) any { return v[0].(int) + v[1].(int) + v[2].(int) + v[3].(int) }
					items := rxgo.CombineLatest(add, sources).Observe()
					b.ResetTimer()
					go func() {
						for i := range b.N {
							channels[i%4] <- rxgo.Of(i)
						}
						closeAll(channels)
					}()
					for item := range items {
						sunk += item.V.(int)
					}
				}),
				rxjs("RxJS", "combineLatest", 2_000_000),
			},
		},
		{
			name: shareWork, unit: "ns",
			contenders: []contender{
				timed("rxsocket", func(b *testing.B) {
					var source observable.Subject[int]
					shared := operators.Share(&source)
					for range 16 {
						shared.Subscribe(context.Background(), new(sum))
					}
					inTurn(b, source.Next)
				}),
				timed("samber/ro", func(b *testing.B) {
					source := ro.NewPublishSubject[int]()
					shared := ro.Share[int]()(source)
					for range 16 {
						shared.Subscribe(ro.OnNext(func(v int) { sunk += v }))
					}
					inTurn(b, source.Next)
				}),
				timed("RxGo", func(b *testing.B) {
					values := make(chan rxgo.Item, 64)
					published := rxgo.FromChannel(values, rxgo.WithPublishStrategy())
					var all sync.WaitGroup
					for range 16 {
						items := published.Observe()
						all.Go(func() {
							total := 0
							for item := range items {
								total += item.V.(int)
							}
						})
					}
					published.Connect(context.Background())
					b.ResetTimer()
					for i := range b.N {
						values <- rxgo.Of(i)
					}
					close(values)
					all.Wait()
				}),
				rxjs("RxJS", "share", 500_000),
			},
		},
		{
			name: switchWork, unit: "ns",
			contenders: []contender{
				timed("rxsocket", func(b *testing.B) {
					operators.SwitchMap(observable.Range(0, b.N), func(v int) observable.Observable[int] { return observable.Of(v) }).
						Subscribe(context.Background(), new(sum))
				}),
				rxjs("RxJS", "switchMap", 100_000),
			},
		},
	}
}

// merged has 8 subjects merged, gives their Next to f, and waits for the end.
func merged(f func(emit []func(int))) {
	subjects := make([]*observable.Subject[int], 8)
	sources := make([]observable.Observable[int], 8)
	emit := make([]func(int), 8)
	for i := range subjects {
		subjects[i] = new(observable.Subject[int])
		sources[i], emit[i] = subjects[i], subjects[i].Next
	}
	sub := operators.Merge(sources...).Subscribe(context.Background(), new(sum))
	f(emit)
	for _, s := range subjects {
		s.Complete()
	}
	<-sub.Done()
}

// rxgoInputs returns channels, and each of them as an RxGo observable.
func rxgoInputs(n int) (channels []chan rxgo.Item, sources []rxgo.Observable) {
	for range n {
		c := make(chan rxgo.Item, 64)
		channels, sources = append(channels, c), append(sources, rxgo.FromChannel(c))
	}
	return channels, sources
}

func closeAll(channels []chan rxgo.Item) {
	for _, c := range channels {
		close(c)
	}
}

func roMerged() (emit []func(int)) {
	sources := make([]ro.Observable[int], 8)
	for i := range sources {
		s := ro.NewPublishSubject[int]()
		sources[i] = s
		emit = append(emit, s.Next)
	}
	ro.Merge(sources...).Subscribe(ro.OnNext(func(v int) { sunk += v }))
	return emit
}

// eachOf emits n items from each of count producers together, on a goroutine each.
func eachOf(count, n int, emit func(producer, v int)) {
	var all sync.WaitGroup
	for producer := range count {
		share := n / count
		if producer == 0 {
			share += n % count
		}
		all.Go(func() {
			for v := range share {
				emit(producer, v)
			}
		})
	}
	all.Wait()
}

// inTurn emits b.N items, to one producer after the other, after one to each.
func inTurn(b *testing.B, emit ...func(int)) {
	for _, e := range emit {
		e(0)
	}
	b.ResetTimer()
	for i := range b.N {
		emit[i%len(emit)](i)
	}
}
