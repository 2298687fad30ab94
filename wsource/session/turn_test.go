package session

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestTurn: the goroutine that has the turn gives it up alone, unless another has found
// it held.
func TestTurn(t *testing.T) {
	t.Parallel()
	var turn turn
	assert.False(t, turn.held())
	turn.take(false)
	assert.True(t, turn.giveUp())
	assert.False(t, turn.held(), "it was given up")
	turn.take(false)
	assert.True(t, turn.held())
	assert.False(t, turn.giveUp(), "somebody counts on it")
	assert.True(t, turn.held())
	turn.free()
	assert.False(t, turn.held())
	turn.take(true)
	assert.False(t, turn.giveUp())
}
