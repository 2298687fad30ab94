package wsource_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// sendIn sends and returns the channel of the outcome.
func sendIn(ctx context.Context, subject *wsource.Subject[string, string], text string) <-chan error {
	result := make(chan error, 1)
	go func() { result <- subject.Send(ctx, text) }()
	settle()
	return result
}

// jam stalls the way to the server and fills it, so that a message is being written.
// Later messages are queued.
func (s *site) jam(subject *wsource.Subject[string, string]) {
	s.t.Helper()
	require.NoError(s.t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
	go subject.Next(strings.Repeat("x", 2*wstest.DefaultBuffer))
	settle()
}

// unjam lets everything pass.
func (s *site) unjam() { s.link().Resume(wstest.ToServer) }

// calm are the options of a server that does not find its jammed clients dead.
var calm = wsource.AcceptOptions{Heartbeat: noBeat}

// jammed is a subject, without a heartbeat, whose connection is jammed.
func (s *site) jammed(config wsource.SubjectConfig[string]) (*wsource.Subject[string, string], observable.Subscription, far) {
	s.t.Helper()
	config.Dial.Heartbeat, config.Dial.WriteTimeout = noBeat, time.Hour
	subject := s.subject(&config)
	_, sub := listen(s.t, subject)
	far := s.accept()
	s.jam(subject)
	return subject, sub, far
}

func TestSendTakesItsMessageBack(t *testing.T) {
	for name, waiting := range map[string]func(s *site) (*wsource.Subject[string, string], func() far){
		"before anybody subscribes": func(s *site) (*wsource.Subject[string, string], func() far) {
			subject := s.subject(nil)
			return subject, func() far {
				listen(s.t, subject)
				return s.accept()
			}
		},
		"before the connection is open": func(s *site) (*wsource.Subject[string, string], func() far) {
			subject := s.subject(nil)
			require.NoError(s.t, s.network.OnDial(1, wstest.Stall(wstest.ToServer, 0)))
			listen(s.t, subject)
			return subject, func() far {
				s.unjam()
				return s.accept()
			}
		},
		"in an outage": func(s *site) (*wsource.Subject[string, string], func() far) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			listen(s.t, subject)
			s.accept()
			end := s.outage()
			return subject, func() far {
				end()
				return s.accept()
			}
		},
		"after Complete in an outage, with another message": func(s *site) (*wsource.Subject[string, string], func() far) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			listen(s.t, subject)
			s.accept()
			end := s.outage()
			return subject, func() far {
				subject.Next("keep") // so that Complete waits
				subject.Complete()
				end()
				return s.accept()
			}
		},
		"queued in the socket": func(s *site) (*wsource.Subject[string, string], func() far) {
			subject, _, peer := s.jammed(wsource.SubjectConfig[string]{})
			return subject, func() far {
				s.unjam()
				return peer
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubbleWith(t, calm, func(t *testing.T, s *site) {
				subject, open := waiting(s)
				settle()
				ctx, cancel := context.WithCancelCause(t.Context())
				first := sendIn(context.Background(), subject, "first")
				result := sendIn(ctx, subject, "taken back")
				cancel(assert.AnError)
				requireUnsent(t, <-result, assert.AnError)
				last := sendIn(context.Background(), subject, "last")
				far := open()
				assert.NoError(t, <-first)
				assert.NoError(t, <-last)
				heard := far.heard()
				assert.Contains(t, heard, "first")
				assert.Contains(t, heard, "last")
				assert.NotContains(t, heard, "taken back")
				subject.Complete()
			})
		})
	}
}

func TestSendWithAContextThatHasEnded(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		_, sub := listen(t, subject)
		far := s.accept()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(assert.AnError)
		requireUnsent(t, subject.Send(ctx, "never"), assert.AnError)
		assert.Empty(t, far.heard())
		sub.Unsubscribe()
	})
}

func TestSendWhoseContextEndsWhileItIsBeingWritten(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Dial: wsource.DialOptions{Heartbeat: noBeat}})
		lost := record(t, subject.Undelivered())
		_, sub := listen(t, subject)
		far := s.accept()
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := subject.Send(ctx, strings.Repeat("x", 2*wstest.DefaultBuffer))
		var se *wsource.SendError
		require.ErrorAs(t, err, &se)
		assert.Equal(t, wsource.Unknown, se.Outcome)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		subject.Next("next")
		s.unjam()
		assert.Len(t, far.heard(), 2, "unknown it was, and it has arrived")
		sub.Unsubscribe()
		assert.Empty(t, fates(lost))
	})
}

