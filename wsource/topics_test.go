package wsource_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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

type textTopics = wsource.Topics[string, string, string]

// topicsOf returns topics whose values are "topic value"; the server gets "+topic" and
// "-topic".
func topicsOf(
	subject *wsource.Subject[string, string], more func(*wsource.TopicsConfig[string, string, string]),
) *textTopics {
	config := wsource.TopicsConfig[string, string, string]{
		Subscribe:   func(topic string) string { return "+" + topic },
		Unsubscribe: func(topic string) string { return "-" + topic },
		Topic: func(value string) (string, bool) {
			topic, _, ok := strings.Cut(value, " ")
			return topic, ok
		},
	}
	if more != nil {
		more(&config)
	}
	return wsource.NewTopics(subject, config)
}

func TestTopicsShareOneSubscriptionOfTheServer(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		topics := topicsOf(s.subject(nil), nil)
		one, sub1 := listen(t, topics.Topic("a"))
		two, sub2 := listen(t, topics.Topic("a"))
		b, subB := listen(t, topics.Topic("b"))
		far := s.accept()
		assert.Equal(t, []string{"+a", "+b"}, far.heard())
		far.say("a 1")
		far.say("b 1")
		far.say("c 1")
		far.say("nothing")
		settle()
		sub1.Unsubscribe()
		assert.Equal(t, []string{"+a", "+b"}, far.heard())
		far.say("a 2")
		settle()
		sub2.Unsubscribe()
		assert.Equal(t, []string{"+a", "+b", "-a"}, far.heard())
		_, sub1 = listen(t, topics.Topic("a"))
		assert.Equal(t, []string{"+a", "+b", "-a", "+a"}, far.heard())
		assert.Equal(t, []string{"a 1"}, one.Values())
		assert.Equal(t, []string{"a 1", "a 2"}, two.Values())
		assert.Equal(t, []string{"b 1"}, b.Values())
		sub1.Unsubscribe()
		assert.Equal(t, wsource.Open, far.State())
		subB.Unsubscribe()
		require.NoError(t, far.wait())
		assert.Equal(t, []string{"+a", "+b", "-a", "+a", "-a", "-b"}, far.heard())
		assert.Zero(t, wsource.TopicsLen(topics))
	})
}

func TestTopicsLinger(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		topics := topicsOf(s.subject(nil), func(c *wsource.TopicsConfig[string, string, string]) { c.Linger = time.Minute })
		_, sub := listen(t, topics.Topic("a"))
		far := s.accept()
		sub.Unsubscribe()
		time.Sleep(59 * time.Second)
		got, sub := listen(t, topics.Topic("a"))
		far.say("a 1")
		assert.Equal(t, []string{"+a"}, far.heard())
		assert.Equal(t, []string{"a 1"}, got.Values())
		sub.Unsubscribe()
		time.Sleep(59 * time.Second)
		assert.Equal(t, wsource.Open, far.State(), "the connection lingers, too")
		assert.Equal(t, []string{"+a"}, far.heard())
		time.Sleep(2 * time.Second)
		require.NoError(t, far.wait())
		assert.Equal(t, []string{"+a", "-a"}, far.heard())
		assert.Zero(t, wsource.TopicsLen(topics))
	})
}

func TestTopicsThatLingerAreNotKeptAlive(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		topics := topicsOf(s.subject(nil), func(c *wsource.TopicsConfig[string, string, string]) { c.Linger = time.Hour })
		_, sub := listen(t, topics.Topic("a"))
		far := s.accept()
		sub.Unsubscribe()
		far.CloseNow() // nobody is left to hear it
		settle()
		assert.Zero(t, wsource.TopicsLen(topics))
		_, sub = listen(t, topics.Topic("a"))
		far = s.accept()
		assert.Equal(t, []string{"+a"}, far.heard())
		sub.Unsubscribe()
		time.Sleep(2 * time.Hour)
		require.NoError(t, far.wait())
	})
}

func TestTopicsComeFirstAfterAReconnect(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		topics := topicsOf(subject, nil)
		a, subA := listen(t, topics.Topic("a"))
		_, subB := listen(t, topics.Topic("b"))
		_, subC := listen(t, topics.Topic("c"))
		far := s.accept()
		assert.Equal(t, []string{"+a", "+b", "+c"}, far.heard())
		end := s.outage()
		subject.Next("other traffic")
		subB.Unsubscribe()
		end()
		far = s.accept()
		assert.Equal(t, []string{"+a", "+c", "other traffic"}, far.heard())
		far.say("a 1")
		settle()
		assert.Equal(t, []string{"a 1"}, a.Values())
		subA.Unsubscribe()
		subC.Unsubscribe()
	})
}

