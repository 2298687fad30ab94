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

// echoJSON returns the same, but both ends decode and encode as many bytes of JSON with
// encoding/json, as any ends that ask and answer do.
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

// The same with a context that may end, as the context of a request does.
func BenchmarkAskCancellable(b *testing.B) {
	benchRoundTrip(b, ask(b.Context(), b))
}

// Questions beside echoes: a hundred of each in turn, so that other load of the machine
// slows all of them. It prints the median of each in nanoseconds, and the ratios of a
// question to either echo.
//
// A question takes 1.5 to 1.7 times as long as a bare echo. On one processor it takes
// 1.26 times the processor time of one, and 1.3 to 1.45 times on two, where
// threads wake each other. These are medians of ten runs on a machine that had much other
// work. Profiles of the processor time there, in nanoseconds of a round trip, have the
// rest:
//
//	  echo     ask
//	18,300  20,300  system calls; more wake a thread, as there is one goroutine more, that of the answer
//	   600   1,800  the scheduler
//	 7,100   6,700  the sockets
//	   100     800  the garbage collector, for 20 allocations in place of 2
//	     -     900  taking two envelopes apart, in one pass, and their strings
//	     -     900  writing two envelopes
//	     -     300  writing and reading the number of the question and that of the answer
//	     -     100  an envelope for each
//	     -     700  the ID
//	     -     500  the wait for the answer, with its record in the graph of waits
//	     -   2,900  the tables of questions and answers, contexts, deadlines and locks
//
// Whole numbers, texts and truth values do not need encoding/json, which took 1,200 of
// them; an object does.
//
// The goroutine must be there: an answer may block, and ask in turn. The reader is
// meanwhile inside the gate of its stream, where no code may wait for messages of that
// stream. In an earlier trial with the answer on the reader's goroutine, a question took
// 1.23 to 1.28 times the processor time of an echo, and 1.40 to 1.61 with a goroutine of
// its own.
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
