//go:build interleave

package hub_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// heard is the text that an observer of a room has heard.
type heard struct{ all string }

// listen has h hear the values said in a room.
func (h *heard) listen(room hub.Room[string, string, string]) observable.Subscription {
	return room.Subscribe(context.Background(), observable.ObserverFuncs[string]{OnNext: func(s string) { h.all += s }})
}

// TestInterleaveRoom has two speak while one observer stays, one comes and one goes: all
// hear one order, none hears a value twice, and the room is forgotten when the last has
// gone.
func TestInterleaveRoom(t *testing.T) {
	program := func(p *interleave.Program) {
		h := hub.New(config{})
		room := h.Room("lobby")
		stays, comes, goes := new(heard), new(heard), new(heard)
		staying, going := stays.listen(room), goes.listen(room)
		var coming observable.Subscription
		p.Go("a speaks", func() { room.Next("a") })
		p.Go("b speaks", func() { room.Next("b") })
		p.Go("one comes", func() { coming = comes.listen(room) })
		p.Go("one goes", going.Unsubscribe)
		p.Check(func() error {
			first, last := "a", "b"
			if stays.all == "ba" {
				first, last = last, first
			}
			switch {
			case stays.all != first+last:
				return fmt.Errorf("the member that stays has heard %q", stays.all)
			case comes.all != "" && comes.all != last && comes.all != first+last:
				return fmt.Errorf("the one that comes has heard %q of %q", comes.all, stays.all)
			case goes.all != "" && goes.all != first && goes.all != first+last:
				return fmt.Errorf("the one that goes has heard %q of %q", goes.all, stays.all)
			}
			coming.Unsubscribe()
			staying.Unsubscribe()
			if left := h.Stats(); left != (hub.Stats{}) {
				return fmt.Errorf("the hub still has %+v", left)
			}
			return nil
		})
	}
	interleave.Explore(t, interleave.Config{Preemptions: 2, MaxRuns: 500}, program)
}

// TestInterleaveRoomsAreForgotten has two use the same rooms at once, of which there may
// be one: each use finds the room or an error that says there is none, and none is left.
func TestInterleaveRoomsAreForgotten(t *testing.T) {
	program := func(p *interleave.Program) {
		h := hub.New(config{MaxRooms: 1})
		for _, name := range []string{"a", "b"} {
			p.Go(name, func() {
				for range 2 {
					new(heard).listen(h.Room("lobby")).Unsubscribe()
				}
			})
		}
		p.Check(func() error {
			if left := h.Stats(); left != (hub.Stats{}) {
				return fmt.Errorf("the hub still has %+v", left)
			}
			return nil
		})
	}
	interleave.Explore(t, interleave.Config{Preemptions: 2, MaxRuns: 500}, program)
}

// TestInterleaveState sets more keys at once than there may be, while one is deleted and
// set again: the bound holds, and the counts are undone.
func TestInterleaveState(t *testing.T) {
	program := func(p *interleave.Program) {
		ctx := context.Background()
		state, err := hub.NewState(ctx, hub.NewStates(stateConfig{}).Room("lobby"), 2)
		if err != nil {
			t.Fatal(err)
		}
		_ = state.Set(ctx, "first", 0)
		p.Go("a", func() { _ = state.Set(ctx, "a", 1) })
		p.Go("b", func() { _ = state.Set(ctx, "b", 2) })
		p.Go("first again", func() {
			_ = state.Delete(ctx, "first")
			_ = state.Set(ctx, "first", 3)
		})
		p.Check(func() error {
			if n := len(state.Map()); n > 2 || n == 0 {
				return fmt.Errorf("it has %v", state.Map())
			}
			for key := range state.Map() {
				_ = state.Delete(ctx, key)
			}
			for _, key := range []string{"x", "y"} {
				if err := state.Set(ctx, key, 4); err != nil {
					return fmt.Errorf("there is no room again: %w", err)
				}
			}
			state.Close()
			return nil
		})
	}
	interleave.Explore(t, interleave.Config{Preemptions: 2, MaxRuns: 500}, program)
}
