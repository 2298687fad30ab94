package wsource_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

type textTopicsConfig = wsource.TopicsConfig[string, string, string]

// inOne makes one message for several topics.
func inOne(c *textTopicsConfig) {
	c.SubscribeAll = func(topics []string) string { return "+" + strings.Join(topics, ",") }
	c.UnsubscribeAll = func(topics []string) string { return "-" + strings.Join(topics, ",") }
}

// withAcks finds the answers "ok topic" and "no topic".
func withAcks(c *textTopicsConfig) {
	c.Acknowledged = func(value string) (topic string, refusal error, ok bool) {
		if topic, ok = strings.CutPrefix(value, "ok "); ok {
			return topic, nil, true
		}
		topic, ok = strings.CutPrefix(value, "no ")
		return topic, assert.AnError, ok
	}
}

// requireTopic requires that err is the error of a topic.
func requireTopic(t *testing.T, err error, topic, setting string, cause error) {
	t.Helper()
	var te *wsource.TopicError
	require.ErrorAs(t, err, &te)
	require.Equal(t, topic, te.Topic)
	require.Equal(t, setting, te.Setting)
	require.ErrorIs(t, err, cause)
	require.Contains(t, err.Error(), topic)
	require.Contains(t, err.Error(), setting)
}

func TestTopicsInOneMessage(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		topics := topicsOf(subject, inOne)
		// So that all topics come before the connection.
		require.NoError(t, s.network.OnDial(1, wstest.Refuse()))
		all := record(t, operators.Merge(topics.Topic("a"), topics.Topic("b"), topics.Topic("c")))
		subject.Next("other")
		far := s.accept()
		assert.Equal(t, []string{"+a,b,c", "other"}, far.heard())
		far.say("b 1")
		settle()
		assert.Equal(t, []string{"b 1"}, all.Values())
		far.restart()
		far = s.accept()
		d, subD := listen(t, topics.Topic("d"))
		assert.Equal(t, []string{"+a,b,c", "+d"}, far.heard())
		far.say("d 1")
		settle()
		assert.Equal(t, []string{"d 1"}, d.Values())
		subD.Unsubscribe()
		assert.Equal(t, []string{"+a,b,c", "+d", "-d"}, far.heard())
		require.NoError(t, far.Close(wsource.StatusNormalClosure, ""))
		require.NoError(t, all.ExpectEnd(t))
		assert.Zero(t, wsource.TopicsLen(topics))
	})
}

func TestTopicsPaced(t *testing.T) {
	t.Run("one by one", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			topics := topicsOf(subject, func(c *textTopicsConfig) { c.Interval = time.Second })
			subs := make(map[string]observable.Subscription)
			for _, name := range []string{"a", "b", "c", "d"} {
				_, subs[name] = listen(t, topics.Topic(name))
			}
			subject.Next("other")
			far := s.accept()
			assert.Equal(t, []string{"+a", "other"}, far.heard(), "other traffic does not wait")
			subs["b"].Unsubscribe() // the server does not know it
			time.Sleep(time.Second)
			assert.Equal(t, []string{"+a", "other", "+c"}, far.heard())
			subs["a"].Unsubscribe()
			_, subs["a"] = listen(t, topics.Topic("a"))
			time.Sleep(time.Second)
			assert.Equal(t, []string{"+a", "other", "+c", "-a"}, far.heard(), "the end of a topic goes first")
			time.Sleep(time.Minute)
			assert.Equal(t, []string{"+a", "other", "+c", "-a", "+d", "+a"}, far.heard())
			far.restart()
			far = s.accept()
			time.Sleep(time.Minute)
			assert.Equal(t, []string{"+c", "+d", "+a"}, far.heard())
			for _, name := range []string{"a", "c", "d"} {
				subs[name].Unsubscribe()
			}
			require.NoError(t, far.wait())
		})
	})
	t.Run("one that is left while its message is made", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			other := record(t, subject)
			begun, goOn := make(chan struct{}), make(chan struct{})
			topics := topicsOf(subject, func(c *textTopicsConfig) {
				c.Interval = time.Second
				c.Subscribe = func(topic string) string {
					close(begun)
					<-goOn
					return "+" + topic
				}
			})
			far := s.accept()
			sub := make(chan observable.Subscription, 1)
			go func() { sub <- topics.Topic("a").Subscribe(context.Background(), observabletest.NewRecorder[string]()) }()
			<-begun
			ctx, cancel := context.WithCancel(context.Background())
			go topics.Topic("a").Subscribe(ctx, valuesOnly(func(string) {}))
			settle()
			cancel()
			settle()
			close(goOn)
			(<-sub).Unsubscribe()
			time.Sleep(time.Minute)
			assert.Equal(t, []string{"+a", "-a"}, far.heard())
			require.NoError(t, far.Close(wsource.StatusNormalClosure, ""))
			require.NoError(t, other.ExpectEnd(t))
		})
	})
	t.Run("in one message each time", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			topics := topicsOf(s.subject(nil), func(c *textTopicsConfig) {
				inOne(c)
				c.Interval = time.Second
			})
			_, subA := listen(t, topics.Topic("a"))
			far := s.accept()
			all := record(t, operators.Merge(topics.Topic("b"), topics.Topic("c"), topics.Topic("d")))
			subA.Unsubscribe()
			assert.Equal(t, []string{"+a"}, far.heard())
			time.Sleep(time.Second)
			assert.Equal(t, []string{"+a", "-a"}, far.heard())
			time.Sleep(time.Second)
			assert.Equal(t, []string{"+a", "-a", "+b,c,d"}, far.heard())
			require.NoError(t, far.Close(wsource.StatusNormalClosure, ""))
			require.NoError(t, all.ExpectEnd(t))
		})
	})
}

