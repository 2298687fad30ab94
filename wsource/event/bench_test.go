package event_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

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

// roundTrip makes one round trip.
type roundTrip func()

// echo returns a round trip of a text as long as the event of a question.
func echo(b *testing.B) roundTrip {
	client := bench(b, func(s *wsource.Socket) { s.Subscribe(context.Background(), s) })
	got := make(chan struct{}, 1)
	client.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
		OnNext: func(wsource.Message) { got <- struct{}{} }, OnError: func(error) {},
	})
	m := wsource.TextMessage(strings.Repeat("x", 128))
	return func() {
		client.Next(m)
		<-got
	}
}

// echoJSON returns the same, where both ends decode and encode as many bytes of JSON with
// encoding/json, as any that ask and answer do.
func echoJSON(b *testing.B) roundTrip {
	serve := func(s *wsource.Socket) {
		subject := wsource.WrapSocket(s, wsource.JSON[benchEvent, benchEvent](), nil)
		subject.Subscribe(context.Background(), subject)
	}
	client := wsource.WrapSocket(bench(b, serve), wsource.JSON[benchEvent, benchEvent](), nil)
	got := make(chan struct{}, 1)
	client.Subscribe(context.Background(), observable.ObserverFuncs[benchEvent]{
		OnNext: func(benchEvent) { got <- struct{}{} }, OnError: func(error) {},
	})
	return func() {
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

// ask returns a round trip of a question and its answer.
func ask(ctx context.Context, b *testing.B) roundTrip {
	client := event.New(bench(b, func(s *wsource.Socket) {
		c := event.New(s, nil)
		event.Answer(c, "double", double)
		c.Connect(context.Background())
	}), nil)
	client.Connect(context.Background())
	return func() {
		if _, err := event.Ask[int](ctx, client, "double", 21); err != nil {
			b.Fatal(err)
		}
	}
}

func benchRoundTrip(b *testing.B, one roundTrip) {
	b.ReportAllocs()
	for b.Loop() {
		one()
	}
}

func BenchmarkEcho(b *testing.B)     { benchRoundTrip(b, echo(b)) }
func BenchmarkEchoJSON(b *testing.B) { benchRoundTrip(b, echoJSON(b)) }
func BenchmarkAsk(b *testing.B)      { benchRoundTrip(b, ask(context.Background(), b)) }

// The same with a context that may end, as that of a request has.
func BenchmarkAskCancellable(b *testing.B) {
	benchRoundTrip(b, ask(b.Context(), b))
}

// Questions beside echoes: a hundred of each in turn, so that what else the machine does slows
// all of them. It prints the median of each in nanoseconds, and what a question takes beside
// either echo.
//
// A question takes 1.6 to 1.7 times as long as a bare echo, and 0.8 to 1.0 times as long as an echo whose ends use
// encoding/json for the same fields. Profiles of the processor time, in nanoseconds of a round
// trip, say what the rest is:
//
//	  echo     ask
//	16,400  18,600  system calls; more wake a thread, as there is one goroutine more, that of the answer
//	 1,300   2,000  the scheduler
//	 3,300   3,600  the sockets
//	     -     900  the garbage collector, for 26 allocations in place of 2
//	     -   1,500  taking two envelopes apart, in one pass, and their strings
//	     -     700  writing two envelopes
//	     -   2,100  encoding/json, which writes and reads the number of the question and that of the answer
//	     -     700  an envelope for each
//	     -     400  the ID
//	     -   2,100  the tables of what is under way on either side, contexts, deadlines and locks
//
// The goroutine must be there: an answer may block, and ask in turn, while who reads is inside the gate of its
// stream, where nobody may wait for what comes by it. An answer on the goroutine that reads, as a trial, had a
// question take 1.23 to 1.28 times the processor time of an echo, and 1.40 to 1.61 with one of its own.
func BenchmarkAskBesideEcho(b *testing.B) {
	const inTurn = 100
	trips := []roundTrip{echo(b), echoJSON(b), ask(context.Background(), b)}
	times := make([][]float64, len(trips))
	for b.Loop() {
		for i, one := range trips {
			began := time.Now()
			for range inTurn {
				one()
			}
			times[i] = append(times[i], float64(time.Since(began).Nanoseconds())/inTurn)
		}
	}
	median := func(i int) float64 {
		slices.Sort(times[i])
		return times[i][len(times[i])/2]
	}
	b.ReportMetric(0, "ns/op") // that of three hundred
	b.ReportMetric(median(0), "ns/echo")
	b.ReportMetric(median(1), "ns/echoJSON")
	b.ReportMetric(median(2), "ns/ask")
	b.ReportMetric(median(2)/median(0), "asks/echo")
	b.ReportMetric(median(2)/median(1), "asks/echoJSON")
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
