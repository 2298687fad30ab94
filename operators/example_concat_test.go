package operators_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleConcatMap() {
	// Each step starts when the one before has completed.
	step := func(name string) observable.Observable[string] {
		return observable.Of(name+" begins", name+" ends")
	}
	got, err := observable.Collect(context.Background(), operators.ConcatMap(observable.Of("build", "test"), step))
	fmt.Printf("%q %v\n", got, err)
	// Output: ["build begins" "build ends" "test begins" "test ends"] <nil>
}

func ExampleTryConcatMap() {
	letters := operators.TryConcatMap(observable.Of("ab", "", "cd"), spell)
	got, err := observable.Collect(context.Background(), letters)
	fmt.Println(got, errors.Is(err, errNoWord))
	// Output: [a b] true
}

func ExampleConcat() {
	stored := observable.Of("yesterday", "an hour ago")
	live := observable.Of("now")
	got, err := observable.Collect(context.Background(), operators.Concat(stored, live))
	fmt.Printf("%q %v\n", got, err)
	// Output: ["yesterday" "an hour ago" "now"] <nil>
}

func ExampleConcatAll() {
	pages := observable.Of(observable.Of(1, 2), observable.Of(3), observable.Of(4, 5))
	got, err := observable.Collect(context.Background(), operators.ConcatAll(pages))
	fmt.Println(got, err)
	// Output: [1 2 3 4 5] <nil>
}

func ExampleOnErrorResumeNext() {
	primary := operators.Concat(observable.Of("from the primary"), observable.Throw[string](errors.New("lost")))
	mirror := observable.Of("from the mirror")
	got, err := observable.Collect(context.Background(), operators.OnErrorResumeNext(primary, mirror))
	fmt.Printf("%q %v\n", got, err)
	// Output: ["from the primary" "from the mirror"] <nil>
}
