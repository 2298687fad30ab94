package wsource_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exiting ends its goroutine at the end of a stream.
func exiting[T any]() observable.Observer[T] {
	return observable.ObserverFuncs[T]{
		OnNext: func(T) {}, OnError: func(error) { runtime.Goexit() }, OnComplete: func() { runtime.Goexit() },
	}
}

// One caller's observer ends its goroutine when its request fails: the others are told.
func TestRequestsGoexit(t *testing.T) {
	for name, end := range map[string]func(s *site, far far){
		"the stream ends": func(_ *site, far far) { far.CloseNow() },
		"timeout":         func(*site, far) { time.Sleep(11 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubbleWith(t, calm, func(t *testing.T, s *site) {
				subject := s.subject(nil)
				requests := wsource.NewRequests(subject, wsource.RequestsConfig[string, string]{
					SetID: func(text string, _ uint64) string { return text },
					ID:    func(string) (uint64, bool) { return 0, false },
					Max:   1,
				})
				listen(t, requests.Call("takes the place"))
				far := s.accept()
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				result := make(chan error, 1)
				requests.Call("second").Subscribe(context.Background(), exiting[string]())
				go func() { _, err := requests.Do(ctx, "third"); result <- err }()
				settle()
				end(s, far)
				time.Sleep(time.Hour)
				require.Len(t, result, 1, "Do has returned")
				require.Error(t, <-result)
				far.CloseNow()
				settle()
			})
		})
	}
}

// A subscriber of one connection ends its goroutine in OnComplete: the subject connects again.
func TestGoexitAtAConnectionsEnd(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		listen(t, subject)
		first := true
		subject.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Connection[string, string]]{
			OnNext: func(c *wsource.Connection[string, string]) {
				if first {
					first = false
					c.Subscribe(context.Background(), exiting[string]())
				}
			},
		})
		far := s.accept()
		far.CloseNow()
		time.Sleep(time.Hour)
		assert.NotEmpty(t, s.sockets, "an hour later, with a delay of a second: %v", subject)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		assert.NoError(t, subject.Shutdown(ctx))
	})
}

// A subscriber of the values ends its goroutine: what was read is lost for the connection's subscriber.
func TestGoexitBesideConnection(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		own := func(c *wsource.Connection[string, string]) observable.Observable[string] { return c }
		got, sub := listen(t, operators.SwitchMap(subject.Connections(), own))
		subject.Subscribe(context.Background(), observable.ObserverFuncs[string]{
			OnNext: func(string) { runtime.Goexit() }, OnError: func(error) {},
		})
		far := s.accept()
		for i := range 5 {
			far.say(fmt.Sprint(i))
		}
		settle()
		assert.Equal(t, []string{"0", "1", "2", "3", "4"}, got.Values())
		sub.Unsubscribe()
	})
}