func TestSendWaitingForRoomInTheSocket(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject, sub, far := s.jammed(wsource.SubjectConfig[string]{})
		go func() {
			for range 2000 { // more than a socket queues
				subject.Next("filler")
			}
		}()
		settle()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		requireUnsent(t, subject.Send(ctx, "impatient"), context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
		s.unjam()
		heard := far.heard()
		assert.Len(t, heard, 2001)
		assert.NotContains(t, heard, "impatient")
		sub.Unsubscribe()
	})
}

func TestSendSurvivesTheConnection(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject, sub, _ := s.jammed(wsource.SubjectConfig[string]{Reconnect: steady()})
		lost := record(t, subject.Undelivered())
		one, two := sendIn(t.Context(), subject, "one"), sendIn(t.Context(), subject, "two")
		subject.Next("three")
		_ = s.link().Inject(wstest.Reset(wstest.ToClient, 0))
		far := s.accept()
		assert.NoError(t, <-one)
		assert.NoError(t, <-two)
		assert.Equal(t, []string{"one", "two", "three"}, far.heard())
		require.Len(t, lost.Values(), 1, "the message that was being written")
		assert.Equal(t, wsource.Unknown, lost.Values()[0].Outcome)
		sub.Unsubscribe()
	})
}

func TestVolatileMessages(t *testing.T) {
	volatile := wsource.Delivery{Volatile: true}
	t.Run("no connection", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{
				Delivery: func(string) wsource.Delivery { return volatile },
			})
			lost := record(t, subject.Undelivered())
			subject.Next("a")
			assert.Equal(t, []string{"a unsent there is no open connection"}, fates(lost))
			_, sub := listen(t, subject)
			far := s.accept()
			subject.Next("b")
			assert.NoError(t, subject.Send(t.Context(), "c"))
			assert.Equal(t, []string{"b", "c"}, far.heard())
			sub.Unsubscribe()
			requireUnsent(t, subject.Send(t.Context(), "d"), wsource.ErrNotOpen)
		})
	})
	t.Run("the socket's queue is full", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject, sub, far := s.jammed(wsource.SubjectConfig[string]{})
			go func() {
				for range 2000 {
					subject.Next("filler")
				}
			}()
			settle()
			start := time.Now()
			requireUnsent(t, subject.SendAs(t.Context(), "a", volatile), wsource.ErrOutboxFull)
			assert.Zero(t, time.Since(start))
			s.unjam()
			settle()
			assert.NoError(t, subject.SendAs(t.Context(), "b", volatile))
			assert.Len(t, far.heard(), 2002)
			sub.Unsubscribe()
		})
	})
	t.Run("queued when the connection breaks", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject, sub, _ := s.jammed(wsource.SubjectConfig[string]{Reconnect: steady()})
			result := make(chan error, 1)
			go func() { result <- subject.SendAs(t.Context(), "a", volatile) }()
			settle()
			subject.Next("b")
			_ = s.link().Inject(wstest.Reset(wstest.ToClient, 0))
			var se *wsource.SendError
			require.ErrorAs(t, <-result, &se)
			assert.Equal(t, wsource.Unsent, se.Outcome)
			assert.Equal(t, []string{"b"}, s.accept().heard())
			sub.Unsubscribe()
		})
	})
}

