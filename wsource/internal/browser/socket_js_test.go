package browser_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/browser"
)

// at returns the URL of a behaviour of the peer, by its path. Without a peer the test is
// skipped: TestInNode and TestInChromium run it with one.
func at(t *testing.T, path string) string {
	t.Helper()
	peer := os.Getenv("PEER")
	if peer == "" {
		t.Skip("there is no peer: TestInNode and TestInChromium have one")
	}
	if !watched[t] {
		watched[t] = true
		t.Cleanup(func() { // a closing handshake may go on
			assert.Eventually(t, func() bool { return browser.Listeners() == 0 }, 5*time.Second, time.Millisecond,
				"JavaScript can still call functions of connections that are over")
		})
	}
	return peer + path
}

// watched are the tests at whose end it is checked that no listener is left. There is one
// thread, and no test runs beside another.
var watched = make(map[*testing.T]bool)

// named is at for a socket whose end the test asks for, by the name of the test.
func named(t *testing.T, path string) string {
	t.Helper()
	return at(t, path+"&name="+url.QueryEscape(t.Name()))
}

// within returns a context for an event that must not take long.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func dial(t *testing.T, url string, options *wsource.DialOptions) *wsource.Socket {
	t.Helper()
	socket, err := wsource.Dial(within(t), url, options)
	require.NoError(t, err)
	t.Cleanup(func() {
		socket.CloseNow()
		<-socket.Done()
	})
	return socket
}

// peerSaw returns the end of this test's socket at the peer.
func peerSaw(t *testing.T) string {
	t.Helper()
	m, err := observable.FirstValue(within(t), wsource.Messages(at(t, "/ends?of="+url.QueryEscape(t.Name())), nil))
	require.NoError(t, err)
	return m.String()
}

// ended waits for the end of a socket.
func ended(t *testing.T, socket *wsource.Socket) error {
	t.Helper()
	select {
	case <-socket.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the socket has not ended")
	}
	return socket.Err()
}

func TestMessagesGoBothWays(t *testing.T) {
	socket := dial(t, at(t, "/echo"), nil)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	messages := []wsource.Message{
		wsource.TextMessage("hello"), wsource.TextMessage(""), wsource.TextMessage("é€😀\x00"),
		wsource.BinaryMessage(all), wsource.BinaryMessage([]byte{}),
		wsource.BinaryMessage(bytes.Repeat(all, 4096)), wsource.TextMessage(strings.Repeat("€", 300_000)),
	}
	for _, m := range messages {
		require.NoError(t, socket.Send(t.Context(), m))
	}
	got, err := observable.Collect(within(t), operators.Take(socket, len(messages)))
	require.NoError(t, err)
	for i, m := range messages {
		assert.Equal(t, m.Type, got[i].Type, i)
		assert.True(t, bytes.Equal(m.Data, got[i].Data), i)
	}
	assert.Equal(t, wsource.Open, socket.State())
	assert.Zero(t, socket.RTT())
	socket.Complete()
	assert.NoError(t, ended(t, socket))
	assert.ErrorIs(t, socket.Send(t.Context(), messages[0]), wsource.ErrClosed)
}

// A byte order mark is a character as any other. Some versions of Node.js lose it when
// they receive it.
func TestByteOrderMarkIsSent(t *testing.T) {
	socket := dial(t, at(t, "/sizes"), nil)
	socket.Next(wsource.TextMessage("\uFEFF"))
	m, err := observable.FirstValue(within(t), socket)
	require.NoError(t, err)
	assert.Equal(t, "3", m.String())
}

func TestOneMessageAfterTheOtherIsSentInOrder(t *testing.T) {
	socket := dial(t, at(t, "/echo"), nil)
	const count = 3000 // more than the outbox holds
	go func() {
		for i := range count {
			socket.Next(wsource.TextMessage(fmt.Sprint(i)))
		}
	}()
	i := 0
	err := observable.ForEach(within(t), operators.Take(socket, count), func(m wsource.Message) {
		assert.Equal(t, fmt.Sprint(i), m.String())
		i++
	})
	require.NoError(t, err)
	assert.Equal(t, count, i)
}

