package browser_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/browser"
)

// fake is a WebSocket object that follows the test: for events that no server can bring
// about.
type fake struct{ js.Value }

// fakeClass is the class of these objects. A WebSocket opens at once.
const fakeClass = `return class {
	constructor(url, protocols) {
		Object.assign(this, {url, protocols, bufferedAmount: 0, protocol: "", sent: [], closes: []});
		globalThis.fakeWebSocket = this;
		queueMicrotask(() => this.onopen({type: "open"}));
	}
	send(data) { this.sent.push(data); this.bufferedAmount += data.length; }
	close(...how) { this.closes.push(how.join(" ")); }
}`

// replace puts another class in the place of WebSocket.
func replace(t *testing.T, class js.Value) {
	t.Helper()
	before := js.Global().Get("WebSocket")
	js.Global().Set("WebSocket", class)
	t.Cleanup(func() { js.Global().Set("WebSocket", before) })
}

// evaluate runs JavaScript.
func evaluate(script string) js.Value { return js.Global().Get("Function").New(script).Invoke() }

// dialFake returns a socket on a fake.
func dialFake(t *testing.T, options *wsource.DialOptions) (*wsource.Socket, fake) {
	t.Helper()
	replace(t, evaluate(fakeClass))
	t.Cleanup(func() { assert.Zero(t, browser.Listeners(), "JavaScript can still call so many functions") })
	socket := dial(t, "https://server.test/path?query#fragment", options)
	return socket, fake{js.Global().Get("fakeWebSocket")}
}

// message has a text arrive.
func (f fake) message(text string) {
	f.Call("onmessage", map[string]any{"type": "message", "data": text})
}

// closed has the close event arrive.
func (f fake) closed(code int, reason string) {
	f.Call("onclose", map[string]any{"type": "close", "code": code, "reason": reason})
}

// has sets how many bytes the browser still has.
func (f fake) has(bytes int) { f.Set("bufferedAmount", bytes) }

// sent returns how many messages the browser was given.
func (f fake) sent() int { return f.Get("sent").Length() }

// closes returns the arguments with which the browser was told to close, the calls in
// brackets.
func (f fake) closes() string {
	return fmt.Sprint(f.Get("closes").Call("map", evaluate("return s => `[${s}]`")).Call("join"))
}

// soon waits for a condition.
func soon(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 10*time.Second, time.Millisecond)
}

// large is a message of which the browser is given two, and no more until it has sent
// one.
func large(number byte) wsource.Message {
	data := make([]byte, 40_000)
	data[0] = number
	return wsource.BinaryMessage(data)
}

// undelivered returns a list that becomes that of the socket's undelivered messages: "1
// unsent".
func undelivered(t *testing.T, socket *wsource.Socket) *[]string {
	t.Helper()
	list := new([]string)
	socket.Undelivered().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.SendError]{
		OnNext:     func(e *wsource.SendError) { *list = append(*list, fmt.Sprint(e.Message.Data[0], " ", e.Outcome)) },
		OnComplete: func() { *list = append(*list, "complete") },
	})
	return list
}

func TestURLAsEveryBrowserTakesIt(t *testing.T) {
	_, f := dialFake(t, &wsource.DialOptions{Subprotocols: []string{"a", "b"}})
	assert.Equal(t, "wss://server.test/path?query", f.Get("url").String())
	assert.Equal(t, "a,b", f.Get("protocols").Call("join").String())
	assert.Equal(t, "arraybuffer", f.Get("binaryType").String())
}

func TestNextToTheWindow(t *testing.T) {
	socket, f := dialFake(t, nil)
	list := undelivered(t, socket)
	for i := range 4 {
		socket.Next(large(byte(i)))
	}
	assert.Equal(t, 2, f.sent())
	f.has(40_000)
	soon(t, func() bool { return f.sent() == 3 })
	f.has(40_000)
	f.closed(1006, "") // of the three, one may not have left
	require.ErrorIs(t, ended(t, socket), browser.ErrLost)
	soon(t, func() bool { return len(*list) == 3 })
	assert.Equal(t, []string{"2 unknown", "3 unsent", "complete"}, *list)
}

