//go:build interleave

package interleave

import "sync/atomic"

// Bool is atomic.Bool, seen by the scheduler.
type Bool = word[bool, atomic.Bool, *atomic.Bool]

// Int32 is atomic.Int32, seen by the scheduler.
type Int32 = number[int32, atomic.Int32, *atomic.Int32]

// Int64 is atomic.Int64, seen by the scheduler.
type Int64 = number[int64, atomic.Int64, *atomic.Int64]

// Uint32 is atomic.Uint32, seen by the scheduler.
type Uint32 = number[uint32, atomic.Uint32, *atomic.Uint32]

// Uint64 is atomic.Uint64, seen by the scheduler.
type Uint64 = number[uint64, atomic.Uint64, *atomic.Uint64]

// Uintptr is atomic.Uintptr, seen by the scheduler.
type Uintptr = number[uintptr, atomic.Uintptr, *atomic.Uintptr]

// Pointer is atomic.Pointer, seen by the scheduler.
type Pointer[T any] struct {
	word[*T, atomic.Pointer[T], *atomic.Pointer[T]]
}

// atomically is the common part of the types of sync/atomic: A is one of them, and V its
// value.
type atomically[V, A any] interface {
	*A
	Load() V
	Store(v V)
	Swap(v V) V
	CompareAndSwap(before, after V) bool
}

// counting adds the methods of its integers.
type counting[V, A any] interface {
	atomically[V, A]
	Add(delta V) V
	And(mask V) V
	Or(mask V) V
}

type word[V, A any, P atomically[V, A]] struct{ real A }

// Load returns the value.
func (w *word[V, A, P]) Load() V {
	w.before(opLoad)
	return noted(P(&w.real).Load())
}

// Store sets the value to v.
func (w *word[V, A, P]) Store(v V) {
	w.before(opStore)
	note(v)
	P(&w.real).Store(v)
}

// Swap sets the value to v and returns the one before.
func (w *word[V, A, P]) Swap(v V) V {
	w.before(opSwap)
	note(v)
	return noted(P(&w.real).Swap(v))
}

// CompareAndSwap sets the value to after if it is before, and reports whether it was.
func (w *word[V, A, P]) CompareAndSwap(before, after V) bool {
	w.before(opCompareAndSwap)
	note(before)
	note(after)
	return noted(P(&w.real).CompareAndSwap(before, after))
}

func (w *word[V, A, P]) before(k kind) { perform(operation{kind: k, object: w}) }

type number[V, A any, P counting[V, A]] struct{ word[V, A, P] }

// Add adds delta and returns the new value.
func (n *number[V, A, P]) Add(delta V) V {
	n.before(opAdd)
	note(delta)
	return noted(P(&n.real).Add(delta))
}

// And sets the value to the bitwise and of it and mask, and returns the one before.
func (n *number[V, A, P]) And(mask V) V {
	n.before(opAnd)
	note(mask)
	return noted(P(&n.real).And(mask))
}

// Or sets the value to the bitwise or of it and mask, and returns the one before.
func (n *number[V, A, P]) Or(mask V) V {
	n.before(opOr)
	note(mask)
	return noted(P(&n.real).Or(mask))
}
