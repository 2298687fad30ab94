package browser_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// option is a set of options: a browser has no place for the one that is named.
type option struct {
	name    string
	options wsource.DialOptions
}

func optionsWithoutAPlace() []option {
	jar, _ := cookiejar.New(nil)
	return []option{
		{"Header", wsource.DialOptions{Header: http.Header{"Authorization": {"Bearer secret"}}}},
		{"Host", wsource.DialOptions{Host: "other.test"}},
		{"TLS", wsource.DialOptions{TLS: new(tls.Config)}},
		{"Transport", wsource.DialOptions{Transport: notRequested{}}},
		{"Jar", wsource.DialOptions{Jar: jar}},
		{"Redirects", wsource.DialOptions{Redirects: wsource.RedirectsAll}},
		{"Compression", wsource.DialOptions{Compression: wsource.CompressMessages}},
		{"StreamLimit", wsource.DialOptions{StreamLimit: 1}},
		{"Heartbeat", wsource.DialOptions{Heartbeat: wsource.Heartbeat{Interval: time.Second}}},
		{"Heartbeat", wsource.DialOptions{Heartbeat: wsource.Heartbeat{Timeout: time.Second}}},
	}
}

func TestThereAreNoServers(t *testing.T) {
	request := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", "websocket")
	request.Header.Set("Sec-WebSocket-Version", "13")
	request.Header.Set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
	response := httptest.NewRecorder()
	_, err := wsource.Accept(response, request, nil)
	var problem *wsource.BrowserError
	require.ErrorAs(t, err, &problem)
	assert.Equal(t, "Accept", problem.Feature)
	assert.Equal(t, http.StatusNotImplemented, response.Code)
}

func TestSubjectReconnects(t *testing.T) {
	ctx := within(t)
	subject := wsource.NewSubject(named(t, "/restarts?"), wsource.TextCodec(), &wsource.SubjectConfig[string]{
		Reconnect: &backoff.Config{Base: time.Millisecond},
	})
	answers := operators.MergeMap(subject.Connections(),
		func(c *wsource.Connection[string, string]) observable.Observable[string] {
			c.Next("hello")
			return c
		})
	got, err := observable.Collect(ctx, operators.Take(answers, 2))
	require.NoError(t, err)
	assert.Equal(t, []string{"hello", "hello"}, got) // one of each connection
	require.NoError(t, subject.Shutdown(ctx))
}

func TestSubjectShutdownSendsWhatWaits(t *testing.T) {
	ctx := within(t)
	subject := wsource.NewSubject(named(t, "/hears?"), wsource.BinaryCodec(), nil)
	life := subject.Subscribe(ctx, observable.ObserverFuncs[[]byte]{})
	for range 100 {
		subject.Next(make([]byte, 10_000))
	}
	require.NoError(t, subject.Shutdown(ctx))
	<-life.Done()
	assert.Equal(t, "1000 ", peerSaw(t))
}

// note is a value of a topic, and the message that begins and ends it.
type note struct {
	Topic string `json:"topic"`
	Text  string `json:"text"`
}

func TestTopics(t *testing.T) {
	ctx := within(t)
	subject := wsource.NewSubject(at(t, "/echo"), wsource.JSON[note, note](), nil)
	topics := wsource.NewTopics(subject, wsource.TopicsConfig[string, note, note]{
		Subscribe:   func(topic string) note { return note{topic, "begun"} },
		Unsubscribe: func(topic string) note { return note{"", "ended " + topic} },
		Topic:       func(n note) (string, bool) { return n.Topic, n.Topic != "" },
	})
	both := operators.Merge(topics.Topic("a"), topics.Topic("b"))
	got, err := observable.Collect(ctx, operators.Take(both, 2))
	require.NoError(t, err)
	assert.ElementsMatch(t, []note{{"a", "begun"}, {"b", "begun"}}, got)
	require.NoError(t, subject.Shutdown(ctx))
}

// question is a request, and the answer to it.
type question struct {
	ID   uint64 `json:"id,omitempty"`
	Text string `json:"text"`
}

func TestRequests(t *testing.T) {
	ctx := within(t)
	subject := wsource.NewSubject(at(t, "/echo"), wsource.JSON[question, question](), &wsource.SubjectConfig[question]{
		Linger: time.Second,
	})
	requests := wsource.NewRequests(subject, wsource.RequestsConfig[question, question]{
		SetID: func(q question, id uint64) question { q.ID = id; return q },
		ID:    func(q question) (uint64, bool) { return q.ID, q.ID != 0 },
	})
	for _, text := range []string{"one", "two"} {
		answer, err := requests.Do(ctx, question{Text: text})
		require.NoError(t, err)
		assert.Equal(t, text, answer.Text)
	}
	require.NoError(t, subject.Shutdown(ctx))
}

func TestRequestWhoseConnectionIsLost(t *testing.T) {
	ctx := within(t)
	subject := wsource.NewSubject(at(t, "/cuts"), wsource.JSON[question, question](), nil)
	requests := wsource.NewRequests(subject, wsource.RequestsConfig[question, question]{
		SetID: func(q question, id uint64) question { q.ID = id; return q },
		ID:    func(q question) (uint64, bool) { return q.ID, q.ID != 0 },
	})
	_, err := requests.Do(ctx, question{Text: "one"})
	var failed *wsource.RequestError
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, wsource.Unknown, failed.Outcome)
	require.NoError(t, subject.Shutdown(ctx))
}

