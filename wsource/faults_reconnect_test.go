package wsource_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Subscriptions that come and go at each step of a reconnect.

// slowReconnect is a network with time between the steps of a reconnect: the break shows
// after 20 ms, the next dial comes up to 40 ms later, and a handshake takes some 100 ms,
// in pieces.
func slowReconnect(t *testing.T) *site {
	t.Helper()
	s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
	require.NoError(t, s.network.OnEveryDial(
		wstest.Delay(wstest.ToServer, 20*time.Millisecond), wstest.Delay(wstest.ToClient, 20*time.Millisecond),
		wstest.Throttle(wstest.ToServer, 6000), wstest.Throttle(wstest.ToClient, 6000),
	))
	return s
}

// reconnectSteps are the instants of the tests' actions, from the break on; longEnough is
// after the last step.
const (
	reconnectStep = 5 * time.Millisecond
	longEnough    = 400 * time.Millisecond
)

// slowConfig is the configuration of a subject on that network. The hook holds up a
// connection that has opened.
func slowConfig() *wsource.SubjectConfig[string] {
	return &wsource.SubjectConfig[string]{
		Reconnect: &backoff.Config{Base: 40 * time.Millisecond, Max: 40 * time.Millisecond},
		Dial: wsource.DialOptions{Heartbeat: noBeat, CloseTimeout: time.Second, Hook: wsource.HookFunc(func(e wsource.Event) {
			if e.Kind == wsource.EventOpened {
				time.Sleep(2 * reconnectStep)
			}
		})},
	}
}

// slowly makes the message that begins or ends a topic, which takes a while.
func slowly(sign string) func(topic string) string {
	return func(topic string) string {
		time.Sleep(2*reconnectStep + time.Millisecond)
		return sign + topic
	}
}

// streams makes the streams of topics that share a subject.
type streams func(*wsource.Subject[string, string]) func(topic string) observable.Observable[string]

// unsubscribeAtEachStep ends subscriptions of topics, of both kinds, at each step of a
// reconnect.
func unsubscribeAtEachStep(t *testing.T, count *faultCount) {
	t.Helper()
	for name, of := range map[string]streams{
		"multiplex": func(subject *wsource.Subject[string, string]) func(string) observable.Observable[string] {
			return func(topic string) observable.Observable[string] {
				begin, end := func() string { return slowly("+")(topic) }, func() string { return slowly("-")(topic) }
				return subject.Multiplex(begin, end, func(value string) bool { return value[:1] == topic })
			}
		},
		"topics": func(subject *wsource.Subject[string, string]) func(string) observable.Observable[string] {
			return topicsOf(subject, func(c *wsource.TopicsConfig[string, string, string]) {
				c.Subscribe, c.Unsubscribe = slowly("+"), slowly("-")
			}).Topic
		},
		"lingering topics": func(subject *wsource.Subject[string, string]) func(string) observable.Observable[string] {
			return topicsOf(subject, func(c *wsource.TopicsConfig[string, string, string]) {
				c.Subscribe, c.Unsubscribe, c.Linger = slowly("+"), slowly("-"), 6*reconnectStep
			}).Topic
		},
	} {
		for _, back := range []time.Duration{-1, 0, reconnectStep, 10 * reconnectStep} {
			for at := time.Duration(0); at < longEnough; at += reconnectStep {
				count.try(t, fmt.Sprintf("%s at %v back after %v", name, at, back), func(t *testing.T) {
					unsubscribeAt(t, of, at, back)
				})
			}
		}
	}
}

