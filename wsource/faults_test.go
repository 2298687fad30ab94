package wsource_test

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource"
)

// faultCount counts the faults of [TestFaults].
type faultCount struct{ tried, survived int }

// try runs one fault in a bubble of its own, which ends by itself only if no goroutine is left.
func (f *faultCount) try(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	f.tried++
	if t.Run(name, func(t *testing.T) { synctest.Test(t, test) }) {
		f.survived++
	}
}

// TestFaults breaks scripted sessions in every way that wstest knows, and says at the end how many there were.
func TestFaults(t *testing.T) {
	count := new(faultCount)
	for _, suite := range []struct {
		name string
		run  func(t *testing.T, count *faultCount)
	}{
		{"breaks", breakEverywhere},
		{"stalls", stallEverywhere},
		{"corruption", corruptEverywhere},
	} {
		t.Run(suite.name, func(t *testing.T) { suite.run(t, count) })
	}
	line := fmt.Sprintf("faults: %d tried, %d survived", count.tried, count.survived)
	t.Log(line)
	fmt.Fprintln(os.Stdout, line)
	assert.Equal(t, count.tried, count.survived)
}

// cleanMarks runs the script of a kind without a fault, and returns where its steps are.
func cleanMarks(t *testing.T, k kind) (m marks) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newSession(newSite(t, wsource.AcceptOptions{Heartbeat: serverBeat}), k)
		m = c.run()
		c.requireWhole()
	})
	return m
}
