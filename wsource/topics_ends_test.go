package wsource_test

import (
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// A topic that comes during the close of the others' connection is on the next
// connection, as any subscriber of the subject.
func TestATopicThatComesDuringAClose(t *testing.T) {
	for name, first := range map[string]bool{"as the first": true, "beside others": false} {
		t.Run(name, func(t *testing.T) {
			inBubbleWith(t, calm, func(t *testing.T, s *site) {
				subject := s.subject(nil)
				topics := topicsOf(subject, nil)
				before := record(t, topics.Topic("before"))
				s.accept()
				link := s.link()
				s.vanish()
				subject.Complete()
				if !first {
					listen(t, subject)
				}
				got, sub := listen(t, topics.Topic("after"))
				require.True(t, s.dialled())
				far := s.accept()
				assert.Equal(t, []string{"+after"}, far.heard())
				far.say("after 1")
				require.ErrorIs(t, before.ExpectEnd(t), wsource.ErrCloseTimeout)
				far.say("after 2")
				far.say("before 1")
				settle()
				assert.Equal(t, []string{"after 1", "after 2"}, got.Values())
				sub.Unsubscribe()
				assert.Equal(t, []string{"+after", "-after"}, far.heard())
				subject.Complete()
				require.NoError(t, far.wait())
				link.Resume(wstest.ToServer)
				link.Resume(wstest.ToClient)
			})
		})
	}
}

// All topics fail, on a connection that others hold: they are ended at the server, too.
func TestTopicsThatAllFailAreEnded(t *testing.T) {
	for name, fail := range map[string]func(){"a panic": func() { panic("no topic") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			observabletest.Unhandled(t)
			inBubbleWith(t, calm, func(t *testing.T, s *site) {
				subject := s.subject(nil)
				topics := topicsOf(subject, func(c *wsource.TopicsConfig[string, string, string]) {
					c.Topic = func(value string) (string, bool) {
						if value == "fail" {
							fail()
						}
						topic, _, ok := strings.Cut(value, " ")
						return topic, ok
					}
				})
				all := record(t, subject)
				a, b := record(t, topics.Topic("a")), record(t, topics.Topic("b"))
				far := s.accept()
				far.say("fail")
				for _, topic := range []recorded{a, b} {
					err := topic.ExpectEnd(t)
					if name == "Goexit" {
						require.ErrorIs(t, err, observable.ErrGoexit)
					} else {
						require.ErrorAs(t, err, new(*observable.PanicError))
					}
				}
				assert.ElementsMatch(t, []string{"+a", "+b", "-a", "-b"}, far.heard())
				again := record(t, topics.Topic("a"))
				far.say("a 1")
				assert.Len(t, far.heard(), 5)
				assert.Equal(t, []string{"a 1"}, again.Values())
				time.Sleep(time.Minute)
				subject.Complete()
				require.NoError(t, all.ExpectEnd(t))
				require.NoError(t, again.ExpectEnd(t))
				assert.Len(t, far.heard(), 5, "a connection that is being closed is told of no ends")
			})
		})
	}
}

// TestTopicsOfKeysThatNoMapFinds checks that such a key is an error: its topic could not
// be found again, to end it.
func TestTopicsOfKeysThatNoMapFinds(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		topics := wsource.NewTopics(s.subject(nil), wsource.TopicsConfig[any, string, string]{
			Subscribe:   func(any) string { return "" },
			Unsubscribe: func(any) string { return "" },
			Topic:       func(string) (any, bool) { return nil, false },
		})
		for _, key := range []any{math.NaN(), []int{1}, [1]any{math.NaN()}} {
			var problem *observable.ArgumentError
			require.ErrorAs(t, record(t, topics.Topic(key)).ExpectEnd(t), &problem)
			assert.Equal(t, "key", problem.Argument)
			assert.Equal(t, "0 topics", topics.String())
		}
	})
}
