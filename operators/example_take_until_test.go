package operators_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleTakeUntil() {
	var messages observable.Subject[string]
	var closing observable.Subject[struct{}]
	sub := operators.TakeUntil(&messages, &closing).Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext:     func(message string) { fmt.Println(message) },
		OnComplete: func() { fmt.Println("closed") },
	})
	messages.Next("hello")
	closing.Next(struct{}{})
	messages.Next("too late")
	<-sub.Done()
	// Output:
	// hello
	// closed
}

func ExampleSkipUntil() {
	var messages observable.Subject[string]
	var ready observable.Subject[bool]
	sub := operators.SkipUntil(&messages, &ready).Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(message string) { fmt.Println(message) },
	})
	messages.Next("too early")
	ready.Next(true)
	messages.Next("hello")
	sub.Unsubscribe()
	// Output: hello
}
