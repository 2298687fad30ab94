package wsource_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// TestWhatABusySubscriberLeavesBehind has a busy subscriber leave while the next message
// waits. The next subscriber gets that message.
func TestWhatABusySubscriberLeavesBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		other := new(observable.Subject[wsource.Message])
		busy, release := observabletest.NewRecorder[wsource.Message](), make(chan struct{})
		busy.OnNext(func(wsource.Message) { <-release })
		merged := operators.Merge[wsource.Message](server, other)
		subscription := merged.Subscribe(t.Context(), busy)
		go other.Next(wsource.TextMessage("other"))
		settle()
		send(client, "1", "2", "3")
		settle()
		subscription.Unsubscribe()
		got := record[wsource.Message](t, server)
		close(release)
		client.Complete()
		require.NoError(t, got.ExpectEnd(t))
		assert.Equal(t, []string{"1", "2", "3"}, texts(got.Values()))
		assert.Equal(t, []string{"other"}, texts(busy.Values()))
	})
}

// TestMessagesAreReadOneByOne checks that a subscriber busy with another source holds up
// the peer as one busy with the socket itself does.
func TestMessagesAreReadOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat, CloseTimeout: time.Minute})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		other, far := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		got := observabletest.NewRecorder[wsource.Message]().OnNext(func(wsource.Message) { time.Sleep(time.Second) })
		operators.Merge[wsource.Message](server, far).Subscribe(context.Background(), got)
		for i := range 10 {
			send(client, fmt.Sprint("a", i))
			send(other, fmt.Sprint("b", i))
		}
		client.Complete()
		other.Complete()
		require.NoError(t, got.ExpectEnd(t))
		order := map[byte]int{}
		for _, text := range texts(got.Values()) {
			assert.Equal(t, fmt.Sprint(order[text[0]]), text[1:])
			order[text[0]]++
			assert.LessOrEqual(t, order['a']-order['b'], 2, "they take turns")
			assert.LessOrEqual(t, order['b']-order['a'], 2)
		}
		assert.Len(t, got.Values(), 20)
	})
}

// TestSubscribersComeAndGo has many subscribers take a message or some, at once and in
// turn. No message is lost, none comes twice to one subscriber.
func TestSubscribersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		const n = 1000
		go func() {
			for i := range n {
				send(client, fmt.Sprintf("%04d", i))
			}
			client.Complete()
		}()
		seen := make(chan string, 20*n)
		done := make(chan struct{})
		for worker := range 5 {
			go func() {
				defer func() { done <- struct{}{} }()
				last := ""
				for server.State() != wsource.Closed {
					messages := operators.Take[wsource.Message](server, 1+worker)
					_ = observable.ForEach(t.Context(), messages, func(m wsource.Message) {
						assert.Greater(t, m.String(), last, "in order, and once")
						last = m.String()
						seen <- last
					})
				}
			}()
		}
		for range 5 {
			<-done
		}
		close(seen)
		all := map[string]bool{}
		for text := range seen {
			all[text] = true
		}
		assert.Len(t, all, n)
	})
}
