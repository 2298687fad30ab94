package natsbroker_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/natsbroker"
)

// A room that takes long to open is opened as long as a caller waits for it. Later
// callers get an open room.
func TestOpeningIsCalledOff(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	keeps := config{History: hub.History{Count: 100}, Timeout: patience}
	const many, size = 100, 1000
	const part = many * size / 10 // of the bytes that are fetched
	other := c.node(keeps)
	for i := range many {
		other.say("lobby", fmt.Sprint(i, strings.Repeat(".", size)))
	}
	slow := c.nodeOn(newMetered(), keeps)
	defer slow.wire.let(math.MaxInt)
	idle := slow.conn.NumSubscriptions()
	type answer struct {
		events int
		err    error
	}
	open := func(ctx context.Context) <-chan answer {
		answers := make(chan answer, 1)
		go func() {
			s, err := slow.broker.Snapshot(ctx, "lobby", hub.Position{})
			answers <- answer{len(s.Events), err}
		}()
		return answers
	}
	// For the room, and for the answer.
	fetches := func() string { return fmt.Sprint(slow.conn.NumSubscriptions() >= idle+2) }

	slow.wire.let(part)
	ctx, cancel := context.WithCancelCause(t.Context())
	first, second := open(ctx), open(ctx)
	eventually(t, "true", fetches)
	before := slow.conn.Stats().InBytes
	gone := errors.New("gone")
	cancel(gone)
	assert.Equal(t, answer{err: gone}, <-first)
	assert.Equal(t, answer{err: gone}, <-second)
	assert.Zero(t, slow.broker.Rooms())
	eventually(t, fmt.Sprint(idle), func() string { return fmt.Sprint(slow.conn.NumSubscriptions()) })
	assert.Less(t, slow.conn.Stats().InBytes-before, uint64(many*size/2), "nothing more is fetched")

	slow.wire.let(math.MaxInt)
	assert.Equal(t, answer{events: many}, <-open(t.Context()))
	assert.Zero(t, slow.broker.Rooms())

	slow.wire.let(part)
	third := open(t.Context())
	eventually(t, "true", fetches)
	_ = slow.broker.Close(t.Context()) // members may be left, as nothing more comes
	assert.ErrorIs(t, (<-third).err, natsbroker.ErrClosed)
}
