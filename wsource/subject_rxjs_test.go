package wsource_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// The tests of this file have the names of the tests of RxJS 7's webSocket, and check the
// same of a Subject, with a real server in place of a mock. Where RxJS has observers of
// the opening and closing, a Subject has its Status. An exception of a constructor there
// is the error of a dial here. The binary type, the serialiser and the deserialiser are
// the codec. RxJS's subject.unsubscribe is the end of the context of all subscriptions.

var jsonText = wsource.JSON[string, string]()

// closes counts the statuses with a state.
func closes(got *observabletest.Recorder[wsource.Status], state wsource.LinkState) int {
	settle()
	n := 0
	for _, status := range got.Values() {
		if status.State == state {
			n++
		}
	}
	return n
}

func TestRxJSBasicBehaviour(t *testing.T) {
	t.Run("should send and receive messages", func(t *testing.T) { inBubble(t, sendsAndReceives(nil)) })

	t.Run("should allow use of operators and subscribe", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, jsonText, nil)
			asked := operators.Map(subject, func(v string) string { return v + "?" })
			shouted := operators.Map(asked, func(v string) string { return v + "!" })
			got, sub := listen(t, operators.Map(shouted, func(v string) string { return v + "!" }))
			s.accept().say(`"pong"`)
			settle()
			assert.Equal(t, []string{"pong?!!"}, got.Values())
			sub.Unsubscribe()
		})
	})

	t.Run("receive multiple messages", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			want := []string{"what", "do", "you", "do", "with", "a", "drunken", "sailor?"}
			got, sub := listen(t, newSubject(s, jsonText, nil))
			far := s.accept()
			for _, word := range want {
				far.say(asJSON(t, word))
			}
			settle()
			assert.Equal(t, want, got.Values())
			sub.Unsubscribe()
		})
	})

	t.Run("should queue messages prior to subscription", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, jsonText, nil)
			for _, word := range []string{"make", "him", "walk", "the", "plank"} {
				subject.Next(word)
			}
			assert.False(t, s.dialled())
			_, sub := listen(t, subject)
			assert.Equal(t, []string{`"make"`, `"him"`, `"walk"`, `"the"`, `"plank"`}, s.accept().heard())
			sub.Unsubscribe()
		})
	})

	t.Run("should send messages immediately if already open", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, jsonText, nil)
			_, sub := listen(t, subject)
			far := s.accept()
			subject.Next("avast!")
			assert.Equal(t, []string{`"avast!"`}, far.heard())
			subject.Next("ye swab!")
			assert.Equal(t, []string{`"avast!"`, `"ye swab!"`}, far.heard())
			sub.Unsubscribe()
		})
	})

	t.Run("should close the socket when completed", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, jsonText, nil)
			got := record(t, subject)
			far := s.accept()
			assert.Equal(t, wsource.Open, far.State())
			subject.Complete()
			assert.NoError(t, far.wait())
			assert.NoError(t, got.ExpectEnd(t))
			assert.Equal(t, wsource.Closed, far.State())
		})
	})

	for name, end := range map[string]func(context.CancelFunc, observable.Subscription){
		"unsubscribed":              func(cancel context.CancelFunc, _ observable.Subscription) { cancel() },
		"subscription is cancelled": func(_ context.CancelFunc, sub observable.Subscription) { sub.Unsubscribe() },
	} {
		subscribe := func(s *site) (context.CancelFunc, observable.Subscription) {
			ctx, cancel := context.WithCancel(context.Background())
			return cancel, newSubject(s, jsonText, nil).Subscribe(ctx, observabletest.NewRecorder[string]())
		}
		t.Run("should close the socket when "+name+" before socket open", func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				require.NoError(t, s.network.OnDial(1, wstest.Stall(wstest.ToServer, 0)))
				cancel, sub := subscribe(s)
				settle()
				require.Len(t, s.network.Links(), 1)
				end(cancel, sub)
				cancel()
				settle()
				s.link().Resume(wstest.ToServer)
				// The server has answered before it knew that the client had left.
				if s.dialled() {
					requireClose(t, s.accept().wait(), wsource.StatusAbnormalClosure)
				}
				settle()
				assert.Empty(t, s.network.Links())
			})
		})
		t.Run("should close the socket when "+name+" while connecting", func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				require.NoError(t, s.network.OnDial(1, wstest.Delay(wstest.ToClient, time.Second)))
				cancel, sub := subscribe(s)
				far := s.accept() // the server's answer is on its way
				end(cancel, sub)
				cancel()
				time.Sleep(2 * time.Second)
				requireClose(t, far.wait(), wsource.StatusAbnormalClosure)
				assert.Empty(t, s.network.Links())
			})
		})
	}

	t.Run("should close a socket that opens before the previous socket has closed", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, jsonText, nil)
			_, sub := listen(t, subject)
			far := s.accept()
			require.NoError(t, s.link().Inject(wstest.Delay(wstest.ToClient, time.Second)))
			sub.Unsubscribe()
			settle()

			got, sub2 := listen(t, subject)
			far2 := s.accept()
			assert.Equal(t, wsource.Open, far2.State())
			assert.Len(t, s.network.Links(), 2)
			assert.NoError(t, far.wait())
			time.Sleep(2 * time.Second) // the first socket has closed
			assert.Len(t, s.network.Links(), 1)
			assert.Equal(t, wsource.Open, far2.State())
			assert.False(t, over(got))
			sub2.Unsubscribe()
			assert.NoError(t, far2.wait())
		})
	})

	t.Run("should close the socket with a code and a reason when errored", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, jsonText, nil)
			got := record(t, subject)
			far := s.accept()
			subject.Error(&wsource.CloseError{Code: 4337, Reason: "Too bad, so sad :("})
			end := requireClose(t, far.wait(), 4337)
			assert.Equal(t, "Too bad, so sad :(", end.Reason)
			requireClose(t, got.ExpectEnd(t), 4337)
		})
	})

	for name, end := range map[string]func(*wsource.Subject[string, string]){
		"complete": func(s *wsource.Subject[string, string]) { s.Complete() },
		"error":    func(s *wsource.Subject[string, string]) { s.Error(&wsource.CloseError{Code: 4337}) },
	} {
		t.Run("should allow resubscription after closure via "+name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := newSubject(s, jsonText, nil)
				record(t, subject)
				far := s.accept()
				end(subject)
				subject.Next("yo-ho! yo-ho!")
				_, sub := listen(t, subject)
				far2 := s.accept()
				assert.Equal(t, []string{`"yo-ho! yo-ho!"`}, far2.heard())
				assert.Empty(t, far.heard())
				assert.Equal(t, wsource.Closed, far.State())
				sub.Unsubscribe()
			})
		})
	}

	t.Run("should have a default resultSelector that parses message data as JSON", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			got, sub := listen(t, newSubject(s, wsource.JSON[map[string]string, any](), nil))
			s.accept().say(`{"mork": "shazbot!"}`)
			settle()
			assert.Equal(t, []map[string]string{{"mork": "shazbot!"}}, got.Values())
			sub.Unsubscribe()
		})
	})
}

