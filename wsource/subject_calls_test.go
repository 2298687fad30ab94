package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

type textSubject = wsource.Subject[string, string]

// picky is a codec of texts that does not decode "bad".
type picky struct{ wsource.Codec[string, string] }

func (p picky) Decode(typ wsource.MessageType, data []byte) (string, error) {
	if string(data) == "bad" {
		return "", errors.New("it is bad")
	}
	return p.Codec.Decode(typ, data)
}

// callers subscribe to the streams of a subject, each with a function for each value.
var callers = map[string]func(s *textSubject, topics *textTopics, f func()) observable.Subscription{
	"values": func(s *textSubject, _ *textTopics, f func()) observable.Subscription { return calling(s, f) },
	"a topic": func(_ *textSubject, topics *textTopics, f func()) observable.Subscription {
		return calling(topics.Topic("a"), f)
	},
	"multiplex": func(s *textSubject, _ *textTopics, f func()) observable.Subscription { return calling(part(s, "a"), f) },
	"status":    func(s *textSubject, _ *textTopics, f func()) observable.Subscription { return calling(s.Status(), f) },
	"undelivered": func(s *textSubject, _ *textTopics, f func()) observable.Subscription {
		return calling(s.Undelivered(), f)
	},
	"undecodable": func(s *textSubject, _ *textTopics, f func()) observable.Subscription {
		return calling(s.Undecodable(), f)
	},
	"connections": func(s *textSubject, _ *textTopics, f func()) observable.Subscription {
		return calling(s.Connections(), f)
	},
	"values of connections": func(s *textSubject, _ *textTopics, f func()) observable.Subscription {
		own := func(c *wsource.Connection[string, string]) observable.Observable[string] { return c }
		return calling(operators.SwitchMap(s.Connections(), own), f)
	},
	"round trips": func(s *textSubject, _ *textTopics, f func()) observable.Subscription {
		return calling(s.RoundTrips(), f)
	},
}

// calling subscribes to a stream with a function that is called for each value.
func calling[T any](src observable.Observable[T], f func()) observable.Subscription {
	return src.Subscribe(context.Background(), observable.ObserverFuncs[T]{OnNext: func(T) { f() }, OnError: func(error) {}})
}

// calls are the functions of the subject that an observer may call.
var calls = map[string]func(ctx context.Context, s *textSubject, topics *textTopics, own observable.Subscription){
	"Next": func(_ context.Context, s *textSubject, _ *textTopics, _ observable.Subscription) { s.Next("next") },
	"Send": func(ctx context.Context, s *textSubject, _ *textTopics, _ observable.Subscription) {
		_ = s.Send(ctx, "send")
	},
	"Complete": func(_ context.Context, s *textSubject, _ *textTopics, _ observable.Subscription) { s.Complete() },
	"Error":    func(_ context.Context, s *textSubject, _ *textTopics, _ observable.Subscription) { s.Error(errEnough) },
	"Close": func(_ context.Context, s *textSubject, _ *textTopics, _ observable.Subscription) {
		_ = s.Close(4000, "")
	},
	"Shutdown": func(ctx context.Context, s *textSubject, _ *textTopics, _ observable.Subscription) {
		_ = s.Shutdown(ctx)
	},
	"Reconnect": func(_ context.Context, s *textSubject, _ *textTopics, _ observable.Subscription) {
		s.Reconnect(errEnough)
	},
	"Discard": func(_ context.Context, s *textSubject, _ *textTopics, _ observable.Subscription) { s.Discard() },
	"String": func(_ context.Context, s *textSubject, t *textTopics, _ observable.Subscription) {
		_ = s.String() + t.String()
	},
	"CloseNow": func(_ context.Context, s *textSubject, _ *textTopics, _ observable.Subscription) {
		if status, err := observable.FirstValue(context.Background(), s.Status()); err == nil && status.Socket != nil {
			status.Socket.CloseNow()
		}
	},
	"Subscribe": func(_ context.Context, s *textSubject, topics *textTopics, _ observable.Subscription) {
		for _, caller := range callers {
			caller(s, topics, func() {}).Unsubscribe()
		}
	},
	"Do": func(ctx context.Context, s *textSubject, _ *textTopics, _ observable.Subscription) {
		_, _ = wsource.NewRequests(s, wsource.RequestsConfig[string, string]{
			SetID: func(text string, _ uint64) string { return text },
			ID:    func(string) (uint64, bool) { return 0, false }, // there is no answer
		}).Do(ctx, "do")
	},
	"Unsubscribe": func(_ context.Context, _ *textSubject, _ *textTopics, own observable.Subscription) {
		if own != nil {
			own.Unsubscribe()
		}
	},
}

