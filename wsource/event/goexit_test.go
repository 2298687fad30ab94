package event_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// The tests of this file end goroutines inside callbacks, as a test's FailNow does. No
// lock may stay held, and no goroutine may wait for ever.

// goexiting returns an observer whose terminals end the goroutine.
func goexiting[T any]() observable.Observer[T] {
	return observable.ObserverFuncs[T]{
		OnError: func(error) { runtime.Goexit() }, OnComplete: runtime.Goexit,
	}
}

func TestGoexitAtTheEndOfAConn(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		observabletest.Unhandled(t) // from the observers that end their goroutine
		client, server := s.conns(nil)
		record(t, client.Errors())
		record(t, server.Errors())
		event.AnswerMany(server, "q", func(context.Context, int) observable.Observable[int] {
			return observable.Never[int]()
		})
		event.NewPubSub(nil).Serve(server)
		answering := make(chan struct{})
		event.Answer(client, "back", func(ctx context.Context, _ int) (int, error) {
			defer close(answering)
			<-ctx.Done()
			return 0, nil
		})
		connect(client, server)
		var events []*observabletest.Recorder[event.Event[int]]
		var answers []*observabletest.Recorder[int]
		for i := range 10 {
			event.On[int](client, fmt.Sprint("a", i)).Subscribe(t.Context(), goexiting[event.Event[int]]())
			event.OnTopic[int](client, fmt.Sprint("a", i)).Subscribe(t.Context(), goexiting[event.Event[int]]())
			event.AskMany[int](client, "q", i).Subscribe(t.Context(), goexiting[int]())
			events = append(events, record(t, event.On[int](client, fmt.Sprint("b", i))),
				record(t, event.OnTopic[int](client, fmt.Sprint("b", i))))
			answers = append(answers, record(t, event.AskMany[int](client, "q", i)))
		}
		go func() { _, _ = event.Ask[int](context.Background(), server, "back", 1) }()
		settle()
		link := s.network.Link(s.network.Dials())
		require.NoError(t, link.Inject(wstest.Reset(wstest.ToClient, 0), wstest.Reset(wstest.ToServer, 0)))
		settle()
		for i := range answers {
			assert.True(t, events[2*i].Ended() && events[2*i+1].Ended() && answers[i].Ended(), i)
		}
		<-answering
		<-client.Done()
	})
}

func TestGoexitInPubSub(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		unhandled := observabletest.Unhandled(t)
		p := event.NewPubSub(nil)
		alice, _ := s.served(p)
		got := record(t, event.OnTopic[int](alice, "a"))
		settle()
		p.Subscribe(t.Context(), observable.ObserverFuncs[*event.Envelope]{
			OnNext: func(e *event.Envelope) {
				publish(t, p, "a", 2) // it comes after the step that ends the goroutine
				runtime.Goexit()
			},
			OnError: func(error) {},
		})
		over := make(chan struct{})
		go func() {
			defer close(over)
			publish(t, p, "a", 1)
		}()
		<-over
		publish(t, p, "a", 3)
		assert.Equal(t, []string{"a 1", "a 2", "a 3"}, numbers(got))
		require.Len(t, unhandled.All(), 1)
		require.ErrorIs(t, unhandled.All()[0], observable.ErrGoexit)
	})
}

func TestPubSubInItsObserver(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		p := event.NewPubSub(nil)
		got := make(chan string, 10)
		p.Subscribe(t.Context(), observable.ObserverFuncs[*event.Envelope]{
			OnNext: func(*event.Envelope) {
				got <- p.String()
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				got <- fmt.Sprint(p.Shutdown(ctx))
			},
			OnComplete: func() { got <- "complete" },
		})
		publish(t, p, "a", 1)
		assert.Equal(t, "PubSub: 0 topics, 0 patterns", <-got)
		assert.Equal(t, context.DeadlineExceeded.Error(), <-got)
		assert.Equal(t, "complete", <-got)
	})
}

func TestPubSubRefusesSlowRoom(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		p := event.NewPubSub(&event.PubSubConfig{Slow: hub.SlowRoom})
		var ae *observable.ArgumentError
		require.ErrorAs(t, p.Publish(&event.Envelope{Type: "n", Topic: "a"}), &ae)
		_, server := s.conns(nil)
		wrong := record(t, server.Errors())
		p.Serve(server)
		require.Len(t, wrong.Values(), 1)
		require.ErrorAs(t, wrong.Values()[0], &ae)
	})
}
