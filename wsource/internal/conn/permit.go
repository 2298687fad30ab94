package conn

import "sync/atomic"

// permit is the right to write, which one goroutine has at a time. It is a compare-and-swap
// where nobody waits. Whoever waits does so on a channel and not on a mutex: behind a
// stalled peer that may be for long, and a goroutine that waits for a mutex stops the clock
// of testing/synctest.
type permit struct {
	state atomic.Int32
	woken atomic.Pointer[chan struct{}] // holds a notice when somebody may wait for what was given up
}

// The states of a permit.
const (
	permitFree int32 = iota
	permitHeld
	permitWanted // held, and somebody waits or has waited
)

func (p *permit) take() {
	if p.state.CompareAndSwap(permitFree, permitHeld) {
		return
	}
	// Whoever has waited cannot know whether others still do, and so leaves a notice in any case.
	for p.state.Swap(permitWanted) != permitFree {
		<-p.notices()
	}
}

func (p *permit) giveUp() {
	if p.state.Swap(permitFree) != permitWanted {
		return
	}
	select {
	case p.notices() <- struct{}{}:
	default: // the notice before was not taken yet, and will do
	}
}

// notices returns the channel, which few connections ever need.
func (p *permit) notices() chan struct{} {
	if p.woken.Load() == nil {
		c := make(chan struct{}, 1)
		p.woken.CompareAndSwap(nil, &c)
	}
	return *p.woken.Load()
}
