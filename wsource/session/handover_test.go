package session

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// pair is two servers with one store, and a client that dials the one it is told to.
type pair struct {
	hosts   [2]*site
	sides   [2]*side // the session on each server
	client  *side
	at      int // the host that is dialled
	dialled int
}

func newPair(t *testing.T, store Store) *pair {
	t.Helper()
	p := new(pair)
	handler := func(i int) func(ctx context.Context, s *text) error {
		return func(ctx context.Context, s *text) error {
			p.sides[i] = watch(s).listen()
			<-ctx.Done()
			return nil
		}
	}
	p.hosts[0] = newSite(t, ServerConfig[string]{Store: store}, handler(0))
	p.hosts[1] = p.hosts[0].another("other.test:80", handler(1))
	config := new(Config[string])
	config.Subject.Target = func(_ context.Context, _ int, dial wsource.DialOptions) (string, wsource.DialOptions, error) {
		p.dialled++
		return "ws://" + p.hosts[p.at].host, dial, nil
	}
	p.client = watch(p.hosts[0].client(config)).listen()
	synctest.Wait()
	assert.Equal(t, []Kind{Fresh}, p.client.kinds())
	return p
}

// move breaks the connection, and has the client come to the other server.
func (p *pair) move() {
	p.at = 1 - p.at
	p.client.s.Reconnect(nil)
	wait(time.Minute)
}

// TestHandover: a client that comes to another server goes on there, in both directions;
// the first server is told that its session is taken over. It comes back the same way.
func TestHandover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, NewMemoryStore(10))
		id := p.sides[0].s.ID()
		var in, out []string
		for i := range 5 {
			old := p.sides[p.at]
			require.NoError(t, p.hosts[0].link().Inject(wstest.Stall(wstest.ToClient, 0)))
			send(old.s, numbers("down ", 2*i, 2*i+1)...)
			synctest.Wait()
			send(p.client.s, numbers("up ", 2*i, 2*i)...)
			synctest.Wait()
			out = append(out, old.got()...)
			p.move()
			ended, err := old.end()
			assert.True(t, ended)
			var over *TakenOverError
			require.ErrorAs(t, err, &over)
			assert.Equal(t, TakenOver, old.lastStatus().Kind)
			assert.Empty(t, old.undelivered, "the other server has it")
			now := p.sides[p.at]
			assert.Equal(t, id, now.s.ID())
			assert.Equal(t, []Kind{Recovered}, p.client.kinds())
			assert.Equal(t, []Kind{Recovered}, now.kinds())
			send(p.client.s, numbers("up ", 2*i+1, 2*i+1)...)
			synctest.Wait()
			out = append(out, now.got()...)
			in = append(in, p.client.got()...)
			assert.Equal(t, 0, p.hosts[1-p.at].sessions.Len())
			assert.Equal(t, 1, p.hosts[p.at].sessions.Len())
		}
		assert.Equal(t, numbers("down ", 0, 9), in)
		assert.Equal(t, numbers("up ", 0, 9), out)
		assert.NoError(t, p.client.s.Shutdown(t.Context()))
		synctest.Wait()
		assert.Zero(t, p.hosts[0].sessions.Len()+p.hosts[1].sessions.Len())
	})
}

// TestHandoverUnconfirmed: a token stays good on each server until the client has
// confirmed the next one, wherever it was shown meanwhile.
func TestHandoverUnconfirmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newSite(t, ServerConfig[string]{Store: NewMemoryStore(10)}, idle)
		others := []*site{a.another("b.test:80", idle), a.another("c.test:80", idle), a}
		first := a.dial("\x00hello")
		token := first.token()
		first.say("\x00go 1", "x")
		for range 2 {
			for _, s := range others {
				r := s.dial("\x00resume " + token + " 0")
				assert.Equal(t, "\x00resumed "+r.token()+" 120000 1 1", r.last())
				r.socket.CloseNow()
				synctest.Wait()
			}
		}
		a.stop() // a has it now: the store does then
		r := others[0].dial("\x00resume " + token + " 0")
		next := r.token()
		r.say("\x00go 2")
		stale := others[1].dial("\x00resume " + token + " 0")
		stale.assertCode(StatusExpired)
		assert.Equal(t, wsource.Open, r.socket.State())
		r = others[1].dial("\x00resume " + next + " 0")
		assert.Contains(t, r.last(), "resumed")
		a.start()
	})
}

