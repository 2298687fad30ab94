package wsource_test

import (
	"context"
	"testing"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Close in a redial, while an observer of the status takes its time: the new connection
// is closed.
func TestCloseWhileRedialling(t *testing.T) {
	for _, where := range []string{"connections", "payload of a topic"} {
		t.Run(where, func(t *testing.T) {
			inBubbleWith(t, calm, func(t *testing.T, s *site) {
				gate := make(chan struct{})
				redial := make(chan struct{}, 10)
				config := &wsource.SubjectConfig[string]{Reconnect: steady()}
				config.Dial.Heartbeat = noBeat
				config.Target = func(ctx context.Context, attempt int, dial wsource.DialOptions) (string, wsource.DialOptions, error) {
					redial <- struct{}{}
					if len(redial) > 1 {
						<-gate
					}
					return address, dial, nil
				}
				subject := s.subject(config)
				listen(t, subject)
				opened := 0
				if where == "connections" {
					subject.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Connection[string, string]]{
						OnNext: func(*wsource.Connection[string, string]) {
							if opened++; opened > 1 {
								time.Sleep(10 * time.Second)
							}
						},
					})
				} else {
					n := 0
					topics := wsource.NewTopics(subject, wsource.TopicsConfig[string, string, string]{
						Subscribe: func(string) string {
							if n++; n > 1 {
								time.Sleep(10 * time.Second)
							}
							return "sub"
						},
						Unsubscribe: func(string) string { return "unsub" },
						Topic:       func(string) (string, bool) { return "", false },
					})
					listen(t, topics.Topic("a"))
				}
				far := s.accept()
				subject.Status().Subscribe(context.Background(), observable.ObserverFuncs[wsource.Status]{
					OnNext: func(st wsource.Status) {
						if st.State == wsource.LinkClosing {
							close(gate) // the dial goes on
							time.Sleep(5 * time.Second)
						}
					},
				})
				far.CloseNow()
				time.Sleep(2 * time.Second) // redials
				subject.Complete()
				time.Sleep(time.Minute)
				assert.Empty(t, s.network.Links(), "a minute after Complete")
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				assert.NoError(t, subject.Shutdown(ctx))
				for _, l := range s.network.Links() {
					_ = l.Inject(wstest.Reset(wstest.ToServer, 0), wstest.Reset(wstest.ToClient, 0))
				}
			})
		})
	}
}

// Complete in a redial that fails meanwhile.
func TestCompleteWhileRedialFails(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		gate := make(chan struct{})
		n := 0
		config := &wsource.SubjectConfig[string]{Reconnect: steady()}
		config.Dial.Heartbeat = noBeat
		config.Target = func(ctx context.Context, attempt int, dial wsource.DialOptions) (string, wsource.DialOptions, error) {
			if n++; n > 1 {
				<-gate
			}
			return address, dial, nil
		}
		subject := s.subject(config)
		got, _ := listen(t, subject)
		far := s.accept()
		require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
		subject.Status().Subscribe(context.Background(), observable.ObserverFuncs[wsource.Status]{
			OnNext: func(st wsource.Status) {
				if st.State == wsource.LinkClosing {
					close(gate) // the dial goes on
					time.Sleep(5 * time.Second)
				}
			},
		})
		far.CloseNow()
		time.Sleep(2 * time.Second) // redials
		subject.Complete()
		time.Sleep(time.Minute)
		assert.NoError(t, got.ExpectEnd(t))
	})
}

// shutDown shuts a subject down, within a minute, and reports the error.
func shutDown(subject *wsource.Subject[string, string], outcome chan<- error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	outcome <- subject.Shutdown(ctx)
}

// An observer of the status may shut the subject down: the outbox is sent first.
func TestShutdownInStatus(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		outcome := make(chan error, 1)
		subject.Status().Subscribe(context.Background(), observable.ObserverFuncs[wsource.Status]{
			OnNext: func(st wsource.Status) {
				if st.State == wsource.LinkOpen {
					shutDown(subject, outcome)
				}
			},
		})
		subject.Next("last words")
		listen(t, subject)
		far := s.accept()
		require.NoError(t, <-outcome)
		assert.Equal(t, []string{"last words"}, far.heard())
	})
}

// So may an observer of lost messages.
func TestShutdownInUndelivered(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject, sub, far := s.jammed(wsource.SubjectConfig[string]{Reconnect: steady()})
		outcome := make(chan error, 1000)
		subject.Undelivered().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.SendError]{
			OnNext: func(*wsource.SendError) { shutDown(subject, outcome) },
		})
		far.CloseNow()
		require.NoError(t, <-outcome)
		sub.Unsubscribe()
	})
}