// unsubscribeAt ends one of three subscriptions some time after the connection has
// broken, and begins another one of the same topic later, unless that is negative.
func unsubscribeAt(t *testing.T, of streams, at, back time.Duration) {
	t.Helper()
	s := slowReconnect(t)
	subject := s.subject(slowConfig())
	topic := of(subject)
	got := map[string]*observabletest.Recorder[string]{}
	subs := map[string]observable.Subscription{}
	wanted := []string{"a", "b", "c"}
	subscribe := func(name string) { got[name], subs[name] = listen(t, topic(name)) }
	for _, name := range wanted {
		subscribe(name)
	}
	first := <-s.sockets
	hear(t, first)
	time.Sleep(longEnough)
	require.NoError(t, s.link().Inject(wstest.Cut(wstest.ToClient, 0)))
	time.Sleep(at)
	subs["b"].Unsubscribe()
	if back >= 0 {
		time.Sleep(back)
		subscribe("b")
	} else {
		delete(subs, "b")
		wanted = []string{"a", "c"}
	}
	second := <-s.sockets
	heard := hear(t, second)
	time.Sleep(2 * longEnough)
	assert.Equal(t, wanted, heard.all(), "the subscriptions of the second connection")
	for _, name := range []string{"a", "b", "c"} {
		second.Next(wsource.TextMessage(name + " 1"))
	}
	time.Sleep(longEnough)
	for _, name := range wanted {
		assert.Equal(t, []string{name + " 1"}, got[name].Values())
	}
	for _, sub := range subs {
		sub.Unsubscribe()
	}
	<-second.Done()
	require.NoError(t, second.Err())
	time.Sleep(longEnough)
	assert.Empty(t, heard.all())
	assert.Equal(t, 2, s.network.Dials())
}

// hear records the subscriptions of an accepted socket.
func hear(t *testing.T, socket *wsource.Socket) *subscriptions {
	t.Helper()
	here := &subscriptions{t: t, topics: make(map[string]bool)}
	socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
		OnNext: func(m wsource.Message) { here.hear(m.String()) }, OnError: func(error) {},
	})
	return here
}

// leaveAtEachStep ends the last subscription of a subject at each step of a reconnect,
// while a message waits.
func leaveAtEachStep(t *testing.T, count *faultCount) {
	t.Helper()
	for at := time.Duration(0); at < longEnough; at += reconnectStep {
		for name, leave := range map[string]func(s *wsource.Subject[string, string], sub observable.Subscription){
			"unsubscribe": func(_ *wsource.Subject[string, string], sub observable.Subscription) { sub.Unsubscribe() },
			"complete":    func(s *wsource.Subject[string, string], _ observable.Subscription) { s.Complete() },
			"shutdown": func(s *wsource.Subject[string, string], _ observable.Subscription) {
				_ = s.Shutdown(context.Background())
			},
		} {
			count.try(t, fmt.Sprint(name, " at ", at), func(t *testing.T) {
				s := slowReconnect(t)
				subject := s.subject(slowConfig())
				sent := newLedger()
				subject.Undelivered().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.SendError]{OnNext: sent.report})
				over := make(chan struct{})
				var received sync.WaitGroup
				received.Go(func() {
					for number := 1; ; number++ {
						select {
						case socket := <-s.sockets:
							socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
								OnNext:  func(m wsource.Message) { sent.receive(number, m.String()) },
								OnError: func(error) {},
							})
						case <-over:
							return
						}
					}
				})
				got, sub := listen(t, subject)
				time.Sleep(longEnough)
				require.NoError(t, s.link().Inject(wstest.Cut(wstest.ToClient, 0)))
				time.Sleep(50 * time.Millisecond) // the break has been seen
				subject.Next(numbered(0, 10))
				time.Sleep(at)
				leave(subject, sub)
				time.Sleep(5 * longEnough)
				assert.Empty(t, s.network.Links(), "connections are left")
				status, err := observable.FirstValue(t.Context(), subject.Status())
				require.NoError(t, err)
				assert.Equal(t, wsource.LinkClosed, status.State)
				close(over)
				received.Wait()
				if name == "unsubscribe" {
					assert.False(t, got.Ended(), "an unsubscribe is silent")
				} else {
					require.NoError(t, got.ExpectEnd(t))
					assert.Len(t, sent.received[2], 1, "the message that waits is sent")
				}
				// Without a heartbeat, messages handed over count as sent.
				sent.broken = true
				sent.audit(t, 1)
				if strings.HasPrefix(name, "unsub") && len(sent.received) == 0 {
					assert.Equal(t, []int{0}, slices.Collect(maps.Keys(sent.reports)), "it is told")
				}
			})
		}
	}
}
