package wsource_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
)

// faultCount counts the faults of [TestFaults].
type faultCount struct{ tried, survived atomic.Int64 }

// try runs one fault in a bubble of its own. The bubble ends by itself only if no
// goroutine is left.
func (f *faultCount) try(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	f.tried.Add(1)
	if t.Run(name, func(t *testing.T) { synctest.Test(t, test) }) {
		f.survived.Add(1)
	}
}

// faultSuites are the suites of [TestFaults].
var faultSuites = map[string]func(t *testing.T, count *faultCount){
	"cut sockets":               cutSockets,
	"reset sockets":             resetSockets,
	"cut subjects":              cutSubjects,
	"cut reconnecting subjects": cutReconnecting,
	"stall":                     stallEverywhere,
	"corrupt":                   corruptEverywhere,
	"close":                     closeEverywhere,
	"delay":                     delayAll,
	"pause":                     pauseEverywhere,
	"jam":                       jamEverywhere,
	"refuse":                    refuseDials,
	"storm":                     stormInARow,
	"storm of many":             stormOfMany,
	"leave":                     leaveEverywhere,
	"stall alive":               stallAlive,
	"unsubscribe at each step":  unsubscribeAtEachStep,
	"leave at each step":        leaveAtEachStep,
}

// TestFaults breaks scripted sessions in every way that wstest knows, and logs the number
// of faults at the end. For each fault no goroutine and no connection is left, no message
// is lost without a word, the order is kept, and the streams end, or go on, as they
// should.
func TestFaults(t *testing.T) {
	count := new(faultCount)
	t.Run("of", func(t *testing.T) {
		for name, suite := range faultSuites {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // a bubble keeps one core busy at most
				suite(t, count)
			})
		}
	})
	line := fmt.Sprintf("faults: %d tried, %d survived", count.tried.Load(), count.survived.Load())
	t.Log(line)
	fmt.Fprintln(os.Stdout, line)
	assert.Equal(t, count.tried.Load(), count.survived.Load())
}

// cleanMarks runs the script of a kind without a fault, and returns the offsets of its
// steps.
func cleanMarks(t *testing.T, k kind) (m marks) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newSession(newSite(t, k.accept()), k)
		m = c.run()
		c.requireWhole()
	})
	return m
}
