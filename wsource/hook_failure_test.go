package wsource_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// failingHook is a hook that fails at each event apart from those of messages on their
// way, and counts its failures.
type failingHook struct {
	fail  func()
	times atomic.Int64
}

func (h *failingHook) Handle(e wsource.Event) {
	switch e.Kind {
	case wsource.EventOpened, wsource.EventClosed, wsource.EventRefused, wsource.EventReconnect, wsource.EventFailed,
		wsource.EventUndecodable:
		h.times.Add(1)
		h.fail()
	case wsource.EventReceived, wsource.EventSent, wsource.EventDropped, wsource.EventHeartbeat, wsource.EventOverRate:
	}
}

// withFailingHooks runs f in a bubble, with hooks that panic, and with hooks that end the
// goroutine. Each of their panics must be reported, beside the given number of other
// failures.
func withFailingHooks(t *testing.T, others int, f func(t *testing.T, near, far *failingHook)) {
	t.Helper()
	for name, fail := range map[string]func(){"a panic": func() { panic("the hook's") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			unhandled := observabletest.Unhandled(t)
			near, far := &failingHook{fail: fail}, &failingHook{fail: fail}
			synctest.Test(t, func(t *testing.T) { f(t, near, far) })
			want := others
			if name == "a panic" {
				want += int(near.times.Load() + far.times.Load())
			}
			assert.Len(t, unhandled.All(), want, "%v", unhandled)
		})
	}
}

// returns reports whether f returns, and does not end its goroutine.
func returns(f func()) bool {
	result := make(chan bool, 1)
	go func() {
		returned := false
		defer func() { result <- returned }()
		f()
		returned = true
	}()
	return <-result
}

// TestAHookThatFailsInAHandshake checks that Dial and the side that accepts go on, and
// that a refusal reaches the client and the subscribers of Refusals.
func TestAHookThatFailsInAHandshake(t *testing.T) {
	withFailingHooks(t, 0, func(t *testing.T, near, far *failingHook) {
		server := &wsource.Server{Options: wsource.AcceptOptions{
			Hook: near,
			Authorize: func(r *http.Request) (admission wsource.Admission, err error) {
				if r.URL.Path == "/refused" {
					err = new(wsource.RefusalError)
				}
				return admission, err
			},
		}}
		refusals := record(t, server.Refusals())
		r := echoing(t, server)
		options := on(r.network, &wsource.DialOptions{Hook: far})
		requireHandshake(t, dialError(t, r.network, "ws://"+host+"/refused", options), http.StatusForbidden)
		settle()
		assert.Len(t, refusals.Values(), 1)

		var client *wsource.Socket
		var err error
		require.True(t, returns(func() { client, err = wsource.Dial(t.Context(), "ws://"+host, options) }))
		require.NoError(t, err)
		got := record[wsource.Message](t, client)
		send(client, "hello")
		settle()
		assert.Equal(t, []string{"hello"}, texts(got.Values()))
		assert.True(t, returns(server.Sockets()[0].CloseNow), "the goroutine that calls CloseNow goes on")
		requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
		settle()
		assert.EqualValues(t, 3, near.times.Load(), "refused, opened, closed")
		assert.EqualValues(t, 2, far.times.Load(), "opened, closed")
	})
}

// TestAHookThatFailsWithItsHandler checks that the failure of a socket's handler, or of
// an operator for one socket, stays that socket's own beside a failure of the hook.
func TestAHookThatFailsWithItsHandler(t *testing.T) {
	for name, begin := range map[string]func(*wsource.Server) error{
		"Handle": handling(func(context.Context, *wsource.Socket) error { return errHandler }),
		"TryMap": func(s *wsource.Server) error {
			failed := operators.TryMap(s.Connections(), func(*wsource.Socket) (int, error) { return 0, errHandler })
			return observable.ForEach(context.Background(), failed, func(int) {})
		},
		"undecodable": handling(func(context.Context, *wsource.Socket) error {
			return &wsource.CodecError{Message: wsource.TextMessage("x"), Err: errors.New("no number")}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			code, others := wsource.StatusInternalError, 2 // the handler's failures are reported, too
			if name == "undecodable" {
				code, others = wsource.StatusInvalidPayload, 0
			}
			withFailingHooks(t, others, func(t *testing.T, near, _ *failingHook) {
				server := &wsource.Server{Options: wsource.AcceptOptions{Hook: near}}
				r := run(t, server, begin)
				for range 2 {
					client := r.dial()
					<-client.Done()
					requireClose(t, client.Err(), code)
				}
				require.NoError(t, server.Shutdown(t.Context()))
				require.NoError(t, <-r.result)
				settle()
				assert.EqualValues(t, 6, near.times.Load())
			})
		})
	}
}

// TestAHookThatFailsOverASubject checks that the stream goes on over a reconnect, and
// over a message that does not decode.
func TestAHookThatFailsOverASubject(t *testing.T) {
	withFailingHooks(t, 0, func(t *testing.T, near, far *failingHook) {
		s := newSite(t, wsource.AcceptOptions{Hook: near, Heartbeat: noBeat})
		subject := newSubject(s, wsource.JSON[int, int](), &wsource.SubjectConfig[int]{
			Dial: wsource.DialOptions{Hook: far}, Hook: far, Reconnect: &backoff.Config{Base: time.Second},
			SkipUndecodable: true,
		})
		got, _ := listen(t, subject)
		first := s.accept()
		require.NoError(t, first.Close(wsource.StatusServiceRestart, ""))
		second := s.accept()
		second.say("no number")
		second.say("1")
		settle()
		assert.Equal(t, []int{1}, got.Values())
		subject.Complete()
		require.NoError(t, got.ExpectEnd(t))
		settle()
		assert.EqualValues(t, 4, near.times.Load(), "opened and closed twice")
		assert.EqualValues(t, 6, far.times.Load(), "a reconnect and an undecodable message, too")
	})
}
