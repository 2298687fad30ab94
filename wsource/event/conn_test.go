package event_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	"github.com/rxsocket/rxsocket/wsource/event"
)

// order is the value of most tests.
type order struct {
	ID int `json:"id"`
}

func TestOn(t *testing.T) {
	t.Run("both ways", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(&event.Config{Source: "alice"})
			got := record(t, event.On[order](server, "order_placed"))
			back := record(t, event.OnValue[order](client, "order_confirmed"))
			other := record(t, server.Unheard())
			event.OnValue[order](server, "order_placed").Subscribe(t.Context(), event.Emit[order](server, "order_confirmed"))
			connect(client, server)
			require.NoError(t, event.Emit[order](client, "order_placed").Send(t.Context(), order{5}))
			event.Emit[string](client, "news").Under("world").Next("none")
			settle()
			require.Len(t, got.Values(), 1)
			e := got.Values()[0]
			assert.Equal(t, order{5}, e.Value)
			assert.Equal(t, "alice", e.Source)
			assert.Len(t, e.ID, 36)
			assert.WithinDuration(t, time.Now(), e.Created, time.Second)
			assert.Equal(t, []order{{5}}, back.Values())
			require.Len(t, other.Values(), 1, "nobody listens to news")
			assert.Equal(t, "world", other.Values()[0].Topic)
		})
	})
	t.Run("a listener leaves", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			one, err := make(chan int, 1), error(nil)
			sub := operators.Take(event.OnValue[int](server, "n"), 1).Subscribe(t.Context(), observable.ObserverFuncs[int]{
				OnNext: func(n int) { one <- n },
			})
			other := record(t, server.Unheard())
			connect(client, server)
			for i := range 3 {
				event.Emit[int](client, "n").Next(i)
			}
			<-sub.Done()
			settle()
			require.NoError(t, err)
			assert.Equal(t, 0, <-one)
			assert.Len(t, other.Values(), 2)
		})
	})
	t.Run("data that does not fit", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			got := record(t, event.OnValue[int](server, "n"))
			wrong, told := record(t, server.Errors()), record(t, client.Errors())
			connect(client, server)
			event.Emit[any](client, "n").Next(1)
			event.Emit[any](client, "n").Next("two")
			event.Emit[any](client, "n").Next(nil)
			settle()
			event.Emit[any](client, "n").Next(func() {})
			assert.Equal(t, []int{1, 0}, got.Values())
			require.Len(t, wrong.Values(), 1)
			var de *event.DataError
			require.ErrorAs(t, wrong.Values()[0], &de)
			assert.Equal(t, "int", de.Target)
			assert.NotContains(t, de.Error(), "two", "no data in a log")
			require.Len(t, told.Values(), 2)
			require.ErrorAs(t, told.Values()[1], &de, "the value does not encode")
			var re *event.RemoteError
			require.ErrorAs(t, told.Values()[0], &re)
			assert.Equal(t, event.CodeBadData, re.Code)
		})
	})
	t.Run("ends", func(t *testing.T) {
		for name, end := range map[string]func(a *wsource.Socket, cancel context.CancelCauseFunc, sub func()){
			"normal":      func(a *wsource.Socket, _ context.CancelCauseFunc, _ func()) { a.Complete() },
			"broken":      func(a *wsource.Socket, _ context.CancelCauseFunc, _ func()) { a.CloseNow() },
			"context":     func(_ *wsource.Socket, cancel context.CancelCauseFunc, _ func()) { cancel(errStop) },
			"unsubscribe": func(_ *wsource.Socket, _ context.CancelCauseFunc, unsubscribe func()) { unsubscribe() },
		} {
			inBubble(t, func(t *testing.T, s *site) {
				a, b := s.pair()
				c := event.New(b, nil)
				got, other, wrong := record(t, event.On[int](c, "n")), record(t, c.Unheard()), record(t, c.Errors())
				feed := new(observable.Subject[int])
				feed.Subscribe(t.Context(), event.Emit[int](c, "n"))
				unhandled := observabletest.Unhandled(t)
				event.OnValue[int](c, "n").Subscribe(t.Context(), event.Emit[int](c, "m"))
				answering := event.Answer(c, "double", double)
				ctx, cancel := context.WithCancelCause(context.Background())
				sub := c.Connect(ctx)
				assert.Same(t, sub, c.Connect(ctx))
				assert.True(t, feed.Observed())
				end(a, cancel, sub.Unsubscribe)
				<-c.Done()
				<-sub.Done()
				<-answering.Done()
				var ce *wsource.CloseError
				for _, err := range []error{c.Err(), got.ExpectEnd(t), other.ExpectEnd(t), record(t, event.On[int](c, "n")).ExpectEnd(t)} {
					switch name {
					case "normal":
						require.NoError(t, err)
					case "broken":
						require.ErrorAs(t, err, &ce)
					case "context":
						require.ErrorIs(t, err, errStop)
					default:
						require.ErrorIs(t, err, wsource.ErrClosed)
					}
				}
				require.NoError(t, wrong.ExpectEnd(t))
				assert.Empty(t, wrong.Values())
				assert.False(t, feed.Observed(), "nothing feeds a connection that is over")
				assert.Empty(t, unhandled.All(), "an end that the Conn tells of is no failure of a sink")
				if name == "context" || name == "unsubscribe" {
					assert.Equal(t, wsource.Open, b.State(), "the socket is not the Conn's")
				}
				cancel(nil)
				<-event.Answer(c, "late", double).Done()
				<-c.Connect(t.Context()).Done()
			})
		}
	})
	t.Run("arguments", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(nil)
			wrong := record(t, client.Errors())
			connect(client, server)
			var ae *observable.ArgumentError
			for _, typ := range []string{"", "rx.next", strings.Repeat("x", event.MaxName+1)} {
				require.ErrorAs(t, record(t, event.On[int](client, typ)).ExpectEnd(t), &ae)
				require.ErrorAs(t, event.Emit[int](client, typ).Send(t.Context(), 1), &ae)
				_, err := event.Ask[int](t.Context(), client, typ, 1)
				require.ErrorAs(t, err, &ae)
				require.ErrorAs(t, record(t, event.AskMany[int](client, typ, 1)).ExpectEnd(t), &ae)
				require.ErrorAs(t, client.Send(t.Context(), &event.Envelope{Type: typ}), &ae)
				<-event.Answer(client, typ, double).Done()
				<-event.AnswerMany(client, typ, count).Done()
			}
			assert.Len(t, wrong.Values(), 6)
			<-event.Answer[int, int](client, "n", nil).Done()
			<-event.AnswerMany[int, int](client, "n", nil).Done()
			first := event.Answer(client, "n", double)
			<-event.Answer(client, "n", double).Done()
			assert.Len(t, wrong.Values(), 9)
			first.Unsubscribe()
			again := event.Answer(client, "n", double)
			assert.Len(t, wrong.Values(), 9, "it is free again")
			again.Unsubscribe()
			for _, bad := range []event.Config{
				{MaxBytes: -1}, {AskTimeout: -2}, {MaxAnswers: -1}, {Window: -1}, {MaxErrors: -1}, {Source: strings.Repeat("x", 300)},
			} {
				c := event.New(new(wsource.Socket), &bad)
				require.ErrorAs(t, c.Err(), &ae)
				require.ErrorAs(t, record(t, event.On[int](c, "n")).ExpectEnd(t), &ae)
				_, err := event.Ask[int](t.Context(), c, "n", 1)
				require.ErrorAs(t, err, &ae)
			}
			require.ErrorAs(t, event.New(nil, nil).Err(), &ae)
			var ee *event.EnvelopeError
			require.ErrorAs(t, client.Send(t.Context(), &event.Envelope{Type: "n", Data: []byte("{")}), &ee)
			require.ErrorAs(t, client.Send(t.Context(), &event.Envelope{Type: "n", Extra: []event.Field{{"a", nil}}}), &ee)
		})
	})
	t.Run("several goroutines", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			client, server := s.conns(&event.Config{AskTimeout: wsource.NoTimeout})
			for _, c := range []*event.Conn{client, server} {
				event.Answer(c, "double", double)
				event.AnswerMany(c, "count", count)
			}
			connect(client, server)
			var wait sync.WaitGroup
			for g := range 8 {
				wait.Go(func() {
					c := []*event.Conn{client, server}[g%2]
					got := record(t, event.OnValue[int](c, fmt.Sprint("n", g)))
					for i := range 30 {
						event.Emit[int]([]*event.Conn{server, client}[g%2], fmt.Sprint("n", g)).Next(i)
						n, err := event.Ask[int](t.Context(), c, "double", i)
						assert.NoError(t, err)
						assert.Equal(t, 2*i, n)
						all, err := observable.Collect(t.Context(), event.AskMany[int](c, "count", i*5))
						assert.NoError(t, err)
						assert.Len(t, all, i*5)
					}
					settle()
					assert.Len(t, got.Values(), 30)
				})
			}
			wait.Wait()
		})
	})
}

