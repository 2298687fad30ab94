package operators_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleSwitchMap() {
	// Only the prices of the symbol that was chosen last.
	prices := map[string]*observable.Subject[int]{"GO": {}, "RX": {}}
	var chosen observable.Subject[string]
	shown := operators.SwitchMap(&chosen, func(symbol string) observable.Observable[int] { return prices[symbol] })
	sub := shown.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(price int) { fmt.Println(price) },
	})
	chosen.Next("GO")
	prices["GO"].Next(10)
	chosen.Next("RX")
	prices["GO"].Next(11)
	prices["RX"].Next(70)
	sub.Unsubscribe()
	// Output:
	// 10
	// 70
}

func ExampleTrySwitchMap() {
	letters := operators.TrySwitchMap(observable.Of("ab", "", "cd"), spell)
	got, err := observable.Collect(context.Background(), letters)
	fmt.Println(got, errors.Is(err, errNoWord))
	// Output: [a b] true
}

func ExampleSwitchAll() {
	streams := observable.Of(observable.Never[int](), observable.Of(1, 2))
	got, err := observable.Collect(context.Background(), operators.SwitchAll(streams))
	fmt.Println(got, err)
	// Output: [1 2] <nil>
}

func ExampleSwitchScan() {
	// Each request starts from the position that the request before has reached.
	var requests observable.Subject[int]
	positions := operators.SwitchScan(&requests, 100, func(position, move int) observable.Observable[int] {
		return observable.Of(position + move)
	})
	sub := positions.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(position int) { fmt.Println(position) },
	})
	requests.Next(5)
	requests.Next(-20)
	sub.Unsubscribe()
	// Output:
	// 105
	// 85
}

func ExampleExhaustMap() {
	// Presses of a button that come while the order is being sent are dropped.
	var presses observable.Subject[int]
	var answer observable.Subject[string]
	orders := operators.ExhaustMap(&presses, func(press int) observable.Observable[string] {
		fmt.Println("ordered at press", press)
		return operators.Take(&answer, 1)
	})
	sub := orders.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(v string) { fmt.Println(v) },
	})
	presses.Next(1)
	presses.Next(2)
	answer.Next("sent")
	presses.Next(3)
	sub.Unsubscribe()
	// Output:
	// ordered at press 1
	// sent
	// ordered at press 3
}

func ExampleTryExhaustMap() {
	letters := operators.TryExhaustMap(observable.Of("ab", "", "cd"), spell)
	got, err := observable.Collect(context.Background(), letters)
	fmt.Println(got, errors.Is(err, errNoWord))
	// Output: [a b] true
}

func ExampleExhaustAll() {
	var first observable.Subject[int]
	streams := observable.Of[observable.Observable[int]](&first, observable.Of(1, 2))
	sub := operators.ExhaustAll(streams).Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(v int) { fmt.Println(v) },
	})
	first.Next(7) // the second stream came too early
	first.Complete()
	<-sub.Done()
	// Output: 7
}
