package observabletest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// t is what the examples run in that are tests.
var t *testing.T

// TestExamples runs the examples that are tests, as go test runs the others.
func TestExamples(test *testing.T) {
	t = test
	ExampleRun()
	ExampleCold()
	ExampleHot()
	ExampleExpectMarble()
	ExampleRecord()
}

//nolint:testableexamples // It is a test, and TestExamples runs it.
func ExampleRun() {
	// func TestDebounce(t *testing.T)
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Cold[string](t, "--a--b------c|")
		calm := operators.DebounceTime(src, 5*time.Millisecond)
		observabletest.ExpectMarble(t, calm, "----------b--(c|)")
		src.ExpectSubscriptions("^------------!")
	})
}

//nolint:testableexamples // It is a test, and TestExamples runs it.
func ExampleCold() {
	type reading struct{ Celsius float64 }
	observabletest.Run(t, func(t *observabletest.T) {
		readings := observabletest.Values[reading]{'a': {19.5}, 'b': {23}}
		src := observabletest.Cold(t, "a-b-a-#", readings).WithError(io.ErrUnexpectedEOF)
		warm := operators.Filter(src, func(r reading) bool { return r.Celsius > 20 })
		failed := observabletest.ExpectMarble(t, warm, "--b---#", readings)
		if !errors.Is(failed.Err(), io.ErrUnexpectedEOF) {
			t.Error(failed.Err())
		}
	})
}

//nolint:testableexamples // It is a test, and TestExamples runs it.
func ExampleHot() {
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Hot[int](t, "--1--^--2--3--|")
		observabletest.ExpectMarble(t, operators.Take(src, 1), "---(2|)")
		observabletest.ExpectMarble(t, src, "---3--|")
		src.ExpectSubscriptions("^--!", "---^-----!")
	})
}

//nolint:testableexamples // It is a test, and TestExamples runs it.
func ExampleExpectMarble() {
	observabletest.Run(t, func(t *observabletest.T) {
		observabletest.ExpectMarble(t, observable.Interval(3*time.Millisecond), "---0--1--2--!")
		observabletest.ExpectMarble(t, observable.Timer(time.Hour), "1h (0|)")
	})
}

//nolint:testableexamples // It is a test, and TestExamples runs it.
func ExampleRecord() {
	observabletest.Run(t, func(t *observabletest.T) {
		shared := operators.Share(observabletest.Cold[string](t, "--a--b--c|"))
		first := observabletest.Record(t, shared)
		time.Sleep(3 * time.Millisecond)
		second := observabletest.Record(t, shared)
		if err := first.AwaitEnd(); err != nil {
			t.Error(err)
		}
		first.ExpectMarble(t, "--a--b--c|")
		second.ExpectMarble(t, "--b--c|")
	})
}

func ExampleRecorder() {
	r := observabletest.NewRecorder[int]()
	operators.Take(observable.Range(1, 1000), 3).Subscribe(context.Background(), r)
	fmt.Println(r.Values(), r.Completed(), r.Err())
	// Output: [1 2 3] true <nil>
}

func ExampleParseMarble() {
	m, err := observabletest.ParseMarble("-a-(b|)")
	for _, mark := range m.Marks {
		fmt.Printf("%v %c\n", mark.At, mark.Symbol)
	}
	fmt.Println(m.Length, err)
	// Output:
	// 1ms a
	// 3ms b
	// 3ms |
	// 7ms <nil>
}

func ExampleMarbleError() {
	_, err := observabletest.ParseMarble("-a-(b|")
	if problem, ok := errors.AsType[*observabletest.MarbleError](err); ok {
		fmt.Println(problem.Offset, problem.Problem)
	}
	fmt.Println(err)
	// Output:
	// 3 the group is not closed
	// observabletest: marble "-a-(b|", at byte 3: the group is not closed
}
