package wsource_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// The address that the subjects of the tests dial.
const address = "ws://" + host

// far is the server's end of a connection, with the messages that it has received.
type far struct {
	*wsource.Socket
	messages *observabletest.Recorder[wsource.Message]
	t        *testing.T
}

// accept waits for the next open connection to the site, and records its messages.
func (s *site) accept() far {
	s.t.Helper()
	socket := <-s.sockets
	f := far{socket, record[wsource.Message](s.t, socket), s.t}
	settle() // until the client has the answer
	return f
}

// dialled tells whether a connection waits to be accepted.
func (s *site) dialled() bool {
	settle()
	return len(s.sockets) > 0
}

// heard returns the texts that the server's end has received.
func (f far) heard() []string {
	settle()
	return texts(f.messages.Values())
}

// wait waits for the end of the connection and returns its error.
func (f far) wait() error {
	f.t.Helper()
	return f.messages.ExpectEnd(f.t)
}

// say sends a text from the server's end.
func (f far) say(text string) { f.Next(wsource.TextMessage(text)) }

// subject returns a subject of strings as text messages, for the site.
func (s *site) subject(config *wsource.SubjectConfig[string]) *wsource.Subject[string, string] {
	return newSubject(s, wsource.TextCodec(), config)
}

// newSubject returns a subject for the site.
func newSubject[In, Out any](
	s *site, codec wsource.Codec[In, Out], config *wsource.SubjectConfig[Out],
) *wsource.Subject[In, Out] {
	var c wsource.SubjectConfig[Out]
	if config != nil {
		c = *config
	}
	c.Dial = *s.options(&c.Dial)
	return wsource.NewSubject(address, codec, &c)
}

// inBubble runs a test with a site in virtual time.
func inBubble(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	inBubbleWith(t, wsource.AcceptOptions{}, test)
}

// inBubbleWith is inBubble with options for the server.
func inBubbleWith(t *testing.T, options wsource.AcceptOptions, test func(t *testing.T, s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newSite(t, options)) })
}

// listen is record for a subscription that the test ends.
func listen[T any](t *testing.T, o observable.Observable[T]) (*observabletest.Recorder[T], observable.Subscription) {
	t.Helper()
	got := observabletest.NewRecorder[T]()
	return got, o.Subscribe(context.Background(), got)
}

// over reports whether a stream has ended.
func over[T any](r *observabletest.Recorder[T]) bool {
	settle()
	return r.Ended()
}

// steps returns a status stream without the details that differ from run to run.
func steps(all []wsource.Status) []wsource.Status {
	for i := range all {
		all[i].Socket, all[i].NextTry = nil, time.Time{}
	}
	return all
}

// states returns the states of a status stream.
func states(all []wsource.Status) []wsource.LinkState {
	list := make([]wsource.LinkState, 0, len(all))
	for _, status := range all {
		list = append(list, status.State)
	}
	return list
}

// noted returns an observer that notes each notification under a name in the log of a
// recorder.
func noted(log *observabletest.Recorder[topicValue], name string) observable.Observer[topicValue] {
	return observable.ObserverFuncs[topicValue]{
		OnNext:     func(topicValue) { log.Notef("%s next", name) },
		OnError:    func(err error) { log.Notef("%s error %v", name, err) },
		OnComplete: func() { log.Notef("%s complete", name) },
	}
}

// topicValue is a value from or to a server with topics.
type topicValue struct {
	Sub, Unsub, Name string
	Value            any
	Complete         bool
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

// steady is a policy without an upper limit, for tests that count attempts.
func steady() *backoff.Config { return &backoff.Config{Base: time.Second, Max: time.Second} }