// sendsAndReceives is the first case of three groups.
func sendsAndReceives(config *wsource.SubjectConfig[string]) func(t *testing.T, s *site) {
	return func(t *testing.T, s *site) {
		subject := newSubject(s, jsonText, config)
		subject.Next("ping")
		got, sub := listen(t, subject)
		far := s.accept()
		assert.Equal(t, []string{`"ping"`}, far.heard())
		far.say(`"pong"`)
		settle()
		assert.Equal(t, []string{"pong"}, got.Values())
		sub.Unsubscribe()
		assert.NoError(t, far.wait())
	}
}

// shouting is a codec whose decoder adds to each text, or fails.
type shouting struct {
	wsource.Codec[string, string]
	err error
}

func (c shouting) Decode(_ wsource.MessageType, data []byte) (string, error) {
	return string(data) + "!", c.err
}

func TestRxJSWithAConfigObject(t *testing.T) {
	t.Run("should send and receive messages", func(t *testing.T) {
		inBubble(t, sendsAndReceives(new(wsource.SubjectConfig[string])))
	})

	t.Run("should take a protocol and set it properly on the web socket", func(t *testing.T) {
		inBubbleWith(t, wsource.AcceptOptions{Subprotocols: []string{"someprotocol"}}, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{
				Dial: wsource.DialOptions{Subprotocols: []string{"other", "someprotocol"}},
			})
			_, sub := listen(t, subject)
			assert.Equal(t, "someprotocol", s.accept().Subprotocol())
			settle()
			status, err := observable.FirstValue(t.Context(), subject.Status())
			require.NoError(t, err)
			assert.Equal(t, "someprotocol", status.Socket.Subprotocol())
			sub.Unsubscribe()
		})
	})

	t.Run("should take a binaryType", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, wsource.BinaryCodec(), nil)
			subject.Next([]byte{0, 1, 0xFF})
			got, sub := listen(t, subject)
			far := s.accept()
			far.Next(wsource.BinaryMessage([]byte{0xFE, 2}))
			settle()
			assert.Equal(t, []wsource.Message{wsource.BinaryMessage([]byte{0, 1, 0xFF})}, far.messages.Values())
			assert.Equal(t, [][]byte{{0xFE, 2}}, got.Values())
			sub.Unsubscribe()
		})
	})

	t.Run("should take a deserializer", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			got, sub := listen(t, newSubject(s, wsource.Codec[string, string](shouting{Codec: wsource.TextCodec()}), nil))
			far := s.accept()
			for _, word := range []string{"ahoy", "yarr", "shove off"} {
				far.say(word)
			}
			settle()
			assert.Equal(t, []string{"ahoy!", "yarr!", "shove off!"}, got.Values())
			sub.Unsubscribe()
		})
	})

	t.Run("if the deserializer fails it should go down the error path", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			bad := errors.New("I am a bad error")
			got := record(t, newSubject(s, wsource.Codec[string, string](shouting{wsource.TextCodec(), bad}), nil))
			s.accept().say("weee!")
			assert.ErrorIs(t, got.ExpectEnd(t), bad)
			assert.Empty(t, got.Values())
		})
	})

	t.Run("should accept a closingObserver", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, jsonText, nil)
			status := record(t, subject.Status())
			record(t, subject)
			s.accept()
			assert.Zero(t, closes(status, wsource.LinkClosing))
			subject.Complete()
			assert.Equal(t, 1, closes(status, wsource.LinkClosing))
			record(t, subject)
			s.accept()
			settle()
			subject.Error(&wsource.CloseError{Code: 4337})
			assert.Equal(t, 2, closes(status, wsource.LinkClosing))
		})
	})

	t.Run("should accept a closeObserver", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := newSubject(s, jsonText, nil)
			status := record(t, subject.Status())
			got := record(t, subject)
			far := s.accept()
			assert.Zero(t, closes(status, wsource.LinkClosed))
			far.Complete()
			require.NoError(t, got.ExpectEnd(t))
			assert.Equal(t, 1, closes(status, wsource.LinkClosed))

			got = record(t, subject)
			s.accept().CloseNow()
			requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
			assert.Equal(t, 2, closes(status, wsource.LinkClosed))
			last := status.Values()[len(status.Values())-1]
			assert.Equal(t, wsource.StatusAbnormalClosure, last.Code)
			assert.Equal(t, got.ExpectEnd(t), last.Err)
		})
	})

	t.Run("should handle constructor errors", func(t *testing.T) {
		inBubble(t, func(t *testing.T, _ *site) {
			got := record(t, wsource.NewSubject("bad_url", jsonText, nil))
			var ae *observable.ArgumentError
			require.ErrorAs(t, got.ExpectEnd(t), &ae)
			assert.Equal(t, "url", ae.Argument)
			assert.Empty(t, got.Values())
		})
	})
}
