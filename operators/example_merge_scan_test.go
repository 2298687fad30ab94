package operators_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleMergeScan() {
	// The balance after each booking, looked up somewhere else.
	balances := operators.MergeScan(observable.Of(50, -20, 5), 100, func(balance, booking int) observable.Observable[int] {
		return observable.Of(balance + booking)
	})
	got, err := observable.Collect(context.Background(), balances)
	fmt.Println(got, err)
	// Output: [150 130 135] <nil>
}

func ExampleMergeScanConcurrent() {
	// With a limit of 1 a step builds on all values of the step before.
	steps := operators.MergeScanConcurrent(observable.Of(1, 2), 0, 1, func(acc, v int) observable.Observable[int] {
		return observable.Of(acc+v, acc+10*v)
	})
	got, err := observable.Collect(context.Background(), steps)
	fmt.Println(got, err)
	// Output: [1 10 12 30] <nil>
}
