package operators_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleWindow() {
	var values, boundaries observable.Subject[int]
	counts := operators.MergeMap(operators.Window(&values, &boundaries), operators.Count[int])
	counts.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(n int) { fmt.Println(n) },
	})
	values.Next(1)
	values.Next(2)
	boundaries.Next(0)
	values.Next(3)
	values.Complete()
	// Output:
	// 2
	// 1
}

func ExampleWindowCount() {
	windows := operators.WindowCount(observable.Range(1, 5), 2)
	firsts := operators.MergeMap(windows, func(w observable.Observable[int]) observable.Observable[int] {
		return operators.Take(w, 1)
	})
	got, err := observable.Collect(context.Background(), firsts)
	fmt.Println(got, err)
	// Output: [1 3 5] <nil>
}

func ExampleWindowCountEvery() {
	// These windows leave out every third value.
	windows := operators.WindowCountEvery(observable.Range(1, 6), 2, 3)
	got, err := observable.Collect(context.Background(), operators.MergeAll(windows))
	fmt.Println(got, err)
	// Output: [1 2 4 5] <nil>
}

func ExampleWindowAligned() {
	// The values of a day go into one window; here all do, unless midnight UTC comes
	// between.
	windows := operators.WindowAligned(observable.Of(1, 2, 3), 24*time.Hour)
	got, err := observable.Collect(context.Background(), operators.MergeAll(windows))
	fmt.Println(got, err)
	// Output: [1 2 3] <nil>
}

func ExampleWindowTime() {
	// The values end within the first second.
	windows := operators.WindowTime(observable.Of(1, 2, 3), time.Second)
	got, err := observable.Collect(context.Background(), operators.MergeMap(windows, operators.Count[int]))
	fmt.Println(got, err)
	// Output: [3] <nil>
}

func ExampleWindowTimeWith() {
	windows := operators.WindowTimeWith(observable.Of(1, 2, 3), operators.WindowTimeConfig{
		Span: time.Second, Max: 2,
	})
	got, err := observable.Collect(context.Background(), operators.MergeMap(windows, operators.Count[int]))
	fmt.Println(got, err)
	// Output: [2 1] <nil>
}

func ExampleWindowToggle() {
	var values, begins, ends observable.Subject[int]
	windows := operators.WindowToggle(&values, &begins, func(int) observable.Observable[int] { return &ends })
	operators.MergeAll(windows).Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(v int) { fmt.Println(v) },
	})
	values.Next(1)
	begins.Next(0)
	values.Next(2)
	values.Next(3)
	ends.Next(0)
	values.Next(4)
	// Output:
	// 2
	// 3
}

func ExampleWindowWhen() {
	var values, ends observable.Subject[int]
	windows := operators.WindowWhen(&values, func() observable.Observable[int] { return &ends })
	counts := operators.MergeMap(windows, operators.Count[int])
	counts.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(n int) { fmt.Println(n) },
	})
	values.Next(1)
	values.Next(2)
	ends.Next(0)
	ends.Next(0)
	values.Next(3)
	values.Complete()
	// Output:
	// 2
	// 0
	// 1
}
