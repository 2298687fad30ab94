package operators

import "github.com/rxsocket/rxsocket/observable"

// SequenceEqual compares two sources value by value, emits whether they are equal, and
// completes: it emits false at the first difference, and true when both have completed.
//
//	a:                --1-----2--|
//	b:                -----1-----2--|
//	SequenceEqual(b): --------------(true|)
//
// The answer can be true for sources of different length. That is so when the longer
// source completes last and its surplus values came before the completion of the shorter
// one: RxJS 7.8 behaves so, and this operator with it. A comparison that does not depend
// on timing needs the slices of [ToSlice].
//
// Both sources are subscribed to at once, a first, and unsubscribed at a difference. The
// values of a source that is ahead wait in a queue without a bound. Values are compared
// with ==. The first error, of either, is the stream's. It starts no goroutine. RxJS:
// sequenceEqual. See also [SequenceEqualFunc], [Zip2].
func SequenceEqual[T comparable](a, b observable.Observable[T]) observable.Observable[bool] {
	return sequenceEqual(a, b, equal[T])
}

// SequenceEqualFunc is [SequenceEqual] with a function that reports whether two values
// are the same. The first argument of same is the value that came last, from whichever
// source. A panic in same is the stream's error.
//
//	a:                           --1--2--|
//	b:                           --3--4--|
//	SequenceEqualFunc(b, mod 2): --------(true|)
//
// RxJS: sequenceEqual with a comparator.
func SequenceEqualFunc[T any](a, b observable.Observable[T], same func(T, T) bool) observable.Observable[bool] {
	if same == nil {
		return invalid[bool]("SequenceEqualFunc", "same", isNil)
	}
	return sequenceEqual(a, b, same)
}

func sequenceEqual[T any](a, b observable.Observable[T], same func(T, T) bool) observable.Observable[bool] {
	return observable.AttachFunc[bool](func(sc *observable.Scope, down observable.Stage[bool]) {
		end := &ending[bool]{sc: sc, down: down}
		first := &comparedSide[T]{end: end, same: same}
		second := &comparedSide[T]{end: end, same: same, other: first}
		first.other = second
		first.attach(a)
		second.attach(b)
	})
}

// comparedSide is one of the two sources of a SequenceEqual, and that source's terminal.
type comparedSide[T any] struct {
	end       *ending[bool]
	same      func(T, T) bool
	other     *comparedSide[T]
	scope     observable.Scope
	waiting   queue[T] // values whose counterpart has not come
	completed bool
}

func (s *comparedSide[T]) attach(src observable.Observable[T]) {
	s.end.sc.Nest(&s.scope)
	observable.Attach(src, &s.scope, observable.Stage[T]{Next: s.next, Terminal: s})
}

func (s *comparedSide[T]) next(v T) {
	switch {
	case s.end.ended:
	case s.other.waiting.len() > 0:
		if !s.same(v, s.other.waiting.pop()) {
			s.end.finish(false)
		}
	case s.other.completed:
		s.end.finish(false)
	default:
		s.waiting.push(v)
	}
}

// Error ends the stream with the source's error.
func (s *comparedSide[T]) Error(err error) { s.end.Error(err) }

// Complete notes that the source has completed.
func (s *comparedSide[T]) Complete() {
	s.completed = true
	if s.other.completed && !s.end.ended {
		s.end.finish(s.other.waiting.len() == 0)
	}
	s.scope.Close()
}
