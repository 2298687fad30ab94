package observable

import (
	"slices"

	"github.com/rxsocket/rxsocket/observable/interleave"
)

// An operator with a gate of its own before it (a buffer, workers) puts an asynchronous
// boundary into a chain: behind it, callbacks run on other goroutines than before it.
// This file lets such an operator subscribe to its source, start workers and wait without
// a deadlock.

// Spawn calls f on another goroutine, and returns when f has returned or is about to
// wait, in [Scope.Wait], at a gate or after [Waiting]. With it an operator subscribes to
// a source that emits into a bounded buffer which is emptied through the gate of s: when
// Spawn returns, a hot source is subscribed to, and a synchronous one goes on while the
// buffer is emptied. Call it inside the gate of s. Done of the subscription waits for f.
// A panic in f goes to the handler of [OnUnhandled].
//
// A goroutine whose f has returned calls the next function that its starter spawns before
// leaving the gate. So an operator that subscribes to many such sources at once makes one
// goroutine, whose stack has grown already.
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

// Spawn calls f on a goroutine of its own, and returns when f has returned or is about to
// wait, as [Scope.Spawn] does. It belongs to no subscription. It is for a source that
// must not go on before its observers have dealt with something, unless they wait for the
// source's next step. A panic in f goes to the handler of [OnUnhandled].
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

// Watch calls f, and closes waiting when f has returned or the goroutine is about to wait
// in it, as [Spawn] says. It is for code that has another goroutine call f, and must not
// go on before that moment.
func Watch(f func(), waiting chan struct{}) {
	me := goroutine()
	waits.connect(me, waiting)
	defer waits.disconnect(me, waiting, nil)
	f()
}

// Waiting says that the goroutine is about to wait for something that happens inside a
// gate, or to drop values instead: see [Scope.Spawn]. [Scope.Wait] says so by itself.
func Waiting() { waits.goOn(goroutine()) }

// Wait waits with c, a [sync.Cond] but in walks of interleavings, whose lock the caller
// holds, for something that happens behind the gate of s: for room in a buffer that is
// emptied through it, for a worker started with [Scope.Go]. Like c.Wait, it may return
// early, so it is called in a loop. It reports false, without waiting, if the wait would
// never end because the caller itself has to go on: the caller runs a callback behind
// that gate, or such a callback waits for it. The caller then goes on beyond its bound.
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

// LimitQueue sets how many values may wait at the gate of s before their producers do,
// from 1 to 256; 256 is the default. An operator whose source has a gate of its own, in
// front of a bounded buffer, calls it on the source's scope whenever the room in the
// buffer changes. It gets that scope from an [AttachFunc] that it puts around its source
// and subscribes to. The values that wait at the gate then count towards the buffer's
// size. It may be called from any goroutine.
func (s *Scope) LimitQueue(n int) { s.root.gate.setLimit(min(max(n, 1), queueLimit)) }

// Go calls f on a goroutine of its own, a worker of the chain of s: it runs callbacks of
// that chain outside of its gate, so a goroutine in [Scope.Wait] may wait for it. The end
// of s does not end f; f looks at s for that. Done of the subscription waits for f. A
// panic in f goes to the handler of [OnUnhandled].
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

// changeWorkers replaces the list of workers by the result of change for a copy of it.
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
