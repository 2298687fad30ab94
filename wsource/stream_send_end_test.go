package wsource_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestCloseInMidMessage(t *testing.T) {
	for name, test := range map[string]struct {
		begun      bool // a part was written
		late       bool // the reader goes on in time
		code, want wsource.StatusCode
	}{
		"in time, begun":      {true, true, 1000, 1000},
		"in time, not begun":  {false, true, 4001, 4001},
		"stuck, begun, 1000":  {true, false, 1000, wsource.StatusInternalError},
		"stuck, begun, other": {true, false, 4001, 4001},
		"stuck, not begun":    {false, false, 1000, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newSite(t, wsource.AcceptOptions{}).pair(&wsource.DialOptions{CloseTimeout: 10 * time.Second})
				got := record[wsource.Message](t, server)
				var all []string
				if test.begun {
					all = []string{"some"}
				}
				r, letGo := stuck(all...)
				sent, queued := make(chan error, 1), make(chan error, 1)
				go func() { sent <- client.SendReader(t.Context(), wsource.Text, r) }()
				settle()
				go func() { queued <- client.SendReader(t.Context(), wsource.Text, strings.NewReader("queued")) }()
				settle()
				send(client, "behind")
				start := time.Now()
				require.NoError(t, client.Close(test.code, ""))
				if test.late {
					time.Sleep(4 * time.Second)
					letGo()
				}
				<-client.Done()
				<-server.Done()
				took := time.Since(start)
				assert.Equal(t, test.want, wsource.CloseStatus(got.ExpectEnd(t)))
				assert.Equal(t, test.want, wsource.CloseStatus(client.Err()), "no time-out: there was a close frame")
				switch {
				case test.late:
					require.NoError(t, <-sent)
					require.NoError(t, <-queued)
					assert.Equal(t, []string{strings.Join(all, ""), "queued", "behind"}, texts(got.Values()))
					return
				case test.begun:
					requireSend(t, <-queued, wsource.Unsent)
					assert.Empty(t, got.Values())
				default:
					require.ErrorIs(t, requireSend(t, <-queued, wsource.Unsent), wsource.ErrClosed)
					assert.Equal(t, []string{"behind"}, texts(got.Values()))
				}
				assert.InDelta(t, 5*time.Second, took, float64(time.Second))
				letGo()
				require.ErrorIs(t, requireSend(t, <-sent, map[bool]wsource.Outcome{true: wsource.Partial}[test.begun]), wsource.ErrClosed)
			})
		})
	}
}

func TestEndOfTheConnectionInMidMessage(t *testing.T) {
	for name, end := range map[string]func(s *site, client, server *wsource.Socket){
		"the peer's Close": func(_ *site, _, server *wsource.Socket) { server.Complete() },
		"its CloseNow":     func(_ *site, _, server *wsource.Socket) { server.CloseNow() },
		"CloseNow":         func(_ *site, client, _ *wsource.Socket) { client.CloseNow() },
		"a reset": func(s *site, _, server *wsource.Socket) {
			assert.NoError(s.t, s.link().Inject(wstest.Reset(wstest.ToClient, 0)))
			send(server, "x")
		},
		"a peer that breaks the rules": func(s *site, _, server *wsource.Socket) {
			assert.NoError(s.t, s.link().Inject(wstest.Corrupt(wstest.ToClient, 0, 0xF)))
			send(server, "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{})
				client, server := s.pair(nil)
				got := record[wsource.Message](t, server)
				r, letGo := stuck("some")
				sent := make(chan error, 1)
				go func() { sent <- client.SendReader(t.Context(), wsource.Text, r) }()
				settle()
				lost := record(t, client.Undelivered())
				send(client, "behind")
				start := time.Now()
				end(s, client, server)
				<-client.Done()
				assert.Less(t, time.Since(start), 3*time.Second, "the reader has half of the close timeout, if there is a handshake")
				<-server.Done()
				assert.Empty(t, got.Values())
				require.NoError(t, lost.ExpectEnd(t))
				assert.Len(t, lost.Values(), 1)
				letGo()
				requireStream(t, <-sent, wsource.Partial, 4)
				requireStream(t, client.SendReader(t.Context(), wsource.Text, nil), wsource.Unsent, 0)
				requireStream(t, client.SendReader(t.Context(), wsource.Text, r), wsource.Unsent, 0)
			})
		})
	}
}

func TestSendReaderWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		got := record[wsource.Message](t, server)
		r, letGo := stuck("some")
		sent := make(chan error, 2)
		go func() { sent <- client.SendReader(t.Context(), wsource.Text, r) }()
		settle()
		for range 1023 { // beside the message being sent
			send(client, "x")
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, io.ErrNoProgress)
		defer cancel()
		never := readerFunc(func([]byte) (int, error) { panic("it is not asked") })
		require.ErrorIs(t, requireStream(t, client.SendReader(ctx, wsource.Text, never), wsource.Unsent, 0), io.ErrNoProgress)
		require.ErrorIs(t, client.SendReader(ctx, wsource.Text, never), io.ErrNoProgress)
		go func() { sent <- client.SendReader(t.Context(), wsource.Text, strings.NewReader("last")) }()
		settle()
		letGo()
		require.NoError(t, <-sent)
		require.NoError(t, <-sent)
		settle()
		all := texts(got.Values())
		require.Len(t, all, 1025)
		assert.Equal(t, "some", all[0])
		assert.Equal(t, "last", all[1024])
		// A message that cannot be sent fails at once.
		var argument *observable.ArgumentError
		require.ErrorAs(t, client.SendReader(nil, wsource.Text, never), &argument) //nolint:staticcheck // the case of the test
		require.ErrorAs(t, client.SendReader(ctx, wsource.Text, nil), &argument)
		require.ErrorAs(t, client.SendReader(t.Context(), 2, never), &argument)
	})
}

func TestStalledStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		sent := make(chan error, 1)
		var read atomic.Int64
		go func() {
			sent <- client.SendReader(t.Context(), wsource.Binary, readerFunc(func(p []byte) (int, error) {
				read.Add(int64(len(p)))
				return len(p), nil
			}))
		}()
		settle()
		assert.Less(t, read.Load(), int64(2*wstest.DefaultBuffer), "a slow peer slows the reader")
		client.Complete()
		<-client.Done()
		require.ErrorIs(t, client.Err(), wsource.ErrCloseTimeout)
		requireSend(t, <-sent, wsource.Partial)
		s.link().Resume(wstest.ToServer)
		<-server.Done()
	})
}

// TestCutStreamIsNoMessage cuts the connection after each byte of a streamed message.
func TestCutStreamIsNoMessage(t *testing.T) {
	text := strings.Repeat("compressible text ", 40)
	converse := func(t *testing.T, compression wsource.Compression, cut int) (total int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{Compression: compression})
			client, server := s.pair(&wsource.DialOptions{Compression: compression})
			got := record[wsource.Message](t, server)
			before := s.link().Passed(wstest.ToServer)
			if cut >= 0 {
				require.NoError(t, s.link().Inject(wstest.Reset(wstest.ToServer, cut)))
			}
			err := client.SendReader(t.Context(), wsource.Text, pieces(ended, text[:200], text[200:600], text[600:]))
			settle()
			total = s.link().Passed(wstest.ToServer) - before
			if cut < 0 {
				require.NoError(t, err)
				assert.Equal(t, []string{text}, texts(got.Values()))
				return
			}
			requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
			assert.Empty(t, got.Values(), "cut after %d bytes", cut)
			<-client.Done()
			requireClose(t, client.Err(), wsource.StatusAbnormalClosure)
			// The write that crosses the cut succeeds; it may be the last one.
			if err != nil {
				var se *wsource.SendError
				require.ErrorAs(t, err, &se)
				require.Equal(t, cut == 0, se.Outcome == wsource.Unsent, "%v after %d bytes", err, cut)
			}
		})
		return total
	}
	for _, compression := range compressions {
		t.Run(fmt.Sprint("compression ", compression), func(t *testing.T) {
			total := converse(t, compression, -1)
			for cut := range total {
				converse(t, compression, cut)
			}
		})
	}
}
