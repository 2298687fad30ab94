package main

import (
	"context"
	"encoding/binary"
	"net/http"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// receiveWorks measures a server's allocations for a message. The senders do not
// allocate.
func receiveWorks() []work {
	asBytes := func(l library) func(b *testing.B) {
		return func(b *testing.B) {
			received(b, func(arrived func()) http.Handler {
				return l.serve(func(end) {}, func(end, []byte) { arrived() })
			})
		}
	}
	receive := work{
		name: receiveWork, unit: "allocs", beside: "ns",
		contenders: []contender{
			allocated("rxsocket, as owned bytes", asBytes(rxsocketOwned)),
			allocated("rxsocket, as borrowed bytes", asBytes(rxsocketLibrary)),
			allocated("rxsocket, decoded in place", decodedInPlace),
		},
	}
	for _, l := range libraries[1:] {
		receive.contenders = append(receive.contenders, allocated(l.name, asBytes(l)))
	}
	return []work{receive}
}

// number64 is the codec of numbers as eight bytes: it keeps none of the bytes that it
// reads.
type number64 struct{}

func (number64) Name() string { return "number64" }

func (number64) Decode(_ wsource.MessageType, data []byte) (uint64, error) {
	return binary.BigEndian.Uint64(data), nil
}

func (number64) Encode(v uint64) (wsource.Message, error) {
	return wsource.BinaryMessage(binary.BigEndian.AppendUint64(nil, v)), nil
}

// decodedInPlace receives through a subject, whose codec reads the message in its place.
func decodedInPlace(b *testing.B) {
	received(b, func(arrived func()) http.Handler {
		server := new(wsource.Server)
		server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
			OnNext: func(s *wsource.Socket) {
				wsource.WrapSocket(s, number64{}, nil).Subscribe(context.Background(), observable.ObserverFuncs[uint64]{
					OnNext:  func(uint64) { arrived() },
					OnError: func(error) {}, // the end of a run, as an error
				})
			},
		})
		return server
	})
}
