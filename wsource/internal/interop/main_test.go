package interop_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a scenario may take that should take a moment. It only ends a test
// that has failed.
const patience = time.Minute