func TestConnectAndMessages(t *testing.T) {
	ctx := within(t)
	answers := operators.SwitchMap(wsource.Connect(named(t, "/upper?"), nil), func(s *wsource.Socket) observable.Observable[wsource.Message] {
		s.Next(wsource.TextMessage("hello"))
		return s
	})
	m, err := observable.FirstValue(ctx, answers)
	require.NoError(t, err)
	assert.Equal(t, "HELLO", m.String())
	assert.Equal(t, "1000 ", peerSaw(t))

	all, err := observable.Collect(ctx, wsource.Messages(at(t, "/sends?count=3&size=2&code=1000"), nil))
	require.NoError(t, err)
	assert.Len(t, all, 3)
}

func TestSubprotocol(t *testing.T) {
	socket := dial(t, at(t, "/echo"), &wsource.DialOptions{Subprotocols: []string{"first", "second"}})
	assert.Equal(t, "second", socket.Subprotocol())
	assert.Nil(t, socket.RemoteAddr())
	assert.Nil(t, socket.ResponseHeader())
}

func TestCloseCodesOfThisSide(t *testing.T) {
	socketError := errors.New("no more")
	for name, c := range map[string]struct {
		close func(s *wsource.Socket) error
		saw   string // the peer's end
		err   error  // the socket's error
	}{
		"normal": {func(s *wsource.Socket) error { return s.Close(1000, "bye €") }, "1000 bye €", nil},
		"3000": {
			func(s *wsource.Socket) error { return s.Close(3000, "library") }, "3000 library",
			&wsource.CloseError{Code: 3000, Reason: "library"},
		},
		"4999": {
			func(s *wsource.Socket) error { return s.Close(4999, "") }, "4999 ",
			&wsource.CloseError{Code: 4999},
		},
		"a stream that completes": {func(s *wsource.Socket) error { s.Complete(); return nil }, "1000 ", nil},
		"a stream that fails": {
			func(s *wsource.Socket) error { s.Error(socketError); return nil }, "1005 ",
			&wsource.CloseError{Code: 1011, Reason: "internal error", Err: socketError},
		},
		"a stream that fails with a code": {
			func(s *wsource.Socket) error { s.Error(&wsource.CloseError{Code: 4001, Reason: "mine"}); return nil },
			"4001 mine", &wsource.CloseError{Code: 4001, Reason: "mine"},
		},
		"a stream whose context ends": {
			func(s *wsource.Socket) error { s.ContextEnded(context.Canceled); return nil }, "1005 ",
			&wsource.CloseError{Code: 1001, Err: context.Canceled},
		},
	} {
		t.Run(name, func(t *testing.T) {
			socket := dial(t, named(t, "/hears?"), nil)
			require.NoError(t, c.close(socket))
			err := ended(t, socket)
			if c.err == nil {
				require.NoError(t, err)
			} else {
				assert.Equal(t, c.err, err)
			}
			assert.Equal(t, c.saw, peerSaw(t))
			assert.ErrorIs(t, socket.Close(1000, ""), wsource.ErrClosed)
		})
	}
}

func TestCodesThatABrowserDoesNotSend(t *testing.T) {
	socket := dial(t, at(t, "/echo"), nil)
	for _, code := range []wsource.StatusCode{0, 999, 1001, 1002, 1005, 1006, 1011, 2999, 5000} {
		var invalid *wsource.InvalidCloseError
		require.ErrorAs(t, socket.Close(code, ""), &invalid, code)
		assert.Contains(t, invalid.Problem, "1000 and 3000 to 4999 in a browser")
	}
	assert.ErrorContains(t, socket.Close(1000, strings.Repeat("r", 124)), "more than 123")
	assert.Equal(t, wsource.Open, socket.State())
}