var errStop = errors.New("stop")

func TestBadInput(t *testing.T) {
	long := strings.Repeat("x", event.MaxName+1)
	t.Run("is told to both sides, and the connection lives on", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			conn, peer := s.opposite(&event.Config{MaxBytes: 1000})
			got, wrong := record(t, event.OnValue[int](conn, "n")), record(t, conn.Errors())
			connect(conn)
			for i, c := range []struct {
				text string
				code event.Code
				corr string
			}{
				{`{`, event.CodeMalformed, ""},
				{`{"v":2,"id":"1","type":"n"}`, event.CodeVersion, "1"},
				{`{"type":"n"}`, event.CodeMissingID, ""},
				{`{"id":"1"}`, event.CodeMissingType, "1"},
				{`{"id":"1","type":"` + long + `"}`, event.CodeTooLong, "1"},
				{`{"id":"1","type":"n","data":"` + strings.Repeat("x", 1000) + `"}`, event.CodeTooLong, ""},
				{`{"id":"1","type":"rx.dance"}`, event.CodeReserved, "1"},
				{`{"id":"1","type":"rx.subscribe","topic":"x"}`, event.CodeReserved, "1"},
				{`{"id":"1","type":"n","data":"x"}`, event.CodeBadData, "1"},
				{`{"type":"rx.reply","corr":"7"}`, event.CodeNoQuestion, "7"},
				{`{"type":"rx.next","corr":"8"}`, event.CodeNoQuestion, "8"},
				{`{"type":"rx.complete"}`, event.CodeNoQuestion, ""},
			} {
				peer.say(c.text)
				require.Len(t, wrong.Values(), i+1, c.text)
				heard := peer.heard()
				require.Len(t, heard, i+1, c.text)
				assert.Equal(t, "rx.error", heard[i].Type)
				assert.Equal(t, c.corr, heard[i].Corr, c.text)
				assert.Equal(t, c.code, code(t, heard[i]), c.text)
			}
			before := len(wrong.Values())
			peer.say(`{"type":"rx.cancel","corr":"9"}`) // its answer may be on the way
			peer.say(`{"type":"rx.credit","corr":"9","credit":1}`)
			assert.Len(t, wrong.Values(), before)
			peer.say(`{"type":"rx.error","corr":"9","data":{"code":"too_long","message":"no"}}`)
			peer.say(`{"type":"rx.error","data":5}`)
			require.Len(t, wrong.Values(), before+2)
			var re *event.RemoteError
			require.ErrorAs(t, wrong.Values()[before], &re)
			assert.Equal(t, event.RemoteError{Code: event.CodeTooLong, Message: "no", Corr: "9"}, *re)
			assert.Len(t, peer.heard(), before, "an error is not answered with one")
			peer.say(`{"id":"1","type":"n","data":5}`)
			assert.Equal(t, []int{5}, got.Values())
		})
	})
	t.Run("too much of it in a minute", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			conn, peer := s.opposite(&event.Config{MaxErrors: 3})
			wrong := record(t, conn.Errors())
			connect(conn)
			for range 3 {
				for range 3 {
					peer.say(`{}`)
				}
				assert.Equal(t, wsource.Open, peer.State())
				time.Sleep(time.Minute)
			}
			got := record(t, event.OnValue[int](conn, "n"))
			for range 4 {
				require.NoError(t, peer.Send(t.Context(), wsource.TextMessage(`{}`)))
			}
			_ = peer.Send(t.Context(), wsource.TextMessage(`{"id":"1","type":"n","data":1}`))
			<-conn.Done()
			assert.Empty(t, got.Values(), "nothing counts any more")
			require.ErrorIs(t, conn.Err(), event.ErrTooManyErrors)
			require.ErrorIs(t, wrong.Values()[len(wrong.Values())-1], event.ErrTooManyErrors)
			var ce *wsource.CloseError
			require.ErrorAs(t, peer.got.ExpectEnd(t), &ce)
			assert.Equal(t, wsource.StatusPolicyViolation, ce.Code)
		})
	})
	t.Run("questions", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			conn, peer := s.opposite(nil)
			event.AnswerMany(conn, "ticks", func(context.Context, int) observable.Observable[int] {
				return observable.Interval(time.Second)
			})
			wrong := record(t, conn.Errors())
			connect(conn)
			peer.say(`{"id":"1","type":"ticks","data":0,"credit":2}`)
			peer.say(`{"id":"1","type":"ticks","data":0,"credit":2}`)
			require.Len(t, peer.heard(), 1)
			assert.Equal(t, event.CodeDuplicateID, code(t, peer.heard()[0]))
			time.Sleep(10 * time.Second)
			assert.Equal(t, []string{"rx.error", "rx.next", "rx.next"}, types(peer.heard()), "it has credit for two")
			peer.say(`{"type":"rx.credit","corr":"1","credit":9223372036854775807}`)
			peer.say(`{"type":"rx.credit","corr":"1","credit":9223372036854775807}`)
			time.Sleep(3 * time.Second)
			assert.Greater(t, len(peer.heard()), 4)
			peer.say(`{"type":"rx.error","corr":"1","data":{"code":"no_such_question"}}`)
			n := len(peer.heard())
			time.Sleep(10 * time.Second)
			assert.Len(t, peer.heard(), n, "the peer does not know it any more")
			assert.Len(t, wrong.Values(), 2)
		})
	})
	t.Run("answers", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			conn, peer := s.opposite(&event.Config{Window: 2})
			wrong := record(t, conn.Errors())
			connect(conn)
			block := make(chan struct{})
			failed := make(chan error, 1)
			event.AskMany[int](conn, "many", 0).Subscribe(t.Context(), observable.ObserverFuncs[int]{
				OnNext: func(int) { <-block }, OnError: func(err error) { failed <- err },
			})
			asked := peer.heard()[0]
			assert.Equal(t, int64(2), asked.Credit)
			for range 4 {
				peer.say(`{"type":"rx.next","corr":"` + asked.ID + `","data":1}`)
			}
			close(block)
			var ee *event.EnvelopeError
			require.ErrorAs(t, <-failed, &ee)
			assert.Equal(t, event.CodeCredit, ee.Code)
			assert.Equal(t, []string{"many", "rx.cancel", "rx.error"}, types(peer.heard()))
			require.Len(t, wrong.Values(), 2)
			var se *event.StrayError
			require.ErrorAs(t, wrong.Values()[1], &se)
			assert.True(t, se.Late)
			assert.Equal(t, wsource.Open, peer.State(), "a late one is not held against the peer")
			peer.flood(2*event.DefaultMaxErrors, func(int) string { return `{"type":"rx.next","corr":"` + asked.ID + `","data":1}` })
			assert.Equal(t, wsource.Closed, peer.State(), "for more than one it had no credit")
		})
	})
}

// code returns the code of an error event.
func code(t *testing.T, e *event.Envelope) event.Code {
	t.Helper()
	var data struct{ Code event.Code }
	require.NoError(t, json.Unmarshal(e.Data, &data))
	return data.Code
}