// TestObserversMayCall has an observer of each stream of a subject call each function, at
// each of its first values, while connections break and are replaced: every call returns,
// waiting calls within their context's time, and the subject goes on or has ended.
func TestObserversMayCall(t *testing.T) { //nolint:tparallel // beside its own subtests only
	for observer, subscribe := range callers {
		for name, call := range calls {
			for at := range 4 {
				t.Run(fmt.Sprint(name, " by an observer of ", observer, " ", at), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { observerCalls(t, subscribe, call, at) })
				})
			}
		}
	}
}

func observerCalls(
	t *testing.T, subscribe func(*textSubject, *textTopics, func()) observable.Subscription,
	call func(context.Context, *textSubject, *textTopics, observable.Subscription), at int,
) {
	t.Helper()
	const limit = 10 * time.Second
	s := newSite(t, wsource.AcceptOptions{})
	require.NoError(t, s.network.OnEveryDial(wstest.Delay(wstest.ToServer, 5*time.Millisecond), wstest.Delay(wstest.ToClient, 5*time.Millisecond)))
	subject := newSubject[string, string](s, picky{wsource.TextCodec()}, &wsource.SubjectConfig[string]{
		Reconnect: steady(), SkipUndecodable: true, Dial: wsource.DialOptions{CloseTimeout: time.Second},
	})
	topics := topicsOf(subject, nil)
	var mu sync.Mutex
	count, took := 0, time.Duration(-1)
	subscribed := make(chan observable.Subscription, 1)
	f := func() {
		mu.Lock()
		now := count == at
		count++
		mu.Unlock()
		if !now {
			return
		}
		var own observable.Subscription
		select {
		case own = <-subscribed:
		case <-time.After(time.Millisecond): // it is called within Subscribe
		}
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		start := time.Now()
		call(ctx, subject, topics, own)
		mu.Lock()
		defer mu.Unlock()
		took = time.Since(start)
	}
	base := observabletest.NewRecorder[string]()
	sub := subject.Subscribe(context.Background(), base)
	go func() { subscribed <- subscribe(subject, topics, f) }()
	over := make(chan struct{})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			select {
			case socket := <-s.sockets:
				serving.Go(func() { disturb(socket) })
			case <-over:
				return
			}
		}
	})
	for range 200 {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		_ = subject.Send(ctx, strings.Repeat("x", 100))
		cancel()
		time.Sleep(37 * time.Millisecond) // so that one is always on its way
	}
	time.Sleep(5 * limit)
	mu.Lock()
	assert.Positive(t, count, "nothing was observed")
	if count > at {
		assert.GreaterOrEqual(t, took, time.Duration(0), "the call has not returned")
		assert.LessOrEqual(t, took, limit+5*time.Second)
	}
	mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	start := time.Now()
	require.NoError(t, subject.Shutdown(ctx))
	assert.LessOrEqual(t, time.Since(start), 10*time.Second)
	sub.Unsubscribe()
	time.Sleep(time.Second)
	close(over)
	serving.Wait()
	assert.Empty(t, base.Breaches())
}

// disturb sends a value for every stream of a subject, and breaks the connection in
// between.
func disturb(socket *wsource.Socket) {
	socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{OnError: func(error) {}})
	for _, text := range []string{"a 1", "bad", "a 2", "b 3", "a 4", "bad"} {
		socket.Next(wsource.TextMessage(text))
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(1500 * time.Millisecond)
	socket.CloseNow()
}
