package event_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// bench dials a server over loopback that handles each socket with handle.
func bench(b *testing.B, handle func(*wsource.Socket)) *wsource.Socket {
	b.Helper()
	server := new(wsource.Server)
	accepting := server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{OnNext: handle})
	listener := httptest.NewServer(server)
	client, err := wsource.Dial(context.Background(), listener.URL, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		client.CloseNow()
		_ = server.Shutdown(context.Background())
		listener.Close()
		<-accepting.Done()
	})
	return client
}

// A round trip of a text as long as the event of a question.
func BenchmarkEcho(b *testing.B) {
	client := bench(b, func(s *wsource.Socket) { s.Subscribe(context.Background(), s) })
	got := make(chan struct{}, 1)
	client.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
		OnNext: func(wsource.Message) { got <- struct{}{} }, OnError: func(error) {},
	})
	m := wsource.TextMessage(strings.Repeat("x", 128))
	b.ReportAllocs()
	for b.Loop() {
		client.Next(m)
		<-got
	}
}

// The same, where both ends decode and encode 128 bytes of JSON, as any that ask and answer do.
func BenchmarkEchoJSON(b *testing.B) {
	serve := func(s *wsource.Socket) {
		subject := wsource.WrapSocket(s, wsource.JSON[benchEvent, benchEvent](), nil)
		subject.Subscribe(context.Background(), subject)
	}
	client := wsource.WrapSocket(bench(b, serve), wsource.JSON[benchEvent, benchEvent](), nil)
	got := make(chan struct{}, 1)
	client.Subscribe(context.Background(), observable.ObserverFuncs[benchEvent]{
		OnNext: func(benchEvent) { got <- struct{}{} }, OnError: func(error) {},
	})
	b.ReportAllocs()
	for b.Loop() {
		client.Next(benchEvent{ID: strings.Repeat("x", 36), Type: "double", Created: 1676554735324, Data: 21, Credit: 1, Timeout: 10000})
		<-got
	}
}

// benchEvent is an event as encoding/json would have it.
type benchEvent struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Created int64  `json:"created"`
	Data    int    `json:"data"`
	Credit  int    `json:"credit"`
	Timeout int    `json:"timeout"`
}

// A question and its answer.
func BenchmarkAsk(b *testing.B) {
	client := event.New(bench(b, func(s *wsource.Socket) {
		c := event.New(s, nil)
		event.Answer(c, "double", double)
		c.Connect(context.Background())
	}), nil)
	client.Connect(context.Background())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Ask[int](context.Background(), client, "double", 21); err != nil {
			b.Fatal(err)
		}
	}
}

// A value of a stream.
func BenchmarkAskMany(b *testing.B) {
	client := event.New(bench(b, func(s *wsource.Socket) {
		c := event.New(s, nil)
		event.AnswerMany(c, "count", count)
		c.Connect(context.Background())
	}), nil)
	client.Connect(context.Background())
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := observable.LastValue(context.Background(), event.AskMany[int](client, "count", b.N)); err != nil {
		b.Fatal(err)
	}
}

// The codec alone.
func BenchmarkDecode(b *testing.B) {
	m := wsource.TextMessage(`{"id":"69688550-5be2-41e4-a057-b9da2d59eb03","type":"order_placed","created":1676554735324,` +
		`"source":"alice","data":{"id":5}}`)
	codec := event.JSON()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.Decode(m.Type, m.Data); err != nil {
			b.Fatal(err)
		}
	}
}
