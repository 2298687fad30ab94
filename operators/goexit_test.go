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

// exiting returns an observer of the i-th part of a stream. The observer of the first
// part ends the goroutine in the notification of the given kind.
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

// TestGoexitInOnePart ends the goroutine in a subscriber of the first group or window:
// the others end all the same, with an error if the exit may have ended the source.
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

// TestGoexitInTheTeardownOfAReset ends the goroutine in the teardown of a reset's
// notifier, when the notifier has emitted, when a subscriber comes, and when the source
// ends: the reset, the subscriber and the end come all the same.
func TestGoexitInTheTeardownOfAReset(t *testing.T) {
	setUp := func(t *testing.T, notifier ints) (*observable.Subject[int], ints, func() int) {
		observabletest.Unhandled(t)
		var src observable.Subject[int]
		all := 0
		counted := observable.Defer(func() ints {
			all++
			return &src
		})
		var once sync.Once
		when := operators.ResetWhen(func(error) ints {
			return operators.Finalize(notifier, func() { once.Do(runtime.Goexit) })
		})
		shared := operators.ShareWith(counted, operators.ShareConfig[int]{OnRefCountZero: when})
		shared.Subscribe(t.Context(), observabletest.NewRecorder[int]()).Unsubscribe()
		return &src, shared, func() int { return all }
	}
	t.Run("emits", func(t *testing.T) {
		var notifier observable.Subject[int]
		src, shared, all := setUp(t, &notifier)
		onOwnGoroutine(func() { notifier.Next(1) })
		assert.False(t, src.Observed())
		shared.Subscribe(t.Context(), observabletest.NewRecorder[int]()).Unsubscribe()
		assert.Equal(t, 2, all())
	})
	t.Run("subscriber", func(t *testing.T) {
		var notifier observable.Subject[int]
		src, shared, all := setUp(t, &notifier)
		failed := observabletest.NewRecorder[int]()
		onOwnGoroutine(func() { shared.Subscribe(t.Context(), failed) })
		assert.True(t, strings.HasSuffix(failed.String(), goexit), failed.String())
		got := observabletest.NewRecorder[int]()
		sub := shared.Subscribe(t.Context(), got)
		src.Next(1)
		sub.Unsubscribe()
		assert.Equal(t, "1", got.String())
		assert.Equal(t, 1, all())
		notifier.Next(1)
		assert.False(t, src.Observed(), "the subscriber that has failed counts no more")
	})
	for _, end := range []string{"|", "#boom"} {
		t.Run("source ends with "+end, func(t *testing.T) {
			src, shared, all := setUp(t, silent)
			onOwnGoroutine(func() {
				if end == "|" {
					src.Complete()
				} else {
					src.Error(errBoom)
				}
			})
			got := observabletest.NewRecorder[int]()
			shared.Subscribe(t.Context(), got)
			assert.Equal(t, 2, all())
			assert.Equal(t, end, got.String())
		})
	}
}

// goexit is the end of a stream by a goroutine that has ended.
const goexit = "(runtime.Goexit)"

// TestGoexitInTheTeardownOfASource fails a call on another goroutine than the source's.
// That tears the source down, and the error comes though the teardown ends that
// goroutine.
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

// TestGoexitInTheTeardownOfASharedSource ends the goroutine of the last subscriber, which
// leaves: Done of its subscription waits for the source all the same.
func TestGoexitInTheTeardownOfASharedSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		observabletest.Unhandled(t)
		ended := false
		slow := observable.Go(func(ctx context.Context, _ func(int)) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			ended = true
			return nil
		})
		shared := operators.Share(operators.Finalize(slow, runtime.Goexit))
		sub := shared.Subscribe(t.Context(), observabletest.NewRecorder[int]())
		onOwnGoroutine(sub.Unsubscribe)
		<-sub.Done()
		assert.True(t, ended)
	})
}

// TestGoexitIsOneFailure ends the goroutine in a callback that other functions of users
// have called: the observer hears of it, and the handler of unhandled errors does not.
func TestGoexitIsOneFailure(t *testing.T) {
	one := observable.Go(func(_ context.Context, emit func(int)) error {
		emit(1)
		return nil
	})
	for name, src := range map[string]observable.Observable[int]{
		"Go":             one,
		"Go in MergeMap": operators.MergeMap(observable.Of(1), func(int) observable.Observable[int] { return one }),
	} {
		t.Run(name, func(t *testing.T) {
			unhandled := observabletest.Unhandled(t)
			synctest.Test(t, func(t *testing.T) {
				err := observable.ForEach(t.Context(), src, func(int) { runtime.Goexit() })
				assert.ErrorIs(t, err, observable.ErrGoexit)
				synctest.Wait()
			})
			assert.Empty(t, unhandled.All())
		})
	}
}
