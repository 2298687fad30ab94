package operators_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleMap() {
	labels := operators.Map(observable.Range(1, 3), func(v int) string { return "#" + strconv.Itoa(v) })
	got, err := observable.Collect(context.Background(), labels)
	fmt.Println(got, err)
	// Output: [#1 #2 #3] <nil>
}

func ExampleTryMap() {
	numbers := operators.TryMap(observable.Of("1", "2", "x", "4"), strconv.Atoi)
	got, err := observable.Collect(context.Background(), numbers)
	fmt.Println(got, err)
	// Output: [1 2] strconv.Atoi: parsing "x": invalid syntax
}

func ExampleTake() {
	first := operators.Take(observable.Range(1, 1_000_000_000), 3)
	got, err := observable.Collect(context.Background(), first)
	fmt.Println(got, err)
	// Output: [1 2 3] <nil>
}
