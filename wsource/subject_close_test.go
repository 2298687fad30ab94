package wsource_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
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

func TestSubjectClosesOnlyWithWhatMayBeSent(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		_, sub := listen(t, subject)
		far := s.accept()
		for _, code := range []wsource.StatusCode{0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000} {
			var ice *wsource.InvalidCloseError
			require.ErrorAs(t, subject.Close(code, ""), &ice)
			assert.Equal(t, code, ice.Code)
		}
		require.Error(t, subject.Close(4000, strings.Repeat("x", wsource.MaxReason+1)))
		require.Error(t, subject.Close(4000, "\xFF"))
		settle()
		assert.Equal(t, wsource.Open, far.State())
		subject.Error(&wsource.CloseError{Code: 1006}) // cannot be sent
		requireClose(t, far.wait(), wsource.StatusInternalError)
		sub.Unsubscribe()
	})
}

func TestSubjectClosesInTimeThoughThePeerDoesNotAnswer(t *testing.T) {
	for name, end := range map[string]func(*wsource.Subject[string, string], observable.Subscription){
		"Complete":                   func(subject *wsource.Subject[string, string], _ observable.Subscription) { subject.Complete() },
		"the last subscriber leaves": func(_ *wsource.Subject[string, string], sub observable.Subscription) { sub.Unsubscribe() },
	} {
		t.Run(name, func(t *testing.T) {
			inBubbleWith(t, calm, func(t *testing.T, s *site) {
				subject := s.subject(nil)
				status := record(t, subject.Status())
				_, sub := listen(t, subject)
				far := s.accept()
				s.vanish()
				start := time.Now()
				end(subject, sub)
				assert.Zero(t, time.Since(start), "it does not wait")
				time.Sleep(wsource.DefaultCloseTimeout - time.Millisecond)
				assert.Equal(t, wsource.LinkClosing, status.Values()[3].State)
				assert.Len(t, status.Values(), 4)
				settle()
				settle()
				require.Len(t, status.Values(), 5)
				require.ErrorIs(t, status.Values()[4].Err, wsource.ErrCloseTimeout)
				s.appear()
				far.CloseNow()
			})
		})
	}
}

func TestCompleteSendsFirstWhatWaits(t *testing.T) {
	t.Run("queued in the socket", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			subject, _, far := s.jammed(wsource.SubjectConfig[string]{})
			subject.Next("queued")
			subject.Complete()
			s.unjam()
			require.NoError(t, far.wait())
			assert.Equal(t, []string{"queued"}, far.heard()[1:])
		})
	})
	t.Run("in an outage", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			status := record(t, subject.Status())
			got := record(t, subject)
			s.accept()
			end := s.outage()
			subject.Next("waiting")
			subject.Complete()
			subject.Next("for the next one")
			time.Sleep(5 * time.Second)
			assert.False(t, over(got))
			end()
			far := s.accept()
			require.NoError(t, far.wait())
			assert.Equal(t, []string{"waiting"}, far.heard())
			require.NoError(t, got.ExpectEnd(t))
			last := status.Values()[len(status.Values())-1]
			assert.Equal(t, wsource.LinkClosed, last.State)
			_, sub := listen(t, subject)
			assert.Equal(t, []string{"for the next one"}, s.accept().heard())
			sub.Unsubscribe()
		})
	})
	t.Run("in an outage that lasts", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			policy := steady()
			policy.Retries = 3
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: policy})
			lost := record(t, subject.Undelivered())
			got := record(t, subject)
			s.accept()
			s.outage()
			subject.Next("waiting")
			subject.Complete()
			require.Error(t, got.ExpectEnd(t))
			assert.Equal(t, []string{"waiting unsent the socket is closed"}, fates(lost))
		})
	})
	t.Run("with nothing to send in an outage", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			got := record(t, subject)
			s.accept()
			s.outage()
			subject.Complete()
			require.NoError(t, got.ExpectEnd(t))
			dials := s.network.Dials()
			time.Sleep(time.Hour)
			assert.Equal(t, dials, s.network.Dials())

			require.NoError(t, s.network.OnEveryDial())
			got = record(t, subject)
			s.accept()
			s.outage()
			require.NoError(t, subject.Close(4000, "enough"))
			requireClose(t, got.ExpectEnd(t), 4000)
		})
	})
	t.Run("while the first connection is being opened", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			require.NoError(t, s.network.OnDial(1, wstest.Stall(wstest.ToServer, 0)))
			got := record(t, subject)
			subject.Next("a")
			subject.Complete()
			subject.Complete() // the next connection, before any subscriber
			s.unjamLater()
			far := s.accept()
			require.NoError(t, far.wait())
			require.NoError(t, got.ExpectEnd(t))
			assert.Equal(t, []string{"a"}, far.heard())
		})
	})
	t.Run("and a subscriber that leaves meanwhile discards it", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			lost := record(t, subject.Undelivered())
			_, sub := listen(t, subject)
			s.accept()
			s.outage()
			subject.Next("waiting")
			subject.Complete()
			sub.Unsubscribe()
			assert.Equal(t, []string{"waiting unsent the outbox was discarded"}, fates(lost))
		})
	})
	t.Run("and a subscriber that leaves a connection that is open does not", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			lost := record(t, subject.Undelivered())
			ctx, cancel := context.WithCancel(t.Context())
			subject.Connections().Subscribe(ctx, observable.ObserverFuncs[*connection]{
				OnNext: func(*connection) { // sent values wait until it has returned
					subject.Next("a")
					subject.Next("b")
					subject.Complete()
					cancel()
				},
				OnError: func(error) {},
			})
			far := s.accept()
			require.NoError(t, far.wait())
			assert.Equal(t, []string{"a", "b"}, far.heard())
			assert.Empty(t, lost.Values())
		})
	})
}

