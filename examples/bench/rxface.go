package main

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

func rxWorks() []work {
	keep := func(any) bool { return true }
	size := func(_ context.Context, v any) (any, error) { return len(v.(wsource.Message).Data), nil }
	message := wsource.BinaryMessage(make([]byte, 128))
	consume := func(rx rxgo.Observable) {
		for item := range rx.Filter(keep).Map(size).Observe() {
			sunk += item.V.(int)
		}
	}
	return []work{
		{
			name: "the RxGo face: messages through one Filter and one Map, per message", unit: "ns",
			target: "RxGo fed by a channel >= 1",
			contenders: []contender{
				timed("rxsocket, ToRx", func(b *testing.B) {
					consume(observable.ToRx(observable.FromSeq(func(yield func(wsource.Message) bool) {
						for i := 0; i < b.N && yield(message); i++ {
						}
					})))
				}),
				timed("RxGo, FromChannel", func(b *testing.B) {
					feed := make(chan rxgo.Item)
					go func() {
						defer close(feed)
						for range b.N {
							feed <- rxgo.Of(message)
						}
					}()
					consume(rxgo.FromChannel(feed))
				}),
			},
		},
		{
			name: "allocations for a received 128-byte message", unit: "allocs", target: "at most 1; decoded in place 0",
			contenders: []contender{
				allocated("rxsocket, as owned bytes", func(b *testing.B) { oneWay(b, rxsocketLibrary, false) }),
				allocated("rxsocket, decoded in place", decodedInPlace),
				allocated("coder/websocket", func(b *testing.B) { oneWay(b, coderLibrary, false) }),
				allocated("gorilla/websocket", func(b *testing.B) { oneWay(b, gorillaLibrary, false) }),
				allocated("lxzan/gws", func(b *testing.B) { oneWay(b, gwsLibrary, false) }),
			},
		},
	}
}

// number64 is the codec of numbers as eight bytes: what is read is not kept.
type number64 struct{}

func (number64) Name() string { return "number64" }

func (number64) Decode(m wsource.Message) (uint64, error) {
	return binary.BigEndian.Uint64(m.Data), nil
}

func (number64) Encode(v uint64) (wsource.Message, error) {
	return wsource.BinaryMessage(binary.BigEndian.AppendUint64(nil, v)), nil
}

// decodedInPlace receives b.N messages through a subject; what sends them sends the same bytes again.
func decodedInPlace(b *testing.B) {
	arrived, n := make(chan struct{}), 0
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			wsource.WrapSocket(s, number64{}, nil).Subscribe(context.Background(), observable.ObserverFuncs[uint64]{
				OnNext: func(uint64) {
					if n++; n == b.N {
						close(arrived)
					}
				},
			})
		},
	})
	address, stop, err := listen(server)
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	client, err := rxsocketLibrary.dial("ws://"+address, func(end, []byte) {})
	if err != nil {
		b.Fatal(err)
	}
	defer client.close()
	payload := make([]byte, 128)
	b.ResetTimer()
	for range b.N {
		client.send(payload)
	}
	<-arrived
	b.StopTimer()
}
