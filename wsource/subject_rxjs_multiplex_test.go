package wsource_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

var jsonTopics = wsource.JSON[topicValue, topicValue]()

// foo is the stream of a topic called foo.
func foo(subject *wsource.Subject[topicValue, topicValue]) observable.Observable[topicValue] {
	return subject.Multiplex(
		func() topicValue { return topicValue{Sub: "foo"} },
		func() topicValue { return topicValue{Unsub: "foo"} },
		func(v topicValue) bool { return v.Name == "foo" },
	)
}

func valueOf(v topicValue) any { return v.Value }

func TestRxJSMultiplex(t *testing.T) {
	t.Run("should be retryable", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			source := operators.Retry(foo(newSubject(s, jsonTopics, nil)), 1)
			got := record(t, operators.Take(operators.Map(source, valueOf), 2))
			far := s.accept()
			sub := []string{asJSON(t, topicValue{Sub: "foo"})}
			assert.Equal(t, sub, far.heard())
			far.CloseNow() // a bad connection

			far2 := s.accept()
			assert.Equal(t, sub, far2.heard())
			far2.say(asJSON(t, topicValue{Name: "foo", Value: "test"}))
			far2.say(asJSON(t, topicValue{Name: "foo", Value: "this"}))
			require.NoError(t, got.ExpectEnd(t))
			assert.Equal(t, []any{"test", "this"}, got.Values())
		})
	})

	t.Run("should be repeatable", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			source := operators.Repeat(foo(newSubject(s, jsonTopics, nil)), 2)
			got := record(t, operators.Map(source, valueOf))
			for range 2 {
				far := s.accept()
				assert.Equal(t, []string{asJSON(t, topicValue{Sub: "foo"})}, far.heard())
				far.say(asJSON(t, topicValue{Name: "foo", Value: "test"}))
				far.say(asJSON(t, topicValue{Name: "foo", Value: "this"}))
				far.Complete()
			}
			require.NoError(t, got.ExpectEnd(t))
			assert.Equal(t, []any{"test", "this", "test", "this"}, got.Values())
		})
	})

	t.Run("should multiplex over the webSocket", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			got, sub := listen(t, operators.Map(foo(newSubject(s, jsonTopics, nil)), valueOf))
			far := s.accept()
			assert.Equal(t, []string{asJSON(t, topicValue{Sub: "foo"})}, far.heard())
			for i, name := range []string{"foo", "foo", "bar", "foo", "foo"} {
				far.say(asJSON(t, topicValue{Name: name, Value: i + 1}))
			}
			settle()
			assert.Equal(t, []any{1.0, 2.0, 4.0, 5.0}, got.Values())
			sub.Unsubscribe()
			require.NoError(t, far.wait())
			assert.Equal(t, asJSON(t, topicValue{Unsub: "foo"}), far.heard()[1])
		})
	})

	// parts returns a stream of a subject that notes its unsubscription. The tests expect
	// RxJS's order. Where the server has closed the connection, RxJS 7 calls B's
	// unsubscribe function for a message that cannot be sent; like RxJS 8 the Subject
	// does not.
	parts := func(
		subject *wsource.Subject[topicValue, topicValue], log *observabletest.Recorder[topicValue], name string,
	) observable.Observable[topicValue] {
		return subject.Multiplex(
			func() topicValue { return topicValue{Sub: name} },
			func() topicValue {
				log.Notef("%s unsub", name)
				return topicValue{Unsub: name}
			},
			func(v topicValue) bool { return v.Name == name },
		)
	}
	wanted := func(v topicValue) bool { return !v.Complete }

	t.Run("should keep the same socket for multiple multiplex subscriptions", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, jsonTopics, nil)
			log := observabletest.NewRecorder[topicValue]()
			sub1 := operators.TakeWhile(parts(subject, log, "A"), wanted).Subscribe(t.Context(), noted(log, "A"))
			parts(subject, log, "B").Subscribe(t.Context(), noted(log, "B"))
			far := s.accept()
			for i, name := range []string{"A", "B", "A", "B", "B"} {
				if i == 1 {
					settle()
					sub1.Unsubscribe()
					assert.False(t, s.dialled())
				}
				far.say(asJSON(t, topicValue{Name: name}))
			}
			far.Complete()
			settle()
			assert.Equal(t, []string{"A next", "A unsub", "B next", "B next", "B next", "B complete"}, log.Log())
			assert.Equal(t, 1, s.network.Dials())
		})
	})

	t.Run("should not close the socket until all subscriptions complete", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, jsonTopics, nil)
			log := observabletest.NewRecorder[topicValue]()
			operators.TakeWhile(parts(subject, log, "A"), wanted).Subscribe(t.Context(), noted(log, "A"))
			operators.TakeWhile(parts(subject, log, "B"), wanted).Subscribe(t.Context(), noted(log, "B"))
			far := s.accept()
			for _, v := range []topicValue{
				{Name: "A"}, {Name: "B"}, {Name: "A", Complete: true}, {Name: "B"}, {Name: "B", Complete: true},
			} {
				settle()
				assert.Equal(t, wsource.Open, far.State())
				far.say(asJSON(t, v))
			}
			require.NoError(t, far.wait())
			settle()
			assert.Equal(t, []string{
				"A next", "B next", "A complete", "A unsub", "B next", "B complete", "B unsub",
			}, log.Log())
		})
	})
}

func TestRxJSNodeConstructor(t *testing.T) {
	t.Run("should send and receive messages", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			// The transport stands for the WebSocketCtor.
			transport := s.network.HTTPClient().Transport
			sendsAndReceives(&wsource.SubjectConfig[string]{Dial: wsource.DialOptions{Transport: transport}})(t, s)
		})
	})

	t.Run("should handle constructor errors if no WebSocketCtor", func(t *testing.T) {
		inBubble(t, func(t *testing.T, _ *site) {
			subject := wsource.NewSubject[string, string]("ws://mysocket", nil, nil)
			var ae *observable.ArgumentError
			require.ErrorAs(t, record(t, subject).ExpectEnd(t), &ae)
			assert.Equal(t, "codec", ae.Argument)
			require.ErrorAs(t, subject.Send(t.Context(), "lost"), &ae)
		})
	})
}

func TestRxJSIndex(t *testing.T) {
	t.Run("should export static websocket subject creator functions", func(t *testing.T) {
		assert.Implements(t, (*observable.Processor[string])(nil), wsource.NewSubject("ws://mysocket", jsonText, nil))
		assert.Implements(t, (*observable.Processor[string])(nil), wsource.WrapSocket(nil, jsonText, nil))
	})
}