func TestTopicsEndAsTheSubjectDoes(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		topics := topicsOf(s.subject(nil), nil)
		got := record(t, topics.Topic("a"))
		far := s.accept()
		far.say("a 1")
		far.Complete()
		require.NoError(t, got.ExpectEnd(t))
		assert.Equal(t, []string{"a 1"}, got.Values())
		got = record(t, topics.Topic("a"))
		again, sub := listen(t, operators.Retry(topics.Topic("b"), 1))
		far = s.accept()
		far.CloseNow()
		requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
		far = s.accept()
		far.say("b 1")
		assert.Equal(t, []string{"+b"}, far.heard())
		assert.Equal(t, []string{"b 1"}, again.Values())
		sub.Unsubscribe()
	})
}

func TestASlowSubscriberOfATopic(t *testing.T) {
	for name, test := range map[string]struct {
		slow    observable.Overflow
		fast    int      // the fast one's values while the slow one is busy
		slowly  []string // the slow one's values when it goes on
		dropped []string
		err     error
	}{
		"fails":        {observable.OverflowFail, 6, []string{"a 0", "a 1", "a 2"}, nil, observable.ErrOverflow},
		"loses oldest": {observable.OverflowDropOldest, 6, []string{"a 0", "a 4", "a 5"}, []string{"a 1", "a 2", "a 3"}, nil},
		"loses newest": {observable.OverflowDropNewest, 6, []string{"a 0", "a 1", "a 2"}, []string{"a 3", "a 4", "a 5"}, nil},
		"stalls all":   {observable.OverflowBlock, 3, []string{"a 0", "a 1", "a 2", "a 3", "a 4", "a 5"}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				var dropped []string
				topics := topicsOf(s.subject(nil), func(c *wsource.TopicsConfig[string, string, string]) {
					c.Buffer, c.Overflow = 2, test.slow
					c.Dropped = func(topic, value string) {
						assert.Equal(t, "a", topic)
						dropped = append(dropped, value)
					}
				})
				release := make(chan struct{})
				slow := observabletest.NewRecorder[string]().OnNext(func(string) { <-release })
				sub := topics.Topic("a").Subscribe(t.Context(), slow)
				fastA, subA := listen(t, topics.Topic("a"))
				fastB, subB := listen(t, topics.Topic("b"))
				far := s.accept()
				for i := range 6 {
					far.say(fmt.Sprint("a ", i))
					far.say(fmt.Sprint("b ", i))
					settle()
				}
				assert.Len(t, fastB.Values(), test.fast)
				assert.InDelta(t, test.fast, len(fastA.Values()), 1)
				close(release)
				settle()
				assert.Equal(t, test.slowly, slow.Values())
				assert.Equal(t, test.dropped, dropped)
				assert.Len(t, fastA.Values(), 6)
				assert.Len(t, fastB.Values(), 6)
				if test.err != nil {
					require.ErrorIs(t, slow.ExpectEnd(t), test.err)
				} else {
					assert.False(t, over(slow))
				}
				sub.Unsubscribe()
				subA.Unsubscribe()
				subB.Unsubscribe()
			})
		})
	}
}

func TestAThousandTopics(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		const count = 1000
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		topics := topicsOf(subject, nil)
		recorders := make([]*observabletest.Recorder[string], count)
		subs := make([]observable.Subscription, count)
		for i := range count {
			recorders[i], subs[i] = listen(t, topics.Topic(fmt.Sprint(i)))
		}
		for round := range 3 {
			far := s.accept()
			heard := far.heard()
			require.Len(t, heard, count)
			for i := range count {
				require.Equal(t, fmt.Sprint("+", i), heard[i])
				far.say(fmt.Sprintf("%d %d", i, round))
			}
			settle()
			far.CloseNow()
		}
		far := s.accept()
		for i := range count {
			require.Equal(t, []string{fmt.Sprint(i, " 0"), fmt.Sprint(i, " 1"), fmt.Sprint(i, " 2")}, recorders[i].Values())
			subs[i].Unsubscribe()
		}
		require.NoError(t, far.wait())
		assert.Len(t, far.heard(), 2*count)
		assert.Zero(t, wsource.TopicsLen(topics))
	})
}

