package backoff_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/operators/backoff"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ms = time.Millisecond

var errRefused = errors.New("refused")

// An attempt that succeeded and lasted ends the row of failures: the next delay is a
// first delay again.
func ExampleDelays_Succeeded() {
	config := backoff.Config{Base: time.Second, Retries: 1}
	if setting, problem := config.Check(); setting != "" {
		fmt.Println(setting, problem)
	}
	delays := backoff.New(config)
	for _, works := range []bool{false, true, false, false} {
		delays.Begin()
		if works {
			delays.Succeeded()
		}
		delay, again := delays.Failed(errors.New("no answer"))
		fmt.Println(again, delay <= time.Second)
	}
	// Output:
	// true true
	// true true
	// false true
	// false true
}

func ExampleDelays() {
	delays := backoff.New(backoff.Config{Base: time.Millisecond, Retries: 3})
	dial := func() error { return errors.New("refused") }
	for attempt := 1; ; attempt++ {
		delays.Begin()
		err := dial()
		delay, again := delays.Failed(err)
		if !again {
			fmt.Println("attempt", attempt, err)
			return
		}
		time.Sleep(delay)
	}
	// Output: attempt 4 refused
}

// TestCheck has Check name each negative setting, and New take it for 0.
func TestCheck(t *testing.T) {
	for want, config := range map[string]backoff.Config{
		" ":                            {},
		"Base is negative: -1ns":       {Base: -1},
		"Max is negative: -1ns":        {Max: -1},
		"Retries is negative: -1":      {Retries: -1},
		"Elapsed is negative: -1s":     {Elapsed: -time.Second},
		"ResetAfter is negative: -1ns": {ResetAfter: -1},
	} {
		setting, problem := config.Check()
		assert.Equal(t, want, setting+" "+problem)
		delay, again := backoff.New(config).Failed(errRefused)
		assert.True(t, again, want)
		assert.Less(t, delay, 100*ms, want)
	}
}

// TestRow counts retries until an attempt succeeds and lasts.
func TestRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		delays := backoff.New(backoff.Config{Base: ms, Max: ms, Retries: 2, ResetAfter: time.Minute})
		attempt := func(succeeds bool, lasts time.Duration) bool {
			delays.Begin()
			if succeeds {
				delays.Succeeded()
			}
			time.Sleep(lasts)
			_, again := delays.Failed(errRefused)
			return again
		}
		assert.True(t, attempt(false, 0), "retry 1")
		assert.True(t, attempt(false, time.Hour), "retry 2: it lasted, without success")
		assert.False(t, attempt(true, time.Second), "a success that was too short")
		assert.True(t, attempt(true, time.Minute), "a success that lasted begins a new row")
		assert.True(t, attempt(false, 0), "retry 2: the success of an attempt is not that of the next")
		assert.False(t, attempt(false, 0))
	})
}
