package session

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(beSide); role != "" {
		runSide(role)
		return
	}
	goleak.VerifyTestMain(m)
}