func TestSendThatIsGivenUp(t *testing.T) {
	socket, f := dialFake(t, nil)
	socket.Next(large(0))
	outcomes := make([]wsource.Outcome, 2)
	for i := range outcomes { // the browser has the first one only
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		err := socket.Send(ctx, large(byte(i)))
		var failed *wsource.SendError
		require.ErrorAs(t, err, &failed)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		outcomes[i] = failed.Outcome
	}
	assert.Equal(t, []wsource.Outcome{wsource.Unknown, wsource.Unsent}, outcomes)
	f.has(0)
	require.NoError(t, socket.Send(t.Context(), wsource.TextMessage("")))
	assert.Equal(t, 3, f.sent())
}

func TestSendReturnsWhenTheBrowserHasSent(t *testing.T) {
	socket, f := dialFake(t, nil)
	sent := false
	go func() {
		assert.NoError(t, socket.Send(t.Context(), wsource.TextMessage("hello")))
		sent = true
	}()
	time.Sleep(150 * time.Millisecond) // it is looked at several times
	assert.False(t, sent)
	assert.Equal(t, "hello", f.Get("sent").Index(0).String())
	f.has(0)
	soon(t, func() bool { return sent })
}

func TestNextWaitsForRoom(t *testing.T) {
	socket, f := dialFake(t, nil)
	count := 0
	go func() {
		for range 1100 {
			socket.Next(wsource.TextMessage("m"))
			count++
		}
	}()
	soon(t, func() bool { return f.sent() == 1024 })
	assert.Equal(t, 1024, count)
	f.has(1024 - 50)
	soon(t, func() bool { return count == 1024+50 })
	f.has(0)
	soon(t, func() bool { return count == 1100 && f.sent() == 1100 })
}

// A message that waits for a subscriber is given to a subject that comes, and dropped at
// a close.
func TestMessageThatWaits(t *testing.T) {
	socket, f := dialFake(t, nil)
	f.message("one")
	subject := wsource.WrapSocket(socket, wsource.TextCodec(), nil)
	got, err := observable.FirstValue(within(t), subject)
	require.NoError(t, err)
	assert.Equal(t, "one", got)
	socket.CloseNow()

	socket, f = dialFake(t, nil)
	f.message("one")
	begun := time.Now()
	require.NoError(t, socket.Close(1000, ""))
	f.closed(1000, "")
	require.NoError(t, ended(t, socket))
	assert.Less(t, time.Since(begun), wsource.DefaultCloseTimeout)
}

func TestVolatileMessageWithoutRoom(t *testing.T) {
	socket, f := dialFake(t, nil)
	subject := wsource.WrapSocket(socket, wsource.TextCodec(), nil)
	subject.Subscribe(t.Context(), observable.ObserverFuncs[string]{})
	for range 1024 {
		subject.Next("m")
	}
	soon(t, func() bool { return f.sent() == 1024 })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := subject.SendAs(ctx, "now or never", wsource.Delivery{Volatile: true})
	require.ErrorAs(t, err, new(*wsource.SendError))
	require.NotErrorIs(t, err, context.DeadlineExceeded)
}

func TestNextThatWaitsAtTheEnd(t *testing.T) {
	socket, f := dialFake(t, nil)
	returned, list := false, undelivered(t, socket)
	go func() {
		for range 1100 {
			socket.Next(wsource.TextMessage("m"))
		}
		returned = true
	}()
	soon(t, func() bool { return f.sent() == 1024 })
	f.closed(1006, "")
	soon(t, func() bool { return returned })
	require.ErrorIs(t, ended(t, socket), browser.ErrLost)
	soon(t, func() bool { return len(*list) > 1024 && (*list)[len(*list)-1] == "complete" })
}

