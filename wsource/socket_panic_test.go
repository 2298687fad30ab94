package wsource_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// boom panics.
func boom[T any](T) { panic("boom") }

// A panic in the handling of a socket's messages closes the socket, in every kind of
// subscriber, and touches no other.
func TestPanicClosesTheSocket(t *testing.T) {
	for name, subscribe := range map[string]func(s *wsource.Socket, observer observable.ObserverFuncs[wsource.Message]){
		"an observer": func(s *wsource.Socket, observer observable.ObserverFuncs[wsource.Message]) {
			observer.OnNext = boom
			s.Subscribe(context.Background(), observer)
		},
		"an operator": func(s *wsource.Socket, observer observable.ObserverFuncs[wsource.Message]) {
			operators.Tap(s, boom).Subscribe(context.Background(), observer)
		},
		"an inner observable": func(s *wsource.Socket, observer observable.ObserverFuncs[wsource.Message]) {
			operators.MergeMap(s, func(m wsource.Message) observable.Observable[wsource.Message] {
				return operators.Tap(observable.Of(m), boom)
			}).Subscribe(context.Background(), observer)
		},
		"a reader": func(s *wsource.Socket, observer observable.ObserverFuncs[wsource.Message]) {
			operators.Map(s.Readers(), func(*wsource.MessageReader) wsource.Message { panic("boom") }).
				Subscribe(context.Background(), observer)
		},
		"a wrapped socket": func(s *wsource.Socket, observer observable.ObserverFuncs[wsource.Message]) {
			observer.OnNext = boom
			wsource.WrapSocket(s, wsource.Raw(), nil).Subscribe(context.Background(), observer)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{})
				bystander, quiet := s.pair(nil)
				quiet.Subscribe(context.Background(), quiet)
				client, server := s.pair(nil)
				var told error
				subscribe(server, observable.ObserverFuncs[wsource.Message]{OnError: func(err error) { told = err }})
				send(client, "x")
				<-client.Done()
				assert.Equal(t, "internal error", requireClose(t, client.Err(), wsource.StatusInternalError).Reason)
				settle()
				var panicked *observable.PanicError
				require.ErrorAs(t, told, &panicked)
				require.ErrorAs(t, server.Err(), &panicked, "this side knows why")
				answers := record[wsource.Message](t, bystander)
				send(bystander, "still there?")
				settle()
				assert.Len(t, answers.Values(), 1)
			})
		})
	}
}

// A panic that an operator handles does not count.
func TestPanicThatIsCaughtLeavesTheSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		first := true
		messages := operators.Tap(server, func(wsource.Message) {
			if first {
				first = false
				panic("boom")
			}
		})
		got := record(t, operators.Retry(messages, 1))
		send(client, "1", "2")
		settle()
		assert.Equal(t, []string{"2"}, texts(got.Values()))
		assert.Equal(t, wsource.Open, server.State())
		unsubscribed := record[wsource.Message](t, operators.Take[wsource.Message](server, 1))
		send(client, "3")
		settle()
		require.NoError(t, unsubscribed.ExpectEnd(t))
		assert.Equal(t, wsource.Open, server.State(), "nor is the end of a subscription")
	})
}

// A stream that is subscribed to a wrapped socket ends with the socket.
func TestStreamEndsWithAWrappedSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		feed := new(observable.Subject[wsource.Message])
		for _, subscribed := range []bool{true, false} {
			client, server := s.pair(nil)
			subject := wsource.WrapSocket(server, wsource.Raw(), nil)
			feed.Subscribe(context.Background(), subject)
			if subscribed {
				subject.Subscribe(context.Background(), observabletest.NewRecorder[wsource.Message]())
			}
			client.Complete()
			if !subscribed { // otherwise nobody reads the close frame behind the messages
				record[wsource.Message](t, server)
			}
			<-server.Done()
			settle()
			assert.False(t, feed.Observed(), "subscribed: %v", subscribed)
		}
		dialling := wsource.NewSubject("ws://"+host, wsource.Raw(), nil)
		dialling.OnEnd(func() { t.Error("it has no end") })()
	})
}

// A panic in a function of OnEnd is reported, and the other functions are called all the
// same.
func TestPanicAtTheEndOfASocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		ended := record(t, server.Ended())
		var called atomic.Int32
		for range 3 {
			server.OnEnd(func() {
				called.Add(1)
				panic("boom")
			})
		}
		client.CloseNow()
		<-server.Done()
		settle()
		assert.EqualValues(t, 3, called.Load())
		require.NoError(t, ended.ExpectEnd(t))
		server.OnEnd(func() { panic("late") })
		unhandled.Expect(t, "boom", "boom", "boom", "late")
	})
}
