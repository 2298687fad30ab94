package wire

import "sync/atomic"

// turn is the right to write, which one goroutine has at a time. It is a compare-and-swap where nobody waits, as
// a batch takes it for each of its messages. Who waits does so on a channel and not on a mutex: behind a stalled
// peer that may be for long, and a goroutine that waits for a mutex stops the clock of testing/synctest.
type turn struct {
	state atomic.Int32
	woken atomic.Pointer[chan struct{}] // holds a notice when the turn was given up and somebody may wait for it
}

// The states of a turn.
const (
	turnFree int32 = iota
	turnHeld
	turnWanted // held, and somebody waits or has waited
)

func (t *turn) take() {
	if t.state.CompareAndSwap(turnFree, turnHeld) {
		return
	}
	// Whoever has waited cannot know whether others still do, and so leaves a notice in any case.
	for t.state.Swap(turnWanted) != turnFree {
		<-t.notices()
	}
}

func (t *turn) giveUp() {
	if t.state.Swap(turnFree) != turnWanted {
		return
	}
	select {
	case t.notices() <- struct{}{}:
	default: // the notice before was not taken yet, and will do
	}
}

// notices returns the channel, which few connections ever need.
func (t *turn) notices() chan struct{} {
	if t.woken.Load() == nil {
		c := make(chan struct{}, 1)
		t.woken.CompareAndSwap(nil, &c)
	}
	return *t.woken.Load()
}
