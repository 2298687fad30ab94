package event_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// The codes of errors are the same in every language: a page finds them in the field
// "code".
func ExampleCode() {
	for _, code := range []event.Code{
		event.CodeMalformed, event.CodeVersion, event.CodeReserved, event.CodeMissingID, event.CodeMissingType,
		event.CodeTooLong, event.CodeUnknownType, event.CodeBadData, event.CodeNoQuestion, event.CodeDuplicateID,
		event.CodeCredit, event.CodeBadTopic, event.CodeTooManyTopics, event.CodeForbidden, event.CodeBusy,
		event.CodeTimeout, event.CodeOverflow, event.CodeInternal,
	} {
		fmt.Println(code)
	}
	// Output:
	// malformed
	// unknown_version
	// reserved_type
	// missing_id
	// missing_type
	// too_long
	// unknown_type
	// bad_data
	// no_such_question
	// duplicate_id
	// credit_exceeded
	// bad_topic
	// too_many_topics
	// forbidden
	// busy
	// deadline_exceeded
	// overflow
	// internal
}

// The defaults are constants.
func ExampleConfig_defaults() {
	fmt.Println("version", event.Version)
	fmt.Println("a message:", event.DefaultMaxBytes, "a name:", event.MaxName, "fields:", event.MaxFields)
	fmt.Println("answers:", event.DefaultMaxAnswers, "errors:", event.DefaultMaxErrors, "a stream:", event.DefaultWindow)
	fmt.Println("topics:", event.DefaultMaxTopics, "patterns:", event.DefaultMaxPatterns)
	fmt.Println("a queue:", event.DefaultAckTimeout, event.DefaultAttempts, event.DefaultMaxWaiting)
	fmt.Println(event.JSONValues().Name())
	// Output:
	// version 1
	// a message: 1048576 a name: 256 fields: 64
	// answers: 256 errors: 60 a stream: 64
	// topics: 1000 patterns: 10000
	// a queue: 30s 5 1024
	// JSON
}

// An error of an event names the event and the problem.
func ExampleEnvelopeError() {
	codec := event.JSON()
	_, err := codec.Decode(wsource.Text, []byte(`{"id":"1","data":2}`))
	if wrong, ok := errors.AsType[*event.EnvelopeError](err); ok {
		fmt.Println(wrong.Code, wrong.ID, wrong.Field)
	}
	e, err := codec.Decode(wsource.Text, []byte(`{"id":"1","type":"said","data":2,"mood":"good"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	var extra = e.Extra[0]
	fmt.Println(extra.Name, string(extra.Value), len(event.NewID()))
	// Output:
	// missing_type 1 type
	// mood "good" 36
}

// A Conn speaks over any Duplex. Unheard has the events without a subscriber.
func ExampleConn_Unheard() {
	client, end := shop(func(conn *event.Conn) {
		event.Emit[string](conn, "greeting").Next("hello")
	})
	defer end()
	var _ event.Duplex = (*wsource.Socket)(nil)
	unheard := make(chan string, 1)
	client.Unheard().Subscribe(context.Background(), observable.ObserverFuncs[*event.Envelope]{
		OnNext: func(e *event.Envelope) { unheard <- e.Type },
	})
	_, err := event.Ask[int](context.Background(), client, "stock", "apples")
	fmt.Println(errors.Is(err, event.ErrNotConnected))
	client.Connect(context.Background())
	fmt.Println(<-unheard)
	// Output:
	// true
	// greeting
}

// The errors that a Conn reports of its peer have types.
func ExampleConn_Errors_types() {
	explain := func(err error) string {
		var data *event.DataError
		var answer *event.AnswerError
		var stray *event.StrayError
		var dead *event.DeadLetterError
		switch {
		case errors.As(err, &data):
			return "the data is no " + data.Target
		case errors.As(err, &answer):
			return "the answer to " + answer.Type + " has failed"
		case errors.As(err, &stray):
			return "nothing was asked, or not any more"
		case errors.As(err, &dead):
			return fmt.Sprint("job ", dead.ID, " was given up")
		case errors.Is(err, event.ErrTooManyErrors):
			return "the peer is out of order"
		case errors.Is(err, event.ErrCancelled):
			return "the peer has lost interest"
		case errors.Is(err, event.ErrAskInCallback):
			return "a callback would wait for itself"
		}
		return err.Error()
	}
	fmt.Println(explain(event.ErrTooManyErrors))
	fmt.Println(explain(&event.StrayError{Corr: "1", Type: "answer", Late: true}))
	// Output:
	// the peer is out of order
	// nothing was asked, or not any more
}

// A sink sends with an outcome, too, and under a topic.
func ExampleSink_Send() {
	said := make(chan string, 1)
	client, end := shop(func(conn *event.Conn) {
		event.OnValue[string](conn, "said").Subscribe(context.Background(), observable.ObserverFuncs[string]{
			OnNext: func(text string) { said <- text },
		})
	})
	defer end()
	client.Connect(context.Background())
	fmt.Println(event.Emit[string](client, "said").Send(context.Background(), "hello"))
	fmt.Println(<-said)
	// Output:
	// <nil>
	// hello
}

// On the side of the server, topics are streams as well.
func ExamplePubSub_Topic() {
	news := event.NewPubSub(nil)
	news.Losses().Subscribe(context.Background(), observable.ObserverFuncs[hub.Loss[string, uint64, *event.Envelope]]{})
	heard := make(chan string, 1)
	news.Topic("weather.*").Subscribe(context.Background(), observable.ObserverFuncs[*event.Envelope]{
		OnNext:     func(e *event.Envelope) { heard <- e.Topic },
		OnComplete: func() { close(heard) },
	})
	fmt.Println(news.Publish(&event.Envelope{Type: "forecast", Topic: "weather.oslo", Data: []byte(`"rain"`)}))
	fmt.Println(<-heard)
	fmt.Println(news.Shutdown(context.Background()))
	_, open := <-heard
	fmt.Println(open)
	err := news.Publish(&event.Envelope{Type: "forecast", Topic: "weather.oslo"})
	fmt.Println(errors.Is(err, event.ErrPubSubShutdown))
	// Output:
	// <nil>
	// weather.oslo
	// <nil>
	// false
	// true
}

// A queue that is shut down takes no more jobs.
func ExampleQueue_Add() {
	jobs := event.NewQueue("ship", &event.QueueConfig[Order]{AckTimeout: time.Second, Attempts: 1})
	ctx := context.Background()
	jobs.DeadLetters().Subscribe(ctx, observable.ObserverFuncs[event.Job[Order]]{})
	fmt.Println(jobs.Add(ctx, Order{ID: 1}))
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	_ = jobs.Shutdown(stopped)
	fmt.Println(errors.Is(jobs.Add(ctx, Order{ID: 2}), event.ErrQueueShutdown))
	// Output:
	// <nil>
	// true
}
