package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
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

func TestStatusOfOrderlyEnds(t *testing.T) {
	opened := []wsource.Status{{}, {State: wsource.LinkConnecting}, {State: wsource.LinkOpen}}
	normal := wsource.Status{State: wsource.LinkClosed, Code: 1000}
	for name, test := range map[string]struct {
		end  func(subject *wsource.Subject[string, string], sub observable.Subscription, far far)
		want []wsource.Status
	}{
		"the last subscriber leaves": {
			func(_ *wsource.Subject[string, string], sub observable.Subscription, _ far) { sub.Unsubscribe() },
			[]wsource.Status{{State: wsource.LinkClosing, Code: 1000}, normal},
		},
		"Complete": {
			func(subject *wsource.Subject[string, string], _ observable.Subscription, _ far) { subject.Complete() },
			[]wsource.Status{{State: wsource.LinkClosing, Code: 1000}, normal},
		},
		"Close": {
			func(subject *wsource.Subject[string, string], _ observable.Subscription, _ far) {
				subject.Close(4000, "why")
			},
			[]wsource.Status{
				{State: wsource.LinkClosing, Code: 4000, Reason: "why"},
				{State: wsource.LinkClosed, Code: 4000, Reason: "why", Err: &wsource.CloseError{Code: 4000, Reason: "why"}},
			},
		},
		"Error without a code": {
			func(subject *wsource.Subject[string, string], _ observable.Subscription, _ far) {
				subject.Error(errSecret)
			},
			[]wsource.Status{
				{State: wsource.LinkClosing, Code: 1011, Reason: "internal error"},
				{State: wsource.LinkClosed, Code: 1011, Reason: "internal error", Err: &wsource.CloseError{Code: 1011, Reason: "internal error", Err: errSecret}},
			},
		},
		"the peer completes": {
			func(_ *wsource.Subject[string, string], _ observable.Subscription, far far) { far.Complete() },
			[]wsource.Status{normal},
		},
		"the peer closes": {
			func(_ *wsource.Subject[string, string], _ observable.Subscription, far far) {
				far.Close(1012, "restart")
			},
			[]wsource.Status{
				{State: wsource.LinkClosed, Code: 1012, Reason: "restart", Err: &wsource.CloseError{Code: 1012, Reason: "restart"}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := s.subject(nil)
				status := record(t, subject.Status())
				got, sub := listen(t, subject)
				far := s.accept()
				test.end(subject, sub, far)
				settle()
				assert.Equal(t, append(opened, test.want...), steps(status.Values()))
				assert.Equal(t, test.want[len(test.want)-1:], steps(record(t, subject.Status()).Values()), "for a late observer")
				if last := test.want[len(test.want)-1]; over(got) && last.Err != nil {
					assert.Equal(t, last.Err, got.ExpectEnd(t))
				}
			})
		})
	}
}

// errSecret is a cause that the peer must not learn.
var errSecret = errors.New("secret")

func TestStatusOfAnEndBeforeTheConnectionIsOpen(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		status := record(t, subject.Status())
		require.NoError(t, s.network.OnEveryDial(wstest.Stall(wstest.ToServer, 0)))
		_, sub := listen(t, subject)
		settle()
		sub.Unsubscribe()
		settle()
		assert.Equal(t, []wsource.Status{{}, {State: wsource.LinkConnecting}, {State: wsource.LinkClosed}}, steps(status.Values()))
		require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
		err := record(t, subject).ExpectEnd(t)
		require.Error(t, err)
		assert.Equal(t, []wsource.Status{{State: wsource.LinkConnecting}, {State: wsource.LinkClosed, Err: err}}, steps(status.Values())[3:])
		s.network.Link(1).Resume(wstest.ToServer)
		if s.dialled() { // the server has answered before it knew that the client had left
			requireClose(t, s.accept().wait(), wsource.StatusAbnormalClosure)
		}
	})
}

func TestStatusIsToldBeforeTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		got := observabletest.NewRecorder[string]()
		subject.Status().Subscribe(t.Context(), observable.ObserverFuncs[wsource.Status]{
			OnNext: func(status wsource.Status) { got.Notef("%v", status.State) },
		})
		subject.Undelivered().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.SendError]{
			OnNext: func(err *wsource.SendError) { got.Notef("%v %v", err.Message, err.Outcome) },
		})
		subject.Next("first")
		subject.Subscribe(t.Context(), got)
		far := s.accept()
		far.say("hello")
		far.Complete()
		settle()
		assert.Equal(t, []string{"idle", "connecting", "open", "hello", "closed", "first unknown", "complete"}, got.Log())
	})
}

