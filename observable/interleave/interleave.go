// Package interleave walks through the interleavings of small concurrent programs.
//
// Its primitives are those of sync and sync/atomic, unless the build tag interleave is
// set. With the tag they call a scheduler: it lets one goroutine run at a time, and
// chooses before each operation the goroutine that goes on. Explore, which exists with
// the tag only, runs a program again and again, each time with other decisions, until it
// has tried them all:
//
//	//go:build interleave
//
//	func TestCounter(t *testing.T) {
//		interleave.Explore(t, interleave.Config{Preemptions: 2}, func(p *interleave.Program) {
//			var n interleave.Int32
//			for _, name := range []string{"a", "b"} {
//				p.Go(name, func() { n.Store(n.Load() + 1) })
//			}
//			p.Check(func() error {
//				if n.Load() != 2 {
//					return errors.New("an update was lost")
//				}
//				return nil
//			})
//		})
//	}
//
// `go test -tags interleave` finds the lost update and prints the steps that lead to it,
// and a schedule with which -interleave.replay repeats them.
//
// # Blind spots
//
// The scheduler sees only the operations of this package. It never interrupts a thread
// anywhere else, and a new thread runs as far as its first operation at once. So an
// exploration proves nothing about
//
//   - plain memory: a program with a data race has behaviours that no exploration
//     reaches. The race detector finds the race, in an exploration too: with -race the
//     scheduler adds no order of its own, and a race fails the exploration with its
//     schedule.
//   - channels, timers, and the primitives of sync itself. [Wait] and [Close] are there
//     for channels that are only ever closed.
//   - weaker memory than Go's: operations are sequentially consistent, as those of
//     sync/atomic are.
//
// A thread that blocks elsewhere, for something another thread has to do, fails the
// exploration after a while. A mutex of sync is harmless as long as no operation of this
// package happens while it is held.
//
// # Threads
//
// The threads of an exploration are its program function and the goroutines that threads
// start with [Go] and the like. Goroutines started with a go statement are none, and for
// them the primitives work as those of sync: an exploration does not disturb goroutines
// beside it, but they have to keep away from the program's primitives.
package interleave
