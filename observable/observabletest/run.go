package observabletest

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Limit bounds waits in virtual time: those of [Recorder.Await] and [Recorder.AwaitEnd],
// and that of [Run] for the streams still running when the test function returns.
const Limit = 10 * time.Minute

// T is the state of a test that [Run] runs: the test itself and the clock that plays its
// marbles. It goes wherever a testing.TB does.
type T struct {
	testing.TB

	clock *clock

	mu        sync.Mutex // guards the fields below
	recorders []recorder // made by Record
	sources   []source
}

// source is a Source of any type.
type source interface {
	// over waits until nothing is subscribed any more, or ctx ends, and returns a
	// description of a subscription that is left, or "".
	over(ctx context.Context) string
}

// recorder is a Recorder of any type.
type recorder interface {
	source
	Unsubscribe()
}

// Run runs a test in virtual time: it is synctest.Test with a clock that plays marbles.
// When nothing can go on without it, time passes, at once, until the next thing is due.
//
// The test function may do everything that a bubble allows, time.Sleep and synctest.Wait
// included. When it has returned, Run lets time pass until all subscriptions are over,
// and fails the test if one is not over within [Limit] of the last marble: each
// subscription of a [Source] and each [Recorder] of [Record] must end, or the test must
// end it. synctest finds goroutines that are left.
func Run(t *testing.T, test func(t *T)) {
	t.Helper()
	synctest.Test(t, func(bubble *testing.T) {
		t := &T{TB: bubble, clock: newClock()}
		returned := false
		defer func() {
			if returned {
				t.settle()
			}
			t.unsubscribe()
			t.clock.stop()
		}()
		test(t)
		returned = true
	})
}

// each calls f with all elements of one of t's lists, also with those added meanwhile.
func each[E any](t *T, list *[]E, f func(E)) {
	for i := 0; ; i++ {
		t.mu.Lock()
		if i == len(*list) {
			t.mu.Unlock()
			return
		}
		e := (*list)[i]
		t.mu.Unlock()
		f(e)
	}
}

// settle lets time pass until everything is over, and fails the test for each source or
// recorder that is not. The recorders come first, and are unsubscribed, so that a source
// is reported only if its subscription is another's.
func (t *T) settle() {
	t.Helper()
	ctx, cancel := context.WithDeadline(context.Background(), t.clock.last().Add(Limit))
	defer cancel()
	check := func(s source) {
		if what := s.over(ctx); what != "" {
			t.Errorf("observabletest: %v after the last marble, %s", Limit, what)
		}
	}
	each(t, &t.recorders, func(r recorder) { check(r) })
	t.unsubscribe()
	each(t, &t.sources, check)
}

// unsubscribe ends the subscriptions that the test made.
func (t *T) unsubscribe() { each(t, &t.recorders, recorder.Unsubscribe) }

// over reports whether done is closed, and waits for that until ctx ends.
func over(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
	}
	select { // both may have been ready
	case <-done:
		return true
	default:
		return false
	}
}

// caller returns the file and line of the test that called the exported function that
// calls this.
func caller() string {
	_, file, line, _ := runtime.Caller(2)
	return fmt.Sprintf("%s:%d", filepath.Base(file), line)
}
