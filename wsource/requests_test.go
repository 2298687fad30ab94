package wsource_test

import (
	"context"
	"encoding/json"
	"fmt"
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

// query is a request, an answer, or neither.
type query struct {
	ID   uint64 `json:",omitempty"`
	Text string
}

type (
	askSubject  = wsource.Subject[query, query]
	askRequests = wsource.Requests[query, query]
	askConfig   = wsource.RequestsConfig[query, query]
)

// askBy is the tests' configuration of requests.
func askBy(change func(*askConfig)) askConfig {
	c := askConfig{
		SetID:  func(a query, id uint64) query { return query{id, a.Text} },
		ID:     func(a query) (uint64, bool) { return a.ID, a.ID > 0 },
		Cancel: func(id uint64) query { return query{Text: fmt.Sprint("cancel ", id)} },
	}
	if change != nil {
		change(&c)
	}
	return c
}

// asking returns requests on a new subject, that reconnects after a second.
func asking(s *site, change func(*askConfig)) (*askSubject, *askRequests) {
	subject := newSubject(s, wsource.JSON[query, query](), &wsource.SubjectConfig[query]{Reconnect: steady()})
	return subject, wsource.NewRequests(subject, askBy(change))
}

// reply answers the request with an ID.
func (f far) reply(id int, text string) { f.say(fmt.Sprintf(`{"ID":%d,"Text":%q}`, id, text)) }

// asked returns the requests that have come, as "1 text".
func (f far) asked() []string {
	f.t.Helper()
	var all []string
	for _, text := range f.heard() {
		var a query
		require.NoError(f.t, json.Unmarshal([]byte(text), &a))
		all = append(all, strings.TrimPrefix(fmt.Sprint(a.ID, " ", a.Text), "0 "))
	}
	return all
}

// outcome is the result of Do.
type outcome struct {
	value query
	err   error
	after time.Duration
}

// do calls Do on a goroutine of its own.
func do(r *askRequests, ctx context.Context, text string) <-chan outcome { //nolint:revive // the receiver comes first
	result := make(chan outcome, 1)
	go func() {
		began := time.Now()
		v, err := r.Do(ctx, query{Text: text})
		result <- outcome{v, err, time.Since(began)}
	}()
	settle()
	return result
}

// requireRequest requires that err is a request error with the outcome.
func requireRequest(t *testing.T, err error, id uint64, o wsource.Outcome, cause error) {
	t.Helper()
	var re *wsource.RequestError
	require.ErrorAs(t, err, &re)
	require.Equal(t, id, re.ID, "%v", err)
	require.Equal(t, o, re.Outcome, "%v", err)
	require.ErrorIs(t, err, cause)
}

func TestRequests(t *testing.T) {
	t.Run("answers in any order, beside other values", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, requests := asking(s, nil)
			all := record(t, subject)
			first, second := do(requests, t.Context(), "a"), do(requests, t.Context(), "b")
			server := s.accept()
			assert.Equal(t, []string{"1 a", "2 b"}, server.asked())
			assert.Equal(t, "2 requests", requests.String())
			server.say(`{"Text":"news"}`)
			server.reply(2, "B")
			server.reply(1, "A")
			server.reply(1, "again")
			server.reply(7, "nobody's")
			assert.Equal(t, query{1, "A"}, (<-first).value)
			assert.Equal(t, query{2, "B"}, (<-second).value)
			settle()
			assert.Len(t, all.Values(), 5, "the subject's subscribers see all")
			assert.Equal(t, "0 requests", requests.String())
			subject.Complete()
			require.NoError(t, server.wait())
		})
	})
	t.Run("each holds the connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			_, requests := asking(s, nil)
			first, second := do(requests, t.Context(), "a"), do(requests, t.Context(), "b")
			server := s.accept()
			server.reply(1, "A")
			<-first
			settle()
			assert.Equal(t, wsource.Open, server.State())
			server.reply(2, "B")
			<-second
			require.NoError(t, server.wait(), "the last is answered")
			third := do(requests, t.Context(), "c")
			server = s.accept()
			server.reply(3, "C")
			require.NoError(t, (<-third).err)
			require.NoError(t, server.wait())
		})
	})
	t.Run("time limits", func(t *testing.T) {
		for timeout, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Minute: time.Minute} {
			inBubble(t, func(t *testing.T, s *site) {
				subject, requests := asking(s, func(c *askConfig) { c.Timeout = timeout })
				_, subscription := listen(t, subject)
				slow := do(requests, t.Context(), "slow")
				time.Sleep(want / 2)
				later := do(requests, t.Context(), "later")
				server := s.accept()
				got := <-slow
				assert.Equal(t, want, got.after)
				requireRequest(t, got.err, 1, wsource.Unknown, wsource.ErrRequestTimeout)
				assert.Equal(t, []string{"1 slow", "2 later", "cancel 1"}, server.asked())
				server.reply(1, "too late")
				got = <-later
				requireRequest(t, got.err, 2, wsource.Unknown, wsource.ErrRequestTimeout)
				assert.InDelta(t, want, got.after, 1)
				subscription.Unsubscribe()
				require.NoError(t, server.wait())
			})
		}
		inBubble(t, func(t *testing.T, s *site) {
			_, requests := asking(s, func(c *askConfig) { c.Timeout = wsource.NoTimeout })
			patient := do(requests, t.Context(), "patient")
			server := s.accept()
			time.Sleep(24 * time.Hour)
			server.reply(1, "at last")
			require.NoError(t, (<-patient).err)
			require.NoError(t, server.wait())
		})
	})
	t.Run("the end of the context", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			_, requests := asking(s, nil)
			ctx, cancel := context.WithCancelCause(t.Context())
			given := do(requests, ctx, "given up")
			server := s.accept()
			cancel(assert.AnError)
			requireRequest(t, (<-given).err, 1, wsource.Unknown, assert.AnError)
			require.NoError(t, server.wait())
			assert.Equal(t, []string{"1 given up", "cancel 1"}, server.asked(), "before the connection is closed")
			_, err := requests.Do(ctx, query{})
			requireRequest(t, err, 0, wsource.Unsent, assert.AnError)
		})
	})
	t.Run("one that was never sent is not cancelled", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
			_, requests := asking(s, nil)
			got := <-do(requests, t.Context(), "nobody is there")
			requireRequest(t, got.err, 1, wsource.Unsent, wsource.ErrRequestTimeout)
		})
	})
	t.Run("as many at a time as may be", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			_, requests := asking(s, func(c *askConfig) { c.Max = 2 })
			var all []<-chan outcome
			for i := range 4 {
				all = append(all, do(requests, t.Context(), fmt.Sprint(i)))
			}
			ctx, cancel := context.WithCancel(t.Context())
			given := do(requests, ctx, "given up")
			last := do(requests, t.Context(), "last")
			server := s.accept()
			assert.Equal(t, []string{"1 0", "2 1"}, server.asked())
			cancel()
			requireRequest(t, (<-given).err, 5, wsource.Unsent, context.Canceled)
			server.reply(2, "")
			<-all[1]
			assert.Equal(t, []string{"1 0", "2 1", "3 2"}, server.asked())
			server.reply(1, "")
			server.reply(3, "")
			assert.Equal(t, []string{"1 0", "2 1", "3 2", "4 3", "6 last"}, server.asked())
			server.reply(4, "")
			server.reply(6, "")
			for _, result := range append(all, last) {
				if result != all[1] {
					require.NoError(t, (<-result).err)
				}
			}
			require.NoError(t, server.wait())
		})
	})
	t.Run("of two Requests on one subject", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, one := asking(s, nil)
			two := wsource.NewRequests(subject, askBy(nil))
			first, second := do(one, t.Context(), "a"), do(two, t.Context(), "b")
			server := s.accept()
			assert.Equal(t, []string{"1 a", "2 b"}, server.asked())
			server.reply(2, "B")
			server.reply(1, "A")
			assert.Equal(t, "A", (<-first).value.Text)
			assert.Equal(t, "B", (<-second).value.Text)
			require.NoError(t, server.wait())
		})
	})
	t.Run("on a wrapped socket", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.pair(nil)
			requests := wsource.NewRequests(wsource.WrapSocket(server, wsource.JSON[query, query](), nil), askBy(nil))
			client.Subscribe(context.Background(), client) // it echoes
			got := <-do(requests, t.Context(), "who are you?")
			require.NoError(t, got.err)
			assert.Equal(t, "who are you?", got.value.Text)
		})
	})
}

