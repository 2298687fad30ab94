package observabletest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

func TestRunTakesNoTime(t *testing.T) {
	begun := time.Now()
	observabletest.Run(t, func(t *observabletest.T) {
		observabletest.ExpectMarble(t, observabletest.Cold[string](t, "a 1000h b|"), "a 1000h b|")
	})
	assert.Less(t, time.Since(begun), 10*time.Second)
}

func TestRunWaitsForWhatEnds(t *testing.T) {
	var r *observabletest.Recorder[string]
	observabletest.Run(t, func(t *observabletest.T) {
		r = observabletest.Record(t, observabletest.Cold[string](t, "a 1h b|"))
	})
	assert.Equal(t, []string{"a", "b"}, r.Values())
}

func TestRunDoesNotWaitForMarblesThatNobodyHears(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		observabletest.Hot[string](t, "a 1h b|")
		begun := time.Now()
		t.Cleanup(func() { assert.Zero(t, time.Since(begun)) })
	})
}

func TestRunTellsOfARecorder(t *testing.T) {
	message := leaving(t, func(t *observabletest.T) {
		observabletest.Record(t, observabletest.Cold[string](t, "--a"))
	})
	assert.Regexp(t, `^observabletest: 10m0s after the last marble, the recorder made at run_test.go:\d+ is subscribed; it has\n`+
		`2ms Next a\n$`, message, "of the source, it would be said twice")
}

func TestRunTellsOfARecorderOfAnEndlessSource(t *testing.T) {
	assert.Contains(t, leaving(t, func(t *observabletest.T) {
		observabletest.Record(t, observable.Interval(time.Minute))
	}), "recorder made at run_test.go")
}

func TestRunTellsOfASource(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	message := leaving(t, func(t *observabletest.T) {
		src := observabletest.Hot[string](t, "--a")
		src.Subscribe(ctx, observabletest.NewRecorder[string]()).Unsubscribe()
		time.Sleep(3 * ms)
		src.Subscribe(ctx, observabletest.NewRecorder[string]())
		t.Cleanup(cancel)
	})
	assert.Regexp(t, `^observabletest: 10m0s after the last marble, there is a subscription to the hot source "--a", `+
		`made at run_test.go:\d+:\n    \(\^!\)\n    ---\^$`, message)
}

// TestRunAfterAFailure checks that a test that stops in the middle leaves nothing.
func TestRunAfterAFailure(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		observabletest.Record(t, observabletest.Cold[string](t, "--a"))
		t.SkipNow() // it ends the function as FailNow does
	})
}

// sleepless is an observable from elsewhere whose subscriptions do not report their end.
type sleepless struct{ src observable.Observable[int] }

func (s sleepless) Subscribe(ctx context.Context, observer observable.Observer[int]) observable.Subscription {
	return sleeplessSubscription{s.src.Subscribe(ctx, observer)}
}

type sleeplessSubscription struct{ observable.Subscription }

func (sleeplessSubscription) Done() <-chan struct{} { return nil }

func TestRunWithAForeignSubscription(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		observabletest.Record(t, sleepless{observable.Timer(time.Hour)}).Unsubscribe()
		observabletest.Record(t, sleepless{observable.Timer(time.Minute)})
	})
}

func TestNilObservable(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		const message = "observabletest: there is no observable to record, it is nil"
		assert.Equal(t, message, failing(t, func() { observabletest.Record[int](t, nil) }))
		assert.Equal(t, message, failing(t, func() { observabletest.ExpectMarble[int](t, nil, "-") }))
	})
}
