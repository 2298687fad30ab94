package session

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// raw is a client that is written by hand.
type raw struct {
	t      *testing.T
	socket *wsource.Socket
	got    []string
}

// dial connects one and sends its first texts.
func (s *site) dial(first ...string) *raw {
	s.t.Helper()
	socket, err := wsource.Dial(context.Background(), "ws://"+s.host, &wsource.DialOptions{
		Subprotocols: []string{Subprotocol}, Transport: s.network.HTTPClient().Transport,
	})
	require.NoError(s.t, err)
	r := &raw{t: s.t, socket: socket}
	socket.Subscribe(context.Background(), onNext(func(m wsource.Message) { r.got = append(r.got, string(m.Data)) }))
	r.say(first...)
	return r
}

// say sends texts and waits for the consequences.
func (r *raw) say(texts ...string) {
	for _, s := range texts {
		r.socket.Next(wsource.TextMessage(s))
	}
	synctest.Wait()
}

// last returns the last message.
func (r *raw) last() string {
	if len(r.got) == 0 {
		return ""
	}
	return r.got[len(r.got)-1]
}

// token returns the token of the server's last answer.
func (r *raw) token() string {
	r.t.Helper()
	fields := strings.Split(r.last(), " ")
	require.GreaterOrEqual(r.t, len(fields), 3, r.got)
	return fields[1]
}

// assertCode waits until the connection is closed with a code.
func (r *raw) assertCode(code wsource.StatusCode) {
	r.t.Helper()
	<-r.socket.Done()
	assert.Equal(r.t, code, wsource.CloseStatus(r.socket.Err()), "%v", r.socket.Err())
}

// idle is a handler that only listens.
func idle(ctx context.Context, s *text) error {
	watch(s).listen()
	<-ctx.Done()
	return nil
}

// TestTokenRotates: each connection brings another token; the one before is good until
// that was confirmed, and not after.
func TestTokenRotates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, ServerConfig[string]{}, idle)
		refusals := s.refusals()
		first := s.dial("\x00hello")
		a := first.token()
		first.say("\x00go 1", "x")
		second := s.dial("\x00resume " + a + " 0")
		b := second.token()
		assert.Equal(t, "\x00resumed "+b+" 120000 1 1", second.last())
		assert.NotEqual(t, a, b)
		second.socket.CloseNow()
		third := s.dial("\x00resume " + a + " 0") // b was not confirmed
		c := third.token()
		assert.NotEqual(t, b, c)
		assert.Empty(t, *refusals)
		gone := s.dial("\x00resume " + b + " 0") // it cannot have arrived
		assert.Equal(t, "\x00expired", gone.last())
		gone.assertCode(StatusExpired)
		third.say("\x00go 2")
		stale := s.dial("\x00resume " + a + " 0") // c was confirmed
		assert.Equal(t, "\x00expired", stale.last())
		stale.assertCode(StatusExpired)
		require.Len(t, *refusals, 2)
		assert.Equal(t, TokenUnknown, (*refusals)[1].Problem)
		assert.Equal(t, 1, s.sessions.Len())
		assert.Equal(t, wsource.Open, third.socket.State(), "a stale token does no harm")
		fourth := s.dial("\x00resume " + c + " 0")
		assert.Contains(t, fourth.last(), "resumed")
	})
}

// refusals returns the server's refusals, as they come.
func (s *site) refusals() *[]*TokenError {
	all := new([]*TokenError)
	s.sessions.Refusals().Subscribe(context.Background(), onNext(func(err *TokenError) { *all = append(*all, err) }))
	return all
}

// TestTokenOfAnotherKey: it is refused like an unknown token, the server's program is
// told, and the session lives on.
func TestTokenOfAnotherKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, ServerConfig[string]{Store: NewMemoryStore(10)}, idle)
		s.key = "alice"
		alice := s.dial("\x00hello")
		token := alice.token()
		alice.say("\x00go 1")
		for _, stage := range []string{"live", "parked"} {
			refusals := s.refusals()
			s.key = "mallory"
			mallory := s.dial("\x00resume " + token + " 0")
			assert.Equal(t, []string{"\x00expired"}, mallory.got, stage)
			mallory.assertCode(StatusExpired)
			require.Len(t, *refusals, 1)
			assert.Equal(t, TokenForeign, (*refusals)[0].Problem)
			assert.Equal(t, "mallory", (*refusals)[0].Key)
			assert.Same(t, (*refusals)[0].Socket.Request(), (*refusals)[0].Socket.Request())
			if stage == "live" {
				assert.Equal(t, wsource.Open, alice.socket.State())
				s.restart()
			}
		}
		s.key = "alice"
		again := s.dial("\x00resume " + token + " 0")
		assert.Contains(t, again.last(), "resumed")
	})
}

