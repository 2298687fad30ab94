package observable

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// A record that waits to be used again keeps no gate, and so no value, in memory.
func TestRecordsOfWaitsKeepNothing(t *testing.T) {
	var w waitGraph
	g := new(gate)
	one := w.beginAtGate(1, g, &interleave.Cond{L: new(sync.Mutex)})
	two := w.beginBehind(2, g)
	three := w.beginFor(3, 4)
	for me, wait := range map[uintptr]*wait{1: one, 2: two, 3: three} {
		require.NotNil(t, wait)
		assert.False(t, w.end(me, wait))
	}
	require.Len(t, w.free, 3)
	for _, record := range w.free {
		assert.Zero(t, *record)
	}
}
