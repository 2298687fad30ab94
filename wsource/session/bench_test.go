package session

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// subject is what a Session and a Subject have in common.
type subject interface {
	observable.Observable[string]
	observable.Observer[string]
	Shutdown(ctx context.Context) error
}

// benchServer is a server that hands each subject to serve: one of a session, or of a connection.
func benchServer(b *testing.B, sessions bool, serve func(s subject)) (client subject) {
	b.Helper()
	server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{Subprotocol}}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if sessions {
			_ = NewServer(wsource.TextCodec(), nil).Handle(ctx, server, func(ctx context.Context, s *text) error {
				serve(s)
				<-ctx.Done()
				return nil
			})
			return
		}
		_ = server.Handle(ctx, func(ctx context.Context, socket *wsource.Socket) error {
			serve(wsource.WrapSocket(socket, wsource.TextCodec(), nil))
			<-ctx.Done()
			return nil
		})
	}()
	for server.Ready() != nil {
		continue
	}
	h := httptest.NewServer(server)
	b.Cleanup(func() {
		cancel()
		_ = server.Shutdown(context.Background())
		h.Close()
		<-done
	})
	url := "ws" + strings.TrimPrefix(h.URL, "http")
	if sessions {
		return New(url, wsource.TextCodec(), nil)
	}
	return wsource.NewSubject(url, wsource.TextCodec(), nil)
}

// eachKind runs a benchmark with either, to be compared.
func eachKind(b *testing.B, run func(b *testing.B, sessions bool)) {
	b.Helper()
	b.Run("subject", func(b *testing.B) { run(b, false) })
	b.Run("session", func(b *testing.B) { run(b, true) })
}

// BenchmarkOneWay sends messages of 128 bytes to a server, beside a Subject without a session.
func BenchmarkOneWay(b *testing.B) {
	eachKind(b, func(b *testing.B, sessions bool) {
		var got atomic.Int64
		all := make(chan struct{})
		client := benchServer(b, sessions, func(s subject) {
			s.Subscribe(context.Background(), onNext(func(string) {
				if got.Add(1) == int64(b.N)+1 {
					close(all)
				}
			}))
		})
		client.Subscribe(context.Background(), onNext(func(string) {}))
		m := strings.Repeat("x", 128)
		client.Next(m)
		for got.Load() == 0 {
			continue
		}
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			client.Next(m)
		}
		<-all
		b.StopTimer()
		require.NoError(b, client.Shutdown(context.Background()))
	})
}

// BenchmarkEcho sends a message of 128 bytes and waits for its echo.
func BenchmarkEcho(b *testing.B) {
	eachKind(b, func(b *testing.B, sessions bool) {
		client := benchServer(b, sessions, func(s subject) {
			s.Subscribe(context.Background(), onNext(s.Next))
		})
		echo := make(chan struct{}, 1)
		client.Subscribe(context.Background(), onNext(func(string) { echo <- struct{}{} }))
		m := strings.Repeat("x", 128)
		client.Next(m)
		<-echo
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			client.Next(m)
			<-echo
		}
		b.StopTimer()
		require.NoError(b, client.Shutdown(context.Background()))
	})
}