// TestTakenOver: a second connection with the token takes the session over; the first is
// told so, and does not come back.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, nil)
		c := b.client.s.latest()
		thief := b.dial("\x00resume " + c.token + " 0")
		assert.Contains(t, thief.last(), "resumed")
		thief.say("\x00go 1")
		assert.Equal(t, []Kind{TakenOver}, b.client.kinds())
		ended, err := b.client.end()
		assert.True(t, ended)
		var over *TakenOverError
		require.ErrorAs(t, err, &over)
		assert.Equal(t, StatusTakenOver, wsource.CloseStatus(err))
		last := b.server.lastStatus()
		assert.Equal(t, Recovered, last.Kind)
		assert.True(t, last.Replaced)
		dials := b.network.Dials()
		wait(time.Minute)
		assert.Equal(t, dials, b.network.Dials())
		thief.say("\x00end 1000 ")
		thief.assertCode(wsource.StatusNormalClosure)
		assert.Zero(t, b.sessions.Len())
	})
}

// TestTakenOverByOneself: a client whose connection is dead, which the server does not
// know yet, comes back and takes over from itself.
func TestTakenOverByOneself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBoth(t, ServerConfig[string]{}, nil)
		dead := b.link()
		require.NoError(t, dead.Inject(wstest.Stall(wstest.ToServer, 0), wstest.Stall(wstest.ToClient, 0)))
		send(b.server.s, "lost on the way")
		b.client.s.Reconnect(nil)
		wait(time.Second)
		last := b.server.lastStatus()
		assert.Equal(t, Recovered, last.Kind)
		assert.True(t, last.Replaced)
		assert.Equal(t, []string{"lost on the way"}, b.client.got())
		assert.Equal(t, []Kind{Recovered}, b.client.kinds())
		b.finish()
		dead.Resume(wstest.ToServer)
		dead.Resume(wstest.ToClient)
		wait(time.Minute)
	})
}

// TestExpired: a session whose client does not come within its time to live is over, on
// both sides, and says so; the client begins another one.
func TestExpired(t *testing.T) {
	t.Parallel()
	for _, rests := range []time.Duration{59 * time.Second, 61 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoth(t, ServerConfig[string]{TTL: time.Minute}, &Config[string]{
				Subject: wsource.SubjectConfig[string]{Reconnect: &backoff.Config{Max: 200 * time.Millisecond}},
			})
			server := b.server
			require.NoError(t, b.network.OnEveryDial(wstest.Refuse()))
			b.cut()
			synctest.Wait()
			send(b.server.s, "to the client")
			send(b.client.s, "to the server")
			wait(rests)
			require.NoError(t, b.network.OnEveryDial())
			expired := rests > time.Minute
			ended, err := server.end()
			assert.Equal(t, expired, ended)
			if expired {
				var e *ExpiredError
				require.ErrorAs(t, err, &e)
				require.Len(t, server.undelivered, 1)
				assert.Equal(t, wsource.Unsent, server.undelivered[0].Outcome)
				assert.Equal(t, []Kind{Expired}, server.kinds())
			}
			wait(time.Minute)
			assert.Equal(t, []string{"to the server"}, b.server.got(), "a value that was not sent goes by the next session")
			if expired {
				assert.Equal(t, []Kind{Expired, Fresh}, b.client.kinds())
				assert.NotSame(t, server, b.server)
			} else {
				assert.Equal(t, []Kind{Recovered}, b.client.kinds())
				assert.Equal(t, []string{"to the client"}, b.client.got())
			}
			b.finish()
		})
	}
}

// TestRestart: a server that is started again has the sessions that a store kept, and
// tells the others that they have expired.
func TestRestart(t *testing.T) {
	t.Parallel()
	for _, store := range []Store{nil, NewMemoryStore(3)} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoth(t, ServerConfig[string]{Store: store}, nil)
			id := b.server.s.ID()
			require.NoError(t, b.link().Inject(wstest.Stall(wstest.ToClient, 0)))
			send(b.server.s, "1", "2")
			synctest.Wait()
			b.stop()
			b.link().Resume(wstest.ToClient)
			synctest.Wait()
			send(b.client.s, "3")
			old := b.server
			b.start()
			wait(time.Minute)
			assert.Equal(t, []string{"3"}, b.server.got())
			if store == nil {
				assert.Equal(t, []Kind{Expired, Fresh}, b.client.kinds())
				assert.Len(t, old.undelivered, 2)
				assert.NotEqual(t, id, b.server.s.ID())
			} else {
				assert.Equal(t, []Kind{Recovered}, b.client.kinds())
				assert.Equal(t, []string{"1", "2"}, b.client.got())
				assert.Empty(t, old.undelivered, "the store has them")
				assert.Equal(t, id, b.server.s.ID())
			}
			b.finish()
		})
	}
}

// TestMaxSessions: beyond, a new session is refused, and a known one is not.
func TestMaxSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, ServerConfig[string]{MaxSessions: 1}, idle)
		first := s.dial("\x00hello")
		token := first.token()
		first.say("\x00go 1")
		s.dial("\x00hello").assertCode(wsource.StatusTryAgainLater)
		again := s.dial("\x00resume " + token + " 0")
		assert.Contains(t, again.last(), "resumed")
		again.say("\x00go 1", "\x00end 1000 ")
		again.assertCode(wsource.StatusNormalClosure)
		assert.Contains(t, s.dial("\x00hello").last(), "fresh")
	})
}