func TestTopicsAcknowledged(t *testing.T) {
	t.Run("a refusal fails that topic only", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			topics := topicsOf(subject, withAcks)
			a, b := record(t, topics.Topic("a")), record(t, topics.Topic("b"))
			far := s.accept()
			far.say("ok a")
			far.say("no b")
			far.say("no z")
			far.say("a 1")
			requireTopic(t, b.ExpectEnd(t), "b", "Acknowledged", assert.AnError)
			settle()
			assert.Equal(t, []string{"a 1"}, a.Values(), "an answer is delivered to nobody")
			time.Sleep(time.Hour)
			assert.False(t, over(a))
			assert.Equal(t, []string{"+a", "+b"}, far.heard())
			far.say("no a") // no answer any more
			assert.False(t, over(a))
			require.NoError(t, far.Close(wsource.StatusNormalClosure, ""))
			require.NoError(t, a.ExpectEnd(t))
		})
	})
	for timeout, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Minute: time.Minute} {
		t.Run("within "+want.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				topics := topicsOf(s.subject(nil), func(c *textTopicsConfig) {
					withAcks(c)
					c.AckTimeout = timeout
				})
				a, b := record(t, topics.Topic("a")), record(t, topics.Topic("b"))
				far := s.accept()
				far.say("ok b")
				time.Sleep(want - 5*time.Millisecond)
				assert.False(t, over(a))
				time.Sleep(5 * time.Millisecond)
				requireTopic(t, a.ExpectEnd(t), "a", "AckTimeout", wsource.ErrTopicTimeout)
				assert.Equal(t, []string{"+a", "+b", "-a"}, far.heard())
				time.Sleep(time.Hour)
				require.NoError(t, far.Close(wsource.StatusNormalClosure, ""))
				require.NoError(t, b.ExpectEnd(t))
			})
		})
	}
	t.Run("anew on each connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			topics := topicsOf(s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()}), withAcks)
			a := record(t, topics.Topic("a"))
			far := s.accept()
			require.NoError(t, s.network.OnDial(2, wstest.Delay(wstest.ToClient, 2*time.Second)))
			time.Sleep(9 * time.Second)
			far.restart()
			far = s.accept()
			time.Sleep(5 * time.Second)
			assert.False(t, over(a), "the time of the first connection has ended with it")
			time.Sleep(3 * time.Second)
			assert.False(t, over(a), "the time runs from the second message on")
			time.Sleep(3 * time.Second)
			requireTopic(t, a.ExpectEnd(t), "a", "AckTimeout", wsource.ErrTopicTimeout)
			require.NoError(t, far.wait())
			time.Sleep(time.Minute) // the client still waits for the late close frame
		})
	})
	t.Run("without a limit", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			topics := topicsOf(s.subject(nil), func(c *textTopicsConfig) {
				withAcks(c)
				c.AckTimeout = wsource.NoTimeout
			})
			a := record(t, topics.Topic("a"))
			far := s.accept()
			time.Sleep(24 * time.Hour)
			far.say("no a")
			requireTopic(t, a.ExpectEnd(t), "a", "Acknowledged", assert.AnError)
			require.NoError(t, far.wait())
		})
	})
}

