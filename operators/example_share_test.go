package operators_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// printer returns an observer that prints its notifications after a name.
func printer(name string) observable.Observer[int] {
	return observable.ObserverFuncs[int]{
		OnNext:     func(v int) { fmt.Println(name, v) },
		OnComplete: func() { fmt.Println(name, "is complete") },
	}
}

func ExampleShare() {
	var feed observable.Subject[int]
	prices := operators.Share(operators.TapWith(&feed, operators.TapConfig[int]{
		Subscribe:   func() { fmt.Println("connecting") },
		Unsubscribe: func() { fmt.Println("disconnecting") },
	}))
	ctx := context.Background()
	a := prices.Subscribe(ctx, printer("a"))
	b := prices.Subscribe(ctx, printer("b"))
	feed.Next(1)
	a.Unsubscribe()
	feed.Next(2)
	b.Unsubscribe()
	// Output:
	// connecting
	// a 1
	// b 1
	// b 2
	// disconnecting
}

func ExampleShareWith() {
	var feed observable.Subject[int]
	prices := operators.ShareWith(&feed, operators.ShareConfig[int]{
		Connector:      func() observable.Processor[int] { return observable.NewBehaviorSubject(0) },
		OnRefCountZero: operators.ResetAfter(time.Hour), // stay connected for a while
	})
	ctx := context.Background()
	a := prices.Subscribe(ctx, printer("a"))
	feed.Next(1)
	a.Unsubscribe()
	feed.Next(2)
	prices.Subscribe(ctx, printer("b"))
	feed.Complete()
	// Output:
	// a 0
	// a 1
	// b 2
	// b is complete
}

func ExampleResetNever() {
	once := operators.ShareWith(observable.Of(1, 2), operators.ShareConfig[int]{
		OnComplete: operators.ResetNever(),
	})
	once.Subscribe(context.Background(), printer("a"))
	once.Subscribe(context.Background(), printer("b"))
	// Output:
	// a 1
	// a 2
	// a is complete
	// b is complete
}

func ExampleResetAfter() {
	connect := observable.Defer(func() observable.Observable[int] {
		fmt.Println("connecting")
		return observable.Never[int]()
	})
	prices := operators.ShareWith(connect, operators.ShareConfig[int]{
		OnRefCountZero: operators.ResetAfter(time.Hour),
	})
	prices.Subscribe(context.Background(), printer("a")).Unsubscribe()
	prices.Subscribe(context.Background(), printer("b")) // within the hour: the same run
	// Output: connecting
}

func ExampleResetWhen() {
	var feed, logout observable.Subject[int]
	prices := operators.ShareWith(&feed, operators.ShareConfig[int]{
		OnRefCountZero: operators.ResetWhen(func(error) observable.Observable[int] { return &logout }),
	})
	prices.Subscribe(context.Background(), printer("a")).Unsubscribe()
	fmt.Println("connected:", feed.Observed())
	logout.Next(0)
	fmt.Println("connected:", feed.Observed())
	// Output:
	// connected: true
	// connected: false
}

func ExampleShareReplay() {
	loaded := operators.ShareReplay(observable.Defer(func() observable.Observable[int] {
		fmt.Println("loading")
		return observable.Of(1, 2, 3)
	}), operators.ShareReplayConfig{Replay: observable.ReplayConfig{Buffer: 1}})
	ctx := context.Background()
	loaded.Subscribe(ctx, printer("a"))
	loaded.Subscribe(ctx, printer("b"))
	// Output:
	// loading
	// a 1
	// a 2
	// a 3
	// a is complete
	// b 3
	// b is complete
}

func ExampleConnect() {
	doubled := operators.Connect(observable.Of(1, 2), func(s observable.Observable[int]) observable.Observable[int] {
		return operators.Merge(s, operators.Map(s, func(v int) int { return 10 * v }))
	})
	got, err := observable.Collect(context.Background(), doubled)
	fmt.Println(got, err)
	// Output: [1 10 2 20] <nil>
}

func ExampleConnectWith() {
	replay := func() observable.Processor[int] { return observable.NewReplaySubject[int](observable.ReplayConfig{}) }
	twice := operators.ConnectWith(observable.Of(1, 2), replay,
		func(s observable.Observable[int]) observable.Observable[int] { return operators.Concat(s, s) })
	got, err := observable.Collect(context.Background(), twice)
	fmt.Println(got, err)
	// Output: [1 2 1 2] <nil>
}
