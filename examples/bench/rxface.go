package main

import (
	"context"
	"net/http"
	"testing"

	coder "github.com/coder/websocket"
	"github.com/reactivex/rxgo/v2"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// rxWorks measures RxGo's operators on a socket's messages, and on messages in memory.
func rxWorks() []work {
	message := wsource.BinaryMessage(make([]byte, 128))
	inMemory := timed("RxGo, FromChannel, messages in memory", func(b *testing.B) {
		messages := make(chan rxgo.Item)
		go func() {
			defer close(messages)
			for range b.N {
				messages <- rxgo.Of(message)
			}
		}()
		consumeRx(rxgo.FromChannel(messages))
	})
	return []work{{
		name: rxSocketWork, unit: "ns",
		contenders: []contender{
			timed("rxsocket, a socket through ToRx", func(b *testing.B) {
				server := new(wsource.Server)
				sockets := make(chan rxgo.Observable, 1)
				server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
					OnNext: func(s *wsource.Socket) { sockets <- s.Observable() },
				})
				throughRx(b, server, sockets)
			}),
			timed("RxGo, FromChannel, fed by coder/websocket", func(b *testing.B) {
				sockets := make(chan rxgo.Observable, 1)
				throughRx(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					c, err := coder.Accept(w, r, nil)
					if err != nil {
						return
					}
					messages := make(chan rxgo.Item)
					defer close(messages)
					sockets <- rxgo.FromChannel(messages)
					coderEnd{c}.receive(func(_ end, p []byte) { messages <- rxgo.Of(wsource.BinaryMessage(p)) })
				}), sockets)
			}),
			inMemory,
		},
	}, {
		name: rxMemoryWork, unit: "ns",
		contenders: []contender{
			timed("rxsocket, ToRx", func(b *testing.B) {
				consumeRx(observable.ToRx(observable.FromSeq(func(yield func(wsource.Message) bool) {
					for i := 0; i < b.N && yield(message); i++ {
					}
				})))
			}),
			inMemory,
			// This is ToRx without any work in it: the least cost of a cold observable in
			// RxGo.
			timed("RxGo, Defer, messages in memory", func(b *testing.B) {
				consumeRx(rxgo.Defer([]rxgo.Producer{func(_ context.Context, next chan<- rxgo.Item) {
					for range b.N {
						next <- rxgo.Of(message)
					}
				}}))
			}),
		},
	}}
}

// throughRx receives b.N messages through the RxGo observable of the socket that the
// handler accepts.
func throughRx(b *testing.B, handler http.Handler, sockets chan rxgo.Observable) {
	address, stop, err := listen(handler)
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	c := feed(b, address, b.N, true)
	defer c.Close()
	if got := consumeRx(<-sockets); got != b.N {
		b.Fatalf("%d of %d messages arrived", got, b.N)
	}
	b.StopTimer()
}

// consumeRx counts the items that come through one Filter and one Map.
func consumeRx(rx rxgo.Observable) (n int) {
	keep := func(any) bool { return true }
	size := func(_ context.Context, v any) (any, error) { return len(v.(wsource.Message).Data), nil }
	for item := range rx.Filter(keep).Map(size).Observe() {
		if item.E == nil {
			sunk += item.V.(int)
			n++
		}
	}
	return n
}