// TestHandoverOfAnotherKey: a connection that shows a token of another key to another
// server gets nothing, and does the session no harm.
func TestHandoverOfAnotherKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newSite(t, ServerConfig[string]{Store: NewMemoryStore(10)}, idle)
		b := a.another("b.test:80", idle)
		a.key, b.key = "alice", "mallory"
		alice := a.dial("\x00hello")
		token := alice.token()
		alice.say("\x00go 1")
		refusals := b.refusals()
		b.dial("\x00resume " + token + " 0").assertCode(StatusExpired)
		require.Len(t, *refusals, 1)
		assert.Equal(t, TokenForeign, (*refusals)[0].Problem)
		assert.Equal(t, wsource.Open, alice.socket.State())
		assert.Equal(t, 1, a.sessions.Len())
	})
}

// broken is a store that fails, or takes its time.
type broken struct {
	*MemoryStore

	mu   sync.Mutex
	err  error
	hold chan struct{}
}

func (b *broken) set(err error, hold chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err, b.hold = err, hold
}

func (b *broken) trouble() error {
	b.mu.Lock()
	err, hold := b.err, b.hold
	b.mu.Unlock()
	if hold != nil {
		<-hold
	}
	return err
}

func (b *broken) Join(ctx context.Context, server string, yield func(context.Context, Claim) error) (func(), error) {
	if err := b.trouble(); err != nil {
		return nil, err
	}
	return b.MemoryStore.Join(ctx, server, yield)
}

func (b *broken) Put(ctx context.Context, record *Record, ttl time.Duration) error {
	if err := b.trouble(); err != nil {
		return err
	}
	return b.MemoryStore.Put(ctx, record, ttl)
}

func (b *broken) Take(ctx context.Context, claim Claim) (*Record, error) {
	if err := b.trouble(); err != nil {
		return nil, err
	}
	return b.MemoryStore.Take(ctx, claim)
}

// TestStoreFails: while the store cannot be asked a client is told to try again, and not
// that its session has expired; it goes on when the store is back.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &broken{MemoryStore: NewMemoryStore(10)}
		p := newPair(t, store)
		refusals := p.hosts[1].refusals()
		enough := errors.New("out of order")
		store.set(enough, nil)
		p.move()
		assert.Empty(t, p.client.kinds())
		require.NotEmpty(t, *refusals)
		assert.Equal(t, TokenUnchecked, (*refusals)[0].Problem)
		require.ErrorIs(t, (*refusals)[0], enough)
		store.set(nil, nil)
		wait(time.Minute)
		assert.Equal(t, []Kind{Recovered}, p.client.kinds())
		assert.NoError(t, p.client.s.Shutdown(t.Context()))

		store.set(enough, nil)
		err := NewServer(wsource.TextCodec(), &ServerConfig[string]{Store: store}).Handle(t.Context(), new(wsource.Server), idle)
		assert.ErrorIs(t, err, enough)
	})
}

// TestStoreRefuses: a session that cannot be put into the store is over. Its server's
// program is told, and its client.
func TestStoreRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unheard := make(chan error, 10)
		defer observable.OnUnhandled(func(err *observable.UnhandledError) { unheard <- err })()
		store := &broken{MemoryStore: NewMemoryStore(10)}
		b := newBoth(t, ServerConfig[string]{Store: store}, nil)
		enough := errors.New("out of order")
		store.set(enough, nil)
		b.stop()
		require.ErrorIs(t, <-unheard, enough)
		store.set(nil, nil)
		b.start()
		wait(time.Minute)
		assert.Equal(t, []Kind{Expired, Fresh}, b.client.kinds())
		b.finish()
	})
}

// TestShownTwice: a client whose connection breaks while the store is asked, and that
// comes again, to the same server or to another one, gets its session.
func TestShownTwice(t *testing.T) {
	t.Parallel()
	for _, second := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			store := &broken{MemoryStore: NewMemoryStore(10)}
			a := newSite(t, ServerConfig[string]{Store: store}, idle)
			first := a.dial("\x00hello")
			token := first.token()
			first.say("\x00go 1")
			a.restart()
			sites := []*site{a, a.another("b.test:80", idle)}
			hold := make(chan struct{})
			store.set(nil, hold)
			waits := sites[0].dial("\x00resume " + token + " 0")
			again := sites[second].dial("\x00resume " + token + " 0")
			assert.Empty(t, waits.got)
			assert.Empty(t, again.got)
			close(hold)
			synctest.Wait()
			assert.Equal(t, 1, sites[0].sessions.Len()+sites[1].sessions.Len())
			for _, r := range []*raw{waits, again} {
				require.NotEmpty(t, r.got)
				assert.Contains(t, r.got[0], "resumed")
			}
			store.set(nil, nil)
		})
	}
}

