//go:build interleave

package observable_test

import (
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/interleave/judge"
)

// closing ends the scope of one source, and not the stream.
type closing struct{ sc *observable.Scope }

func (c closing) Error(error) { c.sc.Close() }
func (c closing) Complete()   { c.sc.Close() }

// TestInterleaveRoomOfAProducerThatEnds has two producers wait at a full queue while the
// source of one of them ends: the room offered to that producer goes to the other.
func TestInterleaveRoomOfAProducerThatEnds(t *testing.T) {
	program := func(p *judge.Program) {
		in := make([]*observable.Emitter[int], 3)
		src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			sc.LimitQueue(1)
			for i := range in {
				child := sc.Child()
				in[i] = observable.NewEmitter(child, observable.Stage[int]{Next: down.Next, Terminal: closing{child}})
			}
		})
		o := p.Observer("o")
		o.OnNext(func(v int) {
			if v == 0 {
				in[0].Next(1) // the queue is full
				interleave.Go(func() { in[1].Next(10) })
				interleave.Go(func() { in[2].Next(20) })
				interleave.Go(func() { in[1].Complete() })
			}
		})
		o.Subscribe(t.Context(), src)
		o.Gets(judge.Some, []int{0}, []int{1}, []int{20}, []int{10})
		p.Emit("first", in[0], 0)
	}
	judge.ExploreWith(t, interleave.Config{Preemptions: 1, MaxRuns: 300}, program)
	if !t.Failed() {
		judge.ExploreWith(t, interleave.Config{Random: 5000}, program)
	}
}

// TestInterleaveRoomOfASubscriberThatLeaves has two producers of a subject, and a
// producer of the chain itself, wait for room at the gate of a subscriber that leaves:
// the room offered to the subject's producers goes to the chain's.
func TestInterleaveRoomOfASubscriberThatLeaves(t *testing.T) {
	program := func(p *judge.Program) {
		subject := observable.NewReplaySubject[int](observable.ReplayConfig{})
		var in, other *observable.Emitter[int]
		var member *observable.Scope
		src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			sc.LimitQueue(1)
			in, other = observable.NewEmitter(sc, down), observable.NewEmitter(sc, down)
			member = sc.Child()
			observable.Attach[int](subject, member, observable.Stage[int]{Next: down.Next, Terminal: closing{member}})
		})
		o := p.Observer("o")
		o.OnNext(func(v int) {
			if v == 0 {
				in.Next(1) // the queue is full
				interleave.Go(func() { subject.Next(10) })
				interleave.Go(func() { subject.Next(11) })
				interleave.Go(func() { other.Next(20) })
				interleave.Go(member.Close)
			}
		})
		o.Subscribe(t.Context(), src)
		o.Gets(judge.Some, []int{0}, []int{1}, []int{10}, []int{11}, []int{20})
		o.Wants(judge.Everything.Of([]int{20}))
		p.Emit("first", in, 0)
	}
	judge.ExploreWith(t, interleave.Config{Preemptions: 1, MaxRuns: 300}, program)
	if !t.Failed() {
		judge.ExploreWith(t, interleave.Config{Random: 5000}, program)
	}
}