func TestBrowserThatSendsNothing(t *testing.T) {
	socket, f := dialFake(t, &wsource.DialOptions{WriteTimeout: time.Second})
	list := undelivered(t, socket)
	begun := time.Now()
	socket.Next(large(0))
	socket.Next(large(1))
	time.AfterFunc(200*time.Millisecond, func() { f.has(40_000) })
	err := ended(t, socket)
	assert.GreaterOrEqual(t, time.Since(begun), 1200*time.Millisecond)
	require.ErrorIs(t, err, wsource.ErrWriteTimeout)
	assert.Equal(t, wsource.StatusAbnormalClosure, wsource.CloseStatus(err))
	soon(t, func() bool { return len(*list) == 2 })
	assert.Equal(t, []string{"1 unknown", "complete"}, *list)
	assert.Equal(t, "[]", f.closes())
	assert.True(t, f.Get("onmessage").IsNull())
}

func TestCloseComesBehindWhatWasSent(t *testing.T) {
	socket, f := dialFake(t, nil)
	list := undelivered(t, socket)
	for i := range 3 {
		socket.Next(large(byte(i)))
	}
	closed := make(chan error)
	go func() { closed <- socket.Close(4000, "bye") }()
	soon(t, func() bool { return socket.State() == wsource.Closing })
	assert.ErrorIs(t, socket.Send(t.Context(), large(9)), wsource.ErrClosed)
	assert.Empty(t, f.closes())
	f.has(40_000)
	soon(t, func() bool { return f.closes() != "" })
	assert.Equal(t, 3, f.sent())
	assert.Equal(t, "[4000 bye]", f.closes())
	require.NoError(t, <-closed)
	f.closed(4000, "bye") // so the peer has got all of it, also if bufferedAmount is not 0
	assert.Equal(t, &wsource.CloseError{Code: 4000, Reason: "bye"}, ended(t, socket))
	soon(t, func() bool { return len(*list) > 0 })
	assert.Equal(t, []string{"complete"}, *list)
}

func TestCloseThatIsNotAnswered(t *testing.T) {
	socket, f := dialFake(t, &wsource.DialOptions{CloseTimeout: 50 * time.Millisecond})
	require.NoError(t, socket.Close(1000, "bye"))
	require.ErrorIs(t, ended(t, socket), wsource.ErrCloseTimeout)
	assert.Equal(t, "[1000 bye],[]", f.closes())
}

func TestCauseOfACloseThatIsNotAnswered(t *testing.T) {
	cause := errors.New("disk is full")
	socket, _ := dialFake(t, &wsource.DialOptions{CloseTimeout: 50 * time.Millisecond})
	socket.Error(cause)
	err := ended(t, socket)
	require.ErrorIs(t, err, wsource.ErrCloseTimeout)
	require.ErrorIs(t, err, cause)
}

// A subscriber that sends and waits is not waited for, when the event that it waits for
// cannot come.
func TestSubscriberThatSendsAtTheEnd(t *testing.T) {
	socket, f := dialFake(t, nil)
	socket.Next(large(0))
	socket.Next(large(1))
	var failed error
	life := socket.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{
		OnNext: func(wsource.Message) { failed = socket.Send(t.Context(), large(2)) },
	})
	f.message("go")
	f.closed(1001, "")
	<-life.Done()
	var unsent *wsource.SendError
	require.ErrorAs(t, failed, &unsent)
	assert.Equal(t, wsource.Unsent, unsent.Outcome)
	assert.Equal(t, wsource.StatusGoingAway, wsource.CloseStatus(ended(t, socket)))
}

// A subscriber that is busy with one message does not hold up the end that this side
// begins.
func TestBusySubscriberAtTheEnd(t *testing.T) {
	for name, wait := range map[string]time.Duration{
		"the answer comes at once": 0, "it comes when the subscriber was given up": 2200 * time.Millisecond,
	} {
		t.Run(name, func(t *testing.T) {
			socket, f := dialFake(t, nil)
			free, count := make(chan struct{}), 0
			life := socket.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{
				OnNext: func(wsource.Message) { count++; <-free },
			})
			f.message("one")
			f.message("two")
			assert.Equal(t, 1, count)
			begun := time.Now()
			require.NoError(t, socket.Close(1000, ""))
			time.AfterFunc(wait, func() { f.closed(1000, "") })
			require.NoError(t, ended(t, socket))
			assert.GreaterOrEqual(t, time.Since(begun), time.Second)
			assert.Less(t, time.Since(begun), wsource.DefaultCloseTimeout)
			close(free)
			<-life.Done()
			assert.Equal(t, 1, count)
		})
	}
}

