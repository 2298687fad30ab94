package operators_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// passTrial is the hook that does nothing.
func passTrial(v int) int { return v }

// finale is the end of a source of the trials.
type finale func(o observable.Observer[int])

func completing(o observable.Observer[int]) { o.Complete() }

func failingTrial(o observable.Observer[int]) { o.Error(errTrial) }

func staying(observable.Observer[int]) {}

// beats is a source of n values from 0 on, a beat apart, from goroutines of its own, that
// ends a beat later.
func beats(n int, end finale) stream {
	return observable.New(func(ctx context.Context, o observable.Observer[int]) func() {
		var timer atomic.Pointer[time.Timer]
		next := 0
		var beat func()
		beat = func() {
			if next == n {
				end(o)
				return
			}
			next++
			if o.Next(next - 1); ctx.Err() == nil {
				timer.Store(time.AfterFunc(beatTrial, beat))
			}
		}
		timer.Store(time.AfterFunc(beatTrial, beat))
		return func() { timer.Load().Stop() }
	})
}

// watched is a source that counts its subscriptions.
type watched struct {
	stream
	made, open atomic.Int32
}

func watch(s stream) *watched { return &watched{stream: s} }

// Subscribe counts a subscription by an observer.
func (w *watched) Subscribe(ctx context.Context, o observable.Observer[int]) observable.Subscription {
	return observable.Subscribe(ctx, w, o)
}

// AttachTo counts a subscription by an operator.
func (w *watched) AttachTo(sc *observable.Scope, down observable.Stage[int]) {
	w.made.Add(1)
	w.open.Add(1)
	sc.OnClose(func() { w.open.Add(-1) })
	observable.Attach(w.stream, sc, down)
}

// foreign is an observable from elsewhere: it has only a Subscribe method.
type foreign struct{ stream }

// over waits until a subscription is over, long enough for everything in the catalogue.
func over(sub observable.Subscription) bool { return closes(sub.Done()) }

// closes waits until a channel is closed, and reports whether it is.
func closes(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-time.After(time.Minute):
		return false
	}
}

// finish waits until a subscription is over, and ends it if it is not. It reports whether
// the stream has ended by itself.
func finish(t reporter, sub observable.Subscription) bool {
	if over(sub) {
		return true
	}
	sub.Unsubscribe()
	assert.True(t, over(sub), "Done closes after Unsubscribe")
	return false
}

// obeys reports the breaches of the contract by a stream that is over.
func obeys(t reporter, got *observabletest.Recorder[int], src *watched) {
	synctest.Wait()
	assert.Empty(t, got.Breaches(), "notifications are serial, and nothing follows the end")
	assert.Zero(t, src.open.Load(), "the source is torn down")
}

// isOutcome compares an observer's notifications with the wanted ones.
func isOutcome(t reporter, want string, got *observabletest.Recorder[int], what ...any) {
	if text := textOf(got); text != want {
		assert.Fail(t, fmt.Sprintf("got %.300q in place of %q", text, want), what...)
	}
}

// expect subscribes to applied, an operator's result for src, and compares the outcome.
func expect(t reporter, src *watched, applied stream, want string, what ...any) {
	got := observabletest.NewRecorder[int]()
	expectOf(t, src, applied, got, want, what...)
}

// expectOf is expect with a recorder that does something with the values.
func expectOf(
	t reporter, src *watched, applied stream, got *observabletest.Recorder[int], want string, what ...any,
) {
	ended := finish(t, applied.Subscribe(context.Background(), got))
	obeys(t, got, src)
	isOutcome(t, want, got, what...)
	_, end := split(want)
	assert.Equal(t, end != "", ended, "the subscription is over when the stream has ended")
}

// waitFor waits for goroutines, long enough for all of them to come through.
func waitFor(group *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		group.Wait()
	}()
	return closes(done)
}
