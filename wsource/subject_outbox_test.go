package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// fates returns the reports of Undelivered, as "text outcome cause".
func fates(r *observabletest.Recorder[*wsource.SendError]) []string {
	settle()
	var all []string
	for _, err := range r.Values() {
		all = append(all, fmt.Sprintf("%s %v %v", err.Message, err.Outcome, err.Err))
	}
	return all
}

// outage breaks the connection off, and refuses new ones until end is called.
func (s *site) outage() (end func()) {
	s.t.Helper()
	require.NoError(s.t, s.network.OnEveryDial(wstest.Refuse()))
	_ = s.link().Inject(wstest.Reset(wstest.ToClient, 0))
	settle()
	return func() { require.NoError(s.t, s.network.OnEveryDial()) }
}

// requireUnsent requires that err says that a message was certainly not sent, because of
// cause.
func requireUnsent(t *testing.T, err, cause error) {
	t.Helper()
	var se *wsource.SendError
	require.ErrorAs(t, err, &se)
	assert.Equal(t, wsource.Unsent, se.Outcome)
	require.ErrorIs(t, err, cause)
}

func TestSubjectKeepsOrderBeforeOpenAndInAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		lost := record(t, subject.Undelivered())
		subject.Next("a")
		_, sub := listen(t, subject)
		subject.Next("b") // while connecting
		far := s.accept()
		subject.Next("c")
		assert.Equal(t, []string{"a", "b", "c"}, far.heard())
		time.Sleep(2 * time.Second) // the peer confirms

		end := s.outage()
		subject.Next("d")
		subject.Next("e")
		time.Sleep(5 * time.Second)
		end()
		far = s.accept()
		subject.Next("f")
		assert.Equal(t, []string{"d", "e", "f"}, far.heard())
		sub.Unsubscribe()
		assert.Empty(t, fates(lost))
	})
}

func TestSubjectKeepsWhatWaitsForTheNextSubscriber(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
		subject.Next("a")
		assert.Error(t, record(t, subject).ExpectEnd(t))
		subject.Next("b")
		require.NoError(t, s.network.OnEveryDial())
		_, sub := listen(t, subject)
		assert.Equal(t, []string{"a", "b"}, s.accept().heard())
		sub.Unsubscribe()
	})
}

func TestSubjectOutboxBounds(t *testing.T) {
	for name, test := range map[string]struct {
		outbox wsource.Outbox
		sent   []string
		kept   []string
		lost   []string
	}{
		"oldest by count": {
			wsource.Outbox{Messages: 2, Overflow: observable.OverflowDropOldest},
			[]string{"a", "b", "c", "d"}, []string{"c", "d"},
			[]string{"a unsent the outbox is full", "b unsent the outbox is full"},
		},
		"newest by count": {
			wsource.Outbox{Messages: 2, Overflow: observable.OverflowDropNewest},
			[]string{"a", "b", "c", "d"}, []string{"a", "b"},
			[]string{"c unsent the outbox is full", "d unsent the outbox is full"},
		},
		"fail is newest": {
			wsource.Outbox{Messages: 1, Overflow: observable.OverflowFail},
			[]string{"a", "b"}, []string{"a"}, []string{"b unsent the outbox is full"},
		},
		"oldest by bytes": {
			wsource.Outbox{Bytes: 4, Overflow: observable.OverflowDropOldest},
			[]string{"aa", "bb", "c", "ddd"}, []string{"c", "ddd"},
			[]string{"aa unsent the outbox is full", "bb unsent the outbox is full"},
		},
		"newest by bytes": {
			wsource.Outbox{Bytes: 4, Overflow: observable.OverflowDropNewest},
			[]string{"aa", "bbb", "cc"}, []string{"aa", "cc"},
			[]string{"bbb unsent the outbox is full"},
		},
		"one that is larger than all there is goes alone": {
			wsource.Outbox{Bytes: 4, Overflow: observable.OverflowDropNewest},
			[]string{"aaaaaaaa", "b"}, []string{"aaaaaaaa"}, []string{"b unsent the outbox is full"},
		},
		"one that is larger drives all out": {
			wsource.Outbox{Bytes: 4, Overflow: observable.OverflowDropOldest},
			[]string{"a", "b", "cccccccc"}, []string{"cccccccc"},
			[]string{"a unsent the outbox is full", "b unsent the outbox is full"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := s.subject(&wsource.SubjectConfig[string]{Outbox: test.outbox})
				lost := record(t, subject.Undelivered())
				for _, text := range test.sent {
					subject.Next(text)
				}
				assert.Equal(t, test.lost, fates(lost))
				_, sub := listen(t, subject)
				assert.Equal(t, test.kept, s.accept().heard())
				sub.Unsubscribe()
				assert.Equal(t, test.lost, fates(lost))
			})
		})
	}
}

