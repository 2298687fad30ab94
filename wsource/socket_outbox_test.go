package wsource_test

import (
	"context"
	"fmt"
	"io"
	"runtime"
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

// The outbox of a connection whose peer does not read: no sender waits, or all do, and
// each message is either sent or reported.
func TestOutboxOfAConnection(t *testing.T) {
	for _, overflow := range []observable.Overflow{
		observable.OverflowDropOldest, observable.OverflowDropNewest, observable.OverflowFail,
	} {
		for name, limit := range map[string]wsource.Outbox{
			"messages": {Messages: 10, Overflow: overflow},
			"bytes":    {Bytes: 50, Overflow: overflow},
		} {
			t.Run(fmt.Sprint(overflow, " by ", name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					hook := &events{kind: wsource.EventDropped}
					s := newSite(t, wsource.AcceptOptions{Outbox: limit, Heartbeat: noBeat, Hook: hook})
					client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, ReadLimit: 10 << 20})
					got := record[wsource.Message](t, client)
					lost := record(t, server.Undelivered())
					for range 30 { // no problem as long as the peer reads
						send(server, "12345")
						settle()
					}
					require.Empty(t, lost.Values())
					require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
					began := time.Now()
					// Is being written.
					server.Next(wsource.BinaryMessage(make([]byte, 4*wstest.DefaultBuffer)))
					settle()
					for i := range 30 {
						send(server, fmt.Sprintf("%05d", i))
					}
					assert.Equal(t, time.Millisecond, time.Since(began), "nobody waits")
					s.link().Resume(wstest.ToClient)
					settle()
					var dropped []string
					for _, se := range lost.Values() {
						assert.Equal(t, wsource.Unsent, se.Outcome)
						require.ErrorIs(t, se, wsource.ErrOutboxFull)
						dropped = append(dropped, se.Message.String())
					}
					assert.Len(t, hook.events(), len(dropped), "the Hook is told, too")
					sent := texts(got.Values())[31:]
					switch overflow {
					case observable.OverflowDropOldest:
						assert.Equal(t, span(20, 30), sent)
						assert.Equal(t, span(0, 20), dropped)
					case observable.OverflowDropNewest:
						assert.Equal(t, span(0, len(sent)), sent)
						// The first message is over it, until it is written.
						if limit.Bytes == 0 {
							assert.Len(t, sent, 9)
						}
						assert.Equal(t, span(len(sent), 30), dropped)
					default:
						assert.Empty(t, sent)
						assert.Len(t, dropped, 30)
						closed := requireClose(t, client.Err(), wsource.StatusTryAgainLater)
						assert.Equal(t, "too slow for the messages", closed.Reason)
						require.ErrorIs(t, server.Err(), wsource.ErrOutboxFull)
					}
				})
			})
		}
	}
}

// span returns the texts sent from one number to another.
func span(from, to int) []string {
	all := []string{}
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("%05d", i))
	}
	return all
}

// Send returns the outcome of a message in an outbox that drops some.
func TestSendIntoAnOutboxThatDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{
			Outbox: wsource.Outbox{Messages: 2, Overflow: observable.OverflowDropOldest}, Heartbeat: noBeat,
		})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		got := record[wsource.Message](t, client)
		require.NoError(t, server.Send(t.Context(), wsource.TextMessage("sent")))
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		result := func(ctx context.Context, text string) <-chan error {
			done := make(chan error, 1)
			go func() { done <- server.Send(ctx, wsource.TextMessage(text)) }()
			settle()
			return done
		}
		writing := result(t.Context(), strings.Repeat("x", 4*wstest.DefaultBuffer))
		oldest := result(t.Context(), "oldest")
		ctx, cancel := context.WithCancelCause(t.Context())
		calledOff := result(ctx, "called off")
		cancel(io.ErrNoProgress)
		require.ErrorIs(t, requireSend(t, <-calledOff, wsource.Unsent), io.ErrNoProgress)
		second, third := result(t.Context(), "second"), result(t.Context(), "third")
		require.ErrorIs(t, requireSend(t, <-oldest, wsource.Unsent), wsource.ErrOutboxFull)
		ctx, cancel = context.WithCancelCause(t.Context())
		unknown := result(ctx, "fourth")
		require.ErrorIs(t, requireSend(t, <-second, wsource.Unsent), wsource.ErrOutboxFull)
		s.link().Resume(wstest.ToClient)
		for _, done := range []<-chan error{writing, third, unknown} {
			require.NoError(t, <-done)
		}
		cancel(nil)
		settle()
		assert.Equal(t, []string{"third", "fourth"}, texts(got.Values())[2:])
	})
}

// The observer of a dropped message may end its goroutine: each drop is reported all the
// same.
func TestOutboxIsToldOfThoughAGoroutineEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told atomic.Int32
		s := newSite(t, wsource.AcceptOptions{
			Outbox: wsource.Outbox{Messages: 5, Overflow: observable.OverflowFail}, Heartbeat: noBeat,
			Hook: wsource.HookFunc(func(e wsource.Event) {
				if e.Kind == wsource.EventDropped {
					told.Add(1)
					runtime.Goexit()
				}
			}),
		})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		record[wsource.Message](t, client)
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		server.Next(wsource.BinaryMessage(make([]byte, 4*wstest.DefaultBuffer)))
		settle()
		go send(server, span(0, 10)...)
		settle()
		assert.EqualValues(t, 5, told.Load(), "four have waited, and one has found no room")
		s.link().Resume(wstest.ToClient)
	})
}

// A connection with a bound of its own makes its senders wait at that bound.
func TestOutboxThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Outbox: wsource.Outbox{Messages: 3}, Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, ReadLimit: 10 << 20})
		got := record[wsource.Message](t, client)
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		// Its sender is stuck with it.
		go server.Next(wsource.BinaryMessage(make([]byte, 4*wstest.DefaultBuffer)))
		settle()
		var sent atomic.Int32
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 10 {
				send(server, fmt.Sprint(i))
				sent.Add(1)
			}
		}()
		settle()
		assert.EqualValues(t, 2, sent.Load())
		s.link().Resume(wstest.ToClient)
		<-done
		settle()
		assert.Len(t, got.Values(), 11)
	})
}
