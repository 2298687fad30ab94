package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
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

// One caller's observer ends its goroutine when its request fails: the others get their
// errors.
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

// A subscriber of one connection ends its goroutine in OnComplete: the subject connects
// again.
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

// exitingCodec ends the goroutine in Name, and when it encodes "exit".
type exitingCodec struct{ wsource.Codec[string, string] }

func (c exitingCodec) Encode(text string) (wsource.Message, error) {
	if text == "exit" {
		runtime.Goexit()
	}
	return c.Codec.Encode(text)
}

func (c exitingCodec) Decode(typ wsource.MessageType, data []byte) (string, error) {
	if string(data) == "no" {
		return "", errors.ErrUnsupported
	}
	return c.Codec.Decode(typ, data)
}

func (c exitingCodec) Name() string {
	runtime.Goexit()
	return ""
}

// When the codec, or the function for the Delivery, ends the goroutine of a send, the
// message is reported, in every way of sending.
func TestGoexitInWhatMakesAMessage(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		var dropped atomic.Int64
		subject := newSubject(s, wsource.Codec[string, string](exitingCodec{wsource.TextCodec()}), &wsource.SubjectConfig[string]{
			Delivery: func(text string) (d wsource.Delivery) {
				if text == "exit at once" {
					runtime.Goexit()
				}
				return d
			},
			Hook: wsource.HookFunc(func(e wsource.Event) {
				if e.Kind == wsource.EventDropped {
					dropped.Add(1)
				}
			}),
		})
		lost := record(t, subject.Undelivered())
		got := record(t, subject)
		connections := record(t, subject.Connections())
		server := s.accept()
		connection := connections.Values()[0]
		for _, text := range []string{"exit", "exit at once"} {
			go subject.Next(text)
			go subject.Send(t.Context(), text) //nolint:errcheck // it does not return
			go connection.Next(text)
			go connection.Send(t.Context(), text) //nolint:errcheck // likewise
			settle()
		}
		subject.Next("after")
		assert.Equal(t, []string{"after"}, server.heard())
		require.Len(t, lost.Values(), 8)
		for _, err := range lost.Values() {
			require.ErrorIs(t, err, observable.ErrGoexit)
			assert.Equal(t, wsource.Unsent, err.Outcome)
			assert.Contains(t, err.Value, "exit")
		}
		assert.EqualValues(t, 8, dropped.Load())
		subject.Complete()
		require.NoError(t, got.ExpectEnd(t))
	})
}

// A codec's Name ends the goroutine: the undecodable message is reported all the same.
func TestGoexitInTheNameOfACodec(t *testing.T) {
	inBubbleWith(t, calm, func(t *testing.T, s *site) {
		subject := newSubject(s, wsource.Codec[string, string](exitingCodec{wsource.TextCodec()}), nil)
		undecodable := record(t, subject.Undecodable())
		got := record(t, subject)
		server := s.accept()
		server.say("no")
		require.ErrorIs(t, got.ExpectEnd(t), errors.ErrUnsupported)
		require.Len(t, undecodable.Values(), 1)
		assert.Equal(t, "wsource_test.exitingCodec", undecodable.Values()[0].Codec)
		requireClose(t, server.wait(), wsource.StatusInvalidPayload)
	})
}

// A subscriber of the values ends its goroutine: the value that was read is lost for the
// connection's subscriber.
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
