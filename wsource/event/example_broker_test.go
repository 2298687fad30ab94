package event_test

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// shelf is a QueueBroker in memory, of jobs without keys. It outlives its queues.
type shelf struct {
	mu      sync.Mutex // guards the fields below
	waiting []event.StoredJob
	changed chan struct{} // closes when a job has come or gone
}

// when calls do as soon as ready returns true, with mu held.
func (s *shelf) when(ctx context.Context, ready func() bool, do func()) error {
	for {
		s.mu.Lock()
		if ready() {
			do()
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
			return nil
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (s *shelf) Add(ctx context.Context, job event.StoredJob, most int) error {
	return s.when(ctx, func() bool { return len(s.waiting) < most }, func() { s.waiting = append(s.waiting, job) })
}

func (s *shelf) Take(ctx context.Context) (job event.StoredJob, err error) {
	err = s.when(ctx, func() bool { return len(s.waiting) > 0 }, func() { job, s.waiting = s.waiting[0], s.waiting[1:] })
	return job, err
}

func (s *shelf) Return(ctx context.Context, job event.StoredJob) error {
	return s.when(ctx, func() bool { return true }, func() { s.waiting = slices.Insert(s.waiting, 0, job) })
}

func (s *shelf) Remove(_ context.Context, _ string) error {
	fmt.Println("done with it")
	return nil
}

// A broker keeps jobs outside of the queues: one adds a job and ends, another does it.
func ExampleQueueBroker() {
	ctx := context.Background()
	config := &event.QueueConfig[Order]{Broker: &shelf{changed: make(chan struct{})}}
	one := event.NewQueue("ship", config)
	fmt.Println(one.Add(ctx, Order{ID: 1, Count: 2}), one.Shutdown(ctx))

	other := event.NewQueue("ship", config)
	worker, end := shop(func(conn *event.Conn) { other.Work(conn, 1) })
	defer end()
	event.Answer(worker, "ship", func(_ context.Context, o Order) (string, error) {
		fmt.Println("shipping", o.ID)
		return "by train", nil
	})
	shipped := make(chan int)
	other.Subscribe(ctx, observable.ObserverFuncs[event.Job[Order]]{
		OnNext: func(j event.Job[Order]) { shipped <- j.Value.ID },
	})
	worker.Connect(ctx)
	fmt.Println("shipped", <-shipped, other.Shutdown(ctx))
	// Output:
	// <nil> <nil>
	// shipping 1
	// done with it
	// shipped 1 <nil>
}

// line is a PubSubBroker for two nodes of one process. Both are there from the beginning,
// so it retains nothing.
type line struct {
	other   *line
	deliver func(e *event.Envelope, late uint64)
}

func (l *line) Follow(_ int, deliver func(e *event.Envelope, late uint64)) (stop func(), err error) {
	l.deliver = deliver
	return func() {}, nil
}

func (l *line) Publish(e *event.Envelope) error {
	l.other.deliver(e, 0)
	return nil
}

// Events published on one node are heard on the other.
func ExamplePubSubBroker() {
	oslo, rome := new(line), new(line)
	oslo.other, rome.other = rome, oslo
	north := event.NewPubSub(&event.PubSubConfig{Broker: oslo})
	south := event.NewPubSub(&event.PubSubConfig{Broker: rome})

	south.Topic("weather.*").Subscribe(context.Background(), observable.ObserverFuncs[*event.Envelope]{
		OnNext: func(e *event.Envelope) { fmt.Println(e.Topic, string(e.Data)) },
	})
	fmt.Println(north.Publish(&event.Envelope{Type: "forecast", Topic: "weather.oslo", Data: []byte(`"snow"`)}))
	// Output:
	// weather.oslo "snow"
	// <nil>
}

// tube is one end of a connection without a network: a Duplex for tests.
type tube struct {
	observable.Observable[wsource.Message] // messages of the other end
	observable.Observer[wsource.Message]   // the other end
}

func (t tube) Send(_ context.Context, m wsource.Message) error {
	t.Next(m)
	return nil
}

// A Conn speaks over any stream of messages in both directions.
func ExampleDuplex() {
	up, down := new(observable.Subject[wsource.Message]), new(observable.Subject[wsource.Message])
	var duplex event.Duplex = tube{down, up}
	client, server := event.New(duplex, nil), event.New(tube{up, down}, nil)
	event.OnValue[string](server, "said").Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(text string) { fmt.Println("heard", text) },
	})
	client.Connect(context.Background())
	server.Connect(context.Background())
	fmt.Println(event.Emit[string](client, "said").Send(context.Background(), "hello"))
	up.Complete()
	down.Complete()
	// Output:
	// heard hello
	// <nil>
}
