package operators_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleCombineLatest() {
	var a, b observable.Subject[int]
	sub := operators.CombineLatest[int](&a, &b).Subscribe(context.Background(), observable.ObserverFuncs[[]int]{
		OnNext: func(latest []int) { fmt.Println(latest) },
	})
	a.Next(1)
	b.Next(8)
	a.Next(2)
	b.Next(9)
	sub.Unsubscribe()
	// Output:
	// [1 8]
	// [2 8]
	// [2 9]
}

func ExampleCombineLatest2() {
	var price observable.Subject[float64]
	var amount observable.Subject[int]
	totals := operators.CombineLatest2(&price, &amount, func(price float64, amount int) string {
		return fmt.Sprintf("%d at %.2f: %.2f", amount, price, price*float64(amount))
	})
	sub := totals.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(total string) { fmt.Println(total) },
	})
	amount.Next(3)
	price.Next(1.5)
	amount.Next(4)
	sub.Unsubscribe()
	// Output:
	// 3 at 1.50: 4.50
	// 4 at 1.50: 6.00
}

func ExampleCombineLatest3() {
	joined := operators.CombineLatest3(observable.Of("a"), observable.Of(1), observable.Of(true, false),
		func(s string, n int, ok bool) string { return fmt.Sprint(s, n, ok) })
	got, err := observable.Collect(context.Background(), joined)
	fmt.Printf("%q %v\n", got, err)
	// Output: ["a1 true" "a1 false"] <nil>
}

func ExampleCombineLatest4() {
	add := func(a, b, c, d int) int { return a + b + c + d }
	sums := operators.CombineLatest4(observable.Of(1), observable.Of(10), observable.Of(100), observable.Of(1000, 2000), add)
	got, err := observable.Collect(context.Background(), sums)
	fmt.Println(got, err)
	// Output: [1111 2111] <nil>
}

func ExampleCombineLatestAll() {
	streams := observable.Of(observable.Of(1, 2), observable.Of(8, 9))
	got, err := observable.Collect(context.Background(), operators.CombineLatestAll(streams))
	fmt.Println(got, err)
	// Output: [[2 8] [2 9]] <nil>
}

func ExampleWithLatestFrom() {
	// Each click with the pointer's latest position.
	var clicks observable.Subject[string]
	position := observable.NewBehaviorSubject([2]int{0, 0})
	located := operators.WithLatestFrom(&clicks, position, func(button string, at [2]int) string {
		return fmt.Sprint(button, at)
	})
	sub := located.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(click string) { fmt.Println(click) },
	})
	clicks.Next("left")
	position.Next([2]int{3, 4})
	position.Next([2]int{5, 6})
	clicks.Next("right")
	sub.Unsubscribe()
	// Output:
	// left[0 0]
	// right[5 6]
}

func ExampleWithLatestFromAll() {
	others := []observable.Observable[int]{observable.Of(10), observable.Of(20, 30)}
	got, err := observable.Collect(context.Background(), operators.WithLatestFromAll(observable.Of("a", "b"), others,
		func(s string, latest []int) string { return fmt.Sprint(s, latest) }))
	fmt.Println(got, err)
	// Output: [a[10 30] b[10 30]] <nil>
}
