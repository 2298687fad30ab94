package session

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestTextsThatBeginWithNUL arrive as they are, and so do empty ones.
func TestTextsThatBeginWithNUL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, nil)
		all := []string{"\x00", "", "\x00\x00", "\x00ack 1", "\x00\x00end 1000 ", "a\x00"}
		send(b.client.s, all...)
		send(b.server.s, all...)
		synctest.Wait()
		assert.Equal(t, all, b.server.got())
		assert.Equal(t, all, b.client.got())
		b.finish()
	})
}

// TestNoBytes: a message of the application costs no byte, and acknowledgements less than
// one each.
func TestNoBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, nil)
		const count, size = 10_000, 100
		up, down := b.link().Passed(wstest.ToServer), b.link().Passed(wstest.ToClient)
		for range count {
			b.server.s.Next(strings.Repeat("x", size))
		}
		wait(2 * time.Second)
		assert.Len(t, b.client.got(), count)
		up, down = b.link().Passed(wstest.ToServer)-up, b.link().Passed(wstest.ToClient)-down
		assert.Less(t, down, count*(size+2)+100, "messages with the headers of their frames, and a few times ask")
		assert.Less(t, up, count/5, "acknowledgements")
		t.Logf("%d messages of %d bytes: %d bytes of acknowledgements", count, size, up)
		b.finish()
	})
}

// TestEchoOfMuch: each side sends more than a window in the observer of values. An
// acknowledgement is read although the reader waits for it.
func TestEchoOfMuch(t *testing.T) {
	t.Parallel()
	for _, outbox := range []Outbox{{}, {Messages: 3}, {Messages: 100_000, Bytes: 64 << 20}} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, ServerConfig[string]{Outbox: outbox}, func(ctx context.Context, s *text) error {
				return observable.ForEach(ctx, s, func(v string) {
					for i := range 3 {
						s.Next(v + "." + strconv.Itoa(i))
					}
				})
			})
			client := s.client(&Config[string]{Outbox: outbox})
			w := watch(client).listen()
			for i := range 3000 {
				client.Next(strconv.Itoa(i) + strings.Repeat(" ", 200))
			}
			wait(time.Minute)
			got := w.got()
			require.Len(t, got, 9000)
			for i, v := range got {
				require.Equal(t, fmt.Sprintf("%d%s.%d", i/3, strings.Repeat(" ", 200), i%3), v)
			}
			assert.NoError(t, client.Shutdown(t.Context()))
			wait(time.Second)
		})
	}
}

// TestSendWaitsInAnObserver: the message that a Send of an observer waits for is read
// meanwhile.
func TestSendWaitsInAnObserver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, ServerConfig[string]{Outbox: Outbox{Messages: 1}}, func(ctx context.Context, s *text) error {
			return observable.ForEach(ctx, s, func(v string) {
				for i := range 10 {
					assert.NoError(t, s.Send(ctx, v+strconv.Itoa(i)))
				}
			})
		})
		client := s.client(nil)
		w := watch(client).listen()
		send(client, "a", "b")
		wait(time.Minute)
		assert.Equal(t, append(numbers("a", 0, 9), numbers("b", 0, 9)...), w.got())
		assert.NoError(t, client.Shutdown(t.Context()))
	})
}

