package observable_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// foreignSubscription is a subscription of another make.
type foreignSubscription struct{ done chan struct{} }

func (s foreignSubscription) Unsubscribe()          {}
func (s foreignSubscription) Done() <-chan struct{} { return s.done }
func (s foreignSubscription) Err() error            { return nil }

func TestWhenDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		sub := observable.Never[int]().Subscribe(t.Context(), observable.ObserverFuncs[int]{})
		observable.WhenDone(sub, func() { calls++ })
		assert.Zero(t, calls)
		sub.Unsubscribe()
		assert.Equal(t, 1, calls)
		observable.WhenDone(sub, func() { calls++ })
		assert.Equal(t, 2, calls, "it is done already")

		foreign := foreignSubscription{make(chan struct{})}
		called := make(chan struct{})
		observable.WhenDone(foreign, func() { close(called) })
		synctest.Wait()
		close(foreign.done)
		<-called
	})
}

func TestReportUnhandled(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	observable.ReportUnhandled(nil, t.Name)
	observable.ReportUnhandled(errors.New("one"), TestWhenDone)
	observable.ReportUnhandled(errors.New("two"), 5)
	unhandled.Expect(t, "one (unhandled; observed by github.com/rxsocket/rxsocket/observable_test.TestWhenDone", "two (unhandled; observed by int)")
}
