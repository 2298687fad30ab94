package wsource_test

import (
	"errors"
	"runtime"
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

// part is the stream of the values that begin with a letter; the server gets "+letter"
// and "-letter".
func part(subject *wsource.Subject[string, string], letter string) observable.Observable[string] {
	return subject.Multiplex(
		func() string { return "+" + letter },
		func() string { return "-" + letter },
		func(v string) bool { return v[:1] == letter },
	)
}

func TestMultiplexSubscribesFirstOnEachConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		require.NoError(t, s.network.OnDial(1, wstest.Stall(wstest.ToServer, 0)))
		subject.Next("early")
		a, subA := listen(t, part(subject, "a"))
		b, subB := listen(t, part(subject, "b"))
		settle()
		s.link().Resume(wstest.ToServer)
		far := s.accept()
		assert.Equal(t, []string{"+a", "+b", "early"}, far.heard())
		c, subC := listen(t, part(subject, "c"))
		assert.Equal(t, []string{"+a", "+b", "early", "+c"}, far.heard())
		far.say("a1")
		far.say("c1")
		subB.Unsubscribe()
		assert.Equal(t, []string{"+a", "+b", "early", "+c", "-b"}, far.heard())
		time.Sleep(2 * time.Second)

		end := s.outage()
		subject.Next("late")
		subC.Unsubscribe() // no connection knows of it
		d, subD := listen(t, part(subject, "d"))
		end()
		far = s.accept()
		assert.Equal(t, []string{"+a", "+d", "late"}, far.heard())
		far.say("a2")
		far.say("b2")
		far.say("d2")
		settle()
		assert.Equal(t, []string{"a1", "a2"}, a.Values())
		assert.Empty(t, b.Values())
		assert.Equal(t, []string{"c1"}, c.Values())
		assert.Equal(t, []string{"d2"}, d.Values())
		subA.Unsubscribe()
		subD.Unsubscribe()
		require.NoError(t, far.wait())
		assert.Equal(t, []string{"+a", "+d", "late", "-a", "-d"}, far.heard())
	})
}

func TestMultiplexMakesItsMessageAnewForEachConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
		last := "0"
		stream := subject.Multiplex(
			func() string { return "from " + last },
			func() string { return "stop" },
			func(string) bool { return true },
		)
		got, sub := listen(t, operators.Tap(stream, func(v string) { last = v }))
		far := s.accept()
		far.say("1")
		far.say("2")
		assert.Equal(t, []string{"from 0"}, far.heard())
		far.CloseNow()
		far = s.accept()
		assert.Equal(t, []string{"from 2"}, far.heard())
		far.say("3")
		settle()
		assert.Equal(t, []string{"1", "2", "3"}, got.Values())
		sub.Unsubscribe()
	})
}

func TestMultiplexSendsNoStaleUnsubscription(t *testing.T) {
	for name, leave := range map[string]func(s *site, subject *wsource.Subject[string, string], far far, sub observable.Subscription){
		"the peer has closed": func(_ *site, _ *wsource.Subject[string, string], far far, sub observable.Subscription) {
			far.Complete()
			settle()
			sub.Unsubscribe()
		},
		"this side closes": func(_ *site, subject *wsource.Subject[string, string], _ far, sub observable.Subscription) {
			subject.Complete()
			sub.Unsubscribe()
		},
		"the connection has broken": func(s *site, _ *wsource.Subject[string, string], _ far, sub observable.Subscription) {
			s.outage()
			sub.Unsubscribe()
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
				lost := record(t, subject.Undelivered())
				_, sub := listen(t, part(subject, "a"))
				far := s.accept()
				settle()
				leave(s, subject, far, sub)
				settle()
				require.NoError(t, s.network.OnEveryDial())
				_, sub = listen(t, subject)
				far2 := s.accept()
				assert.Empty(t, far2.heard())
				assert.Equal(t, []string{"+a"}, far.heard())
				assert.Empty(t, fates(lost))
				sub.Unsubscribe()
			})
		})
	}
}

func TestMultiplexThatIsLeftBeforeTheConnectionIsOpen(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		require.NoError(t, s.network.OnDial(1, wstest.Stall(wstest.ToServer, 0)))
		_, sub := listen(t, subject)
		_, subA := listen(t, part(subject, "a"))
		settle()
		subA.Unsubscribe()
		s.link().Resume(wstest.ToServer)
		assert.Empty(t, s.accept().heard())
		sub.Unsubscribe()
	})
}

