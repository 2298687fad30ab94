package wsource_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A message that does not fit by bytes replaces a keyed one: the first sender gets an
// error.
func TestReplacedByBytes(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Outbox: wsource.Outbox{Bytes: 100}})
		key := wsource.Delivery{Key: "k"}
		first := make(chan error, 1)
		go func() { first <- subject.SendAs(context.Background(), strings.Repeat("a", 10), key) }()
		settle()
		subject.Next(strings.Repeat("b", 90))
		second := make(chan error, 1)
		go func() { second <- subject.SendAs(context.Background(), strings.Repeat("c", 50), key) }()
		settle()
		_, sub := listen(t, subject)
		far := s.accept()
		time.Sleep(time.Minute)
		assert.Len(t, far.heard(), 2)
		require.NoError(t, <-second)
		require.Len(t, first, 1, "it was replaced")
		requireUnsent(t, <-first, wsource.ErrReplaced)
		sub.Unsubscribe()
	})
}

// The same with Next: Undelivered reports it.
func TestReplacedByBytesNext(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{
			Outbox: wsource.Outbox{Bytes: 100},
			Delivery: func(v string) wsource.Delivery {
				if v[0] == 'b' {
					return wsource.Delivery{}
				}
				return wsource.Delivery{Key: "k"}
			},
		})
		lost := record(t, subject.Undelivered())
		subject.Next(strings.Repeat("a", 10))
		subject.Next(strings.Repeat("b", 90))
		go subject.Next(strings.Repeat("c", 50))
		settle()
		_, sub := listen(t, subject)
		far := s.accept()
		assert.Len(t, far.heard(), 2)
		assert.Len(t, lost.Values(), 1, "a was replaced")
		sub.Unsubscribe()
	})
}

// fill fills the socket's queue, and makes a sender wait for room.
func fill(subject *wsource.Subject[string, string]) {
	for range 1022 {
		subject.Next("filler")
	}
	go func() {
		for range 10 {
			subject.Next("filler")
		}
	}()
	settle()
}

// A message whose sender waits for room in the socket's queue does not go out after its
// TTL.
func TestTTLWaitingForRoomInTheSocket(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject, sub, far := s.jammed(wsource.SubjectConfig[string]{})
		fill(subject)
		result := make(chan error, 1)
		go func() {
			result <- subject.SendAs(context.Background(), "short-lived", wsource.Delivery{TTL: time.Second})
		}()
		time.Sleep(time.Minute)
		assert.Len(t, result, 1, "the sender is told when the time is over")
		s.unjam()
		heard := far.heard()
		assert.NotContains(t, heard, "short-lived", "sent a minute after a TTL of a second")
		sub.Unsubscribe()
	})
}

// Of two messages that wait there with one key, the later one goes.
func TestKeyWaitingForRoomInTheSocket(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject, sub, far := s.jammed(wsource.SubjectConfig[string]{})
		fill(subject)
		result := make(chan error, 2)
		for i := range 2 {
			go func() {
				result <- subject.SendAs(context.Background(), fmt.Sprint("state ", i), wsource.Delivery{Key: "k"})
			}()
			settle()
		}
		s.unjam()
		heard := far.heard()
		assert.NotContains(t, heard, "state 0", "there was a later one that was not written")
		sub.Unsubscribe()
	})
}

// Senders replace each other's messages on their way to the socket.
func TestKeyedRace(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		_, sub := listen(t, subject)
		s.accept()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 2000 {
					ctx, cancel := context.WithCancel(context.Background())
					_ = subject.SendAs(ctx, "x", wsource.Delivery{Key: "k"})
					cancel()
				}
			})
		}
		wg.Wait()
		sub.Unsubscribe()
	})
}