// unjamLater lets a stalled dial go on.
func (s *site) unjamLater() {
	settle()
	s.unjam()
}

// A message of the old connection that a subscriber is still busy with comes before the
// messages of the new one, for every subscriber, and later messages of the old connection
// do not come at all.
func TestAStaleConnectionDoesNotTouchTheNewOne(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		release := make(chan struct{})
		slow := observabletest.NewRecorder[string]().OnNext(func(v string) {
			if v == "old" {
				<-release
			}
		})
		sub1 := subject.Subscribe(t.Context(), slow)
		other, sub2 := listen(t, subject)
		far := s.accept()
		far.say("old")
		far.say("older than the new ones, but it was not read")
		settle()
		s.outage()()
		far2 := s.accept()
		far2.say("new")
		settle()
		assert.Equal(t, []string{"old"}, slow.Values())
		assert.Empty(t, other.Values())
		assert.NoError(t, subject.Send(t.Context(), "sending goes on"))
		close(release)
		settle()
		assert.Equal(t, []string{"old", "new"}, slow.Values())
		assert.Equal(t, []string{"old", "new"}, other.Values())
		sub1.Unsubscribe()
		sub2.Unsubscribe()
		require.NoError(t, far2.wait())
	})
}

func TestSubjectSlowsItsPeer(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		release := make(chan struct{})
		slow := observabletest.NewRecorder[string]().OnNext(func(string) { <-release })
		sub := subject.Subscribe(t.Context(), slow)
		far := s.accept()
		var sent atomic.Int32
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 5000 { // more than the queue and the network hold
				far.say(strings.Repeat("x", 100))
				sent.Add(1)
			}
		}()
		time.Sleep(20 * time.Second) // less than the sender's WriteTimeout
		assert.Less(t, sent.Load(), int32(3000))
		close(release)
		<-done
		settle()
		assert.Len(t, slow.Values(), 5000)
		sub.Unsubscribe()
	})
}

