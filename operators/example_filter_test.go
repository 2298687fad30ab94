package operators_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleFilter() {
	evens := operators.Filter(observable.Range(1, 6), func(v int) bool { return v%2 == 0 })
	got, err := observable.Collect(context.Background(), evens)
	fmt.Println(got, err)
	// Output: [2 4 6] <nil>
}

func ExampleTryFilter() {
	known := operators.TryFilter(observable.Of("1", "-2", "3", "x", "5"), func(s string) (bool, error) {
		n, err := strconv.Atoi(s)
		return n > 0, err
	})
	got, err := observable.Collect(context.Background(), known)
	fmt.Println(got, errors.Is(err, strconv.ErrSyntax))
	// Output: [1 3] true
}

func ExampleIgnoreElements() {
	done := operators.IgnoreElements(observable.Of("sent", "sent"))
	got, err := observable.Collect(context.Background(), done)
	fmt.Println(len(got), err)
	// Output: 0 <nil>
}

func ExampleTakeLast() {
	last := operators.TakeLast(observable.Range(1, 5), 2)
	got, err := observable.Collect(context.Background(), last)
	fmt.Println(got, err)
	// Output: [4 5] <nil>
}

func ExampleTakeWhile() {
	low := operators.TakeWhile(observable.Of(1, 2, 3, 1), func(v int) bool { return v < 3 })
	got, err := observable.Collect(context.Background(), low)
	fmt.Println(got, err)
	// Output: [1 2] <nil>
}

func ExampleTakeWhileInclusive() {
	low := operators.TakeWhileInclusive(observable.Of(1, 2, 3, 1), func(v int) bool { return v < 3 })
	got, err := observable.Collect(context.Background(), low)
	fmt.Println(got, err)
	// Output: [1 2 3] <nil>
}

func ExampleTryTakeWhile() {
	positive := operators.TryTakeWhile(observable.Of("3", "2", "0", "x"), func(s string) (bool, error) {
		n, err := strconv.Atoi(s)
		return n > 0, err
	})
	got, err := observable.Collect(context.Background(), positive)
	fmt.Println(got, err)
	// Output: [3 2] <nil>
}

func ExampleTryTakeWhileInclusive() {
	positive := operators.TryTakeWhileInclusive(observable.Of("3", "2", "0", "x"), func(s string) (bool, error) {
		n, err := strconv.Atoi(s)
		return n > 0, err
	})
	got, err := observable.Collect(context.Background(), positive)
	fmt.Println(got, err)
	// Output: [3 2 0] <nil>
}

func ExampleSkip() {
	rest := operators.Skip(observable.Range(1, 5), 2)
	got, err := observable.Collect(context.Background(), rest)
	fmt.Println(got, err)
	// Output: [3 4 5] <nil>
}

func ExampleSkipWhile() {
	rest := operators.SkipWhile(observable.Of(1, 2, 3, 1), func(v int) bool { return v < 3 })
	got, err := observable.Collect(context.Background(), rest)
	fmt.Println(got, err)
	// Output: [3 1] <nil>
}

func ExampleSkipLast() {
	rest := operators.SkipLast(observable.Range(1, 5), 2)
	got, err := observable.Collect(context.Background(), rest)
	fmt.Println(got, err)
	// Output: [1 2 3] <nil>
}
