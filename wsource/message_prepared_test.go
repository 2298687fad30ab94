package wsource_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// postings records the outcomes of postings.
type postings struct {
	mu   sync.Mutex
	told []*wsource.SendError
}

func (o *postings) Posted(_ *wsource.Posting, err *wsource.SendError) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, err)
}

func (o *postings) all() []*wsource.SendError {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.told
}

// One prepared message goes to sockets of every compression, among others.
func TestPreparedForEverySocket(t *testing.T) {
	for _, compression := range compressions {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat, Compression: compression})
			text := strings.Repeat("to all of you, ", 100)
			all := wsource.Prepare(wsource.TextMessage(text))
			owner := new(postings)
			for range 2 {
				client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, Compression: compression})
				got := record[wsource.Message](t, client)
				send(server, text)
				require.NoError(t, server.SendPrepared(t.Context(), all))
				send(server, text)
				server.Post(&wsource.Posting{Prepared: all, Owner: owner})
				send(server, text)
				server.Complete()
				require.NoError(t, got.ExpectEnd(t))
				assert.Equal(t, []string{text, text, text, text, text}, texts(got.Values()))
			}
			assert.Equal(t, []*wsource.SendError{nil, nil}, owner.all())
		})
	}
}

// A posting never waits for a peer that takes nothing, and can be taken back.
func TestPostDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		owner := new(postings)
		message := wsource.Prepare(wsource.BinaryMessage(make([]byte, 4096)))
		all := make([]*wsource.Posting, 2000) // more than a queue takes
		for i := range all {
			all[i] = &wsource.Posting{Prepared: message, Owner: owner}
			server.Post(all[i])
			if i == 100 {
				// A writer has these, and waits; the others are queued behind it.
				synctest.Wait()
			}
		}
		synctest.Wait()
		written := len(owner.all())
		last := all[len(all)-1]
		assert.True(t, server.Withdraw(last))
		assert.False(t, server.Withdraw(last), "once")
		assert.False(t, server.Withdraw(new(wsource.Posting)), "it was never posted")
		assert.Less(t, written, len(all)-1)
		server.CloseNow()
		<-server.Done()
		client.CloseNow()
		settle()
		told := owner.all()
		assert.Len(t, told, len(all)-1, "all but the one that was withdrawn")
		assert.ErrorIs(t, told[len(told)-1], wsource.ErrClosed)

		server.Post(last)
		told = owner.all()
		require.Len(t, told, len(all))
		assert.Equal(t, wsource.Unsent, told[len(told)-1].Outcome, "the socket is over")
	})
}

// A message that cannot be sent fails without a word to the peer.
func TestPreparedThatCannotBeSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		bad := wsource.Prepare(wsource.TextMessage("\xFF"))
		require.ErrorIs(t, bad.Err(), wsource.ErrInvalidUTF8)
		require.NoError(t, wsource.Prepare(wsource.TextMessage("good")).Err())
		assert.ErrorIs(t, server.SendPrepared(t.Context(), bad), wsource.ErrInvalidUTF8)
		owner := new(postings)
		server.Post(&wsource.Posting{Prepared: bad, Owner: owner})
		require.Len(t, owner.all(), 1)
		assert.ErrorIs(t, owner.all()[0], wsource.ErrInvalidUTF8)
		client.Complete()
		<-server.Done()
		err := server.SendPrepared(context.Background(), wsource.Prepare(wsource.TextMessage("late")))
		assert.ErrorIs(t, err, wsource.ErrClosed)
	})
}