func TestSubjectWhoseMessagesDoNotDecode(t *testing.T) {
	t.Run("skipped", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, wsource.JSON[int, int](), &wsource.SubjectConfig[int]{SkipUndecodable: true})
			bad := record(t, subject.Undecodable())
			got, sub := listen(t, subject)
			far := s.accept()
			for _, text := range []string{"1", "nonsense", "2"} {
				far.say(text)
			}
			settle()
			assert.Equal(t, []int{1, 2}, got.Values())
			require.Len(t, bad.Values(), 1)
			assert.Equal(t, "nonsense", bad.Values()[0].Message.String())
			sub.Unsubscribe()
		})
	})
	t.Run("as values", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, wsource.AsValues(wsource.JSON[int, int]()), nil)
			got, sub := listen(t, subject)
			far := s.accept()
			for _, text := range []string{"1", "nonsense", "2"} {
				far.say(text)
			}
			settle()
			require.Len(t, got.Values(), 3)
			assert.ErrorContains(t, got.Values()[1].Err, "nonsense")
			assert.Equal(t, 2, got.Values()[2].Value)
			sub.Unsubscribe()
		})
	})
	t.Run("of the wrong type", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			status := record(t, subject.Status())
			got := record(t, subject)
			far := s.accept()
			far.Next(wsource.BinaryMessage([]byte("raw")))
			far.say("not decoded any more")
			var ce *wsource.CodecError
			require.ErrorAs(t, got.ExpectEnd(t), &ce)
			require.ErrorIs(t, ce, wsource.ErrMessageType)
			assert.Equal(t, wsource.BinaryMessage([]byte("raw")), ce.Message)
			requireClose(t, far.wait(), wsource.StatusUnsupportedData)
			assert.Empty(t, got.Values())
			settle()
			assert.Equal(t, []wsource.LinkState{
				wsource.LinkIdle, wsource.LinkConnecting, wsource.LinkOpen, wsource.LinkClosing, wsource.LinkClosed,
			}, states(status.Values()))
			assert.Equal(t, 1, s.network.Dials())
		})
	})
	for name, decode := range map[string]func(){
		"for a panic": func() { panic("what is that?") },
		"for the end": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				codec := hostile{wsource.TextCodec(), decode}
				got := record(t, newSubject(s, wsource.Codec[string, string](codec), nil))
				far := s.accept()
				far.say("value")
				var ce *wsource.CodecError
				require.ErrorAs(t, got.ExpectEnd(t), &ce)
				requireClose(t, far.wait(), wsource.StatusInvalidPayload)
			})
		})
	}
}

// hostile is a codec that misbehaves.
type hostile struct {
	wsource.Codec[string, string]
	decode func()
}

func (c hostile) Decode(wsource.MessageType, []byte) (string, error) {
	c.decode()
	return "", nil
}

func TestAnObserverThatEndsItsGoroutine(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		exit := func(wsource.Status) { runtime.Goexit() }
		subject.Undelivered().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.SendError]{
			OnNext: func(*wsource.SendError) { runtime.Goexit() },
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			subject.Status().Subscribe(t.Context(), observable.ObserverFuncs[wsource.Status]{OnNext: exit})
		}()
		<-done
		got, sub := listen(t, subject)
		for i := range 3 {
			far := s.accept()
			far.say(fmt.Sprint(i))
			subject.Next("x")
			settle()
			far.CloseNow()
		}
		s.accept()
		assert.Equal(t, []string{"0", "1", "2"}, got.Values())
		sub.Unsubscribe()
	})
}

func TestSubscribersOfOneConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		ctx, cancel := context.WithCancelCause(t.Context())
		first := observabletest.NewRecorder[string]()
		subject.Subscribe(ctx, first)
		second, sub := listen(t, operators.Take(subject, 2))
		far := s.accept()
		far.say("a")
		settle()
		cancel(assert.AnError) // the first subscriber does not own the connection
		require.ErrorIs(t, first.ExpectEnd(t), assert.AnError)
		far.say("b")
		require.NoError(t, second.ExpectEnd(t))
		require.NoError(t, far.wait())
		assert.Equal(t, []string{"a"}, first.Values())
		assert.Equal(t, []string{"a", "b"}, second.Values())
		assert.Equal(t, 1, s.network.Dials())
		sub.Unsubscribe()
	})
}
