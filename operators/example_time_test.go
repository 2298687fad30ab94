package operators_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleDebounce() {
	var keys, pause observable.Subject[string]
	words := operators.Debounce(&keys, func(string) observable.Observable[string] { return &pause })
	words.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(word string) { fmt.Println(word) },
	})
	keys.Next("r")
	keys.Next("rx")
	pause.Next("now")
	keys.Next("rxs")
	keys.Complete()
	// Output:
	// rx
	// rxs
}

func ExampleDebounceTime() {
	keys := observable.Of("r", "rx", "rxs") // one right after the other
	got, err := observable.Collect(context.Background(), operators.DebounceTime(keys, 250*time.Millisecond))
	fmt.Println(got, err)
	// Output: [rxs] <nil>
}

func ExampleThrottle() {
	var clicks, ready observable.Subject[int]
	accepted := operators.Throttle(&clicks, func(int) observable.Observable[int] { return &ready },
		operators.ThrottleConfig{})
	accepted.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(v int) { fmt.Println(v) },
	})
	clicks.Next(1)
	clicks.Next(2)
	ready.Next(0)
	clicks.Next(3)
	// Output:
	// 1
	// 3
}

func ExampleThrottleTime() {
	clicks := observable.Of(1, 2, 3)
	got, err := observable.Collect(context.Background(), operators.ThrottleTime(clicks, time.Second))
	fmt.Println(got, err)
	// Output: [1] <nil>
}

func ExampleThrottleTimeWith() {
	// The first position at once, then the latest one every 5 ms.
	positions := observable.Of(10, 11, 12)
	shown := operators.ThrottleTimeWith(positions, 5*time.Millisecond, operators.ThrottleConfig{Trailing: true})
	got, err := observable.Collect(context.Background(), shown)
	fmt.Println(got, err)
	// Output: [10 12] <nil>
}

func ExampleAudit() {
	var prices, frames observable.Subject[int]
	shown := operators.Audit(&prices, func(int) observable.Observable[int] { return &frames })
	shown.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(price int) { fmt.Println(price) },
	})
	prices.Next(10)
	prices.Next(11)
	frames.Next(0)
	frames.Next(0) // nobody waits for it
	prices.Next(12)
	frames.Next(0)
	// Output:
	// 11
	// 12
}

func ExampleAuditTime() {
	prices := observable.Of(10, 11, 12)
	got, err := observable.Collect(context.Background(), operators.AuditTime(prices, 5*time.Millisecond))
	fmt.Println(got, err)
	// Output: [12] <nil>
}

func ExampleSample() {
	var temperature, asked observable.Subject[int]
	answers := operators.Sample(&temperature, &asked)
	answers.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(v int) { fmt.Println(v) },
	})
	temperature.Next(20)
	temperature.Next(21)
	asked.Next(0)
	asked.Next(0) // nothing new
	temperature.Next(22)
	asked.Next(0)
	// Output:
	// 21
	// 22
}

func ExampleSampleTime() {
	temperature := operators.Concat(observable.Of(20, 21), observable.Never[int]())
	sampled := operators.SampleTime(temperature, 5*time.Millisecond)
	got, err := observable.FirstValue(context.Background(), sampled)
	fmt.Println(got, err)
	// Output: 21 <nil>
}

func ExampleDelay() {
	begun := time.Now()
	got, err := observable.Collect(context.Background(), operators.Delay(observable.Of(1, 2), 5*time.Millisecond))
	fmt.Println(got, err, time.Since(begun) >= 5*time.Millisecond)
	// Output: [1 2] <nil> true
}

func ExampleDelayWhen() {
	var ready [3]observable.Subject[string]
	jobs := operators.DelayWhen(observable.Range(0, 3), func(job int) observable.Observable[string] {
		return &ready[job]
	})
	jobs.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext:     func(job int) { fmt.Println("job", job) },
		OnComplete: func() { fmt.Println("done") },
	})
	ready[1].Next("go")
	ready[2].Complete() // without a value: the job is dropped
	ready[0].Next("go")
	// Output:
	// job 1
	// job 0
	// done
}

func ExampleDelaySubscription() {
	var opened observable.Subject[string]
	greeting := operators.DelaySubscription(observable.Of("hello"), &opened)
	greeting.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(text string) { fmt.Println(text) },
	})
	fmt.Println("opening")
	opened.Next("now")
	// Output:
	// opening
	// hello
}

func ExampleTimeout() {
	_, err := observable.Collect(context.Background(),
		operators.Timeout(observable.Never[int](), 5*time.Millisecond))
	fmt.Println(errors.Is(err, operators.ErrTimeout), err)
	// Output: true operators: no value came within 5ms
}

func ExampleTimeoutWith() {
	primary := observable.Never[string]()
	prices := operators.TimeoutWith(primary, operators.TimeoutConfig[string]{
		First: 5 * time.Millisecond,
		Each:  time.Second,
		With: func(err *operators.TimeoutError) observable.Observable[string] {
			fmt.Println(err)
			return observable.Of("from the backup")
		},
	})
	got, err := observable.Collect(context.Background(), prices)
	fmt.Println(got, err)
	// Output:
	// operators: no first value came within 5ms
	// [from the backup] <nil>
}
