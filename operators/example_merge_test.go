package operators_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleMerge() {
	var keyboard, network observable.Subject[string]
	events := operators.Merge(&keyboard, &network)
	sub := events.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext:     func(event string) { fmt.Println(event) },
		OnComplete: func() { fmt.Println("both have ended") },
	})
	keyboard.Next("key down")
	network.Next("message")
	keyboard.Next("key up")
	keyboard.Complete()
	network.Complete()
	<-sub.Done()
	// Output:
	// key down
	// message
	// key up
	// both have ended
}

func ExampleMergeConcurrent() {
	var first observable.Subject[string]
	merged := operators.MergeConcurrent(1, &first, observable.Of("second"))
	sub := merged.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(v string) { fmt.Println(v) },
	})
	first.Next("first")
	first.Complete() // only now the second source's turn comes
	<-sub.Done()
	// Output:
	// first
	// second
}

func ExampleMergeAll() {
	streams := observable.Of(observable.Of(1, 2), observable.Of(3, 4))
	got, err := observable.Collect(context.Background(), operators.MergeAll(streams))
	fmt.Println(got, err)
	// Output: [1 2 3 4] <nil>
}

func ExampleMergeAllConcurrent() {
	streams := observable.Of(observable.Never[int](), observable.Of(1), observable.Of(2))
	sub := operators.MergeAllConcurrent(streams, 2).Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(v int) { fmt.Println(v) },
	})
	sub.Unsubscribe()
	// Output:
	// 1
	// 2
}