func TestMessageOverTheReadLimit(t *testing.T) {
	for _, size := range []string{"100", "101"} {
		socket := dial(t, named(t, "/sends?count=2&size="+size), &wsource.DialOptions{ReadLimit: 100})
		if size == "100" {
			_, err := observable.Collect(within(t), operators.Take(socket, 2))
			require.NoError(t, err)
			socket.Complete()
			require.NoError(t, ended(t, socket))
			assert.Equal(t, "1000 ", peerSaw(t))
			continue
		}
		err := ended(t, socket)
		require.ErrorIs(t, err, wsource.ErrMessageTooBig)
		assert.Equal(t, wsource.StatusMessageTooBig, wsource.CloseStatus(err))
		assert.Equal(t, "1005 ", peerSaw(t))
	}
}

// A message that arrives while nobody is subscribed waits for the next subscriber, and so
// does the end.
func TestLateSubscriber(t *testing.T) {
	socket := dial(t, named(t, "/sends?count=5&size=1&code=4000"), &wsource.DialOptions{ReadLimit: math.MaxInt64})
	assert.Equal(t, "4000 ", peerSaw(t))
	first, err := observable.Collect(within(t), operators.Take(socket, 2))
	require.NoError(t, err)
	rest, err := observable.Collect(within(t), socket)
	assert.Equal(t, wsource.StatusCode(4000), wsource.CloseStatus(err))
	numbers := func(all []wsource.Message) (n []byte) {
		for _, m := range all {
			n = append(n, m.Data...)
		}
		return n
	}
	assert.Equal(t, []byte{0, 1}, numbers(first))
	assert.Equal(t, []byte{2, 3, 4}, numbers(rest))
}

// The inbox has room for 16 messages of the largest size.
func TestInboxIsFull(t *testing.T) {
	socket := dial(t, named(t, "/sends?count=60&size=936"), &wsource.DialOptions{ReadLimit: 1000})
	assert.Equal(t, "1005 ", peerSaw(t))
	got, err := observable.Collect(within(t), socket)
	require.ErrorIs(t, err, wsource.ErrInboxFull)
	assert.Equal(t, wsource.StatusPolicyViolation, wsource.CloseStatus(err))
	require.Len(t, got, 17) // with one that was taken out, and waits for a subscriber
	for i, m := range got {
		assert.Equal(t, byte(i), m.Data[0])
	}
}

func TestReadersGetWholeMessages(t *testing.T) {
	socket := dial(t, at(t, "/sends?count=3&size=50000&code=1000"), nil)
	var sizes []int
	var kept *wsource.MessageReader
	err := observable.ForEach(within(t), socket.Readers(), func(m *wsource.MessageReader) {
		data, err := io.ReadAll(m)
		assert.NoError(t, err)
		sizes, kept = append(sizes, len(data)), m
	})
	require.NoError(t, err)
	assert.Equal(t, []int{50000, 50000, 50000}, sizes)
	_, err = kept.Read(make([]byte, 1))
	assert.ErrorIs(t, err, wsource.ErrReaderOver)
}

// recorder is a hook that counts events, and notes messages.
type recorder struct {
	events map[wsource.EventKind]int
	bytes  map[wsource.EventKind]int
	traced []string
	closed chan struct{} // closes at EventClosed, which may come after the end of Done
}

// Trace notes a message.
func (r *recorder) Trace(_ *wsource.Socket, sent bool, m wsource.Message) {
	r.traced = append(r.traced, fmt.Sprint(m.Type, " ", m, " ", sent))
}

// Handle counts an event; there is one thread.
func (r *recorder) Handle(e wsource.Event) {
	r.events[e.Kind]++
	r.bytes[e.Kind] += e.Bytes
	if e.Kind == wsource.EventClosed {
		close(r.closed)
	}
}

func TestHook(t *testing.T) {
	hook := &recorder{
		events: make(map[wsource.EventKind]int), bytes: make(map[wsource.EventKind]int), closed: make(chan struct{}),
	}
	socket := dial(t, at(t, "/upper"), &wsource.DialOptions{Hook: hook})
	for range 3 {
		require.NoError(t, socket.Send(t.Context(), wsource.TextMessage("four")))
		_, err := observable.FirstValue(within(t), socket)
		require.NoError(t, err)
	}
	socket.Complete()
	require.NoError(t, ended(t, socket))
	<-hook.closed
	assert.Equal(t, map[wsource.EventKind]int{
		wsource.EventOpened: 1, wsource.EventSent: 3, wsource.EventReceived: 3, wsource.EventClosed: 1,
	}, hook.events)
	assert.Equal(t, 12, hook.bytes[wsource.EventSent])
	assert.Equal(t, 12, hook.bytes[wsource.EventReceived])
	assert.Len(t, hook.traced, 6)
	assert.Subset(t, hook.traced, []string{"text four true", "text FOUR false"})
}

// The context of a subscriber bounds its subscription; the context of a stream that is
// sent closes the socket.
func TestContextThatEnds(t *testing.T) {
	socket := dial(t, named(t, "/hears?"), nil)
	ctx, cancel := context.WithCancel(t.Context())
	sent := observable.Never[wsource.Message]().Subscribe(ctx, socket)
	cancel()
	<-sent.Done()
	err := ended(t, socket)
	assert.Equal(t, wsource.StatusGoingAway, wsource.CloseStatus(err))
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, "1005 ", peerSaw(t))
}