func TestTopicsDoNotGrow(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		topics := topicsOf(s.subject(nil), nil)
		_, keep := listen(t, topics.Topic("kept"))
		far := s.accept()
		done := make(chan struct{})
		for g := range 4 {
			go func() {
				for i := range 200 {
					sub := topics.Topic(fmt.Sprint(i%(g+2))).Subscribe(t.Context(), observabletest.NewRecorder[string]())
					sub.Unsubscribe()
				}
				done <- struct{}{}
			}()
		}
		for range 4 {
			<-done
		}
		assert.Equal(t, 1, wsource.TopicsLen(topics))
		balance := map[string]int{}
		for _, line := range far.heard() {
			topic := line[1:]
			if line[0] == '+' {
				balance[topic]++
			} else {
				balance[topic]--
			}
			assert.Contains(t, []int{0, 1}, balance[topic], "subscribed twice, or unsubscribed without being subscribed")
		}
		assert.Equal(t, 1, balance["kept"])
		delete(balance, "kept")
		for topic, n := range balance {
			assert.Zero(t, n, topic)
		}
		keep.Unsubscribe()
	})
}

func TestTopicCallbacksThatFail(t *testing.T) {
	oops := errors.New("oops")
	for name, spoil := range map[string]func(*wsource.TopicsConfig[string, string, string]){
		"Subscribe": func(c *wsource.TopicsConfig[string, string, string]) {
			c.Subscribe = func(string) string { panic(oops) }
		},
		"Topic": func(c *wsource.TopicsConfig[string, string, string]) {
			c.Topic = func(string) (string, bool) { panic(oops) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				topics := topicsOf(s.subject(nil), spoil)
				got := record(t, topics.Topic("a"))
				s.accept().say("a 1")
				require.ErrorIs(t, got.ExpectEnd(t), oops)
				settle()
				assert.Zero(t, wsource.TopicsLen(topics))
			})
		})
	}
	t.Run("Unsubscribe", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			lost := record(t, subject.Undelivered())
			topics := topicsOf(subject, func(c *wsource.TopicsConfig[string, string, string]) {
				c.Unsubscribe = func(string) string { panic(oops) }
			})
			_, sub := listen(t, topics.Topic("a"))
			far := s.accept()
			sub.Unsubscribe()
			require.NoError(t, far.wait())
			assert.Zero(t, wsource.TopicsLen(topics))
			require.Len(t, lost.Values(), 1)
			assert.Equal(t, wsource.Unsent, lost.Values()[0].Outcome)
			require.ErrorIs(t, lost.Values()[0], oops)
			var failure *observable.PanicError
			require.ErrorAs(t, lost.Values()[0], &failure)
		})
	})
}

func TestTopicsOfAConfigurationThatCannotBe(t *testing.T) {
	subject := wsource.NewSubject(address, wsource.TextCodec(), nil)
	for argument, spoil := range map[string]func(*wsource.TopicsConfig[string, string, string]){
		"config.Subscribe":   func(c *wsource.TopicsConfig[string, string, string]) { c.Subscribe = nil },
		"config.Unsubscribe": func(c *wsource.TopicsConfig[string, string, string]) { c.Unsubscribe = nil },
		"config.Topic":       func(c *wsource.TopicsConfig[string, string, string]) { c.Topic = nil },
		"config.Linger":      func(c *wsource.TopicsConfig[string, string, string]) { c.Linger = -1 },
		"config.Buffer":      func(c *wsource.TopicsConfig[string, string, string]) { c.Buffer = -1 },
		"config.Overflow":    func(c *wsource.TopicsConfig[string, string, string]) { c.Overflow = 9 },
	} {
		var ae *observable.ArgumentError
		require.ErrorAs(t, record(t, topicsOf(subject, spoil).Topic("a")).ExpectEnd(t), &ae)
		assert.Equal(t, argument, ae.Argument)
	}
	var ae *observable.ArgumentError
	require.ErrorAs(t, record(t, topicsOf(nil, nil).Topic("a")).ExpectEnd(t), &ae)
	assert.Equal(t, "subject", ae.Argument)
}

func TestTopicsAndPlainSubscribersShareTheConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		topics := topicsOf(subject, nil)
		require.NoError(t, s.network.OnDial(1, wstest.Delay(wstest.ToServer, time.Second)))
		plain, sub := listen(t, subject)
		a, subA := listen(t, topics.Topic("a"))
		far := s.accept()
		time.Sleep(2 * time.Second)
		far.say("a 1")
		far.say("b 1")
		settle()
		assert.Equal(t, []string{"a 1", "b 1"}, plain.Values())
		assert.Equal(t, []string{"a 1"}, a.Values())
		assert.Equal(t, 1, s.network.Dials())
		sub.Unsubscribe()
		subA.Unsubscribe()
		time.Sleep(2 * time.Second)
		assert.True(t, slices.Contains(far.heard(), "-a"))
	})
}
