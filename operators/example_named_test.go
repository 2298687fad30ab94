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

// counter is a probe that counts values.
type counter struct {
	name   string
	values int
}

func (c *counter) Enter() bool { c.values++; return false }
func (*counter) Show(any)      {}
func (*counter) Leave()        {}
func (*counter) Error(error)   {}
func (*counter) Complete()     {}
func (c *counter) Close()      { fmt.Println(c.name, "has had", c.values, "values") }

func ExampleWatchNamed() {
	restore := operators.WatchNamed(func(n operators.NamedSubscription) operators.Probe {
		return &counter{name: n.Name}
	})
	defer restore()
	ticks := operators.Named(observable.Of(1, 2, 3, 4), "ticks")
	even := operators.Named(operators.Filter(ticks, func(v int) bool { return v%2 == 0 }), "even")
	_, err := observable.Collect(context.Background(), even)
	fmt.Println(err)
	// Output:
	// ticks has had 4 values
	// even has had 2 values
	// <nil>
}
