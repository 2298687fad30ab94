package session

import "sync/atomic"

// turn is held by the goroutine that delivers. That goroutine gives it up without the
// conversation's mu, unless another has found it held meanwhile: the other may have left
// something to be done. Its methods are called with mu held, but for giveUp.
type turn struct{ state atomic.Int32 }

// The states of a turn.
const (
	turnFree int32 = iota
	turnHeld       // held, and may be given up
	// A goroutine counts on that it is held until mu is released: it is freed under mu.
	turnWatched
)

// held reports whether a goroutine has the turn. That goroutine has it until mu is
// released, and takes mu after that.
func (t *turn) held() bool {
	state := t.state.Load()
	return state == turnWatched || state == turnHeld && t.state.CompareAndSwap(turnHeld, turnWatched)
}

// take takes the turn, which is free. If watched, giveUp is going to fail.
func (t *turn) take(watched bool) {
	if watched {
		t.state.Store(turnWatched)
	} else {
		t.state.Store(turnHeld)
	}
}

// giveUp frees the turn, and reports false if there may be something left to be done
// under mu.
func (t *turn) giveUp() bool { return t.state.CompareAndSwap(turnHeld, turnFree) }

// free frees the turn.
func (t *turn) free() { t.state.Store(turnFree) }