func TestStatusOfReconnects(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		status := record(t, subject.Status())
		got, sub := listen(t, subject)
		far := s.accept()
		far.say("one")
		time.Sleep(10 * time.Second)
		s.outage()
		time.Sleep(1500 * time.Millisecond)
		require.NoError(t, s.network.OnEveryDial())
		far = s.accept()
		far.say("two")
		time.Sleep(10 * time.Second)
		far.Close(wsource.StatusServiceRestart, "back soon")
		far = s.accept()
		far.say("three")
		settle()
		all := status.Values()
		for _, status := range all {
			switch status.State {
			case wsource.LinkBackoff:
				assert.True(t, status.NextTry.Before(time.Now()))
				assert.Error(t, status.Err)
			case wsource.LinkOpen:
				assert.NotNil(t, status.Socket)
			default:
			}
		}
		failures := 0 // refused dials, by chance
		for _, status := range all[4:] {
			if status.State == wsource.LinkBackoff && status.Attempt > 1 {
				failures++
			}
		}
		want := []wsource.LinkState{
			wsource.LinkIdle, wsource.LinkConnecting, wsource.LinkOpen, wsource.LinkBackoff, wsource.LinkConnecting,
		}
		for range failures {
			want = append(want, wsource.LinkBackoff, wsource.LinkConnecting)
		}
		want = append(want, wsource.LinkOpen, wsource.LinkBackoff, wsource.LinkConnecting, wsource.LinkOpen)
		assert.Equal(t, want, states(all))
		// Backoff 1, connecting 1, backoff 2 ...
		for i, status := range all[3 : len(all)-4] {
			assert.Equal(t, i/2+1, status.Attempt)
		}
		assert.Equal(t, 1, all[len(all)-1].Attempt, "a row of its own")
		assert.Equal(t, []string{"one", "two", "three"}, got.Values())
		sub.Unsubscribe()
	})
}

func TestRoundTripTime(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		require.NoError(t, s.network.OnEveryDial(wstest.Delay(wstest.ToServer, 30*time.Millisecond)))
		subject := s.subject(nil)
		status := record(t, subject.Status())
		trips := record(t, subject.RoundTrips())
		_, sub := listen(t, subject)
		s.accept()
		time.Sleep(time.Minute)
		assert.Equal(t, []time.Duration{30 * time.Millisecond}, slices.Compact(trips.Values()))
		require.NoError(t, s.link().Inject(wstest.Delay(wstest.ToClient, 50*time.Millisecond)))
		time.Sleep(2 * time.Minute)
		assert.Equal(t, []time.Duration{30 * time.Millisecond, 80 * time.Millisecond}, slices.Compact(trips.Values()))
		late, err := observable.FirstValue(t.Context(), subject.Status())
		require.NoError(t, err)
		assert.Equal(t, 80*time.Millisecond, late.Socket.RTT())
		assert.Len(t, status.Values(), 3, "each state is told once")
		sub.Unsubscribe()
		time.Sleep(time.Second) // for the close handshake
	})
}

// TestObserversMaySend has an observer of each stream of a subject call functions that
// may wait for the subject.
func TestObserversMaySend(t *testing.T) {
	sent := func(t *testing.T, subject *wsource.Subject[string, string], text string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		assert.NoError(t, subject.Send(ctx, text))
	}
	t.Run("Status", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			logins := 0
			subject.Status().Subscribe(t.Context(), observable.ObserverFuncs[wsource.Status]{OnNext: func(status wsource.Status) {
				if status.State == wsource.LinkOpen {
					logins++
					sent(t, subject, "login")
				}
			}})
			_, sub := listen(t, subject)
			for want := 1; want <= 2; want++ {
				far := s.accept()
				got := far.messages
				settle()
				require.Len(t, got.Values(), 1)
				assert.Equal(t, "login", string(got.Values()[0].Data))
				assert.Equal(t, want, logins)
				far.CloseNow()
			}
			sub.Unsubscribe()
		})
	})
	t.Run("Undelivered", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			subject.Undelivered().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.SendError]{OnNext: func(err *wsource.SendError) {
				sent(t, subject, "again "+string(err.Message.Data))
			}})
			_, sub := listen(t, subject)
			first := s.accept()
			subject.Next("one")
			settle()
			first.CloseNow()
			second := s.accept()
			got := second.messages
			settle()
			require.Len(t, got.Values(), 1)
			assert.Equal(t, "again one", string(got.Values()[0].Data))
			sub.Unsubscribe()
		})
	})
	t.Run("Undecodable", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := wsource.NewSubject("ws://"+host, wsource.JSON[int, int](), &wsource.SubjectConfig[int]{
				Dial: *s.options(nil), SkipUndecodable: true,
			})
			subject.Undecodable().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.CodecError]{OnNext: func(*wsource.CodecError) {
				assert.NoError(t, subject.Send(t.Context(), 1))
			}})
			sub := subject.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
			far := s.accept()
			got := far.messages
			far.Next(wsource.TextMessage("no number"))
			settle()
			assert.Len(t, got.Values(), 1)
			sub.Unsubscribe()
		})
	})
}

