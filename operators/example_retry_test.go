package operators_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
)

// dial stands for a source that fails twice before it works.
func dial() observable.Observable[string] {
	attempt := 0
	return observable.Defer(func() observable.Observable[string] {
		if attempt++; attempt < 3 {
			return observable.Throw[string](fmt.Errorf("attempt %d: refused", attempt))
		}
		return observable.Of("connected")
	})
}

func ExampleCatch() {
	prices := operators.Catch(dial(), func(err error) observable.Observable[string] {
		fmt.Println(err)
		return observable.Of("from the cache")
	})
	got, err := observable.Collect(context.Background(), prices)
	fmt.Println(got, err)
	// Output:
	// attempt 1: refused
	// [from the cache] <nil>
}

func ExampleRetry() {
	got, err := observable.Collect(context.Background(), operators.Retry(dial(), 5))
	fmt.Println(got, err)
	got, err = observable.Collect(context.Background(), operators.Retry(dial(), 1))
	fmt.Println(got, err)
	// Output:
	// [connected] <nil>
	// [] attempt 2: refused
}

func ExampleRetryWith() {
	stream := operators.RetryWith(dial(), operators.RetryConfig{Count: 5, Delay: time.Millisecond})
	got, err := observable.Collect(context.Background(), stream)
	fmt.Println(got, err)
	// Output: [connected] <nil>
}

func ExampleRetryAfter() {
	wait := func(err error, retry int) observable.Observable[int] {
		fmt.Println("retry", retry, "after", err)
		return observable.Timer(time.Duration(retry) * time.Millisecond)
	}
	stream := operators.RetryAfter(dial(), operators.RetryConfig{Count: 5}, wait)
	got, err := observable.Collect(context.Background(), stream)
	fmt.Println(got, err)
	// Output:
	// retry 1 after attempt 1: refused
	// retry 2 after attempt 2: refused
	// [connected] <nil>
}

func ExampleRetryBackoff() {
	errForbidden := errors.New("forbidden")
	stream := operators.RetryBackoff(dial(), backoff.Config{
		Base:      time.Millisecond,
		Max:       time.Second,
		Elapsed:   time.Minute,
		Retryable: func(err error) bool { return !errors.Is(err, errForbidden) },
	})
	got, err := observable.Collect(context.Background(), stream)
	fmt.Println(got, err)
	// Output: [connected] <nil>
}

func ExampleRepeat() {
	got, err := observable.Collect(context.Background(), operators.Repeat(observable.Of("tick", "tock"), 2))
	fmt.Println(got, err)
	// Output: [tick tock tick tock] <nil>
}

func ExampleRepeatWith() {
	temperature := 20
	reading := observable.Defer(func() observable.Observable[int] {
		temperature++
		return observable.Of(temperature)
	})
	poll := operators.RepeatWith(reading, operators.RepeatConfig{Count: 3, Delay: time.Millisecond})
	got, err := observable.Collect(context.Background(), poll)
	fmt.Println(got, err)
	// Output: [21 22 23] <nil>
}

func ExampleRepeatAfter() {
	var scrolled observable.Subject[struct{}]
	stream := operators.RepeatAfter(observable.Of("a page"), operators.RepeatConfig{},
		func(int) observable.Observable[struct{}] { return &scrolled })
	sub := stream.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(v string) { fmt.Println(v) },
	})
	fmt.Println("scrolled")
	scrolled.Next(struct{}{})
	sub.Unsubscribe()
	// Output:
	// a page
	// scrolled
	// a page
}
