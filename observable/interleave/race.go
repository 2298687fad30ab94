//go:build interleave && race

package interleave

import "runtime"

// hide and show enclose the scheduler's work on a thread: the race detector must not take
// it for an order that the program itself has made.
func (r *run) hide() {
	if !r.traced {
		runtime.RaceDisable()
	}
}

func (r *run) show() {
	if !r.traced {
		runtime.RaceEnable()
	}
}

// races returns the number of data races found.
func races() int { return runtime.RaceErrors() }