// Teardown must not block, nor Subscribe, when the connection is jammed.
func TestMultiplexDoesNotWaitForRoom(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(&wsource.SubjectConfig[string]{Dial: wsource.DialOptions{Heartbeat: noBeat}})
		_, sub := listen(t, subject)
		far := s.accept()
		s.jam(subject)
		go func() {
			for range 2000 {
				subject.Next("filler")
			}
		}()
		settle()
		start := time.Now()
		_, subA := listen(t, part(subject, "a"))
		subA.Unsubscribe()
		assert.Zero(t, time.Since(start))
		s.unjam()
		heard := far.heard()
		assert.Len(t, heard, 2003)
		assert.Contains(t, heard, "+a")
		assert.Contains(t, heard, "-a")
		sub.Unsubscribe()
	})
}

func TestMultiplexCallbacksThatFail(t *testing.T) {
	oops := errors.New("oops")
	fine := func() string { return "fine" }
	all := func(string) bool { return true }
	for name, test := range map[string]struct {
		subscribe, unsubscribe func() string
		filter                 func(string) bool
		want                   error
	}{
		"subscribe panics":            {func() string { panic(oops) }, fine, all, oops},
		"subscribe ends":              {func() string { runtime.Goexit(); return "" }, fine, all, observable.ErrGoexit},
		"subscribe cannot be encoded": {func() string { return "\xFF" }, fine, all, wsource.ErrInvalidUTF8},
		"filter panics":               {fine, fine, func(string) bool { panic(oops) }, oops},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
				other, sub := listen(t, subject)
				far := s.accept()
				got := observabletest.NewRecorder[string]()
				stream := subject.Multiplex(test.subscribe, test.unsubscribe, test.filter)
				go stream.Subscribe(t.Context(), got) // one of them ends the goroutine
				settle()
				far.say("value")
				require.ErrorIs(t, got.ExpectEnd(t), test.want)
				// The others go on, and a new connection does not get the failed ones.
				assert.False(t, over(other))
				far.CloseNow()
				assert.Empty(t, s.accept().heard())
				sub.Unsubscribe()
			})
		})
	}

	t.Run("subscribe panics for the second connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(&wsource.SubjectConfig[string]{Reconnect: steady()})
			calls := 0
			got := record(t, subject.Multiplex(func() string {
				if calls++; calls == 2 {
					panic(oops)
				}
				return "fine"
			}, fine, all))
			b, sub := listen(t, part(subject, "b"))
			s.accept().CloseNow()
			far := s.accept()
			require.ErrorIs(t, got.ExpectEnd(t), oops)
			assert.Equal(t, []string{"+b"}, far.heard())
			far.say("b1")
			settle()
			assert.Equal(t, []string{"b1"}, b.Values())
			sub.Unsubscribe()
		})
	})

	t.Run("unsubscribe panics", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			lost := record(t, subject.Undelivered())
			_, sub := listen(t, subject.Multiplex(fine, func() string { panic(oops) }, all))
			far := s.accept()
			sub.Unsubscribe()
			require.NoError(t, far.wait(), "the connection is closed all the same")
			require.Len(t, lost.Values(), 1)
			require.ErrorIs(t, lost.Values()[0], oops)
		})
	})

	t.Run("unsubscribe cannot be encoded", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			lost := record(t, subject.Undelivered())
			_, sub := listen(t, subject.Multiplex(fine, func() string { return "\xFF" }, all))
			far := s.accept()
			sub.Unsubscribe()
			require.NoError(t, far.wait())
			require.Len(t, lost.Values(), 1)
			require.ErrorIs(t, lost.Values()[0], wsource.ErrInvalidUTF8)
		})
	})

	t.Run("a callback is missing", func(t *testing.T) {
		subject := wsource.NewSubject(address, wsource.TextCodec(), nil)
		for name, stream := range map[string]observable.Observable[string]{
			"subscribe":   subject.Multiplex(nil, fine, all),
			"unsubscribe": subject.Multiplex(fine, nil, all),
			"filter":      subject.Multiplex(fine, fine, nil),
		} {
			var ae *observable.ArgumentError
			require.ErrorAs(t, record(t, stream).ExpectEnd(t), &ae)
			assert.Equal(t, name, ae.Argument)
		}
	})
}

func TestMultiplexFilterThatUnsubscribes(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := s.subject(nil)
		got := observabletest.NewRecorder[string]()
		var sub observable.Subscription
		stream := subject.Multiplex(func() string { return "+" }, func() string { return "-" }, func(string) bool {
			sub.Unsubscribe()
			return true
		})
		sub = stream.Subscribe(t.Context(), got)
		far := s.accept()
		far.say("never seen")
		require.NoError(t, far.wait())
		assert.Empty(t, got.Values())
	})
}
