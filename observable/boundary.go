package observable

import (
	"slices"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// An operator with a gate of its own before it (a buffer, workers) puts an asynchronous
// boundary into a chain: behind it, callbacks run on other goroutines than before it. What is
// here lets such an operator subscribe to its source, start workers and wait without a
// deadlock.

// Spawn calls f on another goroutine, and returns when f has returned or is about to wait,
// in [Scope.Wait], at a gate or after [Waiting]. It is how an operator subscribes to a source
// that emits into a bounded buffer which is emptied through the gate of s: a hot source is
// subscribed to when Spawn returns, and a synchronous one goes on while the buffer is emptied.
// It is called inside the gate of s. Done of the subscription waits for f. A panic in f goes to the
// handler of [OnUnhandled].
//
// A goroutine whose f has returned calls the next one that its starter spawns before it leaves
// the gate. An operator that subscribes to many such sources at once so makes one goroutine, whose
// stack has grown already.
func (s *Scope) Spawn(f func()) {
	s.workBegun()
	g := &s.root.gate
	if g.connector == nil {
		g.connector = newConnector()
	}
	if !g.connector.call(f, s.workDone) {
		g.connector = nil // it ends by itself
	}
}

// Spawn calls f on a goroutine of its own, and returns when f has returned or is about to wait,
// as [Scope.Spawn] does. It belongs to no subscription: it is for a source that must not go on
// before its observers have dealt with something, unless they wait for what it does next. A panic in
// f goes to the handler of [OnUnhandled].
func Spawn(f func()) {
	waiting := make(chan struct{})
	interleave.Go(func() {
		Watch(func() {
			defer reportPanic(f)
			f()
		}, waiting)
	})
	interleave.Wait(waiting)
}

// Watch calls f, and closes waiting when f has returned or the goroutine is about to wait in it,
// as [Spawn] says. It is for one who lets another goroutine call f, and must not go on before.
func Watch(f func(), waiting chan struct{}) {
	me := goroutine()
	waits.connect(me, waiting)
	defer waits.disconnect(me, waiting, nil)
	f()
}

// Waiting says that the goroutine is about to wait for something that happens inside a gate, or
// to drop values instead: see [Scope.Spawn]. [Scope.Wait] says so by itself.
func Waiting() { waits.goOn(goroutine()) }

// Wait waits with c, a [sync.Cond] but in walks of interleavings, whose lock the caller holds,
// for something that happens behind the gate of s: for room in a buffer that is emptied through
// it, for a worker started with [Scope.Go]. Like c.Wait, it may return early, so it is called in
// a loop. It reports false, without waiting, if the wait would never end, because the caller is
// what has to go on: it runs a callback behind that gate, or is waited for by one. The caller
// then goes on beyond its bound.
func (s *Scope) Wait(c *interleave.Cond) bool {
	me := goroutine()
	w := waits.beginBehind(me, &s.root.gate)
	if w == nil {
		return false
	}
	c.Wait()
	waits.end(me, w)
	return true
}

// LimitQueue sets how many values may wait at the gate of s before their producers do, from 1 to
// 256, which it is before. An operator whose source has a gate of its own, in front of a bounded
// buffer, calls it on the source's scope as often as the room in the buffer changes: that is the
// scope which an [AttachFunc] gets that the operator puts around its source and subscribes to.
// What waits at the gate is then a part of what the buffer may hold. It may be called from any
// goroutine.
func (s *Scope) LimitQueue(n int) { s.root.gate.setLimit(min(max(n, 1), queueLimit)) }

// Go calls f on a goroutine of its own, a worker of the chain of s: it runs callbacks of that
// chain outside of its gate, so whoever waits in [Scope.Wait] may wait for it. The end of s does
// not end f; f looks at s for that. Done of the subscription waits for f. A panic
// in f goes to the handler of [OnUnhandled].
func (s *Scope) Go(f func()) {
	s.workBegun()
	interleave.Go(func() {
		defer s.workDone()
		g, me := &s.root.gate, goroutine()
		g.changeWorkers(func(all []uintptr) []uintptr { return append(all, me) })
		defer func() {
			g.changeWorkers(func(all []uintptr) []uintptr {
				return slices.DeleteFunc(all, func(w uintptr) bool { return w == me })
			})
			waits.unmark(me)
		}()
		defer reportPanic(f)
		f()
	})
}

// changeWorkers replaces the list of workers by what change makes of a copy of it.
func (g *gate) changeWorkers(change func([]uintptr) []uintptr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []uintptr
	if p := g.workers.Load(); p != nil {
		all = slices.Clone(*p)
	}
	all = change(all)
	g.workers.Store(&all)
}
