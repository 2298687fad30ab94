package operators

import "github.com/rxsocket/rxsocket/observable"

// SequenceEqual compares two sources value by value, emits whether they are equal, and completes:
// false at the first difference, true when both have completed.
//
//	a:                --1-----2--|
//	b:                -----1-----2--|
//	SequenceEqual(b): --------------(true|)
//
// Both sources are subscribed to at once, a first. The first error of either is the stream's. What
// the one emits before the other has the value at that place waits in a queue without a bound.
// Values are compared with ==. At a difference both sources are unsubscribed.
//
// A source with values left over is told from the other when one of those comes after the other's
// completion, and when the other completes last. When the longer source itself completes last, and
// what it has too much came before the other's completion, the answer is true: so it is in RxJS
// 7.8, whose behaviour this operator keeps. To compare finite streams whatever their timing,
// compare what [ToSlice] makes of them.
//
// RxJS: sequenceEqual. See also [SequenceEqualFunc], [Zip2].
func SequenceEqual[T comparable](a, b observable.Observable[T]) observable.Observable[bool] {
	return sequenceEqual(a, b, equal[T])
}

// SequenceEqualFunc is [SequenceEqual] with a function that says whether two values are the same.
// It is called with the one that came last as its first argument, whichever source that is from. A
// panic in it is the stream's error.
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

// comparedSide is one of the two sources of a SequenceEqual. It is also that source's terminal.
type comparedSide[T any] struct {
	end       *ending[bool]
	same      func(T, T) bool
	other     *comparedSide[T]
	scope     observable.Scope
	waiting   queue[T] // values that the other side has not come to
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

// Error is the source's error.
func (s *comparedSide[T]) Error(err error) { s.end.Error(err) }

// Complete is the source's completion.
func (s *comparedSide[T]) Complete() {
	s.completed = true
	if s.other.completed && !s.end.ended {
		s.end.finish(s.other.waiting.len() == 0)
	}
	s.scope.Close()
}
