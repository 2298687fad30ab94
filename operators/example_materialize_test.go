package operators_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleMaterialize() {
	failing := operators.TryMap(observable.Of(1, 0), func(v int) (int, error) {
		if v == 0 {
			return 0, errors.New("division by zero")
		}
		return 10 / v, nil
	})
	recorded := operators.Materialize(failing)
	err := observable.ForEach(context.Background(), recorded, func(n operators.Notification[int]) {
		fmt.Println(n.Kind, n.Value, n.Err)
	})
	fmt.Println(err)
	// Output:
	// next 10 <nil>
	// error 0 division by zero
	// <nil>
}

func ExampleDematerialize() {
	recorded := observable.Of(
		operators.Notification[string]{Value: "hello"},
		operators.Notification[string]{Kind: operators.ErrorNotification, Err: errors.New("line cut")},
	)
	got, err := observable.Collect(context.Background(), operators.Dematerialize(recorded))
	fmt.Println(got, err)
	// Output: [hello] line cut
}

func ExampleTimestamp() {
	stamped, err := observable.FirstValue(context.Background(), operators.Timestamp(observable.Of("tick")))
	fmt.Println(stamped.Value, time.Since(stamped.Time) < time.Minute, err)
	// Output: tick true <nil>
}

func ExampleTimeInterval() {
	ticks := operators.Take(observable.Interval(time.Millisecond), 2)
	err := observable.ForEach(context.Background(), operators.TimeInterval(ticks), func(v operators.TimeIntervalValue[int]) {
		fmt.Println(v.Value, v.Elapsed > 0)
	})
	fmt.Println(err)
	// Output:
	// 0 true
	// 1 true
	// <nil>
}
