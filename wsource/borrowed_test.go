package wsource_test

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// spoil overwrites the data of each message once the stages behind have handled it, as a
// connection does with its next read.
func spoil(m wsource.Message) {
	for i := range m.Data {
		m.Data[i] = '#'
	}
}

func TestBorrowedMessagesAreSentBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		server.Borrowed().Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
			OnNext: func(m wsource.Message) {
				assert.True(t, m.Borrowed())
				server.Next(m)
				server.Next(m)
				spoil(m)
			},
		})
		got := record[wsource.Message](t, client)
		var want []string
		for range 30 { // few leave before the connection takes no more
			text := string(bytes.Repeat([]byte{byte('a' + len(want)%26)}, 20_000))
			want = append(want, text, text)
			send(client, text)
		}
		settle()
		s.link().Resume(wstest.ToClient)
		settle()
		assert.Equal(t, want, texts(got.Values()))
		client.Complete()
		_ = got.ExpectEnd(t)
	})
}

func TestBorrowedBesideOwned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, borrowedFirst := range map[string]bool{"borrowed first": true, "owned first": false} {
			s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
			client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
			owned, borrowed := observabletest.NewRecorder[wsource.Message](), observabletest.NewRecorder[wsource.Message]()
			borrow := func() { server.Borrowed().Subscribe(context.Background(), borrowed) }
			if borrowedFirst {
				borrow()
			}
			server.Subscribe(context.Background(), owned)
			if !borrowedFirst {
				borrow()
			}
			send(client, "one", "two", "three")
			settle()
			assert.Equal(t, []string{"one", "two", "three"}, texts(owned.Values()), name)
			assert.Len(t, borrowed.Values(), 3, name)
			for _, m := range owned.Values() {
				assert.False(t, m.Borrowed(), name)
			}
			client.Complete()
			_ = owned.ExpectEnd(t)
			_ = borrowed.ExpectEnd(t)
		}
	})
}

// TestBorrowedOfManySizes goes through the read buffers for messages of each size.
func TestBorrowedOfManySizes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat, ReadLimit: 1 << 20})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, ReadLimit: 1 << 20})
		got := record[wsource.Message](t, client)
		server.Borrowed().Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
			OnNext: server.Next,
		})
		var want []string
		for i, size := range []int{0, 1, 125, 300, 4096, 16 << 10, 17 << 10, 40_000, 64 << 10, 70_000, 300_000} {
			text := string(bytes.Repeat([]byte{byte('a' + i)}, size))
			want = append(want, text)
			send(client, text)
		}
		settle()
		assert.Equal(t, want, texts(got.Values()))
		client.Complete()
		_ = got.ExpectEnd(t)
	})
}

// TestBorrowedIsCopiedWhereItIsKept sends borrowed messages in each way and overwrites
// the data when the call has returned.
func TestBorrowedIsCopiedWhereItIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		got := record[wsource.Message](t, server)
		borrowed := func(text string) wsource.Message { return wsource.BorrowedMessage(wsource.Text, []byte(text)) }

		m := borrowed("prepared")
		prepared := wsource.Prepare(m)
		spoil(m)
		require.NoError(t, client.SendPrepared(t.Context(), prepared))

		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		large := string(bytes.Repeat([]byte{'a'}, 1<<20))
		m = borrowed(large)
		require.Error(t, client.Send(ctx, m)) // it is being written when ctx ends
		spoil(m)
		m = borrowed("queued")
		go func(m wsource.Message) {
			client.Next(m)
			spoil(m)
		}(m)
		settle()
		s.link().Resume(wstest.ToServer)
		settle()
		assert.Equal(t, []string{"prepared", large, "queued"}, texts(got.Values()))

		lost := record(t, client.Undelivered())
		m = borrowed("\xff")
		client.Next(m)
		spoil(m)
		client.CloseNow()
		assert.Equal(t, "\xff", lost.Values()[0].Message.String())
		assert.False(t, lost.Values()[0].Message.Borrowed())
		_ = got.ExpectEnd(t)
	})
}

// TestBorrowedThatIsCutIsOwned breaks the connection while a borrowed message is written
// by its sender.
func TestBorrowedThatIsCutIsOwned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		lost, end := record(t, client.Undelivered()), record[wsource.Message](t, server)
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		text := string(bytes.Repeat([]byte{'a'}, 30_000))
		done := make(chan struct{})
		go func() {
			defer close(done)
			for client.State() == wsource.Open { // until the connection takes no more
				m := wsource.BorrowedMessage(wsource.Text, []byte(text))
				client.Next(m)
				spoil(m)
				settle()
			}
		}()
		time.Sleep(time.Second)
		require.NoError(t, s.link().Inject(wstest.Reset(wstest.ToServer, 0)))
		s.link().Resume(wstest.ToServer)
		<-done
		_ = lost.ExpectEnd(t)
		_ = end.ExpectEnd(t)
		require.NotEmpty(t, lost.Values())
		for _, err := range lost.Values() {
			assert.Equal(t, text, err.Message.String())
			assert.False(t, err.Message.Borrowed())
		}
	})
}

func TestOwned(t *testing.T) {
	data := []byte("data")
	owned := wsource.BinaryMessage(data)
	assert.Same(t, &data[0], &owned.Owned().Data[0])
	m := wsource.BorrowedMessage(wsource.Binary, data).Owned()
	spoil(owned)
	assert.Equal(t, wsource.BinaryMessage([]byte("data")), m)
}
