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

func ExampleFilterMap() {
	names := map[int]string{1: "one", 3: "three"}
	known := operators.FilterMap(observable.Range(1, 4), func(v int) (string, bool) {
		name, ok := names[v]
		return name, ok
	})
	got, err := observable.Collect(context.Background(), known)
	fmt.Println(got, err)
	// Output: [one three] <nil>
}

func ExampleTryFilterMap() {
	numbers := operators.TryFilterMap(observable.Of("1", "", "3", "x", "5"), func(line string) (int, bool, error) {
		if line == "" {
			return 0, false, nil
		}
		n, err := strconv.Atoi(line)
		return n, true, err
	})
	got, err := observable.Collect(context.Background(), numbers)
	fmt.Println(got, errors.Is(err, strconv.ErrSyntax))
	// Output: [1 3] true
}

func ExampleOfType() {
	events := observable.Of[any]("open", 1, "close", 2, nil)
	got, err := observable.Collect(context.Background(), operators.OfType[int](events))
	fmt.Println(got, err)
	// Output: [1 2] <nil>
}

func ExampleSequence() {
	type update struct {
		number uint64
		price  int
	}
	updates := observable.Of(update{7, 100}, update{8, 101}, update{8, 101}, update{11, 105})
	checked := operators.Sequence(updates, func(u update) uint64 { return u.number }, operators.SequenceConfig[update]{
		Past: func(u update) { fmt.Println("again:", u.number) },
	})
	got, err := observable.Collect(context.Background(), checked)
	fmt.Println(got, err)
	// Output:
	// again: 8
	// [{7 100} {8 101}] operators: a gap in the sequence: number 11 came where 9 was to come
}
