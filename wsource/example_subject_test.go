package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// quote is the value that the examples send and receive.
type quote struct {
	Symbol string
	Price  float64
}

// Values sent before the first subscriber wait, in their order.
func ExampleNewSubject() {
	url, stop := echo()
	defer stop()

	quotes := wsource.NewSubject(url, wsource.JSON[quote, quote](), nil)
	quotes.Next(quote{"ACME", 12.5})
	quotes.Next(quote{"EMCA", 5.25})

	first := operators.Take(quotes, 2) // it dials, and closes when it has two
	err := observable.ForEach(context.Background(), first, func(q quote) { fmt.Println(q.Symbol, q.Price) })
	fmt.Println(err)

	// Output:
	// ACME 12.5
	// EMCA 5.25
	// <nil>
}

// A server drops each connection after one message. The subscriber sees one stream.
func ExampleSubjectConfig() {
	var count atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := wsource.Accept(w, r, nil)
		if err != nil {
			return
		}
		_ = socket.Send(context.Background(), wsource.TextMessage(fmt.Sprint("connection ", count.Add(1))))
		_ = socket.Close(wsource.StatusServiceRestart, "back soon")
	}))
	defer server.Close()

	lasting := wsource.NewSubject(server.URL, wsource.TextCodec(), &wsource.SubjectConfig[string]{
		Reconnect: &backoff.Config{Base: time.Millisecond},
		Target: func(_ context.Context, attempt int, _ wsource.DialOptions) (string, wsource.DialOptions, error) {
			token := fmt.Sprint("token for attempt ", attempt) // a new one each time
			return server.URL, wsource.DialOptions{Header: http.Header{"Authorization": {token}}}, nil
		},
	})
	err := observable.ForEach(context.Background(), operators.Take(lasting, 3), func(text string) { fmt.Println(text) })
	fmt.Println(err)

	// Output:
	// connection 1
	// connection 2
	// connection 3
	// <nil>
}

// A server that answers in the types of the application.
func ExampleWrapSocket() {
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) {
			peer := wsource.WrapSocket(socket, wsource.JSON[quote, quote](), nil)
			dearer := operators.Map(peer, func(q quote) quote { return quote{q.Symbol, 2 * q.Price} })
			dearer.Subscribe(context.Background(), peer)
		},
	})
	h := httptest.NewServer(server)
	defer h.Close()
	defer func() { _ = server.Shutdown(context.Background()) }()

	quotes := wsource.NewSubject(h.URL, wsource.JSON[quote, quote](), nil)
	quotes.Next(quote{"ACME", 12.5})
	fmt.Println(observable.FirstValue(context.Background(), quotes))

	// Output: {ACME 25} <nil>
}

// Each connection begins with a login and numbers its values anew.
func ExampleSubject_Connections() {
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) { // a server that goes away after each answer
			answers := operators.Map(operators.Take(s, 1), func(m wsource.Message) wsource.Message {
				return wsource.TextMessage("welcome, " + m.String())
			})
			gone := observable.Throw[wsource.Message](&wsource.CloseError{Code: wsource.StatusServiceRestart})
			operators.Concat(answers, gone).Subscribe(context.Background(), s)
		},
	})
	h := httptest.NewServer(server)
	defer h.Close()
	defer func() { _ = server.Shutdown(context.Background()) }()

	texts := wsource.NewSubject(h.URL, wsource.TextCodec(), &wsource.SubjectConfig[string]{
		Reconnect: &backoff.Config{Base: time.Millisecond},
	})
	count := 0
	perConnection := func(c *wsource.Connection[string, string]) observable.Observable[string] {
		count++
		// Ahead of all other messages on this connection.
		c.Next(fmt.Sprint("login ", count))
		return c
	}
	answers := operators.SwitchMap(texts.Connections(), perConnection)
	err := observable.ForEach(context.Background(), operators.Take(answers, 2), func(text string) { fmt.Println(text) })
	fmt.Println(err)

	// Output:
	// welcome, login 1
	// welcome, login 2
	// <nil>
}