func TestTopicErrors(t *testing.T) {
	var panicked *observable.PanicError
	for name, change := range map[string]func(*textTopicsConfig){
		"Subscribe":    func(c *textTopicsConfig) { c.Subscribe = func(string) string { panic(1) } },
		"SubscribeAll": func(c *textTopicsConfig) { c.SubscribeAll = func([]string) string { panic(1) } },
	} {
		t.Run(name+" panics", func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				a := record(t, topicsOf(s.subject(nil), change).Topic("a"))
				far := s.accept()
				err := a.ExpectEnd(t)
				require.ErrorAs(t, err, &panicked)
				requireTopic(t, err, "a", name, err)
				require.NoError(t, far.wait())
			})
		})
	}
	t.Run("a message that ends the goroutine", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			topics := topicsOf(s.subject(nil), func(c *textTopicsConfig) {
				c.Interval = time.Nanosecond
				c.Subscribe = func(topic string) string {
					if topic == "a" {
						runtime.Goexit()
					}
					return "+" + topic
				}
			})
			b := record(t, topics.Topic("b")) // first, so that the connection outlives a
			a, c := record(t, topics.Topic("a")), record(t, topics.Topic("c"))
			far := s.accept()
			requireTopic(t, a.ExpectEnd(t), "a", "Subscribe", observable.ErrGoexit)
			assert.Equal(t, []string{"+b", "+c"}, far.heard())
			require.NoError(t, far.Close(wsource.StatusNormalClosure, ""))
			require.NoError(t, b.ExpectEnd(t))
			require.NoError(t, c.ExpectEnd(t))
		})
	})
	t.Run("a goodbye that panics", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			lost := record(t, subject.Undelivered())
			topics := topicsOf(subject, func(c *textTopicsConfig) {
				c.UnsubscribeAll = func([]string) string { panic(1) }
				c.Interval = time.Nanosecond
			})
			_, sub := listen(t, topics.Topic("a"))
			far := s.accept()
			sub.Unsubscribe()
			require.NoError(t, far.wait())
			require.Len(t, lost.Values(), 1)
			require.ErrorAs(t, lost.Values()[0], &panicked)
		})
	})
	t.Run("a slow subscriber that is to fail", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			topics := topicsOf(s.subject(nil), func(c *textTopicsConfig) {
				c.Buffer, c.Overflow = 2, observable.OverflowFail
			})
			slow := observabletest.NewRecorder[string]()
			slow.OnNext(func(string) { time.Sleep(time.Minute) })
			topics.Topic("a").Subscribe(context.Background(), slow)
			far := s.accept()
			for i := range 5 {
				far.say(fmt.Sprint("a ", i))
			}
			requireTopic(t, slow.ExpectEnd(t), "a", "Overflow", observable.ErrOverflow)
			require.NoError(t, far.wait())
		})
	})
	for name, change := range map[string]func(*textTopicsConfig){
		"Subscribe":   func(c *textTopicsConfig) { c.Subscribe = nil },
		"Unsubscribe": func(c *textTopicsConfig) { c.Unsubscribe = nil },
		"Interval":    func(c *textTopicsConfig) { c.Interval = -1 },
		"AckTimeout":  func(c *textTopicsConfig) { c.AckTimeout = -2 },
	} {
		t.Run("no "+name, func(t *testing.T) {
			subject := wsource.NewSubject("ws://nowhere.test", wsource.TextCodec(), nil)
			requireArgument(t, record(t, topicsOf(subject, change).Topic("a")).ExpectEnd(t), "config."+name)
		})
	}
}

// Topics come and go while connections are cut: no connection gets a topic twice, and the
// last one has the wanted topics.
func TestTopicsPacedStorm(t *testing.T) {
	for name, change := range map[string]func(*textTopicsConfig){
		"paced":  func(c *textTopicsConfig) { c.Interval = 2 * time.Millisecond },
		"in one": inOne,
		"all": func(c *textTopicsConfig) {
			inOne(c)
			c.Interval = time.Millisecond
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
				topics := topicsOf(subject, change)
				base := record(t, topics.Topic("base"))
				var mu sync.Mutex
				var here map[string]bool
				stop := make(chan struct{})
				var servers, users sync.WaitGroup
				servers.Go(func() {
					for {
						select {
						case <-stop:
							return
						case socket := <-s.sockets:
							now := make(map[string]bool)
							mu.Lock()
							here = now
							mu.Unlock()
							socket.Subscribe(context.Background(), valuesOnly(func(m wsource.Message) {
								begins := m.Data[0] == '+'
								for name := range strings.SplitSeq(m.String()[1:], ",") {
									mu.Lock()
									assert.NotEqual(t, begins, now[name], "%s at %v", m, now)
									now[name] = begins
									mu.Unlock()
								}
							}))
							time.AfterFunc(50*time.Millisecond, socket.CloseNow)
						}
					}
				})
				for user := range 8 {
					users.Go(func() {
						random := rand.New(rand.NewPCG(1, uint64(user)))
						for range 100 {
							sub := topics.Topic(fmt.Sprint("t", random.IntN(5))).Subscribe(context.Background(),
								valuesOnly(func(string) {}))
							time.Sleep(time.Duration(random.IntN(40)) * time.Millisecond)
							sub.Unsubscribe()
						}
					})
				}
				users.Wait()
				time.Sleep(20 * time.Millisecond)
				subject.Reconnect(nil)
				time.Sleep(30 * time.Millisecond)
				mu.Lock()
				for name, on := range here {
					assert.Equal(t, name == "base", on, name)
				}
				mu.Unlock()
				close(stop)
				servers.Wait()
				assert.Equal(t, 1, wsource.TopicsLen(topics))
				subject.Complete()
				time.Sleep(time.Minute)
				assert.True(t, over(base))
			})
		})
	}
}

// valuesOnly observes values and ignores the end.
func valuesOnly[T any](next func(T)) observable.Observer[T] {
	return observable.ObserverFuncs[T]{OnNext: next, OnError: func(error) {}}
}
