package session

import (
	"context"
	"encoding/binary"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// sentBytes is a Tracer that counts the messages of the application that were handed to
// the operating system.
type sentBytes struct{ messages, bytes atomic.Int64 }

func (s *sentBytes) Handle(wsource.Event) {}

func (s *sentBytes) Trace(_ *wsource.Socket, sent bool, m wsource.Message) {
	if sent && m.Type == wsource.Binary { // control messages are texts
		s.messages.Add(1)
		s.bytes.Add(int64(len(m.Data)))
	}
}

// benchEnd is one end of a session, which checks that nothing is lost, doubled or out of
// order.
type benchEnd struct {
	next func([]byte)
	got  atomic.Uint64
	said uint64
}

// The messages on their way in each direction of each session when its connection is cut.
const (
	benchSessions = 1000
	benchPending  = 10
	benchSize     = 128
)

// say sends the pending messages.
func (e *benchEnd) say() {
	for range benchPending {
		e.said++
		p := make([]byte, benchSize)
		binary.BigEndian.PutUint64(p, e.said)
		e.next(p)
	}
}

// take returns the observer of messages that come to an end. It calls all behind the last
// of them.
func (e *benchEnd) take(b *testing.B, all func()) func(p []byte) {
	b.Helper()
	return func(p []byte) {
		n := e.got.Add(1)
		if got := binary.BigEndian.Uint64(p); got != n {
			b.Errorf("message %d has come in place of %d", got, n)
		}
		if n%benchPending == 0 {
			all()
		}
	}
}

// BenchmarkRecovery cuts a thousand sessions at once, with ten messages of 128 bytes on
// their way in each direction of each, and waits until all are recovered and each end has
// all of its messages, once and in order. Their clients come back at once. It prints the
// median of the time that takes, and how many of the 2,560 bytes that a session has on
// their way go over the wire twice.
func BenchmarkRecovery(b *testing.B) {
	var sent sentBytes
	server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{Subprotocol}, Hook: &sent}}
	sessions := NewServer(wsource.BinaryCodec(), nil)
	ctx, cancel := context.WithCancel(context.Background())
	var running, pending, opened sync.WaitGroup
	var mu sync.Mutex
	var ends []*benchEnd
	add := func(next func([]byte)) *benchEnd {
		mu.Lock()
		defer mu.Unlock()
		e := &benchEnd{next: next}
		ends = append(ends, e)
		return e
	}
	opened.Add(benchSessions)
	running.Go(func() {
		_ = sessions.Handle(ctx, server, func(ctx context.Context, s *Session[[]byte, []byte]) error {
			s.Subscribe(context.Background(), onNext(add(s.Next).take(b, pending.Done)))
			opened.Done()
			<-ctx.Done()
			return nil
		})
	})
	for server.Ready() != nil {
		time.Sleep(time.Millisecond)
	}
	listener := httptest.NewServer(server)
	clients := make([]*Session[[]byte, []byte], benchSessions)
	var recovered, lost atomic.Int64
	for i := range clients {
		clients[i] = New("ws"+strings.TrimPrefix(listener.URL, "http"), wsource.BinaryCodec(), &Config[[]byte]{
			Subject: wsource.SubjectConfig[[]byte]{
				Reconnect: &backoff.Config{Base: time.Nanosecond, Max: time.Nanosecond}, Hook: &sent,
			},
		})
		clients[i].Status().Subscribe(context.Background(), onNext(func(s Status) {
			switch s.Kind {
			case Recovered:
				recovered.Add(1)
			case Gap, Expired, TakenOver, Failed:
				lost.Add(1)
			case Waiting, Fresh:
			}
		}))
		clients[i].Subscribe(context.Background(), onNext(add(clients[i].Next).take(b, pending.Done)))
	}
	opened.Wait()
	var times []float64
	var messages, bytes int64
	for b.Loop() {
		before, beforeBytes := sent.messages.Load(), sent.bytes.Load()
		pending.Add(len(ends))
		began := time.Now()
		for _, e := range ends {
			e.say()
		}
		for _, s := range server.Sockets() {
			s.CloseNow()
		}
		pending.Wait()
		// The sessions to which nothing had to be sent.
		for recovered.Load() < int64(len(times)+1)*benchSessions {
			time.Sleep(100 * time.Microsecond)
		}
		times = append(times, float64(time.Since(began).Microseconds())/1000)
		said := int64(len(ends) * benchPending)
		messages += sent.messages.Load() - before - said
		bytes += sent.bytes.Load() - beforeBytes - said*benchSize
	}
	rounds := float64(len(times))
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(times), "ms-until-all-are-back")
	b.ReportMetric(float64(messages)/rounds/benchSessions, "messages-twice/session")
	b.ReportMetric(float64(bytes)/rounds/benchSessions, "bytes-twice/session")
	require.Zero(b, lost.Load())
	for _, c := range clients {
		require.NoError(b, c.Shutdown(context.Background()))
	}
	cancel()
	require.NoError(b, server.Shutdown(context.Background()))
	listener.Close()
	running.Wait()
}
