package observable_test

import (
	"context"
	"fmt"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxsocket/rxsocket/observable"
)

func ExampleToRx() {
	numbers := observable.ToRx(observable.Range(1, 6))
	even := numbers.Filter(func(v any) bool { return v.(int)%2 == 0 })
	for item := range even.Observe(rxgo.WithContext(context.Background())) {
		fmt.Println(item.V)
	}
	// Output:
	// 2
	// 4
	// 6
}

func ExampleFromRx() {
	show(observable.FromRx[string](rxgo.Just("a", "b")()))
	show(observable.FromRx[int](rxgo.Just("a")()))
	// Output:
	// a b done
	// error: observable: an RxGo item holds a string where a int is wanted
}

func ExampleVia() {
	// RxGo's operators in the middle of a stream, with its values' types at both ends.
	sums := observable.Via[int](observable.Range(1, 4), func(rx rxgo.Observable) rxgo.Observable {
		return rx.Scan(func(_ context.Context, sum, v any) (any, error) {
			if sum == nil {
				return v, nil
			}
			return sum.(int) + v.(int), nil
		})
	})
	show(sums)
	// Output: 1 3 6 10 done
}
