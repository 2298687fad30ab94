package event_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// shop is a server that calls setUp with the events of each socket, and returns the
// events of a client. The client reads when its Connect is called.
func shop(setUp func(conn *event.Conn)) (client *event.Conn, end func()) {
	server := new(wsource.Server)
	ctx, cancel := context.WithCancel(context.Background())
	handled := make(chan struct{})
	listener := httptest.NewServer(server)
	go func() {
		defer close(handled)
		_ = server.Handle(ctx, func(ctx context.Context, socket *wsource.Socket) error {
			conn := event.New(socket, nil)
			setUp(conn)
			conn.Connect(ctx)
			<-conn.Done()
			return conn.Err()
		})
	}()
	if err := server.AwaitReady(ctx); err != nil { // until it is handled
		panic(err)
	}
	socket, err := wsource.Dial(ctx, listener.URL, nil)
	if err != nil {
		panic(err)
	}
	return event.New(socket, &event.Config{Source: "alice"}), func() {
		socket.Complete()
		<-socket.Done()
		cancel()
		<-handled
		listener.Close()
	}
}

type Order struct {
	ID    int `json:"id"`
	Count int `json:"count"`
}

// Alice places orders, and the shop confirms the valid ones.
func Example() {
	client, end := shop(func(conn *event.Conn) {
		orders := event.OnValue[Order](conn, "order_placed")
		valid := operators.Filter(orders, func(o Order) bool { return o.Count > 0 })
		valid.Subscribe(context.Background(), event.Emit[Order](conn, "order_confirmed"))
	})
	defer end()

	ctx := context.Background()
	confirmed := make(chan event.Event[Order], 1)
	event.On[Order](client, "order_confirmed").Subscribe(ctx, observable.ObserverFuncs[event.Event[Order]]{
		OnNext: func(e event.Event[Order]) { confirmed <- e },
	})
	client.Connect(ctx)
	place := event.Emit[Order](client, "order_placed")
	place.Next(Order{ID: 1, Count: 0})
	place.Next(Order{ID: 2, Count: 3})
	e := <-confirmed
	fmt.Println(e.Type, e.Value)
	// Output: order_confirmed {2 3}
}

func ExampleAsk() {
	client, end := shop(func(conn *event.Conn) {
		event.Answer(conn, "stock", func(_ context.Context, article string) (int, error) {
			if article != "apples" {
				return 0, &event.PublicError{Code: "unknown_article", Message: "we have no " + article}
			}
			return 12, nil
		})
	})
	defer end()

	ctx := context.Background()
	client.Connect(ctx)
	fmt.Println(event.Ask[int](ctx, client, "stock", "apples"))
	_, err := event.Ask[int](ctx, client, "stock", "pears")
	if remote, ok := errors.AsType[*event.RemoteError](err); ok {
		fmt.Println(remote.Code, "-", remote.Message)
	}
	// Output:
	// 12 <nil>
	// unknown_article - we have no pears
}

func ExampleAskMany() {
	client, end := shop(func(conn *event.Conn) {
		event.AnswerMany(conn, "count", func(_ context.Context, from int) observable.Observable[int] {
			return observable.Range(from, 1_000_000_000)
		})
	})
	defer end()

	ctx := context.Background()
	client.Connect(ctx)
	fmt.Println(observable.Collect(ctx, operators.Take(event.AskMany[int](client, "count", 5), 4)))
	// Output: [5 6 7 8] <nil>
}

// Both sides are told the problem with an event.
func ExampleConn_Errors() {
	client, end := shop(func(conn *event.Conn) {
		event.On[Order](conn, "order_placed").Subscribe(context.Background(), observable.ObserverFuncs[event.Event[Order]]{})
		conn.Errors().Subscribe(context.Background(), observable.ObserverFuncs[error]{})
	})
	defer end()

	ctx := context.Background()
	told := make(chan error, 1)
	client.Errors().Subscribe(ctx, observable.ObserverFuncs[error]{OnNext: func(err error) { told <- err }})
	client.Connect(ctx)
	event.Emit[string](client, "order_placed").Next("three apples, please")
	fmt.Println(<-told)
	// Output: event: the peer reports bad_data: the data does not fit the type
}

