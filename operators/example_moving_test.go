package operators_test

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleMovingCount() {
	lows := operators.MovingCount(observable.Of(5.0, 3, 4, 7, 6), 3, math.Min)
	got, err := observable.Collect(context.Background(), lows)
	fmt.Println(got, err)
	// Output: [5 3 3 3 4] <nil>
}

func ExampleMovingTime() {
	volumes := observable.Of(1.0, 2, 3) // within a second
	sums := operators.MovingTime(volumes, time.Second, func(older, newer float64) float64 { return older + newer })
	got, err := observable.Collect(context.Background(), sums)
	fmt.Println(got, err)
	// Output: [1 3 6] <nil>
}

func ExampleMean() {
	samples := operators.Map(observable.Of(1.0, 2, 6, 7), operators.MeanOf)
	means := operators.MovingCount(samples, 3, operators.Mean.Plus)
	_ = observable.ForEach(context.Background(), means, func(m operators.Mean) { fmt.Println(m.Value()) })
	// Output:
	// 1
	// 1.5
	// 3
	// 5
}

func ExampleRatePerSecond() {
	var requests observable.Subject[string]
	rates := operators.RatePerSecond(&requests, 10*time.Millisecond)
	busy := operators.Map(rates, func(perSecond float64) bool { return perSecond > 5 })
	next := make(chan bool, 1)
	sub := operators.Take(busy, 1).Subscribe(context.Background(), observable.ObserverFuncs[bool]{
		OnNext: func(b bool) { next <- b },
	})
	requests.Next("/index")
	fmt.Println(<-next)
	<-sub.Done()
	// Output: true
}
