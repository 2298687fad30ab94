package event_test

import (
	"context"
	"errors"
	"fmt"
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

// served returns a new client of a PubSub, and its server's side, both connected.
func (s *site) served(p *event.PubSub) (client, server *event.Conn) {
	s.t.Helper()
	client, server = s.conns(nil)
	p.Serve(server)
	connect(client, server)
	return client, server
}

// publish publishes a number.
func publish(t *testing.T, p *event.PubSub, topic string, n int) {
	t.Helper()
	require.NoError(t, p.Publish(&event.Envelope{Type: "n", Topic: topic, Data: fmt.Append(nil, n)}))
}

// numbers returns the topics and values of events.
func numbers(r *observabletest.Recorder[event.Event[int]]) []string {
	settle()
	got := []string{}
	for _, e := range r.Values() {
		got = append(got, fmt.Sprint(e.Topic, " ", e.Value))
	}
	return got
}

// TestEmitToTopic says values of the server under topics.
func TestEmitToTopic(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	p := event.NewPubSub(nil)
	var got []string
	p.Topic("orders.*").Subscribe(t.Context(), observable.ObserverFuncs[*event.Envelope]{
		OnNext: func(e *event.Envelope) { got = append(got, e.Type+" "+e.Topic+" "+string(e.Data)) },
	})
	sink := event.EmitTo[int](p, "order_placed", nil)
	sink.Under("orders.new").Next(5)
	sink.Under("prices.new").Next(6)
	sink.Under("orders.old").Next(7)
	assert.Equal(t, []string{"order_placed orders.new 5", "order_placed orders.old 7"}, got)
	assert.Empty(t, unhandled.All())

	sink.Under("orders.*").Next(8)
	require.Len(t, unhandled.All(), 1)
	var wrong *observable.ArgumentError
	require.ErrorAs(t, unhandled.All()[0], &wrong)
	assert.Equal(t, "event.RoomSink.Under", wrong.Func)
	assert.Len(t, got, 2)
	require.NoError(t, p.Shutdown(t.Context()))
}

func TestPubSub(t *testing.T) {
	t.Run("topics and patterns", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			p := event.NewPubSub(nil)
			everything := record(t, observable.Observable[*event.Envelope](p))
			here := record(t, p.Topic("orders.>"))
			alice, _ := s.served(p)
			bob, _ := s.served(p)
			one := record(t, event.OnTopic[int](alice, "orders.new"))
			some := record(t, event.OnTopic[int](alice, "orders.*"))
			all := record(t, event.OnTopic[int](bob, "orders.>"))
			settle()
			publish(t, p, "orders.new", 1)
			event.Emit[int](alice, "n").Under("orders.old").Next(2)
			settle()
			event.Emit[int](bob, "n").Under("orders.new.today").Next(3)
			event.Emit[int](bob, "n").Under("prices").Next(4)
			settle()
			assert.Equal(t, []string{"orders.new 1"}, numbers(one))
			assert.Equal(t, []string{"orders.new 1", "orders.old 2"}, numbers(some))
			assert.Equal(t, []string{"orders.new 1", "orders.old 2", "orders.new.today 3"}, numbers(all))
			assert.Equal(t, "orders.>", all.Values()[0].Pattern)
			assert.Empty(t, one.Values()[0].Pattern)
			assert.Len(t, everything.Values(), 4)
			assert.Len(t, here.Values(), 3)
		})
	})
	t.Run("subscriptions are counted", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			p := event.NewPubSub(nil)
			conn, peer := s.opposite(nil)
			p.Serve(conn)
			connect(conn)
			peer.say(`{"id":"1","type":"rx.subscribe","topic":"a"}`)
			peer.say(`{"id":"2","type":"rx.subscribe","topic":"a"}`)
			publish(t, p, "a", 1)
			assert.Equal(t, []string{"rx.subscribed", "rx.subscribed", "n"}, types(peer.heard()))
			peer.say(`{"id":"3","type":"rx.unsubscribe","topic":"a"}`)
			peer.say(`{"id":"4","type":"rx.unsubscribe","topic":"b"}`)
			publish(t, p, "a", 2)
			assert.Len(t, peer.heard(), 3)
			assert.Equal(t, "PubSub: 0 topics, 0 patterns", p.String())

			client, told := s.opposite(nil)
			connect(client)
			first := event.OnTopic[int](client, "a").Subscribe(t.Context(), observable.ObserverFuncs[event.Event[int]]{})
			second := event.OnTopic[int](client, "a").Subscribe(t.Context(), observable.ObserverFuncs[event.Event[int]]{})
			settle()
			first.Unsubscribe()
			assert.Equal(t, []string{"rx.subscribe"}, types(told.heard()))
			second.Unsubscribe()
			assert.Equal(t, []string{"rx.subscribe", "rx.unsubscribe"}, types(told.heard()))
		})
	})
	t.Run("the last value is retained", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			p := event.NewPubSub(&event.PubSubConfig{Retain: 3})
			for i := range 3 {
				publish(t, p, fmt.Sprint("a.", i), i)
				publish(t, p, fmt.Sprint("a.", i), 10+i)
			}
			alice, _ := s.served(p)
			got := record(t, event.OnTopic[int](alice, "a.*"))
			single := record(t, event.OnTopic[int](alice, "a.1"))
			assert.Equal(t, []string{"a.0 10", "a.1 11", "a.2 12"}, numbers(got))
			settle()
			assert.Equal(t, []string{"a.1 11"}, numbers(single))
			publish(t, p, "a.0", 20)
			publish(t, p, "a.3", 13) // a.1 is given up
			settle()
			bob, _ := s.served(p)
			late := record(t, event.OnTopic[int](bob, "a.*"))
			settle()
			assert.Equal(t, []string{"a.2 12", "a.0 20", "a.3 13"}, numbers(late))
			assert.Equal(t, []string{"a.0 10", "a.1 11", "a.2 12", "a.0 20", "a.3 13"}, numbers(got))
			here := record(t, p.Topic("a.*"))
			assert.Len(t, here.Values(), 3)
			none := record(t, event.OnTopic[int](bob, "a.1"))
			settle()
			assert.Empty(t, none.Values())
		})
	})
	t.Run("refusals", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			p := event.NewPubSub(&event.PubSubConfig{
				MaxTopics: 2, MaxPatterns: 3,
				Authorize: func(_ *event.Conn, topic string, publish bool) error {
					switch {
					case topic == "secret":
						return &event.PublicError{Code: "secret", Message: "is secret"}
					case publish && topic == "read.only":
						return errors.New("database down")
					}
					return nil
				},
			})
			client, server := s.served(p)
			wrong, told := record(t, server.Errors()), record(t, client.Errors())
			refused := func(pattern string) event.Code {
				var re *event.RemoteError
				require.ErrorAs(t, record(t, event.OnTopic[int](client, pattern)).ExpectEnd(t), &re)
				return re.Code
			}
			assert.Equal(t, event.Code("secret"), refused("secret"))
			record(t, event.OnTopic[int](client, "a"))
			record(t, event.OnTopic[int](client, "b"))
			settle()
			assert.Equal(t, event.CodeTooManyTopics, refused("c"))
			other, _ := s.served(p)
			record(t, event.OnTopic[int](other, "c"))
			settle()
			got := record(t, event.OnTopic[int](other, "d"))
			settle()
			var re *event.RemoteError
			require.ErrorAs(t, got.ExpectEnd(t), &re)
			assert.Equal(t, event.CodeTooManyTopics, re.Code)
			assert.Len(t, wrong.Values(), 2)

			event.Emit[int](client, "n").Under("read.only").Next(1)
			settle()
			require.Len(t, told.Values(), 1)
			require.ErrorAs(t, told.Values()[0], &re)
			assert.Equal(t, event.CodeForbidden, re.Code)
			assert.NotContains(t, re.Message, "database")
			require.Len(t, wrong.Values(), 4, "the cause, and the refusal")

			var ae *observable.ArgumentError
			require.ErrorAs(t, event.Emit[int](client, "n").Under("orders.*").Send(t.Context(), 1), &ae)
			require.ErrorAs(t, record(t, event.OnTopic[int](client, "a..b")).ExpectEnd(t), &ae)
			require.ErrorAs(t, record(t, p.Topic(">.a")).ExpectEnd(t), &ae)
			require.NoError(t, client.Send(t.Context(), &event.Envelope{Type: "n", Topic: "orders.>"}))
			settle()
			require.ErrorAs(t, told.Values()[1], &re)
			assert.Equal(t, event.CodeBadTopic, re.Code)
			var ee *event.EnvelopeError
			require.ErrorAs(t, p.Publish(&event.Envelope{Type: "n", Topic: "*"}), &ee)
			require.ErrorAs(t, p.Publish(&event.Envelope{Topic: "a"}), &ee)
			require.ErrorAs(t, p.Publish(&event.Envelope{Type: "n", Topic: "a", Data: []byte("{")}), &ee)
		})
	})
	t.Run("10,000 topics of one connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			p := event.NewPubSub(nil)
			conn, peer := s.opposite(&event.Config{MaxErrors: 9000})
			p.Serve(conn)
			record(t, conn.Errors())
			connect(conn)
			for i := range 10_000 {
				require.NoError(t, peer.Send(t.Context(), wsource.TextMessage(fmt.Sprintf(`{"id":"%d","type":"rx.subscribe","topic":"t.%d"}`, i, i))))
			}
			settle()
			assert.Equal(t, wsource.Open, peer.State())
			assert.Equal(t, fmt.Sprintf("PubSub: 0 topics, %d patterns", event.DefaultMaxTopics), p.String())
			conn.Connect(context.Background()).Unsubscribe()
			settle()
			assert.Equal(t, "PubSub: 0 topics, 0 patterns", p.String())
		})
	})
	t.Run("shutdown", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			p := event.NewPubSub(&event.PubSubConfig{Retain: 1})
			unhandled := observabletest.Unhandled(t)
			all, some := record(t, observable.Observable[*event.Envelope](p)), record(t, p.Topic("a"))
			client, server := s.served(p)
			record(t, server.Errors())
			got := record(t, event.OnTopic[int](client, "a"))
			settle()
			publish(t, p, "a", 1)
			require.NoError(t, p.Shutdown(t.Context()))
			require.ErrorIs(t, p.Publish(&event.Envelope{Type: "n", Topic: "a"}), event.ErrPubSubShutdown)
			require.NoError(t, all.ExpectEnd(t))
			require.NoError(t, some.ExpectEnd(t))
			assert.Equal(t, []string{"a 1"}, numbers(got))
			var re *event.RemoteError
			refused := record(t, event.OnTopic[int](client, "b"))
			settle()
			require.ErrorAs(t, refused.ExpectEnd(t), &re)
			assert.Equal(t, event.CodeForbidden, re.Code)
			told := record(t, client.Errors())
			event.Emit[int](client, "n").Under("a").Next(3)
			settle()
			require.Len(t, told.Values(), 1)
			require.ErrorAs(t, told.Values()[0], &re)
			assert.Equal(t, event.CodeForbidden, re.Code)
			assert.Empty(t, unhandled.All())
			server.Connect(t.Context()).Unsubscribe()
		})
	})
	t.Run("a new connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			p := event.NewPubSub(&event.PubSubConfig{Retain: 1})
			client, subject := s.lasting()
			got := record(t, event.OnTopic[int](client, "a"))
			connect(client)
			for i := range 2 {
				server, socket := s.accept()
				p.Serve(server)
				connect(server)
				settle()
				publish(t, p, "a", i)
				settle()
				socket.CloseNow()
				settle()
			}
			assert.Equal(t, []string{"a 0", "a 0", "a 1"}, numbers(got))
			subject.Complete()
		})
	})
	t.Run("wsource.Topics", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			p := event.NewPubSub(&event.PubSubConfig{Retain: 10, MaxTopics: 2})
			publish(t, p, "a.b", 1)
			subject := wsource.NewSubject("ws://"+host, event.JSON(), &wsource.SubjectConfig[*event.Envelope]{Dial: s.dialOptions()})
			topics := wsource.NewTopics(subject, event.TopicsConfig())
			one, some := record(t, topics.Topic("a.b")), record(t, topics.Topic("a.*"))
			server, _ := s.accept()
			p.Serve(server)
			connect(server)
			settle()
			publish(t, p, "a.b", 2)
			publish(t, p, "a.c", 3)
			settle()
			assert.Len(t, one.Values(), 2)
			assert.Len(t, some.Values(), 3)
			var re *event.RemoteError
			require.ErrorAs(t, record(t, topics.Topic("c")).ExpectEnd(t), &re)
			subject.Complete()
		})
	})
	t.Run("one order for all, from several goroutines", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			p := event.NewPubSub(&event.PubSubConfig{Retain: 5, Messages: 10_000})
			first := record(t, observable.Observable[*event.Envelope](p))
			var wait sync.WaitGroup
			logs := make([]*observabletest.Recorder[event.Event[int]], 6)
			for g := range 6 {
				wait.Go(func() {
					client, _ := s.served(p)
					logs[g] = record(t, event.OnTopic[int](client, "a.*"))
					for i := range 50 {
						event.Emit[int](client, "n").Under(fmt.Sprint("a.", i%7)).Next(i)
						publish(t, p, fmt.Sprint("a.", g), i)
						sub := event.OnTopic[int](client, fmt.Sprint("a.", i%3)).Subscribe(t.Context(), observable.ObserverFuncs[event.Event[int]]{})
						time.Sleep(time.Duration(g) * time.Microsecond)
						sub.Unsubscribe()
					}
					time.Sleep(time.Second)
				})
			}
			wait.Wait()
			order := make(map[string]int)
			for i, e := range first.Values() {
				order[e.ID] = i
			}
			assert.Len(t, order, 600)
			for _, log := range logs {
				last := -1
				for _, e := range log.Values() {
					require.Greater(t, order[e.ID], last, "it is in the order of all, and comes once")
					last = order[e.ID]
				}
				assert.Equal(t, 599, last)
			}
		})
	})
}

