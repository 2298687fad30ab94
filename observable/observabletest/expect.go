package observabletest

import (
	"context"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// ExpectMarble subscribes to src, lets time pass and compares its notifications with a
// marble, whose first frame is that of the subscription. If they are not the same, the
// test fails and shows where they part. It returns the recorder.
//
//	observabletest.ExpectMarble(t, operators.Take(src, 2), "--a--(b|)")
//
// Times must be equal to 10 microseconds and values as in reflect.DeepEqual. # is any
// error; the recorder has the error itself. ExpectMarble unsubscribes when the marble is
// over, just before the events of the frame after, or at its !, just before the events of
// that frame. So dashes at the end expect that nothing comes for that long.
//
// It returns when the stream is over or unsubscribed from, and all events that were due
// have happened. To expect something of several subscribers at a time, or to do something
// meanwhile, use [Record] and [Recorder.ExpectMarble].
func ExpectMarble[V any](
	t *T, src observable.Observable[V], marble string, values ...Values[V],
) *Recorder[V] {
	t.Helper()
	want := parseExpected(t, marble, merge(values))
	r := record(t, src, caller())
	r.watch(want.until)
	r.expect(t, want)
	return r
}

// watch waits until the stream is over, at the longest until a time, and unsubscribes.
func (r *Recorder[V]) watch(until time.Duration) {
	end := nominal(r.begun).Add(until)
	ctx, cancel := context.WithDeadline(context.Background(), end.Add(-beforeAll))
	defer cancel()
	if r.until(ctx, func() bool { return r.ended }) {
		finishFrame()
		r.Unsubscribe()
		return
	}
	r.Unsubscribe()
	synctest.Wait()
	time.Sleep(time.Until(end))
}

// expected is the marble of an expectation taken apart.
type expected[V any] struct {
	values Values[V]
	events []Event[V]
	until  time.Duration // when to unsubscribe
}

// parseExpected parses the marble of an expectation. A marble that cannot be read ends
// the test.
func parseExpected[V any](tb testing.TB, marble string, values Values[V]) expected[V] {
	tb.Helper()
	m, err := ParseMarble(marble)
	if err != nil {
		tb.Fatal(err)
	}
	if err := m.refuse("^", "an expectation"); err != nil {
		tb.Fatal(err)
	}
	all, err := events(m, values)
	if err != nil {
		tb.Fatal(err)
	}
	want := expected[V]{values, all, max(m.Length, Frame)}
	if mark, ok := m.find(symbolUnsubscribe); ok {
		want.until = mark.At
	}
	return want
}

// expect compares the recorded events with the wanted ones.
func (r *Recorder[V]) expect(tb testing.TB, want expected[V]) bool {
	tb.Helper()
	got := r.Events()
	i := 0
	for i < len(got) && i < len(want.events) && same(got[i], want.events[i]) {
		i++
	}
	if i == len(got) && i == len(want.events) {
		return true
	}
	tb.Error(difference(newAlphabet(want.values), want.events, got, i))
	return false
}

func same[V any](a, b Event[V]) bool {
	return a.At == b.At && a.Kind == b.Kind && reflect.DeepEqual(a.Value, b.Value)
}