// TestMemoryStore: it keeps sessions for their time, and so many.
func TestMemoryStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := NewMemoryStore(2)
		ids := make([]string, 4)
		for i := range ids {
			ids[i] = digestOf(newToken("")).id()
		}
		put := func(ids ...string) {
			assert.NoError(t, m.Put(t.Context(), &Record{TokenIDs: ids, Key: "k"}, time.Minute))
		}
		take := func(id string) bool {
			r, err := m.Take(t.Context(), Claim{TokenID: id, Key: "k"})
			assert.NoError(t, err)
			return r != nil
		}
		put(ids[0], ids[1])
		assert.True(t, take(ids[1]))
		assert.False(t, take(ids[0]))
		put(ids[0], ids[1])
		_, err := m.Take(t.Context(), Claim{TokenID: ids[0], Key: "another"})
		require.ErrorIs(t, err, ErrForeign)
		put(ids[2])
		put(ids[3])
		assert.False(t, take(ids[0]), "it had to make room")
		assert.True(t, take(ids[2]))
		time.Sleep(time.Minute)
		assert.False(t, take(ids[3]))
		time.Sleep(time.Minute)
		m.clean()
		assert.Empty(t, m.order)
		assert.Empty(t, m.byToken)
		assert.Empty(t, ServerOf("short"))
		assert.Len(t, ServerOf(ids[0]), serverBytes*8/6)
	})
}

// TestEndIsHandedOn: a handler says its last values and returns while the client is away,
// and the client comes to another server. It gets the values and the end, and no handler
// is called for that.
func TestEndIsHandedOn(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"move", "stop"} {
		for code, failure := range map[wsource.StatusCode]error{1000: nil, 4321: &wsource.CloseError{Code: 4321, Reason: "enough"}} {
			synctest.Test(t, func(t *testing.T) {
				returns := make(chan struct{})
				var first *side
				a := newSite(t, ServerConfig[string]{Store: NewMemoryStore(10)}, func(_ context.Context, s *text) error {
					first = watch(s)
					<-returns
					send(s, "1", "2", "3")
					return failure
				})
				called, reasons := 0, map[wsource.StatusCode]string{4321: "enough"}
				b := a.another("other.test:80", func(context.Context, *text) error { called++; return nil })
				r := a.dial("\x00hello")
				token := r.token()
				r.say("\x00go 1")
				r.socket.CloseNow()
				synctest.Wait()
				close(returns)
				synctest.Wait()
				if way == "stop" {
					a.stop()
				}
				r = b.dial("\x00resume " + token + " 0")
				r.say("\x00go 1", "too late")
				require.GreaterOrEqual(t, len(r.got), 5, r.got)
				end := (&control{word: wordEnd, code: code, reason: reasons[code]}).encode()
				assert.Equal(t, []string{"1", "2", "3", string(end)}, r.got[1:5])
				r.say("\x00ack 3")
				require.NoError(t, r.socket.Close(code, ""))
				wait(time.Second)
				assert.Zero(t, b.sessions.Len())
				assert.Zero(t, called)
				assert.Empty(t, first.undelivered, "the other server has it")
				if way == "stop" {
					a.start()
				}
			})
		}
	}
}

// TestClientsEndIsHandedOn: a server stops before its handler has heard the messages
// before the client's end. The next server's handler hears them, and the end.
func TestClientsEndIsHandedOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newSite(t, ServerConfig[string]{Store: NewMemoryStore(10)}, func(ctx context.Context, _ *text) error {
			<-ctx.Done() // its handler has not subscribed yet
			return nil
		})
		var second *side
		b := a.another("other.test:80", func(ctx context.Context, s *text) error {
			second = watch(s).listen()
			<-ctx.Done()
			return nil
		})
		r := a.dial("\x00hello")
		token := r.token()
		r.say("\x00go 1", "1", "2", "\x00end 1000 ")
		a.stop()
		r = b.dial("\x00resume " + token + " 0")
		require.NotNil(t, second, r.got)
		r.say("\x00go 1", "1", "2", "\x00end 1000 ")
		r.assertCode(1000)
		synctest.Wait()
		assert.Equal(t, []string{"1", "2"}, second.got())
		ended, err := second.end()
		assert.True(t, ended)
		require.NoError(t, err)
		assert.Zero(t, b.sessions.Len())
		a.start()
	})
}
