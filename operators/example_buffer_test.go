package operators_test

import (
	"context"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleBuffer() {
	var values, flushes observable.Subject[int]
	operators.Buffer(&values, &flushes).Subscribe(context.Background(), observable.ObserverFuncs[[]int]{
		OnNext: func(b []int) { fmt.Println(b) },
	})
	values.Next(1)
	values.Next(2)
	flushes.Next(0)
	values.Next(3)
	values.Complete()
	// Output:
	// [1 2]
	// [3]
}

func ExampleBufferCount() {
	pairs := operators.BufferCount(observable.Range(1, 5), 2)
	got, err := observable.Collect(context.Background(), pairs)
	fmt.Println(got, err)
	// Output: [[1 2] [3 4] [5]] <nil>
}

func ExampleBufferCountEvery() {
	overlapping := operators.BufferCountEvery(observable.Range(1, 4), 3, 1)
	got, err := observable.Collect(context.Background(), overlapping)
	fmt.Println(got, err)
	// Output: [[1 2 3] [2 3 4] [3 4] [4]] <nil>
}

func ExampleBufferTime() {
	// The values end within the first second.
	batches := operators.BufferTime(observable.Of(1, 2, 3), time.Second)
	got, err := observable.Collect(context.Background(), batches)
	fmt.Println(got, err)
	// Output: [[1 2 3]] <nil>
}

func ExampleBufferTimeWith() {
	// The values of a second go into one batch, of at most two.
	batches := operators.BufferTimeWith(observable.Of(1, 2, 3), operators.BufferTimeConfig{
		Span: time.Second, Max: 2,
	})
	got, err := observable.Collect(context.Background(), batches)
	fmt.Println(got, err)
	// Output: [[1 2] [3]] <nil>
}

func ExampleBufferToggle() {
	var values, begins, ends observable.Subject[int]
	between := operators.BufferToggle(&values, &begins, func(int) observable.Observable[int] { return &ends })
	between.Subscribe(context.Background(), observable.ObserverFuncs[[]int]{
		OnNext: func(b []int) { fmt.Println(b) },
	})
	values.Next(1)
	begins.Next(0)
	values.Next(2)
	values.Next(3)
	ends.Next(0)
	values.Next(4)
	values.Complete()
	// Output: [2 3]
}

func ExampleBufferWhen() {
	var values, ends observable.Subject[int]
	batches := operators.BufferWhen(&values, func() observable.Observable[int] {
		fmt.Println("a new batch")
		return &ends
	})
	batches.Subscribe(context.Background(), observable.ObserverFuncs[[]int]{
		OnNext: func(b []int) { fmt.Println(b) },
	})
	values.Next(1)
	values.Next(2)
	ends.Next(0)
	values.Next(3)
	values.Complete()
	// Output:
	// a new batch
	// [1 2]
	// a new batch
	// [3]
}

func ExampleBufferAligned() {
	// The values of a day go into one batch; here all do, unless midnight UTC comes
	// between.
	batches := operators.BufferAligned(observable.Of(1, 2, 3), 24*time.Hour)
	count := 0
	err := observable.ForEach(context.Background(), batches, func(batch []int) { count += len(batch) })
	fmt.Println(count, err)
	// Output: 3 <nil>
}
