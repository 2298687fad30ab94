package operators_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// The tests of this file end goroutines inside callbacks, as a test's FailNow does.

// onOwnGoroutine calls f on a goroutine that f may end, and waits for it.
func onOwnGoroutine(f func()) {
	var ended sync.WaitGroup
	ended.Go(f)
	ended.Wait()
}

// exiting returns an observer of the i-th part of a stream, which ends the goroutine in the notification
// that is called kind, if it is the first one.
func exiting(i int, kind string, got *observabletest.Recorder[int]) observable.ObserverFuncs[int] {
	exit := func(now string) {
		if i == 0 && kind == now {
			runtime.Goexit()
		}
	}
	return observable.ObserverFuncs[int]{
		OnNext: func(v int) {
			got.Next(v)
			if v == 0 {
				exit("Next")
			}
		},
		OnError: func(err error) {
			got.Error(unwrapped(err))
			exit("Error")
		},
		OnComplete: func() {
			got.Complete()
			exit("Complete")
		},
	}
}

// TestGoexitInOnePart ends the goroutine in a subscriber of the first group or window: the other ones end all
// the same, with an error if that may have ended the source.
func TestGoexitInOnePart(t *testing.T) {
	toggled := func(src ints) observable.Observable[ints] {
		openings := operators.Take(operators.Map(observable.Timer(0), passTrial), 1)
		three := operators.Concat(openings, openings, openings)
		return operators.WindowToggle(src, three, func(int) ints { return observable.Never[int]() })
	}
	timed := func(src ints) observable.Observable[ints] {
		return operators.WindowTimeWith(src, operators.WindowTimeConfig{Span: time.Hour, Every: ms, Max: 99})
	}
	grouped := func(src ints) observable.Observable[ints] {
		return operators.Map(operators.GroupBy(src, parity), func(g intGroup) ints { return g })
	}
	for name, op := range map[string]func(ints) observable.Observable[ints]{
		"WindowToggle": toggled, "WindowTime": timed, "GroupBy": grouped,
	} {
		for _, kind := range []string{"Next", "Error", "Complete"} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					observabletest.Unhandled(t)
					var src observable.Subject[int]
					var parts []*observabletest.Recorder[int]
					whole := observable.ObserverFuncs[ints]{OnNext: func(part ints) {
						got := observabletest.NewRecorder[int]()
						part.Subscribe(t.Context(), exiting(len(parts), kind, got))
						parts = append(parts, got)
					}}
					sub := op(&src).Subscribe(t.Context(), whole)
					pass(2*ms + ms/2)
					if name == "GroupBy" {
						src.Next(2) // the first group
						src.Next(1)
					}
					onOwnGoroutine(func() { src.Next(0) })
					want := "|"
					switch kind {
					case "Next":
						want = goexit
					case "Error":
						want = "#boom"
						onOwnGoroutine(func() { src.Error(errBoom) })
					case "Complete":
						onOwnGoroutine(src.Complete)
					}
					<-sub.Done()
					assert.GreaterOrEqual(t, len(parts), 2)
					for _, got := range parts[1:] {
						assert.True(t, strings.HasSuffix(got.String(), want), got.String())
					}
				})
			})
		}
	}
}

// goexit is the end of a stream by a goroutine that has ended.
const goexit = "(runtime.Goexit)"

// TestGoexitInTheTeardownOfASource fails a call on another goroutine than the source's, which tears the source down:
// the error comes though the teardown ends that goroutine.
func TestGoexitInTheTeardownOfASource(t *testing.T) {
	fail := func(context.Context, int) (int, error) { return 0, errBoom }
	for name, op := range map[string]func(ints) ints{
		"ParallelMap":          func(src ints) ints { return operators.ParallelMap(src, 2, fail) },
		"ParallelMapUnordered": func(src ints) ints { return operators.ParallelMapUnordered(src, 2, fail) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				observabletest.Unhandled(t)
				got := observabletest.NewRecorder[int]()
				src := operators.Finalize(observable.Interval(ms), runtime.Goexit)
				<-op(src).Subscribe(t.Context(), got).Done()
				assert.Equal(t, "#boom", got.String())
			})
		})
	}
}
