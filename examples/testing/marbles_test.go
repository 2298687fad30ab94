package main

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable/observabletest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	degrees = observabletest.Values[float64]{'c': 20, 'w': 99, 'h': 101}     // cold, warm, hot
	answers = observabletest.Values[bool]{'n': false, 'y': true, 'N': false} // no, yes
)

// A marble string has the times of values. One character is a millisecond.
func TestTooHot(t *testing.T) {
	for name, test := range map[string]struct{ readings, alarms string }{
		"an answer comes when it has settled": {
			"c------------",
			"---n---------",
		},
		"heat has to last": {
			"c----h-h-h-h-",
			"---n----y----",
		},
		"a short heat is none": {
			"c----hhc-----|",
			"---n---------|",
		},
		"warm is not hot": {
			"c-w-c-w---",
			"---n------",
		},
		"at the end there is the last answer": {
			"c----h|",
			"---n--(y|)",
		},
		"an error is passed on at once": {
			"c----h#",
			"---n--#",
		},
	} {
		t.Run(name, func(t *testing.T) {
			observabletest.Run(t, func(t *observabletest.T) {
				readings := observabletest.Cold(t, test.readings, degrees)
				hot := TooHot(readings, Limit, 3*time.Millisecond)
				observabletest.ExpectMarble(t, hot, test.alarms+"  10ms !", answers)
			})
		})
	}
}

// A source tells when it was subscribed to (^) and unsubscribed from (!).
func TestTooHotLetsGo(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		readings := observabletest.Hot(t, "c-h-h-h-h-h-h-", degrees)
		hot := TooHot(readings, Limit, 3*time.Millisecond)
		observabletest.ExpectMarble(t, hot, "-----y--!", answers)
		readings.ExpectSubscriptions("^-------!")
	})
}

// The error of a source may be any.
func TestTooHotFails(t *testing.T) {
	observabletest.Run(t, func(t *observabletest.T) {
		errBroken := errors.New("broken")
		readings := observabletest.Cold(t, "c-#", degrees).WithError(errBroken)
		recorded := observabletest.Record(t, TooHot(readings, Limit, time.Second))
		if err := recorded.ExpectEnd(t); !errors.Is(err, errBroken) {
			t.Error(err)
		}
	})
}