// TestOverflow: the policies in an outage that the outbox is too small for.
func TestOverflow(t *testing.T) {
	t.Parallel()
	for _, overflow := range []observable.Overflow{
		observable.OverflowBlock, observable.OverflowDropOldest, observable.OverflowDropNewest, observable.OverflowFail,
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoth(t, ServerConfig[string]{Outbox: Outbox{Messages: 4, Overflow: overflow}}, nil)
			require.NoError(t, b.network.OnEveryDial(wstest.Refuse()))
			// Two are sent and lost.
			require.NoError(t, b.link().Inject(wstest.Stall(wstest.ToClient, 0)))
			send(b.server.s, "1", "2")
			synctest.Wait()
			require.NoError(t, b.link().Inject(wstest.Reset(wstest.ToServer, 0)))
			b.client.s.Reconnect(nil)
			wait(time.Second)
			blocked := true
			go func() {
				send(b.server.s, "3", "4", "5", "6", "7")
				blocked = false
			}()
			wait(time.Second)
			assert.Equal(t, overflow == observable.OverflowBlock, blocked)
			require.NoError(t, b.network.OnEveryDial())
			wait(time.Minute)
			b.network.Link(1).Resume(wstest.ToClient)
			wait(time.Second)
			switch status := b.client.lastStatus(); overflow {
			case observable.OverflowBlock:
				assert.Equal(t, Recovered, status.Kind)
				assert.Equal(t, numbers("", 1, 7), b.client.got())
			case observable.OverflowDropOldest:
				assert.Equal(t, Gap, status.Kind)
				assert.Equal(t, Range{1, 2}, status.LostIn)
				assert.Equal(t, Range{1, 2}, b.server.lastStatus().LostOut)
				assert.Equal(t, numbers("", 4, 7), b.client.got())
				require.Len(t, b.server.undelivered, 1, "3 had not been sent")
				assert.ErrorIs(t, b.server.undelivered[0], wsource.ErrOutboxFull)
			case observable.OverflowDropNewest:
				assert.Equal(t, Recovered, status.Kind)
				assert.Equal(t, numbers("", 1, 4), b.client.got())
				assert.Len(t, b.server.undelivered, 3)
			case observable.OverflowFail:
				assert.Equal(t, Fresh, status.Kind)
				assert.Empty(t, b.client.got())
			}
			b.finish()
		})
	}
}

// TestOverflowEndsTheSession: both sides are told.
func TestOverflowEndsTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{Outbox: Outbox{Messages: 4, Overflow: observable.OverflowFail}}, nil)
		// No acknowledgement.
		require.NoError(t, b.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		send(b.server.s, "1", "2", "3", "4", "5", "6")
		synctest.Wait()
		var overflow *OverflowError
		_, err := b.server.end()
		require.ErrorAs(t, err, &overflow)
		assert.Equal(t, 4, overflow.Messages)
		assert.Len(t, b.server.undelivered, 6)
		b.link().Resume(wstest.ToServer)
		synctest.Wait()
		assert.Equal(t, []string{"1", "2", "3", "4"}, b.client.got())
		_, err = b.client.end()
		require.ErrorAs(t, err, &overflow)
		assert.True(t, overflow.Remote)
		assert.Zero(t, b.sessions.Len())
	})
}

// TestAge: messages that were kept for too long are let go; the gap tells the lost ones.
func TestAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{Outbox: Outbox{Age: 8 * time.Second}}, &Config[string]{
			Subject: wsource.SubjectConfig[string]{Reconnect: &backoff.Config{Max: 200 * time.Millisecond}},
		})
		require.NoError(t, b.network.OnEveryDial(wstest.Refuse()))
		require.NoError(t, b.link().Inject(wstest.Stall(wstest.ToClient, 0)))
		send(b.server.s, "1", "2")
		synctest.Wait()
		b.client.s.Reconnect(nil)
		require.NoError(t, b.link().Inject(wstest.Reset(wstest.ToServer, 0)))
		wait(5 * time.Second)
		b.network.Link(1).Resume(wstest.ToClient)
		synctest.Wait()
		send(b.server.s, "3", "4")
		wait(4 * time.Second)
		send(b.server.s, "5")
		wait(5 * time.Second) // "5" is young enough
		require.NoError(t, b.network.OnEveryDial())
		wait(time.Second)
		assert.Equal(t, Gap, b.client.lastStatus().Kind)
		assert.Equal(t, Range{1, 2}, b.client.lastStatus().LostIn)
		assert.Equal(t, []string{"5"}, b.client.got())
		require.Len(t, b.server.undelivered, 2)
		assert.ErrorIs(t, b.server.undelivered[0], wsource.ErrExpired)
		b.finish()
	})
}

