//go:build purego

package observable

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestFold checks that a number that fits into a uintptr stays as it is, and that none
// becomes 0.
func TestFold(t *testing.T) {
	most := uint64(^uintptr(0))
	for _, id := range []uint64{1, 2, most - 1, most} {
		assert.Equal(t, id, uint64(fold(id)))
	}
	for id := most - 2; id != most+3; id++ { // past 0, where a uintptr has 64 bits
		assert.NotZero(t, fold(id), id)
	}
}
