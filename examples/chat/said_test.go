package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A repeated line is known for as long as the room keeps it.
func TestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lately
		said := 0
		say := func(room, user, id string) {
			t.Helper()
			require.NoError(t, l.once(t.Context(), room, user, id, func() error { said++; return nil }))
		}
		wants := func(n int) {
			t.Helper()
			assert.Equal(t, n, said)
			said = 0
		}
		for range 2 {
			say("lobby", "ann", "1")
			say("lobby", "bob", "1")
			say("garden", "ann", "1")
		}
		wants(3)
		say("lobby", "ann", "")
		say("lobby", "ann", "")
		wants(2) // these have no ID
		for n := range pastLines - 1 {
			say("lobby", "eve", fmt.Sprint(n))
		}
		said = 0
		say("lobby", "bob", "1")
		wants(0)
		say("lobby", "ann", "1") // the room has no place for the first one any more
		wants(1)
		time.Sleep(pastAge + time.Second)
		say("lobby", "bob", "1")
		wants(1)
		assert.Len(t, l.rooms, 1, "nothing is kept of a room that nobody has spoken in")
	})
}

// A line that could not be said is said by the next connection, which waits for its
// outcome.
func TestOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errBroken := errors.New("broken")
		var l lately
		goOn, first, second := make(chan struct{}), make(chan error, 1), make(chan error, 1)
		said := 0
		go func() {
			first <- l.once(t.Context(), "lobby", "ann", "1", func() error { <-goOn; return errBroken })
		}()
		synctest.Wait()
		over, cancel := context.WithCancelCause(t.Context())
		cancel(errBroken)
		require.ErrorIs(t, l.once(over, "lobby", "ann", "1", func() error { said++; return nil }), errBroken)
		go func() {
			second <- l.once(t.Context(), "lobby", "ann", "1", func() error { said++; return nil })
		}()
		synctest.Wait()
		assert.Zero(t, said)
		close(goOn)
		require.ErrorIs(t, <-first, errBroken)
		require.NoError(t, <-second)
		assert.Equal(t, 1, said)

		assert.Panics(t, func() { _ = l.once(t.Context(), "lobby", "ann", "2", func() error { panic("full") }) })
		require.NoError(t, l.once(t.Context(), "lobby", "ann", "2", func() error { said++; return nil }))
		assert.Equal(t, 2, said)
	})
}