// TestRequestsGoOn: a request whose connection breaks gets its answer, and topics are not
// subscribed again.
func TestRequestsGoOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var heard []string
		s := newSite(t, ServerConfig[string]{}, func(ctx context.Context, s *text) error {
			return observable.ForEach(ctx, s, func(v string) {
				heard = append(heard, v)
				if n, isRequest := strings.CutPrefix(v, "ask "); isRequest {
					time.AfterFunc(5*time.Second, func() { s.Next("answer " + n) })
				}
			})
		})
		client := s.client(nil)
		requests := wsource.NewRequests(client.Subject, wsource.RequestsConfig[string, string]{
			SetID: func(_ string, id uint64) string { return fmt.Sprint("ask ", id) },
			ID: func(v string) (id uint64, ok bool) {
				_, err := fmt.Sscanf(v, "answer %d", &id)
				return id, err == nil
			},
		})
		topics := wsource.NewTopics(client.Subject, wsource.TopicsConfig[string, string, string]{
			Subscribe: func(topic string) string { return "+" + topic }, Unsubscribe: func(topic string) string { return "-" + topic },
			Topic: func(v string) (string, bool) { return "t", strings.HasPrefix(v, "t") },
		})
		sub := topics.Topic("t").Subscribe(t.Context(), onNext(func(string) {}))
		time.AfterFunc(2*time.Second, s.cut)
		answer, err := requests.Do(t.Context(), "")
		assert.NoError(t, err)
		assert.Equal(t, "answer 1", answer)
		assert.Equal(t, 2, s.network.Dials())
		assert.Equal(t, []string{"+t", "ask 1"}, heard)
		sub.Unsubscribe()
		wait(time.Second)
		assert.Zero(t, s.sessions.Len(), "the last subscriber has left")
	})
}

// TestSeveralSenders: messages of several goroutines come once, those of each in order,
// while connections break.
func TestSeveralSenders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, &Config[string]{Outbox: Outbox{Messages: 7}})
		var senders sync.WaitGroup
		for i := range 4 {
			senders.Go(func() {
				for n := range 300 {
					v := fmt.Sprintf("%d %d", i, n)
					if n%3 == 0 {
						assert.NoError(t, b.client.s.Send(t.Context(), v))
					} else {
						b.client.s.Next(v)
					}
					if n%10 == 0 {
						time.Sleep(time.Millisecond)
					}
				}
			})
		}
		for range 20 {
			wait(20 * time.Millisecond)
			b.client.s.Reconnect(nil)
		}
		senders.Wait()
		wait(time.Second)
		next := make([]int, 4)
		for _, v := range b.server.got() {
			var from, n int
			_, err := fmt.Sscanf(v, "%d %d", &from, &n)
			require.NoError(t, err)
			require.Equal(t, next[from], n)
			next[from]++
		}
		assert.Equal(t, []int{300, 300, 300, 300}, next)
		b.finish()
	})
}

// TestSendIsTakenBack: a Send whose context ends while there is no connection is
// certainly not sent.
func TestSendIsTakenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, nil)
		require.NoError(t, b.network.OnEveryDial(wstest.Refuse()))
		b.cut()
		synctest.Wait()
		send(b.client.s, "1")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := b.client.s.Send(ctx, "2")
		var failed *wsource.SendError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, wsource.Unsent, failed.Outcome)
		send(b.client.s, "3")
		err = b.client.s.SendAs(t.Context(), "4", wsource.Delivery{Volatile: true})
		assert.ErrorIs(t, err, wsource.ErrNotOpen)
		require.NoError(t, b.network.OnEveryDial())
		wait(time.Minute)
		assert.Equal(t, []string{"1", "3"}, b.server.got())
		b.finish()
	})
}
