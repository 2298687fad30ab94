package session

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// subject is the interface that a Session and a Subject have in common.
type subject interface {
	observable.Observable[string]
	observable.Observer[string]
	Shutdown(ctx context.Context) error
}

// benchServer is a server that hands each subject to serve: a session's, or a
// connection's.
func benchServer(b *testing.B, sessions bool, dial wsource.DialOptions, serve func(s subject)) (client subject) {
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
		return New(url, wsource.TextCodec(), &Config[string]{Subject: wsource.SubjectConfig[string]{Dial: dial}})
	}
	return wsource.NewSubject(url, wsource.TextCodec(), &wsource.SubjectConfig[string]{Dial: dial})
}

// kinds are the subjects that are compared.
var kinds = []struct {
	name     string
	sessions bool
}{{"subject", false}, {"session", true}}

// benchMessage is the message that is sent.
var benchMessage = strings.Repeat("x", 128)

// oneWay returns a function that sends so many messages to a server and waits until it
// has all.
func oneWay(b *testing.B, sessions bool, dial wsource.DialOptions) func(n int) {
	b.Helper()
	var got, all atomic.Int64
	arrived := make(chan struct{})
	client := benchServer(b, sessions, dial, func(s subject) {
		s.Subscribe(context.Background(), onNext(func(string) {
			if got.Add(1) == all.Load() {
				arrived <- struct{}{}
			}
		}))
	})
	client.Subscribe(context.Background(), onNext(func(string) {}))
	b.Cleanup(func() { require.NoError(b, client.Shutdown(context.Background())) })
	return func(n int) {
		all.Add(int64(n))
		for range n {
			client.Next(benchMessage)
		}
		<-arrived
	}
}

// roundTrips returns a function that sends so many messages, each when the one before has
// come back.
func roundTrips(b *testing.B, sessions bool, dial wsource.DialOptions) func(n int) {
	b.Helper()
	client := benchServer(b, sessions, dial, func(s subject) { s.Subscribe(context.Background(), onNext(s.Next)) })
	echo := make(chan struct{}, 1)
	client.Subscribe(context.Background(), onNext(func(string) { echo <- struct{}{} }))
	b.Cleanup(func() { require.NoError(b, client.Shutdown(context.Background())) })
	return func(n int) {
		for range n {
			client.Next(benchMessage)
			<-echo
		}
	}
}

// form is a way to send so many messages, over a session or a Subject without one.
type form func(b *testing.B, sessions bool, dial wsource.DialOptions) func(n int)

func benchForm(b *testing.B, start form) {
	b.Helper()
	for _, kind := range kinds {
		b.Run(kind.name, func(b *testing.B) {
			run := start(b, kind.sessions, wsource.DialOptions{})
			run(1)
			b.ReportAllocs()
			b.ResetTimer()
			run(b.N)
			b.StopTimer()
		})
	}
}

// Messages of 128 bytes to a server, over a Subject and over a session.
func BenchmarkOneWay(b *testing.B) { benchForm(b, oneWay) }

// A message of 128 bytes and its echo, likewise.
func BenchmarkEcho(b *testing.B) { benchForm(b, roundTrips) }

// overhead runs inTurn messages over either in turn, so that other work of the machine
// slows both. It prints the medians of the time of a message, of the ratio in each round,
// and of the bytes that a message takes on the wire in both directions, with its header
// of 6 or 8 bytes.
func overhead(b *testing.B, inTurn int, start form) {
	b.Helper()
	var runs, counted [2]func(n int)
	var wires [2]wireCounter
	for i, kind := range kinds {
		runs[i] = start(b, kind.sessions, wsource.DialOptions{})
		counted[i] = start(b, kind.sessions, wsource.DialOptions{Transport: wires[i].transport()})
		runs[i](inTurn)
		counted[i](1)
	}
	var times [2][]float64
	var ratios []float64
	for first := 0; b.Loop(); first = 1 - first {
		var took [2]float64
		for turn := range 2 {
			i := (first + turn) % 2
			began := time.Now()
			runs[i](inTurn)
			took[i] = float64(time.Since(began).Nanoseconds()) / float64(inTurn)
			times[i] = append(times[i], took[i])
		}
		ratios = append(ratios, took[1]/took[0])
	}
	b.ReportMetric(0, "ns/op") // a round's
	b.ReportMetric(median(ratios), "session/subject")
	for i, kind := range kinds {
		const sample = 4096
		before := wires[i].bytes.Load()
		counted[i](sample)
		b.ReportMetric(median(times[i]), "ns-of-"+kind.name)
		b.ReportMetric(float64(wires[i].bytes.Load()-before)/sample, "bytes-of-"+kind.name)
	}
}

// median sorts figures and returns the one in the middle.
func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// BenchmarkOneWayOverhead measures the cost of a session for each message one way, at
// full speed. It sends no byte more, and takes 1.05 to 1.15 times as long, as it keeps
// each message until it is acknowledged. Of the processor time of a message, in the
// profile:
//
//	4.6 %  the sender: into the ring, handed to the connection and known to be sent, under the session's lock in two
//	       passes, of which the second is one for all messages of a write
//	1.6 %  the receiver: the position, under the lock in one pass
//	1.4 %  taking messages out of the ring when their acknowledgement comes, 256 at once
//
// None of the three can go: a message that is not in the ring cannot be sent again, and
// its position says that it must be. A Subject has none of them.
func BenchmarkOneWayOverhead(b *testing.B) { overhead(b, 4000, oneWay) }

// BenchmarkEchoOverhead measures its cost for a round trip, which is two messages: 1.00
// to 1.05 times as long.
func BenchmarkEchoOverhead(b *testing.B) { overhead(b, 200, roundTrips) }

// wireCounter counts the bytes on the connections of a client, in both directions.
type wireCounter struct{ bytes atomic.Int64 }

func (w *wireCounter) transport() http.RoundTripper {
	return &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, address)
		return &countedConn{c, w}, err
	}}
}

type countedConn struct {
	net.Conn

	wire *wireCounter
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.bytes.Add(int64(n))
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wire.bytes.Add(int64(n))
	return n, err
}
