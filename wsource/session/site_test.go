package session

import (
	"context"
	"net/http"
	"strconv"
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

const host = "server.test:80"

// wait lets time pass, and then everything that happens at once.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// text is a session of texts.
type text = Session[string, string]

// site is a server of sessions on a network in memory, inside a synctest bubble.
type site struct {
	t        *testing.T
	network  *wstest.Network
	host     string
	config   ServerConfig[string]
	key      string                 // the connections' key
	options  *wsource.AcceptOptions // the options of their Admission
	handler  func(ctx context.Context, s *text) error
	server   *wsource.Server
	sessions *Server[string, string]
	stop     func()
}

// newSite starts a server whose handler is called with each session.
func newSite(t *testing.T, config ServerConfig[string], handler func(ctx context.Context, s *text) error) *site {
	t.Helper()
	s := &site{t: t, network: new(wstest.Network), host: host, config: config, handler: handler}
	s.start()
	t.Cleanup(func() {
		s.stop()
		wait(time.Millisecond)
		assert.Empty(t, s.network.Links(), "connections are left")
	})
	return s
}

// another starts another server with the same config, on a host of its own.
func (s *site) another(host string, handler func(ctx context.Context, s *text) error) *site {
	s.t.Helper()
	other := &site{t: s.t, network: s.network, host: host, key: s.key, config: s.config, handler: handler}
	other.start()
	s.t.Cleanup(func() { other.stop() })
	return other
}

// start starts the server, or another one in its place.
func (s *site) start() {
	s.t.Helper()
	listener, err := s.network.Listen(s.host)
	require.NoError(s.t, err)
	s.server = &wsource.Server{Options: wsource.AcceptOptions{
		Subprotocols: []string{Subprotocol},
		Authorize: func(*http.Request) (wsource.Admission, error) {
			return wsource.Admission{Key: s.key, Options: s.options}, nil
		},
	}}
	s.sessions = NewServer(wsource.TextCodec(), &s.config)
	ctx, cancel := context.WithCancelCause(context.Background())
	var running sync.WaitGroup
	server, sessions := s.server, s.sessions
	running.Go(func() { _ = sessions.Handle(ctx, server, s.handler) })
	running.Go(func() { _ = server.Serve(listener) })
	synctest.Wait()
	s.stop = func() {
		cancel(errParked)
		synctest.Wait()
		assert.NoError(s.t, server.Shutdown(context.Background()))
		running.Wait()
		assert.Zero(s.t, sessions.Len())
	}
}

// restart stops the server and starts another one.
func (s *site) restart() {
	s.stop()
	s.start()
}

// client returns a client's session.
func (s *site) client(config *Config[string]) *text {
	var c Config[string]
	if config != nil {
		c = *config
	}
	c.Subject.Dial.Transport = s.network.HTTPClient().Transport
	return New("ws://"+s.host, wsource.TextCodec(), &c)
}

// link returns the connection that was dialled last.
func (s *site) link() *wstest.Link { return s.network.Link(s.network.Dials()) }

// cut breaks the connection that was dialled last.
func (s *site) cut() {
	require.NoError(s.t, s.link().Inject(wstest.Reset(wstest.ToServer, 0), wstest.Reset(wstest.ToClient, 0)))
}

// side is one side of a session with the events that it has been told.
type side struct {
	s *text

	mu          sync.Mutex
	values      []string
	statuses    []Status
	undelivered []*wsource.SendError
	ended       bool
	err         error
}

// watch subscribes to all streams of a session.
func watch(s *text) *side {
	w := &side{s: s}
	s.Status().Subscribe(context.Background(), observable.ObserverFuncs[Status]{OnNext: func(status Status) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if status.Kind != Waiting || status.Connection > 0 {
			w.statuses = append(w.statuses, status)
		}
	}})
	s.Undelivered().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.SendError]{OnNext: func(err *wsource.SendError) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.undelivered = append(w.undelivered, err)
	}})
	return w
}

// listen subscribes to the session.
func (w *side) listen() *side {
	end := func(err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended, w.err = true, err
	}
	w.s.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(v string) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.values = append(w.values, v)
		},
		OnError: end, OnComplete: func() { end(nil) },
	})
	return w
}

// got returns the values and forgets them.
func (w *side) got() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	values := w.values
	w.values = nil
	return values
}

// kinds returns the statuses, but for those of waiting, and forgets them.
func (w *side) kinds() (kinds []Kind) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.statuses {
		if s.Kind != Waiting {
			kinds = append(kinds, s.Kind)
		}
	}
	w.statuses = nil
	return kinds
}

// lastStatus returns the last status that is not Waiting.
func (w *side) lastStatus() (last Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.statuses {
		if s.Kind != Waiting {
			last = s
		}
	}
	return last
}

// end returns whether the stream has ended, and how.
func (w *side) end() (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended, w.err
}

// both is a client and the server's side of it.
type both struct {
	*site
	client *side
	server *side
}

// newBoth connects a client.
func newBoth(t *testing.T, config ServerConfig[string], clientConfig *Config[string]) *both {
	t.Helper()
	b := new(both)
	b.site = newSite(t, config, func(ctx context.Context, s *text) error {
		b.server = watch(s).listen()
		<-ctx.Done()
		return nil
	})
	b.client = watch(b.site.client(clientConfig)).listen()
	synctest.Wait()
	require.NotNil(t, b.server)
	assert.Equal(t, []Kind{Fresh}, b.client.kinds())
	assert.Equal(t, []Kind{Fresh}, b.server.kinds())
	return b
}

// finish ends the session from the client's side.
func (b *both) finish() {
	b.t.Helper()
	assert.NoError(b.t, b.client.s.Shutdown(context.Background()))
	synctest.Wait()
	ended, err := b.server.end()
	assert.True(b.t, ended)
	assert.NoError(b.t, err)
	assert.Zero(b.t, b.sessions.Len())
}

// numbers returns texts of the numbers from one to another.
func numbers(prefix string, from, to int) (all []string) {
	for i := from; i <= to; i++ {
		all = append(all, prefix+strconv.Itoa(i))
	}
	return all
}

func send(s *text, values ...string) {
	for _, v := range values {
		s.Next(v)
	}
}

// onNext is an observer of values only.
func onNext[T any](f func(T)) observable.Observer[T] {
	return observable.ObserverFuncs[T]{OnNext: f, OnError: func(error) {}}
}

// linkOf returns the connection of a session.
func linkOf(c *conversation) *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}
