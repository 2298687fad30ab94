package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/rxsocket/rxsocket/wsource/hub"
)

// The size of the board, in units of its own, and bounds of a stroke.
const (
	boardWidth, boardHeight = 1600, 1000
	colours                 = 8
	maxWidth                = 60
	maxPoints               = 400
	maxID                   = 40
)

// stroke is a line that a user has drawn.
type stroke struct {
	Number int64  `json:"number"` // the strokes are drawn by it, one over the other
	By     string `json:"by"`
	Colour int    `json:"colour"`
	Width  int    `json:"width"`
	Points []int  `json:"points"` // x and y in turn
}

// problem returns the reason why a stroke of that id cannot be drawn, or "".
func (s *stroke) problem(id string) string {
	switch {
	case id == "" || len(id) > maxID:
		return fmt.Sprintf("the id has %d bytes", len(id))
	case s.Colour < 0 || s.Colour >= colours:
		return fmt.Sprintf("there is no colour %d", s.Colour)
	case s.Width < 1 || s.Width > maxWidth:
		return fmt.Sprintf("the width %d is not between 1 and %d", s.Width, maxWidth)
	case len(s.Points) < 2 || len(s.Points)%2 != 0 || len(s.Points) > 2*maxPoints:
		return fmt.Sprintf("%d numbers are no points", len(s.Points))
	}
	for n, at := range s.Points {
		if limit := []int{boardWidth, boardHeight}[n%2]; at < 0 || at > limit {
			return fmt.Sprintf("a point is outside of the board: %d", at)
		}
	}
	return ""
}

// board is the drawing: a map of strokes by their id that all share.
type board struct {
	limit int

	mu     sync.Mutex // guards the fields below, and the order of changes
	state  *hub.State[string, stroke]
	ids    []string // ids of the strokes, the oldest first
	number int64
}

// draw draws a stroke. A client sends again a stroke that it has not seen: one that is
// drawn already is no other.
func (b *board) draw(ctx context.Context, by, id string, s stroke) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.state.Get(id); ok {
		return nil
	}
	if len(b.ids) >= b.limit {
		if err := b.remove(ctx, b.ids[0]); err != nil {
			return err
		}
	}
	b.number++
	s.Number, s.By = b.number, by
	if err := b.state.Set(ctx, id, s); err != nil {
		return err
	}
	b.ids = append(b.ids, id)
	return nil
}

// undo removes the last stroke that a user has drawn, if there is one.
func (b *board) undo(ctx context.Context, by string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range slices.Backward(b.ids) {
		if s, ok := b.state.Get(id); ok && s.By == by {
			return b.remove(ctx, id)
		}
	}
	return nil
}

// clear removes all strokes.
func (b *board) clear(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.ids) > 0 {
		if err := b.remove(ctx, b.ids[0]); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a stroke; mu is held.
func (b *board) remove(ctx context.Context, id string) error {
	if err := b.state.Delete(ctx, id); err != nil {
		return err
	}
	b.ids = slices.DeleteFunc(b.ids, func(other string) bool { return other == id })
	return nil
}
