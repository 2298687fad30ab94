package operators_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleFirst() {
	first := operators.First(observable.Of(3, 1, 2))
	got, err := observable.Collect(context.Background(), first)
	fmt.Println(got, err)
	// Output: [3] <nil>
}

func ExampleFirstWhere() {
	first := operators.FirstWhere(observable.Of(3, 1, 2), func(v int) bool { return v%2 == 0 })
	got, err := observable.Collect(context.Background(), first)
	fmt.Println(got, err)
	// Output: [2] <nil>
}

func ExampleFirstOrDefault() {
	first := operators.FirstOrDefault(observable.Empty[string](), "none")
	got, err := observable.Collect(context.Background(), first)
	fmt.Println(got, err)
	// Output: [none] <nil>
}

func ExampleFirstWhereOrDefault() {
	first := operators.FirstWhereOrDefault(observable.Of(3, 1), func(v int) bool { return v%2 == 0 }, -1)
	got, err := observable.Collect(context.Background(), first)
	fmt.Println(got, err)
	// Output: [-1] <nil>
}

func ExampleLast() {
	last := operators.Last(observable.Of(3, 1, 2))
	got, err := observable.Collect(context.Background(), last)
	fmt.Println(got, err)
	// Output: [2] <nil>
}

func ExampleLastWhere() {
	last := operators.LastWhere(observable.Of(4, 2, 1), func(v int) bool { return v%2 == 0 })
	got, err := observable.Collect(context.Background(), last)
	fmt.Println(got, err)
	// Output: [2] <nil>
}

func ExampleLastOrDefault() {
	last := operators.LastOrDefault(observable.Empty[string](), "none")
	got, err := observable.Collect(context.Background(), last)
	fmt.Println(got, err)
	// Output: [none] <nil>
}

func ExampleLastWhereOrDefault() {
	last := operators.LastWhereOrDefault(observable.Of(3, 1), func(v int) bool { return v%2 == 0 }, -1)
	got, err := observable.Collect(context.Background(), last)
	fmt.Println(got, err)
	// Output: [-1] <nil>
}

func ExampleSingle() {
	one, err := observable.Collect(context.Background(), operators.Single(observable.Of("reply")))
	fmt.Println(one, err)
	two, err := observable.Collect(context.Background(), operators.Single(observable.Of("reply", "another")))
	fmt.Println(two, err)
	// Output:
	// [reply] <nil>
	// [] operators: more than one value where a single one was asked for
}

func ExampleSingleWhere() {
	only := operators.SingleWhere(observable.Of(1, 2, 3), func(v int) bool { return v%2 == 0 })
	got, err := observable.Collect(context.Background(), only)
	fmt.Println(got, err)
	// Output: [2] <nil>
}

func ExampleElementAt() {
	third := operators.ElementAt(observable.Of("a", "b", "c", "d"), 2)
	got, err := observable.Collect(context.Background(), third)
	fmt.Println(got, err)
	// Output: [c] <nil>
}

func ExampleElementAtOrDefault() {
	tenth := operators.ElementAtOrDefault(observable.Of("a", "b"), 9, "?")
	got, err := observable.Collect(context.Background(), tenth)
	fmt.Println(got, err)
	// Output: [?] <nil>
}

func ExampleFind() {
	search := operators.Find(observable.Of(3, 4, 5), func(v int) bool { return v%2 == 0 })
	found, err := observable.FirstValue(context.Background(), search)
	fmt.Println(found.Value, found.OK, err)
	// Output: 4 true <nil>
}

func ExampleFindIndex() {
	index := operators.FindIndex(observable.Of(3, 4, 5), func(v int) bool { return v%2 == 0 })
	got, err := observable.Collect(context.Background(), index)
	fmt.Println(got, err)
	// Output: [1] <nil>
}

func ExampleEvery() {
	positive := operators.Every(observable.Of(1, 2, 3), func(v int) bool { return v > 0 })
	got, err := observable.Collect(context.Background(), positive)
	fmt.Println(got, err)
	// Output: [true] <nil>
}

func ExampleIsEmpty() {
	empty := operators.IsEmpty(observable.Empty[int]())
	got, err := observable.Collect(context.Background(), empty)
	fmt.Println(got, err)
	// Output: [true] <nil>
}

func ExampleDefaultIfEmpty() {
	values := operators.DefaultIfEmpty(observable.Empty[int](), 42)
	got, err := observable.Collect(context.Background(), values)
	fmt.Println(got, err)
	// Output: [42] <nil>
}

func ExampleThrowIfEmpty() {
	values := operators.ThrowIfEmpty(observable.Empty[int](), func() error { return errors.New("no reply") })
	got, err := observable.Collect(context.Background(), values)
	fmt.Println(got, err)
	// Output: [] no reply
}
