package main

import (
	"context"
	"crypto/rand"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/examples/internal/program"
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// order is a message of a client.
type order struct {
	Op     string `json:"op"` // subscribe, unsubscribe or snapshot
	Symbol string `json:"symbol"`
}

// event is a message of the exchange: snapshots and ticks have a number and a price.
type event struct {
	Type   string  `json:"type"` // subscribed, refused, snapshot or tick
	Symbol string  `json:"symbol"`
	Seq    uint64  `json:"seq,omitempty"`
	Price  float64 `json:"price,omitempty"`
}

// Faults of the exchange, by the numbers of handshakes and of ticks.
const (
	busyEvery      = 2  // so many handshakes, one is refused with 429
	lostEvery      = 7  // so many ticks, one is lost
	malformedEvery = 10 // so many ticks, one is cut
	restartAfter   = 12 // ticks of a symbol, the connection is closed with 1012
	busyTime       = time.Second
)

// symbols are the symbols that the exchange has.
var symbols = []string{"EURUSD", "GBPUSD"} //nolint:gochecknoglobals // a constant, which Go does not have

// exchange behaves as exchanges do on a bad day.
type exchange struct {
	every      time.Duration // time between two ticks of a symbol
	tokens     sync.Map
	handshakes atomic.Int64
	sockets    *wsource.Server
}

func newExchange(every time.Duration) *exchange {
	x := &exchange{every: every}
	x.sockets = &wsource.Server{Options: wsource.AcceptOptions{Authorize: x.authorize, ReadLimit: 4 << 10}}
	return x
}

// site serves POST /token and the sockets at /ticks.
func (x *exchange) site() program.Site {
	mux := http.NewServeMux()
	mux.Handle("GET /ticks", x.sockets)
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, _ *http.Request) {
		token := rand.Text()
		x.tokens.Store(token, true)
		time.AfterFunc(time.Minute, func() { x.tokens.Delete(token) })
		_, _ = io.WriteString(w, token) // or the client has gone
	})
	return program.Site{
		Handler: mux,
		Sockets: x.sockets,
		Work:    func(ctx context.Context) error { return x.sockets.Answer(ctx, x.answer) },
	}
}

// authorize admits a client with a fresh token, unless the exchange is busy. A token is
// good once.
func (x *exchange) authorize(r *http.Request) (wsource.Admission, error) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if _, good := x.tokens.LoadAndDelete(token); !good {
		return wsource.Admission{}, &wsource.RefusalError{Status: http.StatusUnauthorized}
	}
	if x.handshakes.Add(1)%busyEvery == 0 {
		return wsource.Admission{}, &wsource.RefusalError{Status: http.StatusTooManyRequests, RetryAfter: busyTime}
	}
	return wsource.Admission{}, nil
}

// errRestart is the end of a connection.
var errRestart = &wsource.CloseError{Code: wsource.StatusServiceRestart, Reason: "restart; retry-after=0.2"}

// answer makes the messages to a client from its orders.
func (x *exchange) answer(socket *wsource.Socket) observable.Observable[wsource.Message] {
	begin := uint64(x.handshakes.Load() * 1000) //nolint:gosec // they are few
	numbers := map[string]uint64{}              // number of the last tick of each symbol
	snapshot := func(symbol string) event {
		return event{"snapshot", symbol, numbers[symbol], price(numbers[symbol])}
	}
	orders := operators.Share(operators.TryMap(socket, wsource.DecodeFunc(wsource.JSON[order, order]())))
	return operators.MergeMap(orders, func(o order) observable.Observable[wsource.Message] {
		switch {
		case o.Op == "subscribe" && !slices.Contains(symbols, o.Symbol):
			return encoded(event{Type: "refused", Symbol: o.Symbol})
		case o.Op == "subscribe":
			numbers[o.Symbol] = begin
			unsubscribed := operators.Filter(orders, func(other order) bool { return other == order{"unsubscribe", o.Symbol} })
			greeting := encoded(event{Type: "subscribed", Symbol: o.Symbol}, snapshot(o.Symbol))
			return operators.TakeUntil(operators.Concat(greeting, x.ticks(o.Symbol, numbers)), unsubscribed)
		case o.Op == "snapshot":
			return encoded(snapshot(o.Symbol))
		}
		return observable.Empty[wsource.Message]()
	})
}

// ticks returns the ticks of a symbol. Some are lost, some are malformed, and the last
// one ends the connection.
func (x *exchange) ticks(symbol string, numbers map[string]uint64) observable.Observable[wsource.Message] {
	beats := operators.Take(observable.Interval(x.every), restartAfter)
	ticks := operators.TryFilterMap(beats, func(beat int) (wsource.Message, bool, error) {
		numbers[symbol]++
		seq, count := numbers[symbol], beat+1
		m, err := wsource.JSON[event, event]().Encode(event{"tick", symbol, seq, price(seq)})
		if count%malformedEvery == 0 {
			m.Data = m.Data[:len(m.Data)/2]
		}
		return m, count%lostEvery != 0, err
	})
	return operators.Concat(ticks, observable.Throw[wsource.Message](errRestart))
}

func price(seq uint64) float64 { return 1.1 + 0.001*math.Sin(float64(seq)/5) }

// encoded makes messages of events.
func encoded(events ...event) observable.Observable[wsource.Message] {
	return operators.TryMap(observable.FromSlice(events), wsource.JSON[event, event]().Encode)
}
