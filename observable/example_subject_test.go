package observable_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
)

// printer returns an observer that prints its notifications, after a name.
func printer[T any](name string) observable.Observer[T] {
	return observable.ObserverFuncs[T]{
		OnNext:     func(v T) { fmt.Println(name, v) },
		OnError:    func(err error) { fmt.Println(name, "error:", err) },
		OnComplete: func() { fmt.Println(name, "done") },
	}
}

func ExampleSubject() {
	prices := new(observable.Subject[int])
	prices.Subscribe(context.Background(), printer[int]("a"))
	prices.Next(1)
	prices.Subscribe(context.Background(), printer[int]("b"))
	prices.Next(2)
	prices.Complete()
	// Output:
	// a 1
	// a 2
	// b 2
	// a done
	// b done
}

func ExampleBehaviorSubject() {
	state := observable.NewBehaviorSubject("closed")
	state.Next("connecting")
	state.Subscribe(context.Background(), printer[string]("state:"))
	state.Next("open")
	current, _ := state.Value()
	fmt.Println("now", current)
	// Output:
	// state: connecting
	// state: open
	// now open
}

func ExampleReplaySubject() {
	history := observable.NewReplaySubject[int](observable.ReplayConfig{Buffer: 2})
	for i := range 5 {
		history.Next(i)
	}
	history.Subscribe(context.Background(), printer[int]("late:"))
	// Output:
	// late: 3
	// late: 4
}

func ExampleAsyncSubject() {
	result := observable.NewAsyncSubject[int]()
	result.Next(1)
	result.Next(2)
	result.Subscribe(context.Background(), printer[int]("result:"))
	result.Complete()
	// Output:
	// result: 2
	// result: done
}
