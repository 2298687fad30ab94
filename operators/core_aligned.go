package operators

import (
	"math"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// aligned is the clock of the aligned buffers and windows. Its bounds are the multiples of
// a span since the Unix epoch, by the wall clock. All its times are in nanoseconds since
// then.
type aligned struct {
	span  int64
	turn  func() // closes a buffer or window and opens the next
	alarm *observable.Alarm
	bound int64 // next bound
}

func newAligned(sc *observable.Scope, span time.Duration, turn func()) *aligned {
	a := &aligned{span: int64(span), turn: turn}
	a.alarm = sc.NewAlarm(func() {
		if !a.check() && sc.Open() {
			a.arm(time.Now().UnixNano()) // the wall clock has been set back
		}
	})
	return a
}

// start sets the first bound.
func (a *aligned) start() { a.set(time.Now().UnixNano()) }

// check turns if a bound has passed, and reports whether it has. A value that comes before
// the alarm does, at the bound or later, thereby belongs to the span in which it comes. If
// several bounds have passed, there is one turn.
func (a *aligned) check() bool {
	now := time.Now().UnixNano()
	if now < a.bound {
		return false
	}
	a.set(now)
	a.turn()
	return true
}

// set sets the bound to the first one after now.
func (a *aligned) set(now int64) {
	past := now % a.span
	if past < 0 {
		past += a.span
	}
	if rest := a.span - past; now <= math.MaxInt64-rest {
		a.bound = now + rest
	} else {
		a.bound = math.MaxInt64
	}
	a.arm(now)
}

// arm sets the alarm to the bound.
func (a *aligned) arm(now int64) {
	a.alarm.Reset(time.Duration(a.bound - now))
}
