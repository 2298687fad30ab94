//go:build !linux && !darwin

package main

import (
	"fmt"
	"time"
)

// openFiles lets this process have n files open; here there is no limit.
func openFiles(int) error { return nil }

// processorTime is not known here.
func processorTime() (time.Duration, error) {
	return 0, fmt.Errorf("%w: this system does not tell the processor time of a process", errSkip)
}
