package operators

import (
	"math"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// aligned is the clock of the aligned buffers and windows. Its bounds are the multiples
// of a span since the Unix epoch, by the wall clock. All its times are in nanoseconds
// since then.
type aligned struct {
	span  int64
	turn  func() // closes a buffer or window and opens the next
	alarm *observable.Alarm
	bound int64 // next bound
	late  bool  // bounds have passed while downstream was busy: the alarm will turn
}

func newAligned(sc *observable.Scope, span time.Duration, turn func()) *aligned {
	a := &aligned{span: int64(span), turn: turn}
	a.alarm = sc.NewAlarm(func() {
		if now := time.Now().UnixNano(); a.late || now >= a.bound {
			a.pass(now)
		} else {
			a.arm(now) // the wall clock has been set back
		}
	})
	return a
}

// start sets the first bound.
func (a *aligned) start() {
	now := time.Now().UnixNano()
	a.set(now)
	a.arm(now)
}

// check turns if a bound has passed. A value that comes before the alarm does, at the
// bound or later, thereby belongs to the span in which it comes. If several bounds have
// passed, there is one turn.
func (a *aligned) check() {
	if now := time.Now().UnixNano(); now >= a.bound {
		a.pass(now)
	}
}

// pass turns. If further bounds pass meanwhile, as downstream is slow, they have one turn
// too, which comes after the values that wait.
func (a *aligned) pass(now int64) {
	a.late = false
	a.alarm.Stop()
	a.set(now)
	a.turn()
	if now = time.Now().UnixNano(); now < a.bound {
		a.arm(now)
		return
	}
	a.late = true
	a.set(now)
	a.alarm.Reset(0)
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
}

// arm sets the alarm to the bound.
func (a *aligned) arm(now int64) {
	a.alarm.Reset(time.Duration(a.bound - now))
}
