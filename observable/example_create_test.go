package observable_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// show prints the values of a stream, and its end.
func show[T any](src observable.Observable[T]) {
	err := observable.ForEach(context.Background(), src, func(v T) { fmt.Print(v, " ") })
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println("done")
}

func ExampleOf() {
	show(observable.Of("a", "b", "c"))
	// Output: a b c done
}

func ExampleFromSlice() {
	show(observable.FromSlice([]int{1, 2, 3}))
	// Output: 1 2 3 done
}

func ExampleFromSeq() {
	ages := map[string]int{"Ada": 36}
	show(observable.FromSeq(maps.Keys(ages)))
	show(observable.FromSeq(slices.Values([]int{4, 5})))
	// Output:
	// Ada done
	// 4 5 done
}

func ExampleRange() {
	show(observable.Range(1, 5))
	// Output: 1 2 3 4 5 done
}

func ExampleGenerate() {
	belowHundred := func(v int) bool { return v < 100 }
	triple := func(v int) int { return 3 * v }
	show(observable.Generate(1, belowHundred, triple))
	// Output: 1 3 9 27 81 done
}

func ExampleDefer() {
	subscriptions := 0
	src := observable.Defer(func() observable.Observable[int] {
		subscriptions++
		return observable.Of(subscriptions)
	})
	show(src)
	show(src)
	// Output:
	// 1 done
	// 2 done
}

func ExampleIif() {
	loggedIn := false
	greeting := observable.Iif(func() bool { return loggedIn }, observable.Of("welcome back"), observable.Of("please log in"))
	show(greeting)
	loggedIn = true
	show(greeting)
	// Output:
	// please log in done
	// welcome back done
}

func ExampleUsing() {
	open := func() (string, error) {
		fmt.Println("open")
		return "file", nil
	}
	lines := func(name string) observable.Observable[string] { return observable.Of(name+":1", name+":2") }
	release := func(string) { fmt.Println("close") }
	src := observable.Using(open, lines, release)
	src.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext:     func(line string) { fmt.Println(line) },
		OnComplete: func() { fmt.Println("done") },
	})
	// Output:
	// open
	// file:1
	// file:2
	// done
	// close
}

func ExampleEmpty() {
	show(observable.Empty[int]())
	// Output: done
}

func ExampleNever() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(observable.ForEach(ctx, observable.Never[int](), func(int) {}))
	// Output: context deadline exceeded
}

func ExampleThrow() {
	show(observable.Throw[int](errors.New("no such channel")))
	// Output: error: no such channel
}

func ExampleNew() {
	// Emit from a goroutine of one's own, until the subscription ends.
	src := observable.New(func(ctx context.Context, out observable.Observer[int]) (teardown func()) {
		go func() {
			for i := 0; ctx.Err() == nil; i++ {
				out.Next(i * i)
			}
		}()
		return func() { fmt.Println("torn down") }
	})
	for v := range observable.All(context.Background(), src) {
		if v > 20 {
			break
		}
		fmt.Println(v)
	}
	// Output:
	// 0
	// 1
	// 4
	// 9
	// 16
	// torn down
}

func ExampleInterval() {
	for i := range observable.All(context.Background(), observable.Interval(time.Millisecond)) {
		if i == 3 {
			break
		}
		fmt.Println("tick", i)
	}
	// Output:
	// tick 0
	// tick 1
	// tick 2
}

func ExampleTimer() {
	show(observable.Timer(time.Millisecond))
	// Output: 0 done
}

func ExampleTimerEvery() {
	for i := range observable.All(context.Background(), observable.TimerEvery(0, time.Millisecond)) {
		if i == 2 {
			break
		}
		fmt.Println("tick", i)
	}
	// Output:
	// tick 0
	// tick 1
}
