package wsource_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// benchPair returns both ends of a connection over TCP.
func benchPair(b *testing.B) (client, server *wsource.Socket) {
	b.Helper()
	site := new(wsource.Server)
	accepted := make(chan *wsource.Socket, 1)
	site.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) { accepted <- s },
	})
	listener := loopback(b)
	served := make(chan error, 1)
	go func() { served <- site.Serve(listener) }()
	client, err := wsource.Dial(b.Context(), "ws://"+listener.Addr().String(), nil)
	require.NoError(b, err)
	server = <-accepted
	b.Cleanup(func() {
		_ = site.Shutdown(context.Background())
		<-client.Done()
		<-served
	})
	return client, server
}

// BenchmarkOneWay sends messages as fast as the socket takes them, and waits until all
// have arrived.
func BenchmarkOneWay(b *testing.B) {
	for name, toClient := range map[string]bool{"ClientToServer": false, "ServerToClient": true} {
		b.Run(name, func(b *testing.B) {
			from, to := benchPair(b)
			if toClient {
				from, to = to, from
			}
			arrived, n := make(chan struct{}), 0
			to.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
				OnNext: func(wsource.Message) {
					if n++; n == b.N {
						close(arrived)
					}
				},
			})
			m := wsource.BinaryMessage(make([]byte, 128))
			b.SetBytes(128)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				from.Next(m)
			}
			<-arrived
		})
	}
}

// inPlace is a codec that decodes into one value.
type inPlace struct{ value [128]byte }

func (*inPlace) Name() string { return "in place" }

func (c *inPlace) Decode(_ wsource.MessageType, data []byte) (*[128]byte, error) {
	copy(c.value[:], data)
	return &c.value, nil
}

func (*inPlace) Encode(v *[128]byte) (wsource.Message, error) {
	return wsource.BinaryMessage(v[:]), nil
}

// BenchmarkDecodeInPlace receives messages as values of a subject's codec that uses one
// value again.
func BenchmarkDecodeInPlace(b *testing.B) {
	from, to := benchPair(b)
	arrived, n := make(chan struct{}), 0
	subject := wsource.WrapSocket(to, wsource.Codec[*[128]byte, *[128]byte](new(inPlace)), nil)
	subscription := subject.Subscribe(context.Background(), observable.ObserverFuncs[*[128]byte]{
		OnNext: func(*[128]byte) {
			if n++; n == b.N {
				close(arrived)
			}
		},
	})
	defer subscription.Unsubscribe()
	m := wsource.BinaryMessage(make([]byte, 128))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		from.Next(m)
	}
	<-arrived
	b.StopTimer()
}

// BenchmarkEcho sends a message and waits until it has come back.
func BenchmarkEcho(b *testing.B) {
	for name, size := range map[string]int{"128B": 128, "4KiB": 4 << 10, "1MiB": 1 << 20} {
		b.Run(name, func(b *testing.B) {
			client, server := benchPair(b)
			back := make(chan struct{}, 1)
			server.Subscribe(context.Background(), server)
			client.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
				OnNext: func(wsource.Message) { back <- struct{}{} },
			})
			m := wsource.BinaryMessage(make([]byte, size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				client.Next(m)
				<-back
			}
		})
	}
}
