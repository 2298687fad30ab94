package operators_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// The errors of operators are told apart by errors.Is.
func ExampleErrNotFound() {
	ctx := context.Background()
	isSeven := func(v int) bool { return v == 7 }
	_, err := observable.Collect(ctx, operators.SingleWhere(observable.Of(1, 2), isSeven))
	fmt.Println(errors.Is(err, operators.ErrNotFound))
	_, err = observable.Collect(ctx, operators.Single(observable.Of(1, 2)))
	fmt.Println(errors.Is(err, operators.ErrSequence))
	_, err = observable.Collect(ctx, operators.ElementAt(observable.Of(1, 2), 5))
	fmt.Println(errors.Is(err, operators.ErrOutOfRange))
	_, err = observable.Collect(ctx, operators.Timeout(observable.Never[int](), time.Millisecond))
	fmt.Println(errors.Is(err, operators.ErrTimeout))
	_, err = observable.Collect(ctx, operators.First(observable.Empty[int]()))
	fmt.Println(errors.Is(err, observable.ErrEmpty))
	// Output:
	// true
	// true
	// true
	// true
	// true
}

func ExampleGapError() {
	numbered := operators.Sequence(observable.Of[uint64](1, 2, 5), func(n uint64) uint64 { return n }, operators.SequenceConfig[uint64]{})
	_, err := observable.Collect(context.Background(), numbered)
	if gap, ok := errors.AsType[*operators.GapError](err); ok {
		fmt.Println("missing:", gap.Want, "to", gap.Got-1)
	}
	// Output: missing: 3 to 4
}

func ExampleNamedError() {
	broken := operators.Named(observable.Throw[int](errors.New("no signal")), "radar")
	_, err := observable.Collect(context.Background(), broken)
	if named, ok := errors.AsType[*operators.NamedError](err); ok {
		fmt.Println(named.Name, "has failed:", named.Err)
	}
	// Output: radar has failed: no signal
}

func ExampleFound() {
	first := operators.Find(observable.Of(1, 2, 4), func(v int) bool { return v%2 == 0 })
	found, err := observable.FirstValue(context.Background(), first)
	if err == nil && found.OK {
		fmt.Println(found.Value)
	}
	// Output: 2
}

// A count and a concurrency may be without limit.
func ExampleUnlimited() {
	letters := operators.MergeConcurrent(operators.Unlimited, observable.Of("a"), observable.Of("b"))
	got, err := observable.Collect(context.Background(), letters)
	fmt.Println(got, err)
	// Output: [a b] <nil>
}

func ExampleNotificationKind() {
	told := operators.Materialize(observable.Of("a"))
	err := observable.ForEach(context.Background(), told, func(n operators.Notification[string]) {
		switch n.Kind {
		case operators.NextNotification:
			fmt.Println("value", n.Value)
		case operators.ErrorNotification:
			fmt.Println("error", n.Err)
		case operators.CompleteNotification:
			fmt.Println("complete")
		}
	})
	fmt.Println(err)
	// Output:
	// value a
	// complete
	// <nil>
}

func ExampleTimestampValue() {
	stamped, err := observable.FirstValue(context.Background(), operators.Timestamp(observable.Of("tick")))
	fmt.Println(stamped.Value, stamped.Time.IsZero(), err)
	var _ = stamped
	// Output: tick false <nil>
}