func TestLatestByKey(t *testing.T) {
	keyed := &wsource.SubjectConfig[string]{
		Delivery: func(v string) wsource.Delivery { return wsource.Delivery{Key: strings.TrimRight(v, "0123456789")} },
	}
	t.Run("waiting for a connection", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			keyed.Outbox = wsource.Outbox{Messages: 3}
			subject := s.subject(keyed)
			lost := record(t, subject.Undelivered())
			// Numbers alone have no key.
			for _, v := range []string{"x1", "y1", "x2", "1", "x3", "2"} {
				if v == "2" {
					subject.Discard() // or it would block
				}
				subject.Next(v)
			}
			subject.Next("x4")
			subject.Next("x5")
			assert.Equal(t, []string{
				"x1 unsent a later message with the same key replaced it",
				"x2 unsent a later message with the same key replaced it",
				"y1 unsent the outbox was discarded",
				"1 unsent the outbox was discarded",
				"x3 unsent the outbox was discarded",
				"x4 unsent a later message with the same key replaced it",
			}, fates(lost))
			_, sub := listen(t, subject)
			assert.Equal(t, []string{"2", "x5"}, s.accept().heard())
			sub.Unsubscribe()
		})
	})
	t.Run("queued in the socket", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject, sub, far := s.jammed(wsource.SubjectConfig[string]{Delivery: keyed.Delivery})
			lost := record(t, subject.Undelivered())
			for _, v := range []string{"y1", "x1", "y2", "x2", "y3"} {
				subject.Next(v)
			}
			assert.Len(t, fates(lost), 3)
			s.unjam()
			assert.Equal(t, []string{"x2", "y3"}, far.heard()[1:])
			sub.Unsubscribe()
			assert.Len(t, fates(lost), 3)
		})
	})
	t.Run("across an outage", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject, sub, _ := s.jammed(wsource.SubjectConfig[string]{Delivery: keyed.Delivery, Reconnect: steady()})
			subject.Next("y1")
			subject.Next("x1")
			end := s.outage() // they come back from the socket
			subject.Next("x2")
			end()
			far := s.accept()
			assert.Equal(t, []string{"y1", "x2"}, far.heard())
			subject.Next("x3") // the earlier ones are gone
			assert.Equal(t, []string{"y1", "x2", "x3"}, far.heard())
			sub.Unsubscribe()
		})
	})
}

func TestTimeToLive(t *testing.T) {
	short := wsource.Delivery{TTL: time.Minute}
	expires := func(t *testing.T, subject *wsource.Subject[string, string]) {
		t.Helper()
		start := time.Now()
		requireUnsent(t, subject.SendAs(context.Background(), "short-lived", short), wsource.ErrExpired)
		assert.Equal(t, time.Minute, time.Since(start))
	}
	t.Run("nobody subscribed", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) { expires(t, s.subject(nil)) })
	})
	t.Run("in an outage", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			lost := record(t, subject.Undelivered())
			_, sub := listen(t, subject)
			s.accept()
			end := s.outage()
			subject.Next("first")
			expires(t, subject)
			subject.Next("last")
			end()
			assert.Equal(t, []string{"first", "last"}, s.accept().heard())
			sub.Unsubscribe()
			assert.Empty(t, fates(lost))
		})
	})
	t.Run("handed on to the next subscriber", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
			result := make(chan error, 1)
			go func() { result <- subject.SendAs(context.Background(), "short-lived", short) }()
			time.Sleep(time.Second)
			assert.Error(t, record(t, subject).ExpectEnd(t))
			time.Sleep(58 * time.Second)
			assert.Empty(t, result)
			time.Sleep(2 * time.Second)
			requireUnsent(t, <-result, wsource.ErrExpired)
		})
	})
	t.Run("queued in the socket", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject, sub, far := s.jammed(wsource.SubjectConfig[string]{})
			expires(t, subject)
			s.unjam()
			assert.NoError(t, subject.SendAs(context.Background(), "in time", short))
			assert.Equal(t, []string{"in time"}, far.heard()[1:])
			time.Sleep(2 * time.Minute)
			sub.Unsubscribe()
		})
	})
	t.Run("waiting for room", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Outbox: wsource.Outbox{Messages: 1}})
			subject.Next("in the way")
			expires(t, subject)
			_, sub := listen(t, subject)
			assert.Equal(t, []string{"in the way"}, s.accept().heard())
			sub.Unsubscribe()
		})
	})
}

func TestSubjectAsTheObserverOfAStream(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		numbers := operators.Map(observable.Range(1, 3), func(i int) string { return strings.Repeat("i", i) })
		numbers.Subscribe(t.Context(), subject) // it completes before any subscriber
		requireUnsent(t, subject.Send(t.Context(), "too late"), wsource.ErrClosed)
		got := record(t, subject)
		far := s.accept()
		assert.Equal(t, []string{"i", "ii", "iii"}, far.heard())
		assert.NoError(t, far.wait())
		assert.NoError(t, got.ExpectEnd(t))
	})
}
