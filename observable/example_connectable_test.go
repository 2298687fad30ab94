package observable_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
)

func ExampleConnectable() {
	ctx := context.Background()
	numbers := observable.NewConnectable(observable.Of(1, 2), observable.ConnectableConfig[int]{})
	for _, name := range []string{"a", "b"} {
		numbers.Subscribe(ctx, observable.ObserverFuncs[int]{
			OnNext: func(v int) { fmt.Println(name, v) },
		})
	}
	fmt.Println("connecting")
	numbers.Connect(ctx)
	// Output:
	// connecting
	// a 1
	// b 1
	// a 2
	// b 2
}