func TestRelay(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		relay := event.NewRelay(newRooms().Room("lobby"))
		all := record(t, observable.Observable[*event.Envelope](relay))
		join := func(name string, options event.RelayOptions) (*event.Conn, func()) {
			client, server := s.conns(&event.Config{Source: name})
			m, err := relay.Join(t.Context(), server, name, options)
			require.NoError(t, err)
			connect(client, server)
			return client, m.Unsubscribe
		}
		alice, leave := join("alice", event.RelayOptions{Types: []string{"said"}})
		bob, _ := join("bob", event.RelayOptions{Echo: true})
		heardByAlice, heardByBob := record(t, event.On[string](alice, "said")), record(t, event.On[string](bob, "said"))
		news := record(t, event.On[string](bob, "news"))
		event.Emit[string](alice, "said").Next("hello")
		event.Emit[string](alice, "news").Next("not relayed")
		settle()
		event.Emit[string](bob, "said").Next("hi")
		settle()
		event.EmitTo[string](relay, "said", nil).Next("from the server")
		settle()
		values := operators.Map(observable.FromSlice(heardByAlice.Values()), func(e event.Event[string]) string { return e.Source + e.Value })
		got, err := observable.Collect(t.Context(), values)
		require.NoError(t, err)
		assert.Equal(t, []string{"bobhi", "from the server"}, got)
		assert.Len(t, heardByBob.Values(), 3, "it hears itself")
		assert.Empty(t, news.Values())
		assert.Len(t, all.Values(), 3)
		_, err = event.Ask[int](t.Context(), bob, "question", 1)
		require.Error(t, err)
		leave()
		event.Emit[string](alice, "said").Next("is anybody there?")
		settle()
		assert.Len(t, all.Values(), 3, "it has left, and its questions are its own")

		_, err = relay.Join(t.Context(), event.New(new(wsource.Subject[wsource.Message, wsource.Message]), nil), "x", event.RelayOptions{})
		var ae *observable.ArgumentError
		require.ErrorAs(t, err, &ae)
		_, server := s.conns(nil)
		_, err = relay.Join(t.Context(), server, "x", event.RelayOptions{Types: []string{""}})
		require.ErrorAs(t, err, &ae)
	})
}
