//go:build interleave && race

package interleave

import "runtime"

// hide and show are around what the scheduler does on a thread: the race detector must
// not take it for an order that the program itself has made.
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

// races returns how many data races have been found.
func races() int { return runtime.RaceErrors() }
