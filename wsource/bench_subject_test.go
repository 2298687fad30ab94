package wsource_test

import (
	"context"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// BenchmarkSubjectNext sends values of a subject as fast as it takes them, and waits
// until all have arrived.
func BenchmarkSubjectNext(b *testing.B) {
	from, to := benchPair(b)
	arrived, n := make(chan struct{}), 0
	to.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
		OnNext: func(wsource.Message) {
			if n++; n == b.N {
				close(arrived)
			}
		},
	})
	subject := wsource.WrapSocket(from, wsource.BinaryCodec(), nil)
	subscription := subject.Subscribe(context.Background(), observable.ObserverFuncs[[]byte]{})
	defer subscription.Unsubscribe()
	value := make([]byte, 128)
	b.SetBytes(128)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		subject.Next(value)
	}
	<-arrived
	b.StopTimer()
}
