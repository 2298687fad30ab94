package observable_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxsocket/rxsocket/observable"
)

func ExampleLineError() {
	long := strings.Repeat("x", observable.MaxLine+1)
	_, err := observable.Collect(context.Background(), observable.Lines(strings.NewReader("short\n"+long)))
	if line, ok := errors.AsType[*observable.LineError](err); ok {
		fmt.Println("line", line.Line, "is longer than", observable.MaxLine)
	}
	// Output: line 2 is longer than 1048576
}

func ExampleTypeError() {
	_, err := observable.Collect(context.Background(), observable.FromRx[int](rxgo.Just("a")()))
	if other, ok := errors.AsType[*observable.TypeError](err); ok {
		fmt.Println(other.Value, "is no", other.Want)
	}
	// Output: a is no int
}

// A chain that cannot work in RxGo ends with an error that names a replacement.
func ExampleChainError() {
	published := observable.ToRx(observable.Of(1, 2)).Map(
		func(_ context.Context, v any) (any, error) { return v, nil }, rxgo.WithPublishStrategy())
	item := <-published.Observe()
	var chain *observable.ChainError
	fmt.Println(errors.As(item.E, &chain))
	// Output: true
}

// A stream whose buffer may not overflow ends when it does.
func ExampleToChan_overflow() {
	values, err := observable.ToChan(context.Background(), observable.Range(0, 10), 2, observable.OverflowFail)
	fmt.Println(errors.Is(err(), observable.ErrOverflow), len(values) <= 2)
	// Output: true true
}

// A failure that no observer hears goes to one handler.
func ExampleUnhandledError() {
	restore := observable.OnUnhandled(func(e *observable.UnhandledError) { fmt.Println(errors.Unwrap(e)) })
	defer restore()
	observable.ReportUnhandled(errors.New("the hook has failed"), nil)
	// Output: the hook has failed
}

// A callback that ends its goroutine, as the FailNow of a test does, ends its stream, and
// no other.
func ExampleOnUnhandled_goexit() {
	unhandled := make(chan *observable.UnhandledError, 1)
	defer observable.OnUnhandled(func(e *observable.UnhandledError) { unhandled <- e })()
	src := new(observable.Subject[int])
	sub := src.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext: func(int) { runtime.Goexit() },
	})
	go src.Next(1)
	<-sub.Done()
	fmt.Println(errors.Is(<-unhandled, observable.ErrGoexit), errors.Is(sub.Err(), observable.ErrGoexit))
	// Output: true true
}