func ExampleSubject_Send() {
	url, stop := echo()
	defer stop()
	texts := wsource.NewSubject(url, wsource.TextCodec(), nil)
	subscription := texts.Subscribe(context.Background(), observable.ObserverFuncs[string]{})
	defer subscription.Unsubscribe()

	fmt.Println(texts.Send(context.Background(), "hello"))
	err := texts.Send(context.Background(), "caf\xE9")
	if unsent, ok := errors.AsType[*wsource.SendError](err); ok {
		fmt.Println(unsent.Outcome, errors.Is(err, wsource.ErrInvalidUTF8))
	}

	// Output:
	// <nil>
	// unsent true
}

// Each message has a delivery of its own.
func ExampleSubject_SendAs() {
	// Nobody has subscribed yet.
	texts := wsource.NewSubject("ws://server.test", wsource.TextCodec(), nil)
	now := wsource.Delivery{Volatile: true}
	fmt.Println(texts.SendAs(context.Background(), "the pointer is at 3, 4", now))
	soon := wsource.Delivery{TTL: time.Millisecond}
	fmt.Println(texts.SendAs(context.Background(), "I am typing", soon))

	// Output:
	// wsource: text message of 22 bytes: outcome unsent: there is no open connection
	// wsource: text message of 11 bytes: outcome unsent: the message's time to live is over
}

// Of messages with the same key, only the latest waits.
func ExampleDelivery() {
	url, stop := echo()
	defer stop()
	quotes := wsource.NewSubject(url, wsource.JSON[quote, quote](), &wsource.SubjectConfig[quote]{
		Delivery: func(q quote) wsource.Delivery { return wsource.Delivery{Key: q.Symbol} },
	})
	quotes.Next(quote{"ACME", 12.5})
	quotes.Next(quote{"EMCA", 5.25})
	quotes.Next(quote{"ACME", 12.75})
	_ = observable.ForEach(context.Background(), operators.Take(quotes, 2), func(q quote) { fmt.Println(q.Symbol, q.Price) })

	// Output:
	// EMCA 5.25
	// ACME 12.75
}

func ExampleSubject_Undelivered() {
	texts := wsource.NewSubject("ws://server.test", wsource.TextCodec(), &wsource.SubjectConfig[string]{
		Outbox: wsource.Outbox{Messages: 2, Overflow: observable.OverflowDropOldest},
	})
	texts.Undelivered().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.SendError]{
		OnNext: func(lost *wsource.SendError) { fmt.Println(lost.Message, lost.Outcome, lost.Err) },
	})
	// Nobody has subscribed, so they wait.
	for _, text := range []string{"one", "two", "three"} {
		texts.Next(text)
	}
	texts.Discard()

	// Output:
	// one unsent the outbox is full
	// two unsent the outbox was discarded
	// three unsent the outbox was discarded
}

func ExampleSubject_Status() {
	url, stop := echo()
	defer stop()
	texts := wsource.NewSubject(url, wsource.TextCodec(), nil)
	closed := make(chan struct{})
	texts.Status().Subscribe(context.Background(), observable.ObserverFuncs[wsource.Status]{
		OnNext: func(status wsource.Status) {
			fmt.Println(status.State, status.Code)
			switch status.State {
			case wsource.LinkOpen:
				_ = texts.Close(4000, "enough")
			case wsource.LinkClosed:
				close(closed)
			default:
			}
		},
	})
	texts.Subscribe(context.Background(), observable.ObserverFuncs[string]{})
	<-closed

	// Output:
	// idle 0
	// connecting 0
	// open 0
	// closing 4000
	// closed 4000
}

func ExampleSubject_Undecodable() {
	url, stop := echo()
	defer stop()
	numbers := wsource.NewSubject(url, numberCodec{}, &wsource.SubjectConfig[string]{SkipUndecodable: true})
	numbers.Undecodable().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.CodecError]{
		OnNext: func(err *wsource.CodecError) { fmt.Println(err) },
	})
	for _, text := range []string{"1", "two", "3"} {
		numbers.Next(text)
	}
	_ = observable.ForEach(context.Background(), operators.Take(numbers, 2), func(n int) { fmt.Println(n) })

	// Output:
	// 1
	// wsource: codec number cannot decode a text message of 3 bytes, "two": expected integer
	// 3
}