func TestRequestsCall(t *testing.T) {
	t.Run("the next one takes the place of the one before", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnDial(1, wstest.Delay(wstest.ToClient, 10*time.Microsecond)))
			subject := newSubject(s, wsource.JSON[query, query](), &wsource.SubjectConfig[query]{Linger: time.Second})
			requests := wsource.NewRequests(subject, askBy(nil))
			// Otherwise the dial might be given up between two inputs.
			_, other := listen(t, subject)
			defer other.Unsubscribe()
			var inputs observable.Subject[string]
			got := record(t, operators.SwitchMap(&inputs, func(text string) observable.Observable[query] {
				return requests.Call(query{Text: text})
			}))
			inputs.Next("g")
			inputs.Next("go")
			server := s.accept()
			assert.Equal(t, []string{"2 go"}, server.asked(), "one that was not sent is not sent")
			inputs.Next("gop")
			assert.Equal(t, []string{"2 go", "cancel 2", "3 gop"}, server.asked())
			server.reply(2, "late")
			server.reply(3, "gopher")
			settle()
			assert.Equal(t, []query{{3, "gopher"}}, got.Values())
			inputs.Complete()
			require.NoError(t, got.ExpectEnd(t))
			other.Unsubscribe()
			require.NoError(t, server.wait())
		})
	})
	t.Run("a full outbox does not hold it up", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnDial(1, wstest.Refuse()))
			subject := newSubject(s, wsource.JSON[query, query](), &wsource.SubjectConfig[query]{
				Reconnect: steady(), Outbox: wsource.Outbox{Messages: 1},
			})
			requests := wsource.NewRequests(subject, askBy(nil))
			subject.Next(query{Text: "queued"})
			got := record(t, requests.Call(query{Text: "a"}))
			server := s.accept()
			assert.Equal(t, []string{"queued", "1 a"}, server.asked())
			server.reply(1, "A")
			require.NoError(t, got.ExpectEnd(t))
			require.NoError(t, server.wait())
		})
	})
	t.Run("each subscriber asks", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			_, requests := asking(s, nil)
			call := requests.Call(query{Text: "a"})
			first, second := record(t, call), record(t, call)
			server := s.accept()
			assert.Equal(t, []string{"1 a", "2 a"}, server.asked())
			server.reply(1, "A")
			require.NoError(t, first.ExpectEnd(t))
			assert.Equal(t, []query{{1, "A"}}, first.Values())
			require.NoError(t, server.Close(wsource.StatusPolicyViolation, ""))
			requireRequest(t, second.ExpectEnd(t), 2, wsource.Unknown, second.Err())
			requireClose(t, second.Err(), wsource.StatusPolicyViolation)
		})
	})
	t.Run("the subscriber's context", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			_, requests := asking(s, nil)
			ctx, cancel := context.WithCancelCause(context.Background())
			got := observabletest.NewRecorder[query]()
			requests.Call(query{Text: "a"}).Subscribe(ctx, got)
			server := s.accept()
			cancel(assert.AnError)
			require.Equal(t, assert.AnError, got.ExpectEnd(t))
			require.NoError(t, server.wait())
			assert.Equal(t, []string{"1 a", "cancel 1"}, server.asked())
		})
	})
}
