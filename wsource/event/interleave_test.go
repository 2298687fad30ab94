//go:build interleave

package event_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// TestInterleaveQueueShutdown has two add jobs that become dead letters at once while a
// third shuts the queue down: when Shutdown returns, the observer has heard of each job
// that was added, and of the completion.
func TestInterleaveQueueShutdown(t *testing.T) {
	program := func(p *interleave.Program) {
		q := event.NewQueue("job", &event.QueueConfig[int]{Key: func(int) string { panic("no key") }})
		var (
			heard    []int
			complete bool
		)
		q.DeadLetters().Subscribe(context.Background(), observable.ObserverFuncs[event.Job[int]]{
			OnNext:     func(j event.Job[int]) { heard = append(heard, j.Value) },
			OnComplete: func() { complete = true },
		})
		outcomes := make([]error, 2)
		for n := range outcomes {
			p.Go(fmt.Sprint("add ", n), func() { outcomes[n] = q.Add(context.Background(), n) })
		}
		var atReturn string
		p.Go("shut down", func() {
			err := q.Shutdown(context.Background())
			atReturn = fmt.Sprint(err, len(heard), complete)
		})
		p.Check(func() error {
			added := len(outcomes)
			for _, err := range outcomes {
				if errors.Is(err, event.ErrQueueShutdown) {
					added--
				}
			}
			if want := fmt.Sprint(nil, added, true); atReturn != want {
				return fmt.Errorf("when Shutdown returns: %s, and not %s", atReturn, want)
			}
			return nil
		})
	}
	interleave.Explore(t, interleave.Config{Preemptions: 2, MaxRuns: 500}, program)
}
