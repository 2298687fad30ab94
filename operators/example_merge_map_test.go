package operators_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleMergeMap() {
	// A room's messages, of every room that is joined.
	rooms := map[string]*observable.Subject[string]{"go": {}, "rx": {}}
	var joins observable.Subject[string]
	messages := operators.MergeMap(&joins, func(room string) observable.Observable[string] { return rooms[room] })
	sub := messages.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(message string) { fmt.Println(message) },
	})
	joins.Next("go")
	joins.Next("rx")
	rooms["rx"].Next("hello from rx")
	rooms["go"].Next("hello from go")
	sub.Unsubscribe()
	// Output:
	// hello from rx
	// hello from go
}

func ExampleMergeMapConcurrent() {
	// Downloads, two at a time.
	download := func(file string) observable.Observable[string] {
		return observable.Defer(func() observable.Observable[string] {
			fmt.Println("start", file)
			return observable.Never[string]()
		})
	}
	files := observable.Of("a", "b", "c", "d")
	sub := operators.MergeMapConcurrent(files, 2, download).
		Subscribe(context.Background(), observable.ObserverFuncs[string]{})
	sub.Unsubscribe()
	// Output:
	// start a
	// start b
}

var errNoWord = errors.New("no word to spell")

// spell returns the letters of a word, and fails if there is none.
func spell(word string) (observable.Observable[string], error) {
	if word == "" {
		return nil, errNoWord
	}
	return observable.FromSlice(strings.Split(word, "")), nil
}

func ExampleTryMergeMap() {
	letters := operators.TryMergeMap(observable.Of("ab", "", "cd"), spell)
	got, err := observable.Collect(context.Background(), letters)
	fmt.Println(got, errors.Is(err, errNoWord))
	// Output: [a b] true
}

func ExampleTryMergeMapConcurrent() {
	letters := operators.TryMergeMapConcurrent(observable.Of("ab", "", "cd"), 4, spell)
	got, err := observable.Collect(context.Background(), letters)
	fmt.Println(got, errors.Is(err, errNoWord))
	// Output: [a b] true
}
