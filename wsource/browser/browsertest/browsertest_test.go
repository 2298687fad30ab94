package browsertest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The test that has started the browser may open other pages for itself: they are closed
// before the browser is.
func TestAnotherPageOfTheSameTest(t *testing.T) {
	b := browsertest.Start(t, false)
	other := b.Another(t)
	assert.InDelta(t, 2, b.Evaluate(`1 + 1`), 0)
	assert.InDelta(t, 4, other.Evaluate(`2 + 2`), 0)
}
