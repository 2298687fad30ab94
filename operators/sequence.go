package operators

import (
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
)

// GapError reports that values of a numbered stream are missing: see [Sequence].
type GapError struct {
	Want uint64 // number that was due
	Got  uint64 // number that came instead; it is greater
}

// Error names both numbers.
func (e *GapError) Error() string {
	return fmt.Sprintf("operators: a gap in the sequence: number %d came where %d was to come", e.Got, e.Want)
}

// SequenceConfig sets the treatment of numbers out of sequence in [Sequence]. The zero
// value fails at a gap and drops values of the past.
type SequenceConfig[T any] struct {
	// Gap is called when the values from number want up to got are missing. If it returns
	// nil, the value with number got passes and the sequence goes on from there: Gap has
	// asked for a new snapshot, say, or counts the loss. An error is the stream's error.
	// A nil Gap fails with a [*GapError].
	Gap func(want, got uint64) error
	// Past is called with each value that is dropped because its number has come before;
	// nil drops it.
	Past func(v T)
}

// Sequence passes values whose numbers follow each other, and finds those that are
// missing.
//
//	src:                        --1--2--2--3--5--6--|
//	Sequence(identity):         --1--2-----3--#
//	Sequence(identity, ignore): --1--2-----3--5--6--|
//
// The first value may have any number, and each further one has the number of the value
// before it plus one. A value with a lower number is a duplicate and is dropped. A value
// with a higher number shows a gap. config says how to go on: by default with the error
// [*GapError], so that a [Retry] subscribes again and gets a new snapshot. After the
// greatest number comes 0.
//
// number and the callbacks of config run inside the chain; a panic in one is the stream's
// error. Completion and errors pass through. It keeps one number. It has no counterpart
// in RxJS. See also [DistinctUntilKeyChanged], [SequenceEqual].
func Sequence[T any](
	src observable.Observable[T], number func(T) uint64, config SequenceConfig[T],
) observable.Observable[T] {
	if number == nil {
		return invalid[T]("Sequence", "number", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		s := &sequencer[T]{ending: ending[T]{sc: sc, down: down}, SequenceConfig: config, number: number}
		observable.Attach(src, sc, observable.Stage[T]{Next: s.next, Terminal: s})
	})
}

// sequencer is one subscription of Sequence, and the terminal of its source.
type sequencer[T any] struct {
	ending[T]
	SequenceConfig[T]
	number func(T) uint64
	begun  bool   // whether a value has come
	want   uint64 // number of the next value
}

func (s *sequencer[T]) next(v T) {
	if s.ended {
		return
	}
	got := s.number(v)
	switch {
	case !s.begun || got == s.want:
	case got < s.want:
		if s.Past != nil {
			s.Past(v)
		}
		return
	default:
		if err := s.gap(got); err != nil {
			s.Error(err)
			return
		}
	}
	s.begun, s.want = true, got+1
	s.down.Next(v)
}

func (s *sequencer[T]) gap(got uint64) error {
	if s.Gap == nil {
		return &GapError{Want: s.want, Got: got}
	}
	return s.Gap(s.want, got)
}