func TestCloseCodesOfThePeer(t *testing.T) {
	for _, code := range []wsource.StatusCode{1000, 1001, 1008, 1011, 1012, 3001, 4001} {
		socket := dial(t, at(t, fmt.Sprintf("/closes?code=%d&reason=why+€", code)), nil)
		socket.Next(wsource.TextMessage("go"))
		all, err := observable.Collect(within(t), socket)
		assert.Empty(t, all)
		if code == 1000 {
			assert.NoError(t, err)
		} else {
			assert.Equal(t, &wsource.CloseError{Code: code, Reason: "why €"}, err)
		}
		assert.Equal(t, wsource.Closed, socket.State())
	}
}

func TestPeerIsGone(t *testing.T) {
	socket := dial(t, at(t, "/cuts"), nil)
	require.NoError(t, socket.Send(t.Context(), wsource.TextMessage("go")))
	err := ended(t, socket)
	assert.Equal(t, wsource.StatusAbnormalClosure, wsource.CloseStatus(err))
	require.ErrorIs(t, err, browser.ErrLost)
	assert.Equal(t, wsource.RetryConnect, wsource.CloseAction(err))
	assert.Equal(t, err, context.Cause(socket.Context()))
}

func TestCloseNow(t *testing.T) {
	socket := dial(t, named(t, "/echo?"), nil)
	socket.CloseNow()
	assert.Equal(t, wsource.StatusAbnormalClosure, wsource.CloseStatus(ended(t, socket)))
	assert.Equal(t, "1005 ", peerSaw(t)) // a browser knows no other way
}

func TestHandshakeThatIsRefused(t *testing.T) {
	ctx := within(t)
	for name, url := range map[string]string{
		"with a status": at(t, "/refuses"), "as nobody is there": "ws://127.0.0.1:1/",
	} {
		_, err := wsource.Dial(ctx, url+"?token=secret", nil)
		var refused *wsource.HandshakeError
		require.ErrorAs(t, err, &refused, name)
		require.ErrorIs(t, err, browser.ErrNotOpened, name)
		assert.Zero(t, refused.Status, name)
		assert.NotContains(t, err.Error(), "secret", name)
		assert.Equal(t, wsource.RetryConnect, wsource.CloseAction(err), name)
	}
}

func TestHandshakeThatTakesTooLong(t *testing.T) {
	ctx := within(t)
	_, err := wsource.Dial(ctx, at(t, "/stalls"), &wsource.DialOptions{HandshakeTimeout: 50 * time.Millisecond})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "no handshake within 50ms")
	assert.Zero(t, browser.Listeners())

	ctx, cancel := context.WithCancelCause(ctx)
	cause := errors.New("not wanted any more")
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	_, err = wsource.Dial(ctx, at(t, "/stalls"), nil)
	require.ErrorIs(t, err, cause)
	assert.Zero(t, browser.Listeners())
}

// notRequested is a round tripper that is not used.
type notRequested struct{ http.RoundTripper }

func TestOptionsWithoutAPlaceInABrowser(t *testing.T) {
	for _, c := range optionsWithoutAPlace() {
		_, err := wsource.Dial(t.Context(), "ws://server.test", &c.options)
		var problem *wsource.BrowserError
		require.ErrorAs(t, err, &problem, c.name)
		assert.Equal(t, "DialOptions."+c.name, problem.Feature)
		require.ErrorAs(t, err, new(*wsource.HandshakeError))
		require.ErrorIs(t, err, errors.ErrUnsupported)
		assert.Equal(t, wsource.FailStream, wsource.CloseAction(err))
	}
	_, err := wsource.Dial(t.Context(), "ws://server.test", &wsource.DialOptions{ReadLimit: -1})
	require.ErrorAs(t, err, new(*observable.ArgumentError))
	socket := dial(t, at(t, "/echo"), &wsource.DialOptions{
		Redirects: wsource.RedirectsNone, Heartbeat: wsource.Heartbeat{Off: true},
	})
	err = socket.SendReader(t.Context(), wsource.Text, strings.NewReader("text"))
	require.ErrorAs(t, err, new(*wsource.SendError))
	require.ErrorIs(t, err, errors.ErrUnsupported)
}