// An event that is about another one names it.
func ExamplePack() {
	client, end := shop(func(conn *event.Conn) {
		event.On[Order](conn, "order_placed").Subscribe(context.Background(), observable.ObserverFuncs[event.Event[Order]]{
			OnNext: func(e event.Event[Order]) {
				shipped, err := event.Pack(conn, "order_shipped", "by train")
				if err != nil {
					return
				}
				shipped.Corr = e.ID
				_ = conn.Send(context.Background(), shipped)
			},
		})
	})
	defer end()

	ctx := context.Background()
	shipped := make(chan event.Event[string], 1)
	event.On[string](client, "order_shipped").Subscribe(ctx, observable.ObserverFuncs[event.Event[string]]{
		OnNext: func(e event.Event[string]) { shipped <- e },
	})
	client.Connect(ctx)
	placed, err := event.Pack(client, "order_placed", Order{ID: 1, Count: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	placed.ID = "order-1"
	_ = client.Send(ctx, placed)
	e := <-shipped
	fmt.Println(e.Corr, e.Value)
	// Output: order-1 by train
}

// A subscriber of a topic, or of a pattern that has it, gets the events published under
// it, and first the last one before.
func ExamplePubSub() {
	topics := event.NewPubSub(&event.PubSubConfig{Retain: 100})
	client, end := shop(func(conn *event.Conn) { topics.Serve(conn) })
	defer end()
	event.EmitTo[float64](topics, "price", nil).Under("fruit.apples").Next(1.2)

	ctx := context.Background()
	client.Connect(ctx)
	event.Emit[float64](client, "price").Under("fruit.pears").Next(2.5)
	prices := operators.Take(event.OnTopic[float64](client, "fruit.*"), 2)
	_ = observable.ForEach(ctx, prices, func(e event.Event[float64]) { fmt.Println(e.Topic, e.Value) })
	// Output:
	// fruit.apples 1.2
	// fruit.pears 2.5
}

// A client that needs only topics can have them of a subject.
func ExampleTopicsConfig() {
	topics := event.NewPubSub(&event.PubSubConfig{Retain: 100})
	_ = topics.Publish(&event.Envelope{Type: "price", Topic: "fruit.apples", Data: []byte("1.2")})
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(socket *wsource.Socket) {
			conn := event.New(socket, nil)
			topics.Serve(conn)
			conn.Connect(context.Background())
		},
	})
	listener := httptest.NewServer(server)
	defer listener.Close()

	subject := wsource.NewSubject(listener.URL, event.JSON(), nil)
	prices := wsource.NewTopics(subject, event.TopicsConfig())
	e, err := observable.FirstValue(context.Background(), prices.Topic("fruit.*"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Topic, string(e.Data))
	// Output: fruit.apples 1.2
}

// Workers answer jobs, which are questions.
func ExampleQueue() {
	ctx := context.Background()
	orders := event.NewQueue[Order]("ship", nil)
	worker, end := shop(func(conn *event.Conn) { orders.Work(conn, 1) })
	defer end()
	event.Answer(worker, "ship", func(ctx context.Context, o Order) (string, error) {
		fmt.Println("shipping", o.ID, event.Question(ctx).Corr != "")
		return "by train", nil
	})
	worker.Connect(ctx)

	done := observable.ObserverFuncs[event.Job[Order]]{
		OnNext: func(j event.Job[Order]) { fmt.Println("shipped", j.Value.ID) },
	}
	orders.Subscribe(ctx, done)
	orders.Next(Order{ID: 1, Count: 2})
	fmt.Println(orders.Shutdown(ctx))
	// Output:
	// shipping 1 true
	// shipped 1
	// <nil>
}

// All in a room hear the events that one of them emits, and a stream of the server.
func ExampleRelay() {
	rooms := hub.New(hub.Config[string, string, *event.Envelope]{Encode: event.Encode[string, string](nil)})
	relay := event.NewRelay(rooms.Room("lobby"))
	client, end := shop(func(conn *event.Conn) {
		options := event.RelayOptions{Types: []string{"said"}, Echo: true}
		if _, err := relay.Join(context.Background(), conn, "alice", options); err != nil {
			fmt.Println(err)
		}
	})
	defer end()

	ctx := context.Background()
	heard := make(chan string, 2)
	event.OnValue[string](client, "said").Subscribe(ctx, observable.ObserverFuncs[string]{
		OnNext: func(text string) { heard <- text },
	})
	client.Connect(ctx)
	event.Emit[string](client, "said").Next("hello")
	fmt.Println(<-heard)
	observable.Of("welcome").Subscribe(ctx, event.EmitTo[string](relay, "said", nil))
	fmt.Println(<-heard)
	// Output:
	// hello
	// welcome
}

func ExampleMatches() {
	fmt.Println(event.Matches("orders.*", "orders.new"), event.Matches("orders.*", "orders.new.today"))
	fmt.Println(event.Matches("orders.>", "orders.new.today"), event.Matches("orders.>", "orders"))
	// Output:
	// true false
	// true false
}

func ExampleCloudEvents() {
	e, err := event.CloudEvents().Decode(wsource.Text, []byte(`{"specversion":"1.0","id":"1","type":"order_placed","source":"/shop",`+
		`"subject":"orders.new","time":"2023-02-16T13:38:55Z","data":{"id":5}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := event.JSON().Encode(e)
	fmt.Println(m.String(), err)
	// Output: {"id":"1","type":"order_placed","created":1676554735000,"source":"/shop","topic":"orders.new","data":{"id":5}} <nil>
}