// Nor one that the peer begins, for longer than the close timeout.
func TestBusySubscriberWhenThePeerHasClosed(t *testing.T) {
	socket, f := dialFake(t, &wsource.DialOptions{CloseTimeout: 50 * time.Millisecond})
	f.message("one")
	f.message("two")
	f.closed(1000, "")
	time.Sleep(150 * time.Millisecond) // it waits for a subscriber
	assert.Equal(t, wsource.Open, socket.State())
	free, count := make(chan struct{}), 0
	life := socket.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{
		OnNext: func(wsource.Message) { count++; <-free },
	})
	err := ended(t, socket)
	require.ErrorIs(t, err, wsource.ErrHeldUp)
	assert.Equal(t, wsource.StatusAbnormalClosure, wsource.CloseStatus(err))
	close(free)
	<-life.Done()
	assert.Equal(t, 1, count)
}

func TestSubscriberThatEndsTheGoroutine(t *testing.T) {
	socket, f := dialFake(t, nil)
	life := socket.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{
		OnNext: func(wsource.Message) { runtime.Goexit() },
	})
	f.message("one")
	f.message("two")
	life.Unsubscribe()
	f.message("three")
	m, err := observable.FirstValue(within(t), operators.Filter(socket, func(m wsource.Message) bool {
		return m.String() == "three"
	}))
	require.NoError(t, err)
	assert.Equal(t, "three", m.String())
}

func TestNobodyListensAfterTheEnd(t *testing.T) {
	socket, f := dialFake(t, nil)
	require.Positive(t, browser.Listeners())
	socket.CloseNow()
	for _, name := range []string{"onopen", "onmessage", "onerror", "onclose"} {
		assert.True(t, f.Get(name).IsNull(), name)
	}
	assert.Equal(t, "[]", f.closes())
}

// The socket ends with the end that came first.
func TestMessageThatIsTooBigBehindOthers(t *testing.T) {
	socket, f := dialFake(t, &wsource.DialOptions{ReadLimit: 3})
	f.message("one")
	f.message("two")
	f.message("three")
	assert.Equal(t, "[]", f.closes())
	m, err := observable.FirstValue(within(t), socket)
	require.NoError(t, err)
	assert.Equal(t, "one", m.String())
	assert.Equal(t, wsource.Open, socket.State()) // nobody has taken the second yet
	socket.CloseNow()
	assert.ErrorIs(t, socket.Err(), wsource.ErrMessageTooBig)
}

func TestWebSocketThatClosesBeforeItIsOpen(t *testing.T) {
	replace(t, evaluate(`return class {
		bufferedAmount = 0;
		constructor() { queueMicrotask(() => this.onclose({type: "close", code: 1006, reason: ""})); }
		close() {}
	}`))
	_, err := wsource.Dial(within(t), "ws://server.test", &wsource.DialOptions{HandshakeTimeout: 5 * time.Second})
	require.ErrorIs(t, err, browser.ErrNotOpened)
	assert.Zero(t, browser.Listeners())
}

func TestWebSocketThatCannotBeMade(t *testing.T) {
	for name, c := range map[string]struct {
		class js.Value
		err   error
	}{
		"there is none": {js.Undefined(), browser.ErrNoWebSocket},
		"it is forbidden": {
			evaluate(`return class { constructor() { throw Object.assign(new Error("secret"), {name: "SecurityError"}) } }`),
			browser.ErrRefused,
		},
	} {
		t.Run(name, func(t *testing.T) {
			replace(t, c.class)
			_, err := wsource.Dial(t.Context(), "ws://server.test", nil)
			require.ErrorIs(t, err, c.err)
			require.ErrorIs(t, err, errors.ErrUnsupported)
			assert.Equal(t, wsource.FailStream, wsource.CloseAction(err))
			assert.NotContains(t, err.Error(), "secret")
			assert.Zero(t, browser.Listeners())
		})
	}
}
