package operators_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleNamed() {
	errRefused := errors.New("connection refused")
	prices := operators.Named(observable.Throw[int](errRefused), "prices")
	dashboard := operators.Named(operators.Merge(prices, observable.Never[int]()), "dashboard")
	_, err := observable.Collect(context.Background(), dashboard)
	fmt.Println(err)
	fmt.Println(errors.Is(err, errRefused))
	// Output:
	// dashboard: prices: connection refused
	// true
}
