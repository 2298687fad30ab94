package hub_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/hub"
)

// A Log answers as the broker in memory does, even where it does not know the beginning.
func TestLog(t *testing.T) {
	at := func(offset uint64) hub.Position { return hub.Position{Epoch: "e", Offset: offset} }
	l := hub.NewLog[string, string, string](hub.History{Count: 3, Bytes: 10}, nil, at(4))
	now := func(e *event) *event {
		e.At = time.Now()
		return e
	}
	told := func(since hub.Position) string {
		s := l.Snapshot(since)
		text := fmt.Sprintf("(%v %d)", s.Recovery, s.Missed)
		for _, e := range s.Events {
			text += " " + e.Value
		}
		return text
	}
	assert.Equal(t, "(recovered 0)", told(at(4)))
	assert.Equal(t, "(gap 1)", told(at(3)))
	assert.Equal(t, "(too old 0)", told(at(5)))
	for i, text := range []string{"five", "six", "seven", "eight"} {
		l.Add(now(said(uint64(5+i), text)), 1)
	}
	assert.Equal(t, "(gap 1) six seven eight", told(at(4)))
	l.Add(now(said(9, "nine")), 9)
	assert.Equal(t, "(recovered 0) eight nine", told(at(7)))
	assert.Equal(t, "(fresh 0) eight nine", told(hub.Position{}))
	l.Lose(11)
	assert.Equal(t, at(11), l.Position())
	assert.Equal(t, "(gap 4)", told(at(7)))
}
