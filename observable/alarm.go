package observable

import (
	"sync/atomic"
	"time"
)

// Alarm calls a function inside a scope's gate when its time has come. It stops when the
// scope closes. An operator that needs time makes one at subscription and resets it as it
// goes. Call its methods inside the gate.
type Alarm struct {
	scope Scope
	call  func()
	timer atomic.Pointer[time.Timer]
	armed bool
	due   time.Time
}

// NewAlarm returns an alarm that is not running yet.
func (s *Scope) NewAlarm(call func()) *Alarm {
	a := &Alarm{call: call}
	a.scope.finally = a
	s.Nest(&a.scope)
	return a
}

// Reset lets the alarm fire once after d, instead of when it would have fired before.
// With a duration that is not positive, the alarm fires as soon as it can, but never
// inside Reset.
func (a *Alarm) Reset(d time.Duration) { a.ResetAt(time.Now().Add(d)) }

// ResetAt lets the alarm fire once at the time given, as Reset does.
func (a *Alarm) ResetAt(due time.Time) {
	a.armed, a.due = true, due
	d := time.Until(due)
	if timer := a.timer.Load(); timer != nil {
		timer.Reset(d)
	} else {
		a.timer.Store(time.AfterFunc(d, a.fire))
	}
	if !a.scope.Open() {
		a.finalize()
	}
}

// Stop keeps the alarm from firing until it is reset.
func (a *Alarm) Stop() {
	a.armed = false
	a.finalize()
}

func (a *Alarm) finalize() {
	if timer := a.timer.Load(); timer != nil {
		timer.Stop()
	}
}

// fire runs on the runtime's timer goroutine.
func (a *Alarm) fire() {
	if a.scope.Open() {
		a.scope.root.gate.post(a)
	}
}

func (a *Alarm) take(int)       {}
func (a *Alarm) within() *Scope { return &a.scope }
func (a *Alarm) settle() int    { return 0 }

// deliver makes the call, unless the alarm was stopped or put off meanwhile.
func (a *Alarm) deliver(uintptr) {
	r := a.scope.root
	if !a.armed || !a.scope.Open() || time.Until(a.due) > 0 {
		return
	}
	a.armed = false
	returned := false
	defer r.settle(&returned, r.current)
	r.current = a.scope.handler
	a.call()
	returned = true
}
