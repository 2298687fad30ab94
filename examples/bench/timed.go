package main

import (
	"context"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/samber/ro"
)

func timeWorks() []work {
	return []work{
		{
			name: debounceWork, unit: "ns",
			contenders: []contender{
				timed("rxsocket", func(b *testing.B) {
					var source observable.Subject[int]
					operators.DebounceTime(&source, time.Millisecond).Subscribe(context.Background(), new(sum))
					inTurn(b, source.Next)
					source.Complete()
				}),
				timed("RxGo", func(b *testing.B) {
					feed := make(chan rxgo.Item)
					items := rxgo.FromChannel(feed).Debounce(rxgo.WithDuration(time.Millisecond)).Observe()
					done := make(chan struct{})
					go func() {
						defer close(done)
						for item := range items {
							sunk += item.V.(int)
						}
					}()
					inTurn(b, func(v int) { feed <- rxgo.Of(v) })
					close(feed)
					<-done
				}),
				rxjs("RxJS", "debounceTime", 2_000_000),
			},
		},
		{
			name: bufferWork, unit: "ns",
			contenders: []contender{
				timed("rxsocket", func(b *testing.B) {
					var source observable.Subject[int]
					operators.BufferTime(&source, time.Millisecond).Subscribe(context.Background(),
						observable.ObserverFuncs[[]int]{OnNext: func(v []int) { sunk += len(v) }})
					inTurn(b, source.Next)
					source.Complete()
				}),
				timed("samber/ro", func(b *testing.B) {
					source := ro.NewPublishSubject[int]()
					ro.BufferWithTime[int](time.Millisecond)(source).Subscribe(ro.OnNext(func(v []int) { sunk += len(v) }))
					inTurn(b, source.Next)
					source.Complete()
				}),
				timed("RxGo", func(b *testing.B) {
					feed := make(chan rxgo.Item)
					items := rxgo.FromChannel(feed).BufferWithTime(rxgo.WithDuration(time.Millisecond)).Observe()
					done := make(chan struct{})
					go func() {
						defer close(done)
						for item := range items {
							sunk += len(item.V.([]any))
						}
					}()
					inTurn(b, func(v int) { feed <- rxgo.Of(v) })
					close(feed)
					<-done
				}),
				rxjs("RxJS", "bufferTime", 2_000_000),
			},
		},
	}
}
