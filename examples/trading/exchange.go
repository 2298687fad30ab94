package main

import (
	"context"
	_ "embed" // for the page
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/page"
	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/inspect"
)

//go:embed page.html
var html []byte

// frame is how often quotes are sent, at most.
const frame = 50 * time.Millisecond

// exchange is the server: its streams, and their receivers.
type exchange struct {
	trades    observable.Observable[trade] // shared by all
	names     []string
	archive   archive
	topics    *event.PubSub
	books     *books
	inspector *inspect.Inspector
	live      *wsource.Server
}

func newExchange(m *market, hosts ...string) *exchange {
	trades := operators.Share(operators.Named(m.trades(), "trades"))
	e := &exchange{
		trades: trades, names: names(), books: newBooks(trades),
		topics:    event.NewPubSub(&event.PubSubConfig{Authorize: readOnly}),
		inspector: inspect.New(&inspect.Config{Hosts: hosts, Show: inspect.ShowJSON()}),
	}
	e.live = &wsource.Server{MaxConnections: 1000, Options: wsource.AcceptOptions{
		ReadLimit: 16 << 10, Hook: e.inspector.Hook(), Outbox: wsource.Outbox{Messages: 32},
	}}
	e.inspector.Add("books", e.books.hub)
	e.inspector.Add("topics", e.topics)
	return e
}

// readOnly refuses events that a client publishes.
func readOnly(_ *event.Conn, _ string, publish bool) error {
	if publish {
		return errors.New("only the exchange publishes")
	}
	return nil
}

// site returns the site that the program serves.
func (e *exchange) site() program.Site {
	mux := http.NewServeMux()
	page.Mount(mux, html)
	mux.Handle("GET /events", e.live)
	mux.Handle("GET /books/{symbol}", e.live)
	mux.Handle("/inspect/", e.inspector)
	return program.Site{
		Handler: mux, Sockets: e.live, Work: e.work,
		Close: func(ctx context.Context) error {
			e.inspector.Close()
			return errors.Join(e.topics.Shutdown(ctx), e.books.hub.Shutdown(ctx))
		},
	}
}

// work trades, and serves sockets, until the server is drained.
func (e *exchange) work(ctx context.Context) error {
	all := operators.Named(candles(e.trades), "candles")
	publishing := all.Subscribe(ctx, observable.ObserverFuncs[[]candle]{OnNext: func(made []candle) {
		for _, c := range made {
			e.archive.add(c)
			e.publish(c)
		}
	}})
	defer func() {
		publishing.Unsubscribe()
		<-publishing.Done()
	}()
	return e.live.Handle(ctx, func(ctx context.Context, socket *wsource.Socket) error {
		if symbol := socket.Request().PathValue("symbol"); symbol != "" {
			return e.showBook(ctx, socket, symbol)
		}
		return e.serve(ctx, socket)
	})
}

// publish tells a candle to all subscribers of its symbol.
func (e *exchange) publish(c candle) {
	data, _, err := event.JSONValues().Encode(c)
	if err != nil {
		observable.ReportUnhandled(err, e.publish)
		return
	}
	e.topics.Next(&event.Envelope{Type: "candle", Topic: "candles." + c.Symbol, Data: data})
}

// serve answers the questions of one client.
func (e *exchange) serve(ctx context.Context, socket *wsource.Socket) error {
	conn := event.New(socket, nil)
	event.Answer(conn, "symbols", func(context.Context, struct{}) ([]string, error) { return e.names, nil })
	event.Answer(conn, "history", func(_ context.Context, symbol string) ([]candle, error) { return e.archive.of(symbol), nil })
	event.AnswerMany(conn, "quotes", func(context.Context, struct{}) observable.Observable[[]trade] { return e.quotes() })
	e.topics.Serve(conn)
	conn.Connect(ctx)
	<-conn.Done()
	return conn.Err()
}

// quotes emits the latest trade of each symbol that has been traded since the last value.
// A slow client gets the latest of its time, less often.
func (e *exchange) quotes() observable.Observable[[]trade] {
	batches := operators.Filter(operators.BufferTime(e.trades, frame), func(batch []trade) bool { return len(batch) > 0 })
	conflated := operators.Conflate(operators.Map(batches, latest), func(waiting, next []trade) []trade {
		return latest(slices.Concat(waiting, next))
	})
	return operators.Named(conflated, "quotes")
}

// latest returns the last trade of each symbol, in their order.
func latest(trades []trade) []trade {
	seen := make(map[string]bool, len(trades))
	var list []trade
	for _, t := range slices.Backward(trades) {
		if !seen[t.Symbol] {
			seen[t.Symbol] = true
			list = append(list, t)
		}
	}
	slices.Reverse(list)
	return list
}

// showBook has a socket be in the room of a book until it ends. A socket that is too slow
// is closed, comes back with its position, and gets the changes meanwhile, or the whole
// book.
func (e *exchange) showBook(ctx context.Context, socket *wsource.Socket, symbol string) error {
	if !slices.Contains(e.names, symbol) {
		return &wsource.CloseError{Code: wsource.StatusPolicyViolation, Reason: "there is no such symbol"}
	}
	release, err := e.books.use(ctx, symbol)
	if err != nil {
		return err
	}
	defer release()
	r := socket.Request()
	offset, _ := strconv.ParseUint(r.FormValue("offset"), 10, 64)
	since := hub.Position{Epoch: r.FormValue("epoch"), Offset: offset}
	if _, err := e.books.hub.Room(symbol).Join(ctx, socket, socket.ID(), hub.JoinOptions{Since: since}); err != nil {
		return &wsource.CloseError{Code: wsource.StatusTryAgainLater, Reason: "there is no room", Err: err}
	}
	// Until the client leaves.
	return observable.ForEach(ctx, socket, func(wsource.Message) {})
}
