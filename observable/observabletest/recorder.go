package observabletest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Recorder is an [observable.Observer] that writes down its notifications, with the time
// since it was made. [Record] makes and subscribes one, [NewRecorder] only makes one. Its
// methods may be called from any goroutine. Times are rounded to 10 microseconds; the
// package's documentation gives the reason.
//
// It records every notification, also those that an observable must not send, as a value
// after the end: see Breaches.
type Recorder[V any] struct {
	begun  time.Time
	name   string           // set by Record, as "recorder made at x_test.go:7"
	onNext func(V)          // called with each value after it is recorded, or nil
	inside interleave.Int32 // number of notifications being taken

	mu           sync.Mutex // guards the fields below
	events       []Event[V]
	seen         int // number of events that Unseen has returned
	notes        []note
	breaches     []string // of the contract
	ended        bool     // there was a terminal
	unsubscribed bool
	sub          observable.Subscription // made by Record, or nil
	changed      chan struct{}           // closed when a field above changes, or nil
}

// NewRecorder returns a recorder whose time begins now.
func NewRecorder[V any]() *Recorder[V] { return &Recorder[V]{begun: time.Now()} }

// OnNext has the recorder call f with each value after recording it, and returns the
// recorder. It is for an observer that takes its time, emits something itself or panics.
// Call it before the recorder is subscribed.
func (r *Recorder[V]) OnNext(f func(V)) *Recorder[V] {
	r.onNext = f
	return r
}

// Record subscribes a new recorder to src. The test must not end before the subscription
// does: see [Run].
//
// The time begins when src is subscribed to. The context never ends; to give another,
// subscribe a recorder of [NewRecorder].
func Record[V any](t *T, src observable.Observable[V]) *Recorder[V] {
	t.Helper()
	return record(t, src, caller())
}

func record[V any](t *T, src observable.Observable[V], where string) *Recorder[V] {
	t.Helper()
	if src == nil {
		t.Fatal("observabletest: there is no observable to record, it is nil")
	}
	r := NewRecorder[V]()
	r.name = "recorder made at " + where
	t.mu.Lock()
	t.recorders = append(t.recorders, r)
	t.mu.Unlock()
	sub := src.Subscribe(context.Background(), r)
	r.mu.Lock()
	r.sub = sub
	r.mu.Unlock()
	return r
}

// Next records a value.
func (r *Recorder[V]) Next(value V) {
	alone := r.inside.Add(1) == 1
	defer r.inside.Add(-1)
	r.add(Event[V]{Kind: Next, Value: value}, alone)
	if r.onNext != nil {
		r.onNext(value)
	}
}

// Error records the end with an error.
func (r *Recorder[V]) Error(err error) { r.end(Event[V]{Kind: Error, Err: err}) }

// Complete records the end.
func (r *Recorder[V]) Complete() { r.end(Event[V]{Kind: Complete}) }

func (r *Recorder[V]) end(e Event[V]) {
	alone := r.inside.Add(1) == 1
	defer r.inside.Add(-1)
	r.add(e, alone)
}

func (r *Recorder[V]) add(e Event[V], alone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.At = elapsed(r.begun)
	if !alone {
		r.breaches = append(r.breaches, fmt.Sprintf("%v: during another notification", e))
	}
	if r.ended {
		r.breaches = append(r.breaches, fmt.Sprintf("%v: after the end", e))
	}
	r.events = append(r.events, e)
	r.ended = r.ended || e.Kind != Next
	r.notify()
}

// notify wakes the goroutines that wait; mu is held.
func (r *Recorder[V]) notify() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// Events returns the events recorded so far.
func (r *Recorder[V]) Events() []Event[V] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// Unseen returns the events recorded since it was last called, for a test that goes step
// by step. Events and the other methods still return all.
func (r *Recorder[V]) Unseen() []Event[V] {
	r.mu.Lock()
	defer r.mu.Unlock()
	unseen := slices.Clone(r.events[r.seen:])
	r.seen = len(r.events)
	return unseen
}

// Values returns the values recorded so far.
func (r *Recorder[V]) Values() []V {
	var values []V
	for _, e := range r.Events() {
		if e.Kind == Next {
			values = append(values, e.Value)
		}
	}
	return values
}

// Err returns the error that the stream ended with, or nil if it has not ended or has
// completed.
func (r *Recorder[V]) Err() error {
	for _, e := range r.Events() {
		if e.Kind == Error {
			return e.Err
		}
	}
	return nil
}

// Completed reports whether the stream has completed.
func (r *Recorder[V]) Completed() bool {
	return slices.ContainsFunc(r.Events(), func(e Event[V]) bool { return e.Kind == Complete })
}

// Ended reports whether the stream has completed or failed.
func (r *Recorder[V]) Ended() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// Breaches returns the breaches of an observable's contract, a line for each notification
// that came during another one or after the end. It is empty if the stream has kept the
// contract.
func (r *Recorder[V]) Breaches() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.breaches)
}

