package conn

import "sync/atomic"

// permit is the right to write, which one goroutine has at a time. It is a
// compare-and-swap where nobody waits. A goroutine that waits does so on a channel and
// not on a mutex. Behind a stalled peer that may be for long, and a goroutine that waits
// for a mutex stops the clock of testing/synctest.
type permit struct {
	state atomic.Int32
	// Holds a notice when a goroutine may wait for a permit that was given up.
	woken atomic.Pointer[chan struct{}]
}

// The states of a permit.
const (
	permitFree int32 = iota
	permitHeld
	permitWanted // held, and a goroutine waits or has waited
)

func (p *permit) take() {
	if p.state.CompareAndSwap(permitFree, permitHeld) {
		return
	}
	// A goroutine that has waited cannot know whether others still do, and so marks the
	// permit in any case.
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
