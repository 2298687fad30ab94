//go:build interleave

package operators_test

import (
	"context"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// The common part of the programs whose interleavings are explored.

// The ends of a stream.
const (
	noEnd      = observabletest.Next
	failure    = observabletest.Error
	completion = observabletest.Complete
)

// producing is a subject into which several threads emit, each some values: 0, 1, ...,
// 10, 11, ... . When the last thread has come to its end, the subject completes.
type producing struct {
	observable.Subject[int]

	sent [][]int
	busy interleave.Int32
}

// emit adds the threads. Observers that must get all values have to be subscribed by
// then.
func (s *producing) emit(p *judge.Program, threads, values int) {
	s.busy.Add(int32(threads))
	for i := range threads {
		var mine []int
		for n := range values {
			mine = append(mine, 10*i+n)
		}
		s.sent = append(s.sent, mine)
		p.Go(fmt.Sprint("producer ", i), func() {
			for _, v := range mine {
				s.Next(v)
			}
			if s.busy.Add(-1) == 0 {
				s.Complete()
			}
		})
	}
}

// becoming returns the sequences with each value replaced by the values of f.
func becoming(sent [][]int, f func(v int) []int) (all [][]int) {
	for _, values := range sent {
		var becomes []int
		for _, v := range values {
			becomes = append(becomes, f(v)...)
		}
		all = append(all, becomes)
	}
	return all
}

// oneByOne returns the values one by one: their order does not matter.
func oneByOne(sent [][]int) (all [][]int) {
	for _, values := range sent {
		for _, v := range values {
			all = append(all, []int{v})
		}
	}
	return all
}

// raised returns sequences with n added to each value.
func raised(sent [][]int, n int) [][]int {
	return becoming(sent, func(v int) []int { return []int{v + n} })
}

// onItsOwn returns an observable that emits the values on a goroutine of its own.
func onItsOwn(values ...int) ints {
	return observable.Go(func(_ context.Context, emit func(int)) error {
		for _, v := range values {
			emit(v)
		}
		return nil
	})
}

// raising returns src with n added to each value.
func raising(src ints, n int) ints {
	return operators.Map(src, func(v int) int { return v + n })
}
