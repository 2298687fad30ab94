package operators_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestContractPanicInCallback has the operator's callback panic when it is called for the
// first time, for the second and so on.
func TestContractPanicInCallback(t *testing.T) { everyOperator(t, reportsPanicOfCallback) }

func reportsPanicOfCallback(t reporter, e entry) {
	for call := 1; call <= 3; call++ {
		panics(t, e, beats(5, completing), e.runs[5], call)
		panics(t, e, beats(3, failingTrial), e.fails, call)
	}
}

// panics has the callback panic when it is called for the n-th time. The values before
// that are a part of want.
func panics(t reporter, e entry, source stream, want string, n int) {
	var calls atomic.Int32
	src, got := watch(source), observabletest.NewRecorder[int]()
	finish(t, e.apply(src, func(v int) int {
		if int(calls.Add(1)) == n {
			panic(errTrial)
		}
		return v
	}).Subscribe(context.Background(), got))
	obeys(t, got, src)
	if int(calls.Load()) < n {
		isOutcome(t, want, got)
		return
	}
	values, end := split(textOf(got))
	assert.Equal(t, "#panic", end, "a panic in call %d", n)
	before, _ := split(want)
	if assert.LessOrEqual(t, len(values), len(before)) {
		assert.Equal(t, before[:len(values)], values)
	}
}

// TestContractPanicInObserver has the observer panic at the first value: it gets its own
// error, past every operator.
func TestContractPanicInObserver(t *testing.T) { everyOperator(t, reportsPanicOfObserver) }

func reportsPanicOfObserver(t reporter, e entry) {
	want := e.runs[5]
	if values, _ := split(want); len(values) > 0 {
		want = values[0] + " #panic"
	}
	src := watch(beats(5, completing))
	got := observabletest.NewRecorder[int]().OnNext(func(int) { panic(errTrial) })
	expectOf(t, src, e.apply(src, passTrial), got, want)
}

// startTrial is the time at which the trials with a Subject begin to emit: by then
// operators that subscribe late have subscribed.
const startTrial = 9*msTrial + msTrial/2

// feedback is a subject into which callbacks emit, and a count of their values.
type feedback struct {
	subject observable.Subject[int]
	open    atomic.Bool // values that come are passed on
	fed     atomic.Int32
	limit   int32 // number of values that callbacks emit in all
}

// feed emits n values from a callback, numbered on from 10,001, as long as the subject is
// open.
func (f *feedback) feed(n int) {
	for range n {
		if !f.open.Load() {
			return
		}
		if v := f.fed.Add(1); v <= f.limit {
			f.subject.Next(10_000 + int(v))
		}
	}
}

// sent returns the values that callbacks have emitted.
func (f *feedback) sent() []int { return numbers(10_001, int(min(f.fed.Load(), f.limit))) }

// numbers returns n numbers from the first on.
func numbers(first, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = first + i
	}
	return all
}

// TestContractReentrancy has the observer emit into the source, more values than a gate's
// queue holds, and complete it.
func TestContractReentrancy(t *testing.T) { everyOperator(t, takesReentrancy) }

func takesReentrancy(t reporter, e entry) {
	f := &feedback{limit: 1000}
	src, calls, returned := watch(&f.subject), 0, 0
	got := observabletest.NewRecorder[int]().OnNext(func(int) {
		calls++
		if f.open.Load() && f.fed.Load() == 0 {
			f.feed(1000)
			f.open.Store(false)
			f.subject.Complete()
		}
		returned++
	})
	sub := e.apply(src, passTrial).Subscribe(context.Background(), got)
	time.Sleep(startTrial)
	f.open.Store(true)
	emitted := make(chan struct{})
	go func() {
		defer close(emitted)
		f.subject.Next(3)
	}()
	time.Sleep(10 * msTrial)
	if f.open.Swap(false) { // no callback came to it
		f.subject.Complete()
	}
	_, end := split(e.runs[5])
	assert.Equal(t, end != "", finish(t, sub), "the subscription is over when the source is")
	assert.True(t, closes(emitted), "no producer waits for ever")
	obeys(t, got, src)
	assert.Equal(t, calls, returned, "no callback waits for itself")
	e.law(t, got.Values(), [][]int{append([]int{3}, f.sent()...)})
}

// TestContractFeedback has the operator's own callback and the observer emit into the
// source, while other producers keep the chain busy.
func TestContractFeedback(t *testing.T) { everyOperator(t, takesFeedback) }

func takesFeedback(t reporter, e entry) {
	f := &feedback{limit: 500}
	src := watch(&f.subject)
	var calls, returned atomic.Int32
	callback := func(int) {
		calls.Add(1)
		f.feed(100)
		returned.Add(1)
	}
	got := observabletest.NewRecorder[int]().OnNext(callback)
	sub := e.apply(src, func(v int) int {
		callback(v)
		return v
	}).Subscribe(context.Background(), got)
	time.Sleep(startTrial)
	f.open.Store(true)
	sent := produce(t, []observable.Observer[int]{&f.subject, &f.subject, &f.subject, &f.subject}, 100)
	// Callbacks may still emit.
	for before := int32(-1); before != f.fed.Load() && before < f.limit; {
		before = f.fed.Load()
		time.Sleep(time.Second)
	}
	f.open.Store(false)
	f.subject.Complete()
	_, end := split(e.runs[5])
	assert.Equal(t, end != "", finish(t, sub), "the subscription is over when the source is")
	obeys(t, got, src)
	assert.Equal(t, calls.Load(), returned.Load(), "no callback waits for itself")
	for _, v := range f.sent() { // callbacks run on several goroutines
		sent = append(sent, []int{v})
	}
	e.law(t, got.Values(), sent)
}