func TestSubjectBlocksSendersWhileTheOutboxIsFull(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Outbox: wsource.Outbox{Messages: 2}})
		var took time.Duration
		done := make(chan struct{})
		go func() {
			defer close(done)
			start := time.Now()
			for i := range 10 {
				subject.Next(fmt.Sprint(i))
			}
			took = time.Since(start)
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		settle()
		requireUnsent(t, subject.Send(ctx, "impatient"), context.DeadlineExceeded)

		_, sub := listen(t, subject)
		far := s.accept()
		<-done
		assert.Equal(t, time.Second, took)
		assert.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}, far.heard())
		sub.Unsubscribe()
	})
}

func TestSubjectDiscard(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Outbox: wsource.Outbox{Messages: 2}})
		lost := record(t, subject.Undelivered())
		subject.Next("a")
		sent := make(chan error, 1)
		go func() { sent <- subject.Send(context.Background(), "b") }()
		settle()
		go subject.Next("c") // blocks
		settle()
		subject.Discard()
		requireUnsent(t, <-sent, wsource.ErrDiscarded)
		assert.Equal(t, []string{"a unsent the outbox was discarded"}, fates(lost))
		_, sub := listen(t, subject)
		assert.Equal(t, []string{"c"}, s.accept().heard())
		sub.Unsubscribe()
	})
}

func TestSubjectReportsWhatTheLastSubscriberLeaves(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		lost := record(t, subject.Undelivered())
		_, sub := listen(t, subject)
		s.accept()
		s.outage()
		subject.Next("a")
		sent := make(chan error, 1)
		go func() { sent <- subject.Send(context.Background(), "b") }()
		settle()
		sub.Unsubscribe()
		requireUnsent(t, <-sent, wsource.ErrDiscarded)
		assert.Equal(t, []string{"a unsent the outbox was discarded"}, fates(lost))
	})
}

// choosy is a codec that fails for some values.
type choosy struct{ wsource.Codec[string, string] }

var errChoosy = errors.New("not to its liking")

func (c choosy) Encode(value string) (wsource.Message, error) {
	switch value {
	case "error":
		return wsource.Message{}, errChoosy
	case "panic":
		panic(errChoosy)
	case "type":
		return wsource.Message{Type: 7}, nil
	case "text":
		return wsource.Message{Type: wsource.Text, Data: []byte("\xFF")}, nil
	}
	return c.Codec.Encode(value)
}

func TestSubjectReportsWhatCannotBeEncoded(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := newSubject(s, wsource.Codec[string, string](choosy{wsource.TextCodec()}), nil)
		lost := record(t, subject.Undelivered())
		_, sub := listen(t, subject)
		far := s.accept()
		for i, value := range []string{"error", "panic", "type", "text"} {
			subject.Next(value)
			err := subject.Send(t.Context(), value)
			var se *wsource.SendError
			require.ErrorAs(t, err, &se)
			assert.Equal(t, wsource.Unsent, se.Outcome)
			require.Len(t, lost.Values(), i+1)
			assert.Equal(t, err.Error(), lost.Values()[i].Error())
			var ce *wsource.CodecError
			assert.Equal(t, value != "panic", errors.As(err, &ce))
		}
		assert.ErrorIs(t, lost.Values()[0], errChoosy)
		var pe *observable.PanicError
		assert.ErrorAs(t, lost.Values()[1], &pe)
		assert.ErrorIs(t, lost.Values()[3], wsource.ErrInvalidUTF8)
		subject.Next("fine")
		assert.Equal(t, []string{"fine"}, far.heard())
		sub.Unsubscribe()
	})
}

func TestSubjectReportsAPanicInDelivery(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{
			Delivery: func(string) wsource.Delivery { panic("which one?") },
		})
		lost := record(t, subject.Undelivered())
		subject.Next("a")
		require.Len(t, lost.Values(), 1)
		assert.ErrorContains(t, lost.Values()[0], "which one?")
		_, sub := listen(t, subject)
		s.accept()
		sub.Unsubscribe()
	})
}

func TestSubjectRefusesAConfigurationThatCannotBe(t *testing.T) {
	for argument, config := range map[string]wsource.SubjectConfig[string]{
		"config.Outbox has a negative limit":           {Outbox: wsource.Outbox{Messages: -1}},
		"config.Outbox has an unknown overflow policy": {Outbox: wsource.Outbox{Overflow: 9}},
		"config.Reconnect.Max is negative: -1s":        {Reconnect: &backoff.Config{Max: -time.Second}},
	} {
		subject := wsource.NewSubject(address, jsonText, &config)
		assert.ErrorContains(t, record(t, subject).ExpectEnd(t), argument)
		requireUnsent(t, subject.Send(t.Context(), "a"), record(t, subject).ExpectEnd(t))
	}
	assert.ErrorContains(t, wsource.NewSubject(address, jsonText, nil).Send(nil, "a"), "ctx is nil") //nolint:staticcheck // on purpose
	assert.ErrorContains(t, record(t, wsource.WrapSocket(nil, jsonText, nil)).ExpectEnd(t), "socket is nil")
}
