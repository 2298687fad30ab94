package operators_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleRateLimit() {
	// Two at once, and then one each 5 ms.
	limited := operators.RateLimit(observable.Range(1, 4), 200, time.Second, 2)
	begun := time.Now()
	got, err := observable.Collect(context.Background(), limited)
	fmt.Println(got, err, time.Since(begun) >= 10*time.Millisecond)
	// Output: [1 2 3 4] <nil> true
}

func ExampleParallelMap() {
	fetch := func(_ context.Context, name string) (string, error) {
		time.Sleep(time.Duration(len(name)) * time.Millisecond) // the longer, the later
		return strings.ToUpper(name), nil
	}
	names := observable.Of("mercury", "venus", "io")
	got, err := observable.Collect(context.Background(), operators.ParallelMap(names, 3, fetch))
	fmt.Println(got, err)
	// Output: [MERCURY VENUS IO] <nil>
}

func ExampleParallelMapUnordered() {
	fast := make(chan struct{})
	fetch := func(ctx context.Context, name string) (string, error) {
		if name == "slow" {
			select {
			case <-fast: // closed when the other result has been emitted
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
		return strings.ToUpper(name), nil
	}
	results := operators.ParallelMapUnordered(observable.Of("slow", "fast"), 2, fetch)
	err := observable.ForEach(context.Background(), results, func(result string) {
		fmt.Println(result)
		if result == "FAST" {
			close(fast)
		}
	})
	fmt.Println(err)
	// Output:
	// FAST
	// SLOW
	// <nil>
}

func ExampleObserveOn() {
	// The source may be 16 values ahead of the consumer.
	ahead := operators.ObserveOn(observable.Range(1, 5), 16)
	got, err := observable.Collect(context.Background(), ahead)
	fmt.Println(got, err)
	// Output: [1 2 3 4 5] <nil>
}

func ExampleObserveOnDelay() {
	// Unlike with Delay, values before an error are not lost.
	failing := operators.Concat(observable.Of(1, 2), observable.Throw[int](errors.New("cut off")))
	got, err := observable.Collect(context.Background(), operators.ObserveOnDelay(failing, 2*time.Millisecond))
	fmt.Println(got, err)
	// Output: [1 2] cut off
}

func ExampleSubscribeAfter() {
	slow := observable.FromSeq(func(yield func(string) bool) {
		time.Sleep(2 * time.Millisecond)
		yield("read")
	})
	done := make(chan struct{})
	operators.SubscribeAfter(slow, 0).Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext:     func(text string) { fmt.Println(text) },
		OnComplete: func() { close(done) },
	})
	fmt.Println("subscribed")
	<-done
	// Output:
	// subscribed
	// read
}

func ExampleWithContext() {
	session, logOut := context.WithCancelCause(context.Background())
	var feed observable.Subject[string]
	bound := operators.WithContext(&feed, session)
	sub := bound.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext:  func(text string) { fmt.Println(text) },
		OnError: func(err error) { fmt.Println("ended:", err) },
	})
	feed.Next("hello")
	logOut(errors.New("logged out"))
	<-sub.Done()
	// Output:
	// hello
	// ended: logged out
}

func ExampleDeadline() {
	auctionEnds := time.Now().Add(5 * time.Millisecond)
	_, err := observable.Collect(context.Background(), operators.Deadline(observable.Never[int](), auctionEnds))
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

func ExampleRateLimitDrop() {
	// Two at once, and then one each hour.
	limited := operators.RateLimitDrop(observable.Range(1, 4), 1, time.Hour, 2, func(v int) {
		fmt.Println("rejected", v)
	})
	got, err := observable.Collect(context.Background(), limited)
	fmt.Println(got, err)
	// Output:
	// rejected 3
	// rejected 4
	// [1 2] <nil>
}
