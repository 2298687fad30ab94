//go:build interleave

package interleave

import (
	"fmt"
	"runtime"
	"sync"
)

// Mutex is sync.Mutex, seen by the scheduler.
type Mutex struct{ real sync.Mutex }

// Lock locks m, and blocks while it is locked.
func (m *Mutex) Lock() {
	if m.before(opLock) == unwinding {
		m.real.TryLock() // its holder may be gone
		return
	}
	m.real.Lock()
}

// TryLock locks m if it is not locked, and reports whether it did.
func (m *Mutex) TryLock() bool {
	m.before(opTryLock)
	return noted(m.real.TryLock())
}

// Unlock unlocks m, which must be locked.
func (m *Mutex) Unlock() {
	if m.before(opUnlock) == unwinding {
		m.real.TryLock() // to unlock it unlocked would end the process
	}
	m.real.Unlock()
}

func (m *Mutex) before(k kind) mode { return perform(operation{kind: k, object: m}) }

// Cond is sync.Cond, seen by the scheduler. Its L is a *[Mutex]. Signal wakes the thread
// that waits longest.
type Cond struct {
	L    sync.Locker
	real sync.Cond
}

// Wait unlocks c.L, blocks until it is woken, and locks c.L again.
func (c *Cond) Wait() {
	if !explored() {
		c.real.L = c.L // the caller has locked it
		c.real.Wait()
		return
	}
	m, ok := c.L.(*Mutex)
	if !ok {
		panic(fmt.Sprintf("interleave: the L of a Cond is a %T, not a *Mutex", c.L))
	}
	op := operation{kind: opCondWait, object: c, mutex: m}
	if perform(op) == unwinding {
		runtime.Goexit() // nobody would wake it
	}
	m.real.Unlock()
	op.kind = opCondReturn
	perform(op)
	m.real.Lock()
}

// Signal wakes one goroutine that waits.
func (c *Cond) Signal() {
	if c.before(opSignal) == unexplored {
		c.real.Signal()
	}
}

// Broadcast wakes all goroutines that wait.
func (c *Cond) Broadcast() {
	if c.before(opBroadcast) == unexplored {
		c.real.Broadcast()
	}
}

func (c *Cond) before(k kind) mode { return perform(operation{kind: k, object: c}) }

// Go calls f on a goroutine of its own, as a thread if the caller is one.
func Go(f func()) {
	switch perform(operation{kind: opGo}) {
	case unexplored:
		go f()
	case scheduled:
		start("", f)
	case unwinding:
	}
}

// Wait blocks until done is closed. Nothing is ever sent to done.
func Wait(done <-chan struct{}) {
	op := operation{kind: opWait, object: done, done: done}
	if perform(op) != unwinding {
		<-done
		return
	}
	select {
	case <-done:
	default:
		runtime.Goexit() // nobody would close it
	}
}

// Close closes done, for threads that [Wait] for it.
func Close(done chan struct{}) {
	perform(operation{kind: opClose, object: (<-chan struct{})(done)})
	close(done)
}

// Yield lets others go on: it belongs into each turn of a loop that waits for another
// goroutine. A thread goes on from it when others have made a step since its last Yield,
// or when no other can.
func Yield() {
	if perform(operation{kind: opYield}) == unexplored {
		runtime.Gosched()
	}
}
