package observable_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/rxsocket/rxsocket/observable"
)

func ExampleObserverFuncs() {
	sub := observable.Of("hello", "world").Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext:     func(word string) { fmt.Println(word) },
		OnComplete: func() { fmt.Println("done") },
	})
	<-sub.Done()
	// Output:
	// hello
	// world
	// done
}

func ExampleSubscription() {
	news := new(observable.Subject[string])
	sub := news.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(item string) { fmt.Println(item) },
	})
	news.Next("first")
	sub.Unsubscribe()
	<-sub.Done() // the subscription is over, and all it opened is closed
	news.Next("second")
	// Output: first
}

func ExampleSubscription_err() {
	sub := observable.Throw[int](errors.New("disconnected")).
		Subscribe(context.Background(), observable.ObserverFuncs[int]{OnError: func(error) {}})
	<-sub.Done()
	fmt.Println(sub.Err())
	// Output: disconnected
}

func ExamplePanicError() {
	words := observable.Of("1", "two")
	err := observable.ForEach(context.Background(), words, func(word string) {
		n, err := strconv.Atoi(word)
		if err != nil {
			panic(err)
		}
		fmt.Println(n)
	})
	var failure *observable.PanicError
	fmt.Println(errors.As(err, &failure), errors.Is(err, strconv.ErrSyntax))
	// Output:
	// 1
	// true true
}

func ExampleArgumentError() {
	err := observable.ForEach(context.Background(), observable.Interval(-1), func(int) {})
	if invalid, ok := errors.AsType[*observable.ArgumentError](err); ok {
		fmt.Println(invalid.Func, invalid.Argument, invalid.Problem)
	}
	// Output: observable.Interval period is not positive: -1ns
}

func ExampleForEach() {
	err := observable.ForEach(context.Background(), observable.Range(0, 3), func(v int) { fmt.Println(v) })
	fmt.Println(err)
	// Output:
	// 0
	// 1
	// 2
	// <nil>
}

func ExampleTryForEach() {
	err := observable.TryForEach(context.Background(), observable.Of("1", "two", "3"), func(word string) error {
		n, err := strconv.Atoi(word)
		if err == nil {
			fmt.Println(n)
		}
		return err
	})
	fmt.Println(err)
	// Output:
	// 1
	// strconv.Atoi: parsing "two": invalid syntax
}

func ExampleAll() {
	for v, err := range observable.All(context.Background(), observable.Range(0, 1_000_000)) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if v == 3 {
			break // ends the subscription
		}
		fmt.Println(v)
	}
	// Output:
	// 0
	// 1
	// 2
}

func ExampleCollect() {
	all, err := observable.Collect(context.Background(), observable.Range(1, 4))
	fmt.Println(all, err)
	// Output: [1 2 3 4] <nil>
}

func ExampleFirstValue() {
	first, err := observable.FirstValue(context.Background(), observable.Range(7, 1_000_000))
	fmt.Println(first, err)
	_, err = observable.FirstValue(context.Background(), observable.Empty[int]())
	fmt.Println(errors.Is(err, observable.ErrEmpty))
	// Output:
	// 7 <nil>
	// true
}

func ExampleLastValue() {
	last, err := observable.LastValue(context.Background(), observable.Range(1, 4))
	fmt.Println(last, err)
	// Output: 4 <nil>
}

func ExampleFromChan() {
	ch := make(chan string)
	go func() {
		defer close(ch)
		ch <- "ping"
		ch <- "pong"
	}()
	show(observable.FromChan(ch))
	// Output: ping pong done
}

func ExampleToChan() {
	values, err := observable.ToChan(context.Background(), observable.Of(1, 2, 3), 16, observable.OverflowBlock)
	for v := range values {
		fmt.Println(v)
	}
	fmt.Println(err())
	// Output:
	// 1
	// 2
	// 3
	// <nil>
}

func ExampleOverflow() {
	// Nobody reads until the source has ended: three values find room.
	src := observable.New(func(_ context.Context, out observable.Observer[int]) func() {
		for i := range 10 {
			out.Next(i)
		}
		out.Complete()
		return nil
	})
	for _, policy := range []observable.Overflow{observable.OverflowDropOldest, observable.OverflowDropNewest, observable.OverflowFail} {
		values, err := observable.ToChan(context.Background(), src, 3, policy)
		failure := err() // waits for the end
		fmt.Print(policy, ":")
		for v := range values {
			fmt.Print(" ", v)
		}
		fmt.Println("", failure)
	}
	// Output:
	// OverflowDropOldest: 7 8 9 <nil>
	// OverflowDropNewest: 0 1 2 <nil>
	// OverflowFail: 0 1 2 observable: the buffer is full
}
