package operators_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleExpand() {
	// Pages that each name the next one, up to the last.
	next := map[string]string{"page 1": "page 2", "page 2": "page 3"}
	pages := operators.Expand(observable.Of("page 1"), func(page string) observable.Observable[string] {
		if next[page] == "" {
			return observable.Empty[string]()
		}
		return observable.Of(next[page])
	})
	got, err := observable.Collect(context.Background(), pages)
	fmt.Printf("%q %v\n", got, err)
	// Output: ["page 1" "page 2" "page 3"] <nil>
}

func ExampleExpandConcurrent() {
	// A tree, level by level.
	children := map[string][]string{"/": {"/a", "/b"}, "/a": {"/a/x", "/a/y"}, "/b": {"/b/z"}}
	tree := operators.ExpandConcurrent(observable.Of("/"), 1, func(folder string) observable.Observable[string] {
		return observable.FromSlice(children[folder])
	})
	got, err := observable.Collect(context.Background(), tree)
	fmt.Println(got, err)
	// Output: [/ /a /b /a/x /a/y /b/z] <nil>
}
