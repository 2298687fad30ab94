package operators_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleRace() {
	// Two mirrors of one feed: the faster one wins.
	var tokyo, oslo observable.Subject[string]
	sub := operators.Race[string](&tokyo, &oslo).Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(v string) { fmt.Println(v) },
	})
	oslo.Next("oslo: 1")
	tokyo.Next("tokyo: 1")
	oslo.Next("oslo: 2")
	sub.Unsubscribe()
	// Output:
	// oslo: 1
	// oslo: 2
}

func ExamplePartition() {
	even, odd := operators.Partition(observable.Range(1, 6), func(v int) bool { return v%2 == 0 })
	for _, side := range []observable.Observable[int]{even, odd} {
		got, err := observable.Collect(context.Background(), side)
		fmt.Println(got, err)
	}
	// Output:
	// [2 4 6] <nil>
	// [1 3 5] <nil>
}
