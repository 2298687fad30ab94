package operators_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleGroupBy() {
	words := observable.Of("ant", "bee", "ape", "bat", "cat")
	groups := operators.GroupBy(words, func(w string) string { return w[:1] })
	lists := operators.MergeMap(groups, func(g *operators.Group[string, string]) observable.Observable[string] {
		return operators.Map(operators.ToSlice(g), func(ws []string) string { return fmt.Sprint(g.Key, ": ", ws) })
	})
	_ = observable.ForEach(context.Background(), lists, func(line string) { fmt.Println(line) })
	// Output:
	// a: [ant ape]
	// b: [bee bat]
	// c: [cat]
}

func ExampleGroupByMap() {
	type trade struct {
		symbol string
		price  float64
	}
	trades := observable.Of(trade{"A", 1}, trade{"B", 7}, trade{"A", 3})
	prices := operators.GroupByMap(trades,
		func(t trade) string { return t.symbol },
		func(t trade) float64 { return t.price })
	highs := operators.MergeMap(prices, func(g *operators.Group[string, float64]) observable.Observable[string] {
		return operators.Map(operators.Max(g), func(p float64) string { return fmt.Sprint(g.Key, " ", p) })
	})
	_ = observable.ForEach(context.Background(), highs, func(line string) { fmt.Println(line) })
	// Output:
	// A 3
	// B 7
}

func ExampleGroupByUntil() {
	numbers := observable.Of(1, 2, 3, 4, 5, 6, 7)
	isOdd := func(v int) bool { return v%2 == 1 }
	pairs := operators.GroupByUntil(numbers, isOdd, func(g *operators.Group[bool, int]) observable.Observable[int] {
		return operators.Skip(g, 1) // the second value ends the group
	})
	lists := operators.MergeMap(pairs, func(g *operators.Group[bool, int]) observable.Observable[[]int] {
		return operators.ToSlice(g)
	})
	_ = observable.ForEach(context.Background(), lists, func(pair []int) { fmt.Println(pair) })
	// Output:
	// [1 3]
	// [2 4]
	// [5 7]
	// [6]
}
