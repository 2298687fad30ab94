package operators_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleDistinct() {
	names := operators.Distinct(observable.Of("ann", "bob", "ann", "cid"))
	got, err := observable.Collect(context.Background(), names)
	fmt.Println(got, err)
	// Output: [ann bob cid] <nil>
}

func ExampleDistinctBy() {
	names := operators.DistinctBy(observable.Of("ann", "Ann", "bob"), strings.ToLower)
	got, err := observable.Collect(context.Background(), names)
	fmt.Println(got, err)
	// Output: [ann bob] <nil>
}

func ExampleDistinctFlush() {
	var readings, newDay observable.Subject[int]
	distinct := operators.DistinctFlush(&readings, func(v int) int { return v }, &newDay)
	sub := distinct.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(v int) { fmt.Println(v) },
	})
	defer sub.Unsubscribe()

	readings.Next(20)
	readings.Next(20)
	newDay.Next(1)
	readings.Next(20)
	// Output:
	// 20
	// 20
}

func ExampleDistinctUntilChanged() {
	states := operators.DistinctUntilChanged(observable.Of("up", "up", "down", "up"))
	got, err := observable.Collect(context.Background(), states)
	fmt.Println(got, err)
	// Output: [up down up] <nil>
}

func ExampleDistinctUntilChangedFunc() {
	moves := operators.DistinctUntilChangedFunc(observable.Of(20, 21, 25, 24, 29), func(before, now int) bool {
		return max(before-now, now-before) < 3
	})
	got, err := observable.Collect(context.Background(), moves)
	fmt.Println(got, err)
	// Output: [20 25 29] <nil>
}

func ExampleDistinctUntilKeyChanged() {
	lines := observable.Of("info: start", "info: ready", "error: lost", "info: back")
	level := func(line string) string { before, _, _ := strings.Cut(line, ":"); return before }
	got, err := observable.Collect(context.Background(), operators.DistinctUntilKeyChanged(lines, level))
	fmt.Printf("%q %v\n", got, err)
	// Output: ["info: start" "error: lost" "info: back"] <nil>
}

func ExampleDistinctUntilKeyChangedFunc() {
	lines := observable.Of("info: start", "INFO: ready", "error: lost")
	level := func(line string) string { before, _, _ := strings.Cut(line, ":"); return before }
	changes := operators.DistinctUntilKeyChangedFunc(lines, level, strings.EqualFold)
	got, err := observable.Collect(context.Background(), changes)
	fmt.Printf("%q %v\n", got, err)
	// Output: ["info: start" "error: lost"] <nil>
}