// Unsubscribe ends the subscription that [Record] made; it may be called again. A
// recorder of [NewRecorder] only stops waiting: the code that subscribed it has the
// subscription.
func (r *Recorder[V]) Unsubscribe() {
	r.mu.Lock()
	sub := r.sub
	r.unsubscribed = true
	r.notify()
	r.mu.Unlock()
	if sub != nil {
		sub.Unsubscribe()
	}
}

// Await waits until n values have been recorded and, in a bubble of testing/synctest,
// until all other events of that moment have happened. The error is an [*AwaitError] if
// the stream ends before, is unsubscribed from, or takes longer than [Limit].
func (r *Recorder[V]) Await(n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	got, gone := 0, false
	if r.until(ctx, func() bool {
		got = 0
		for _, e := range r.events {
			if e.Kind == Next {
				got++
			}
		}
		gone = r.ended || r.unsubscribed
		return got >= n || gone
	}) && got >= n {
		finishFrame()
		return nil
	}
	return &AwaitError{Want: n, Got: got, Over: gone, Err: r.Err()}
}

// AwaitEnd waits until the stream has completed or failed and, in a bubble of
// testing/synctest, until all other events of that moment have happened. The error is an
// [*AwaitError] if the stream is unsubscribed from or takes longer than [Limit]; Err
// returns the stream's own error.
func (r *Recorder[V]) AwaitEnd() error {
	ctx, cancel := context.WithTimeout(context.Background(), Limit)
	defer cancel()
	ended, gone := false, false
	r.until(ctx, func() bool {
		ended, gone = r.ended, r.unsubscribed
		return ended || gone
	})
	if ended {
		finishFrame()
		return nil
	}
	return &AwaitError{Want: End, Got: len(r.Values()), Over: gone}
}

// ExpectEnd waits until the stream has completed or failed, and returns the error that it
// failed with, or nil. If AwaitEnd returns an error, or a notification came after the end
// or during another one (see Breaches), the test fails at once.
func (r *Recorder[V]) ExpectEnd(tb testing.TB) error {
	tb.Helper()
	if err := r.AwaitEnd(); err != nil {
		tb.Fatal(err)
	}
	if breaches := r.Breaches(); len(breaches) > 0 {
		tb.Fatalf("observabletest: the stream breaks the contract:\n%s", strings.Join(breaches, "\n"))
	}
	return r.Err()
}

// until waits until met, which is called with mu held, reports true, and reports whether
// that was before ctx ended.
func (r *Recorder[V]) until(ctx context.Context, met func() bool) bool {
	for {
		r.mu.Lock()
		if met() {
			r.mu.Unlock()
			return true
		}
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		if !over(ctx, changed) {
			return false
		}
	}
}

// over waits until the subscription that Record made is over.
func (r *Recorder[V]) over(ctx context.Context) string {
	var done <-chan struct{}
	if r.until(ctx, func() bool {
		if r.sub != nil {
			done = r.sub.Done()
		}
		return r.ended || r.unsubscribed
	}) && (done == nil || over(ctx, done)) {
		return ""
	}
	return fmt.Sprintf("the %s is subscribed; it has\n%s", r.name, r.Timeline())
}

// End stands in an AwaitError for the end, which AwaitEnd waits for.
const End = -1

// AwaitError reports that the values, or the end, that a test waited for did not come.
type AwaitError struct {
	Want int   // number of values waited for, or End
	Got  int   // number of values that came
	Over bool  // the stream is over; otherwise the time was up
	Err  error // the stream's error, if it failed
}

// Error names the values, or the end, that did not come, and the reason.
func (e *AwaitError) Error() string {
	want := "the end"
	if e.Want != End {
		want = fmt.Sprintf("%d values", e.Want)
	}
	why := fmt.Sprintf("it did not come in %v", Limit)
	switch {
	case e.Err != nil:
		why = fmt.Sprintf("the stream failed: %v", e.Err)
	case e.Over:
		why = "the stream is over"
	}
	return fmt.Sprintf("observabletest: waiting for %s, with %d values so far: %s", want, e.Got, why)
}

// Unwrap returns the error that the stream ended with.
func (e *AwaitError) Unwrap() error { return e.Err }

// Timeline returns the notifications so far, a line for each, as "3ms Next 7".
func (r *Recorder[V]) Timeline() string {
	var out strings.Builder
	for _, e := range r.Events() {
		fmt.Fprintln(&out, e)
	}
	return out.String()
}

// Marble returns the notifications so far as a marble string. A value is written as the
// letter that stands for it in values, or as itself if that is one letter, and else as a
// free letter, in the order of appearance from a on.
func (r *Recorder[V]) Marble(values ...Values[V]) string {
	var w marbleWriter
	w.write(newAlphabet(merge(values)).marks(r.Events()))
	return w.String()
}

// ExpectMarble compares all notifications so far with a marble, and reports whether they
// are the same. If they are not, the test fails and shows where they part. The function
// [ExpectMarble] says how they are compared.
func (r *Recorder[V]) ExpectMarble(tb testing.TB, marble string, values ...Values[V]) bool {
	tb.Helper()
	want := parseExpected(tb, marble, merge(values))
	return r.expect(tb, want)
}