// CloseAction is the table; a program may judge some ends otherwise.
func ExampleCloseAction() {
	onEnd := func(err error) wsource.Action {
		if wsource.CloseStatus(err) == 4001 { // this application's "the room has moved"
			return wsource.RetryConnect
		}
		return wsource.CloseAction(err)
	}
	for _, code := range []wsource.StatusCode{1000, 1001, 1006, 1008, 4000, 4001} {
		fmt.Println(code, wsource.CloseAction(&wsource.CloseError{Code: code}), onEnd(&wsource.CloseError{Code: code}))
	}

	// Output:
	// 1000 normal closure complete complete
	// 1001 going away retry retry
	// 1006 abnormal closure retry retry
	// 1008 policy violation fail fail
	// 4000 fail fail
	// 4001 fail retry
}

// market is a server that sends two quotes of each requested symbol.
func market() (url string, stop func()) {
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) {
			peer := wsource.WrapSocket(socket, wsource.JSON[string, quote](), nil)
			peer.Subscribe(context.Background(), observable.ObserverFuncs[string]{OnNext: func(command string) {
				if symbol, asked := strings.CutPrefix(command, "subscribe "); asked {
					peer.Next(quote{symbol, 1})
					peer.Next(quote{symbol, 2})
				}
			}})
		},
	})
	h := httptest.NewServer(server)
	return h.URL, func() {
		_ = server.Shutdown(context.Background())
		h.Close()
	}
}

func ExampleSubject_Multiplex() {
	url, stop := market()
	defer stop()
	socket := wsource.NewSubject(url, wsource.JSON[quote, string](), nil)
	acme := socket.Multiplex(
		func() string { return "subscribe ACME" },
		func() string { return "unsubscribe ACME" },
		func(q quote) bool { return q.Symbol == "ACME" },
	)
	_ = observable.ForEach(context.Background(), operators.Take(acme, 2), func(q quote) { fmt.Println(q.Symbol, q.Price) })

	// Output:
	// ACME 1
	// ACME 2
}

func ExampleTopics() {
	url, stop := market()
	defer stop()
	socket := wsource.NewSubject(url, wsource.JSON[quote, string](), nil)
	quotes := wsource.NewTopics(socket, wsource.TopicsConfig[string, quote, string]{
		Subscribe:   func(symbol string) string { return "subscribe " + symbol },
		Unsubscribe: func(symbol string) string { return "unsubscribe " + symbol },
		Topic:       func(q quote) (string, bool) { return q.Symbol, true },
	})
	two := operators.CombineLatest(quotes.Topic("ACME"), quotes.Topic("EMCA"))
	last := operators.Filter(two, func(both []quote) bool { return both[0].Price+both[1].Price == 4 })
	fmt.Println(observable.FirstValue(context.Background(), last))

	// Output: [{ACME 2} {EMCA 2}] <nil>
}

// Orders and the server's acknowledgements have the order's number. When the connection
// breaks, acknowledged orders are not reported, even if a gateway on the way has answered
// otherwise.
func ExampleSubject_Confirm() {
	type order struct{ Number string }
	type receipt struct{ Number string }

	url, stop := echo() // it acknowledges each order
	defer stop()
	orders := wsource.NewSubject(url, wsource.JSON[receipt, order](), &wsource.SubjectConfig[order]{
		Delivery: func(o order) wsource.Delivery { return wsource.Delivery{ID: o.Number} },
	})
	orders.Next(order{"A1"})
	receipts := operators.Take(orders, 1)
	_ = observable.ForEach(context.Background(), receipts, func(r receipt) {
		fmt.Println(r.Number, orders.Confirm(r.Number), orders.Confirm(r.Number))
	})

	// Output: A1 true false
}
