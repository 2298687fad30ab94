package operators_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

func ExampleTap() {
	logged := operators.Tap(observable.Of(1, 2, 3), func(v int) { fmt.Println("passing", v) })
	last, err := observable.LastValue(context.Background(), logged)
	fmt.Println(last, err)
	// Output:
	// passing 1
	// passing 2
	// passing 3
	// 3 <nil>
}

func ExampleTapWith() {
	live := 0
	counted := operators.TapWith(observable.Of("hello"), operators.TapConfig[string]{
		Subscribe: func() { live++; fmt.Println("live:", live) },
		Next:      func(v string) { fmt.Println(v) },
		Complete:  func() { fmt.Println("complete") },
		Finalize:  func() { live--; fmt.Println("live:", live) },
	})
	_, err := observable.Collect(context.Background(), counted)
	fmt.Println(err)
	// Output:
	// live: 1
	// hello
	// complete
	// live: 0
	// <nil>
}

func ExampleLog() {
	untimed := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "after" { // these differ from run to run
			return slog.Attr{}
		}
		return a
	}
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: untimed}))
	_, err := observable.Collect(context.Background(), operators.Log(observable.Of(1, 2), logger, "numbers"))
	fmt.Println(err)
	// Output:
	// level=INFO msg=subscribe stream=numbers
	// level=DEBUG msg=next stream=numbers value=1
	// level=DEBUG msg=next stream=numbers value=2
	// level=INFO msg=complete stream=numbers
	// <nil>
}

func ExampleFinalize() {
	stream := operators.Finalize(observable.Range(0, 1_000_000), func() { fmt.Println("released") })
	got, err := observable.Collect(context.Background(), operators.Take(stream, 2))
	fmt.Println(got, err)
	// Output:
	// released
	// [0 1] <nil>
}