// TestSendWithoutSubscribers: without subscribers, a subject does not dial.
func TestSendWithoutSubscribers(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := s.subject(nil).Send(ctx, "x")
		require.ErrorIs(t, err, wsource.ErrNotSubscribed)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// TestCompleteInBackoff: with an empty outbox the stream ends at once, without another
// attempt.
func TestCompleteInBackoff(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		got, _ := listen(t, subject)
		settle()
		dials := s.network.Dials()
		subject.Complete()
		require.NoError(t, got.ExpectEnd(t))
		assert.Equal(t, dials, s.network.Dials())
	})
}

func TestATargetForEachAttempt(t *testing.T) {
	inBubbleWith(t, wsource.AcceptOptions{Subprotocols: []string{"v1", "v2"}}, func(t *testing.T, s *site) {
		var attempts []int
		subject := s.subject(&wsource.SubjectConfig[string]{
			Reconnect: steady(),
			Target: func(ctx context.Context, attempt int, _ wsource.DialOptions) (string, wsource.DialOptions, error) {
				assert.NoError(t, ctx.Err())
				attempts = append(attempts, attempt)
				n := len(attempts)
				return fmt.Sprintf("%s/%d", address, n), *s.options(&wsource.DialOptions{
					Header:       http.Header{"Authorization": {fmt.Sprintf("Bearer %d", n)}},
					Subprotocols: []string{fmt.Sprintf("v%d", n)},
				}), nil
			},
		})
		_, sub := listen(t, subject)
		for i := range 3 {
			far := s.accept()
			assert.Equal(t, fmt.Sprintf("/%d", i+1), far.Request().URL.Path)
			assert.Equal(t, fmt.Sprintf("Bearer %d", i+1), far.Request().Header.Get("Authorization"))
			assert.Equal(t, []string{"v1", "v2", ""}[i], far.Subprotocol())
			far.CloseNow()
		}
		s.accept()
		assert.Equal(t, []int{0, 1, 2, 3}, attempts)
		sub.Unsubscribe()
	})
}

func TestATargetThatFails(t *testing.T) {
	noToken := errors.New("no token")
	for name, test := range map[string]struct {
		target func() error
		check  func(t *testing.T, err error)
	}{
		"an error": {func() error { return noToken }, func(t *testing.T, err error) { assert.ErrorIs(t, err, noToken) }},
		"a panic": {func() error { panic(noToken) }, func(t *testing.T, err error) {
			var pe *observable.PanicError
			assert.ErrorAs(t, err, &pe)
			assert.ErrorIs(t, err, noToken)
		}},
		"the end of the goroutine": {func() error {
			runtime.Goexit()
			return nil
		}, func(t *testing.T, err error) { assert.ErrorIs(t, err, observable.ErrGoexit) }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := s.subject(&wsource.SubjectConfig[string]{
					Reconnect: steady(),
					Target: func(context.Context, int, wsource.DialOptions) (string, wsource.DialOptions, error) {
						return "", wsource.DialOptions{}, test.target()
					},
				})
				test.check(t, record(t, subject).ExpectEnd(t))
				assert.Zero(t, s.network.Dials())
			})
		})
	}
}

func TestATargetThatIsNotWantedAnyMore(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		stopped := make(chan struct{})
		subject := s.subject(&wsource.SubjectConfig[string]{
			Target: func(ctx context.Context, _ int, _ wsource.DialOptions) (string, wsource.DialOptions, error) {
				<-ctx.Done()
				close(stopped)
				return "", wsource.DialOptions{}, ctx.Err()
			},
		})
		_, sub := listen(t, subject)
		settle()
		sub.Unsubscribe()
		<-stopped
	})
}

func TestBackoffGrowsUntilAConnectionHasLasted(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{
			Reconnect: &backoff.Config{Base: time.Second, Max: time.Hour, Retries: 6},
		})
		status := record(t, subject.Status())
		got := record(t, subject)
		s.accept().CloseNow()
		for range 5 { // it accepts, and drops at once
			s.accept().CloseNow()
		}
		far := s.accept()
		time.Sleep(4900 * time.Millisecond)
		far.CloseNow()
		// Six retries in a row.
		requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
		bound := time.Second
		for _, status := range status.Values() {
			if status.State == wsource.LinkBackoff {
				// Full jitter: any delay up to the bound. The operator's own tests check
				// the distribution.
				assert.LessOrEqual(t, time.Until(status.NextTry), bound)
				bound *= 2
			}
		}

		got = record(t, subject)
		for range 10 { // each lasts long enough, so that no row grows
			far := s.accept()
			time.Sleep(5100 * time.Millisecond)
			far.CloseNow()
		}
		s.accept()
		assert.False(t, over(got))
		subject.Complete()
	})
}

func TestTheLimitOfElapsedTime(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
		policy := steady()
		policy.Elapsed = time.Minute
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: policy})
		start := time.Now()
		requireHandshake(t, record(t, subject).ExpectEnd(t), 0)
		assert.InDelta(t, time.Minute, time.Since(start), float64(3*time.Second))
		assert.Greater(t, s.network.Dials(), 30)
	})
}
