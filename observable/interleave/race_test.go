//go:build interleave && race

package interleave_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// TestRaceIsFound runs TestRacy, which the race detector must fail, in a process of its
// own.
func TestRaceIsFound(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(program, "-test.run=^TestRacy$")
	command.Env = append(os.Environ(), "INTERLEAVE_RACY=yes")
	output, err := command.CombinedOutput()
	require.Error(t, err, "%s", output)
	assert.Contains(t, string(output), "the race detector has found a data race")
	assert.Contains(t, string(output), "race_test.go")
	assert.Equal(t, "1,2", schedule(t, string(output)))
}

// TestRacy is two threads. In some of the interleavings, one reads memory that the other
// writes, without an order between them. The scheduler itself puts each step after the
// one before.
func TestRacy(t *testing.T) {
	if os.Getenv("INTERLEAVE_RACY") == "" {
		t.Skip("TestRaceIsFound runs it")
	}
	interleave.Explore(t, walkAll, func(p *interleave.Program) {
		var published interleave.Bool
		value := 0
		p.Go("writer", func() {
			published.Store(true) // too early
			value = 1
		})
		p.Go("reader", func() {
			if published.Load() {
				_ = value + 1
			}
		})
	})
}
