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

// t is the test in which the examples that are tests run.
var t *testing.T

// TestExamples runs the examples that are tests, as go test runs the others.
func TestExamples(test *testing.T) {
	t = test
	ExampleRun()
	ExampleCold()
	ExampleHot()
	ExampleExpectMarble()
	ExampleRecord()
	ExampleUnhandled()
	ExampleRecorder_Await()
	ExampleSource_Subscriptions()
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

//nolint:testableexamples // It is a test, and TestExamples runs it.
func ExampleUnhandled() {
	// func TestNobodyListens(t *testing.T)
	unhandled := observabletest.Unhandled(t)
	observable.Throw[int](io.ErrUnexpectedEOF).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	unhandled.Expect(t, "unexpected EOF")
}

// A recorder returns the notifications in the form that a test compares most easily.
func ExampleRecorder_String() {
	r := observabletest.NewRecorder[string]().OnNext(func(v string) {
		if v == "b" {
			panic("no b, please")
		}
	})
	letters := operators.Finalize(observable.Of("a", "b"), func() { r.Notef("torn down") })
	letters.Subscribe(context.Background(), r)
	fmt.Println(r)
	fmt.Println(r.Log())
	fmt.Println("ended:", r.Ended(), "against the contract:", len(r.Breaches()))
	// Output:
	// a b #panic: no b, please torn down
	// [a b panic: no b, please torn down]
	// ended: true against the contract: 0
}

// Unseen serves a test that goes step by step.
func ExampleRecorder_Unseen() {
	src := new(observable.Subject[string])
	r := observabletest.NewRecorder[string]()
	sub := src.Subscribe(context.Background(), r)
	src.Next("a")
	fmt.Println(len(r.Unseen()))
	src.Next("b")
	src.Complete()
	<-sub.Done()
	for _, e := range r.Unseen() {
		switch e.Kind {
		case observabletest.Next:
			fmt.Println("value", e.Value)
		case observabletest.Error:
			fmt.Println("error", e.Err)
		case observabletest.Complete:
			fmt.Println("complete")
		}
	}
	var _ = r.Events()
	// Output:
	// 1
	// value b
	// complete
}

//nolint:testableexamples // It is a test, and TestExamples runs it.
func ExampleRecorder_Await() {
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Cold[string](t, "-a-b-#")
		r := observabletest.Record(t, src)
		if err := r.Await(2); err != nil {
			t.Error(err)
		}
		if r.Marble() != "-a-b" || r.TimedString() != "1:a 3:b" || r.Timeline() != "1ms Next a\n3ms Next b\n" {
			t.Error(r.Marble(), r.TimedString(), r.Timeline())
		}
		err := r.Await(3) // there is no third value
		if missing, ok := errors.AsType[*observabletest.AwaitError](err); !ok || missing.Want != 3 || !missing.Over {
			t.Error(err)
		}
		if err := r.ExpectEnd(t); !errors.Is(err, observabletest.ErrMarble) {
			t.Error(err)
		}
		never := observabletest.Record(t, observable.Never[string]())
		begun := time.Now()
		err = never.AwaitEnd() // waits for Limit, which takes no time
		if missing, ok := errors.AsType[*observabletest.AwaitError](err); !ok || missing.Want != observabletest.End {
			t.Error(err)
		}
		if time.Since(begun) != observabletest.Limit {
			t.Error(time.Since(begun))
		}
		never.Unsubscribe()
	})
}

//nolint:testableexamples // It is a test, and TestExamples runs it.
func ExampleSource_Subscriptions() {
	observabletest.Run(t, func(t *observabletest.T) {
		src := observabletest.Cold[string](t, "-a-b-|")
		observabletest.ExpectMarble(t, operators.Take(src, 1), "-(a|)")
		want := observabletest.Span{From: 0, Until: 1 * observabletest.Frame}
		if got := src.Subscriptions(); len(got) != 1 || got[0] != want {
			t.Error(got)
		}
	})
}

func ExampleMarble_String() {
	var m observabletest.Marble
	m, err := observabletest.ParseMarble("-a 10ms b|")
	var second = m.Marks[1]
	fmt.Println(m, second.At, err)
	// Output: -a----------b| 12ms <nil>
}

func ExampleUnhandledErrors_All() {
	unhandled := observabletest.Unhandled(new(testing.T))
	observable.Throw[int](io.ErrUnexpectedEOF).Subscribe(context.Background(), observable.ObserverFuncs[int]{})
	fmt.Println(len(unhandled.All()))
	// Output: 1
}
