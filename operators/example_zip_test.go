package operators_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleZip() {
	got, err := observable.Collect(context.Background(), operators.Zip(observable.Of(1, 2, 3), observable.Of(8, 9)))
	fmt.Println(got, err)
	// Output: [[1 8] [2 9]] <nil>
}

func ExampleZip2() {
	// Each question with its answer.
	var questions, answers observable.Subject[string]
	pairs := operators.Zip2(&questions, &answers, func(q, a string) string { return q + " " + a })
	sub := pairs.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(pair string) { fmt.Println(pair) },
	})
	questions.Next("Who?")
	questions.Next("Where?")
	answers.Next("Me.")
	answers.Next("Here.")
	sub.Unsubscribe()
	// Output:
	// Who? Me.
	// Where? Here.
}

func ExampleZip3() {
	joined := operators.Zip3(observable.Of("a", "b"), observable.Range(1, 9), observable.Of(true, false),
		func(s string, n int, ok bool) string { return fmt.Sprint(s, n, ok) })
	got, err := observable.Collect(context.Background(), joined)
	fmt.Printf("%q %v\n", got, err)
	// Output: ["a1 true" "b2 false"] <nil>
}

func ExampleZipAll() {
	columns := observable.Of(observable.Of("a", "b"), observable.Of("x", "y"))
	got, err := observable.Collect(context.Background(), operators.ZipAll(columns))
	fmt.Println(got, err)
	// Output: [[a x] [b y]] <nil>
}

func ExampleForkJoin() {
	results := operators.ForkJoin(observable.Of(1, 2), observable.Of(7, 8, 9))
	got, err := observable.Collect(context.Background(), results)
	fmt.Println(got, err)
	// Output: [[2 9]] <nil>
}

func ExampleForkJoin2() {
	// Two requests side by side, and then their results.
	user := observable.Of("Ada")
	orders := observable.Of([]int{17, 23})
	page := operators.ForkJoin2(user, orders, func(name string, orders []int) string {
		return fmt.Sprint(name, " has orders ", orders)
	})
	got, err := observable.Collect(context.Background(), page)
	fmt.Printf("%q %v\n", got, err)
	// Output: ["Ada has orders [17 23]"] <nil>
}

func ExampleForkJoin3() {
	joined := operators.ForkJoin3(observable.Of("a"), observable.Of(1, 2), observable.Of(true),
		func(s string, n int, ok bool) string { return fmt.Sprint(s, n, ok) })
	got, err := observable.Collect(context.Background(), joined)
	fmt.Printf("%q %v\n", got, err)
	// Output: ["a2 true"] <nil>
}