// TestViolations: a message that the protocol does not allow closes the connection with
// 1002, and the session waits for another one.
func TestViolations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, ServerConfig[string]{}, idle)
		for _, first := range []string{
			"hello", "\x00", "\x00hallo", "\x00go 1", "\x00ack 0", "\x00ask", "\x00expired", "\x00end 1000 ", "\x00fresh " + sampleToken + " 1",
		} {
			s.dial(first).assertCode(wsource.StatusProtocolError)
		}
		assert.Zero(t, s.sessions.Len())
		for _, then := range []string{
			"too early", "\x00go 0", "\x00ack 1", "\x00hello", "\x00resume " + sampleToken + " 0", "\x00fresh " + sampleToken + " 1",
		} {
			r := s.dial("\x00hello")
			token := r.token()
			r.say(then)
			r.assertCode(wsource.StatusProtocolError)
			again := s.dial("\x00resume " + token + " 0")
			assert.Contains(t, again.last(), "resumed", "after %q", then)
			again.say("\x00go 1", "\x00go 2")
			again.assertCode(wsource.StatusProtocolError)
		}
		future := s.dial("\x00hello")
		token := future.token()
		future.socket.CloseNow()
		refusals := s.refusals()
		s.dial("\x00resume " + token + " 7").assertCode(StatusExpired)
		require.Len(t, *refusals, 1)
		assert.Equal(t, TokenPosition, (*refusals)[0].Problem)
		silent := s.dial()
		silent.assertCode(StatusHelloTimeout)
		socket, err := wsource.Dial(t.Context(), "ws://"+host, &wsource.DialOptions{Transport: s.network.HTTPClient().Transport})
		require.NoError(t, err)
		(&raw{t: t, socket: socket}).assertCode(wsource.StatusPolicyViolation)
	})
}

// TestWindow: a client that sends more than a window without waiting for acknowledgements
// is stopped.
func TestWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		// Nobody listens.
		s := newSite(t, ServerConfig[string]{}, func(ctx context.Context, _ *text) error {
			<-ctx.Done()
			return nil
		})
		r := s.dial("\x00hello", "\x00go 1")
		for range windowMessages {
			r.say("x")
		}
		assert.Equal(t, wsource.Open, r.socket.State())
		r.say("x")
		r.assertCode(wsource.StatusProtocolError)
	})
}

// TestDoubles: a client that goes on with messages that have arrived is believed, and
// these are dropped; a client that leaves some out makes a gap.
func TestDoubles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w *side
		s := newSite(t, ServerConfig[string]{}, func(ctx context.Context, s *text) error {
			w = watch(s).listen()
			<-ctx.Done()
			return nil
		})
		r := s.dial("\x00hello")
		token := r.token()
		r.say("\x00go 1", "1", "2", "3")
		r.socket.CloseNow()
		r = s.dial("\x00resume " + token + " 0")
		assert.Equal(t, "3", strings.Fields(r.last())[3])
		token = r.token()
		r.say("\x00go 2", "2", "3", "4")
		assert.Equal(t, numbers("", 1, 4), w.got())
		r.socket.CloseNow()
		r = s.dial("\x00resume " + token + " 0")
		token = r.token()
		r.say("\x00go 8")
		assert.Equal(t, Range{5, 7}, w.lastStatus().LostIn)
		r.socket.CloseNow()
		r = s.dial("\x00resume " + token + " 0")
		assert.Equal(t, "7", strings.Fields(r.last())[3], "a gap is told once")
		r.say("\x00go 8", "8")
		assert.Equal(t, []Kind{Fresh, Recovered, Gap, Recovered}, w.kinds())
		assert.Equal(t, []string{"8"}, w.got())
		assert.EqualValues(t, 3, Range{5, 7}.Len())
	})
}

// TestLateMessages: messages that come by a connection that was taken over from are not
// the session's any more.
func TestLateMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var w *side
		s := newSite(t, ServerConfig[string]{}, func(ctx context.Context, s *text) error {
			w = watch(s).listen()
			<-ctx.Done()
			return nil
		})
		a := s.dial("\x00hello")
		token := a.token()
		a.say("\x00go 1")
		link := s.link()
		old := linkOf(w.s.latest())
		require.NoError(t, link.Inject(wstest.Stall(wstest.ToServer, 0)))
		a.say("1", "late")
		b := s.dial("\x00resume "+token+" 0", "\x00go 1", "1")
		// From the reading goroutine, before it hears that the connection is closed.
		old.receive(false, []byte("1"))
		old.receive(false, []byte("late"))
		old.receive(false, []byte("\x00end 1000 "))
		link.Resume(wstest.ToServer)
		a.assertCode(StatusTakenOver)
		b.say("2", "3")
		assert.Equal(t, numbers("", 1, 3), w.got())
	})
}
