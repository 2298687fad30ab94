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
	// The messages of every room that is joined.
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

// upload is a value that answers alone for the work done for it.
type upload struct {
	name string
	err  error
}

func (u *upload) FailAlone(err error) bool {
	u.err = err
	return true
}

// The failure for a value that is [observable.Isolated] goes to that value: the others
// are done.
func ExampleMergeMap_isolated() {
	uploads := []*upload{{name: "a"}, {name: "b"}, {name: "c"}}
	stored := operators.MergeMap(observable.FromSlice(uploads), func(u *upload) observable.Observable[string] {
		if u.name == "b" {
			return observable.Throw[string](errors.New("disk is full"))
		}
		return observable.Of(u.name + " is stored")
	})
	err := observable.ForEach(context.Background(), stored, func(text string) { fmt.Println(text) })
	fmt.Println(err)
	fmt.Println("b:", uploads[1].err)
	// Output:
	// a is stored
	// c is stored
	// <nil>
	// b: disk is full
}
