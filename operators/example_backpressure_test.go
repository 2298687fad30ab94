package operators_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// whileBusy subscribes to the result of decouple for a feed, gives the feed 1 and, while
// that is being handled, 2 to 5, and prints the other values that arrive.
func whileBusy(decouple func(feed observable.Observable[int]) observable.Observable[int]) {
	var feed observable.Subject[int]
	taken, release := make(chan struct{}, 9), make(chan struct{})
	sub := decouple(&feed).Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(v int) {
			taken <- struct{}{}
			<-release
			fmt.Println("got", v)
		},
		OnError: func(err error) { fmt.Println(err) },
	})
	feed.Next(1)
	<-taken
	for v := 2; v <= 5; v++ {
		feed.Next(v) // does not wait
	}
	feed.Complete()
	close(release)
	<-sub.Done()
}

func ExampleOnBackpressureBuffer() {
	whileBusy(func(feed observable.Observable[int]) observable.Observable[int] {
		return operators.OnBackpressureBuffer(feed, 2, observable.OverflowDropOldest, func(v int) { fmt.Println("dropped", v) })
	})
	// Output:
	// dropped 2
	// dropped 3
	// got 1
	// got 4
	// got 5
}

func ExampleOnBackpressureDrop() {
	whileBusy(func(feed observable.Observable[int]) observable.Observable[int] {
		return operators.OnBackpressureDrop(feed, nil)
	})
	// Output: got 1
}

func ExampleOnBackpressureLatest() {
	whileBusy(func(feed observable.Observable[int]) observable.Observable[int] {
		return operators.OnBackpressureLatest(feed, nil)
	})
	// Output:
	// got 1
	// got 5
}

func ExampleConflate() {
	whileBusy(func(feed observable.Observable[int]) observable.Observable[int] {
		return operators.Conflate(feed, func(acc, v int) int { return acc + v })
	})
	// Output:
	// got 1
	// got 14
}

func ExampleConflateBy() {
	whileBusy(func(feed observable.Observable[int]) observable.Observable[int] {
		return operators.ConflateBy(feed, func(v int) bool { return v%2 == 0 })
	})
	// Output:
	// got 1
	// got 4
	// got 5
}
