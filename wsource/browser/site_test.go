package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/browser"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type change = hub.Change[string, int]

// site is the server of the scripts.
type site struct {
	t       *testing.T
	ctx     context.Context
	pubsub  *event.PubSub
	rooms   *hub.Hub[string, string, string]
	states  *hub.Hub[string, string, change]
	board   *hub.State[string, int]
	counted atomic.Int64 // values of the last stream of count
	running sync.WaitGroup

	mu       sync.Mutex
	server   *wsource.Server
	sessions *wsource.Server
	hijacked []net.Conn
}

// advice is the RetryAfter of a restart.
const advice = 300 * time.Millisecond

// startSite starts the servers until the test ends, and returns their mux and URL.
func startSite(t *testing.T) (mux *http.ServeMux, url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &site{
		t: t, ctx: ctx,
		pubsub: event.NewPubSub(&event.PubSubConfig{Retain: 10, Authorize: authorize}),
		rooms:  hub.New(hub.Config[string, string, string]{History: hub.History{Count: 100}}),
		states: hub.NewStates(hub.Config[string, string, change]{History: hub.History{Age: 100 * time.Millisecond}}),
	}
	var err error
	s.board, err = hub.NewState(ctx, s.states.Room("board"), 100)
	assert.NoError(t, err)
	s.serve()
	s.serveSessions()
	mux = http.NewServeMux()
	mux.Handle("/rxsocket.js", browser.Handler())
	for _, path := range []string{"/events", "/rooms/{room}", "/state"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { s.current().ServeHTTP(w, r) })
	}
	mux.HandleFunc("POST /restart", func(http.ResponseWriter, *http.Request) {
		old := s.current()
		s.serve()
		s.drain(old, wsource.Farewell{Reason: "a restart", RetryAfter: advice})
	})
	mux.HandleFunc("POST /close/{code}", func(_ http.ResponseWriter, r *http.Request) {
		code, _ := strconv.Atoi(r.PathValue("code"))
		for _, socket := range s.current().Sockets() {
			_ = socket.Close(wsource.StatusCode(code), "as asked")
		}
	})
	mux.HandleFunc("/session", func(w http.ResponseWriter, r *http.Request) { s.currentSessions().ServeHTTP(w, r) })
	mux.HandleFunc("POST /cut", func(http.ResponseWriter, *http.Request) { s.cut() })
	mux.HandleFunc("POST /forget", func(http.ResponseWriter, *http.Request) {
		old := s.currentSessions()
		s.serveSessions()
		s.drain(old, wsource.Farewell{})
	})
	listener := httptest.NewUnstartedServer(mux)
	listener.Config.ConnState = s.watch
	listener.Start()
	t.Cleanup(func() {
		s.drain(s.current(), wsource.Farewell{})
		s.drain(s.currentSessions(), wsource.Farewell{})
		cancel()
		s.running.Wait()
		s.board.Close()
		listener.CloseClientConnections()
		listener.Close()
	})
	return mux, listener.URL
}

func (s *site) current() *wsource.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server
}

// serve puts a new server in the place of the current one.
func (s *site) serve() {
	server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{"plain"}}}
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	s.running.Go(func() { assert.NoError(s.t, server.Handle(s.ctx, s.handle)) })
}

func (s *site) currentSessions() *wsource.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

// serveSessions puts a new server, which knows no session, in the place of the current
// one.
func (s *site) serveSessions() {
	server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{session.Subprotocol}}}
	s.mu.Lock()
	s.sessions = server
	s.mu.Unlock()
	sessions := session.NewServer(wsource.Raw(), nil)
	s.running.Go(func() {
		assert.NoError(s.t, sessions.Handle(s.ctx, server, func(ctx context.Context, one *messages) error {
			conn := event.New(one, nil)
			s.talk(ctx, conn)
			over := make(chan struct{}, 1)
			event.OnValue[any](conn, "end").Subscribe(ctx, observable.ObserverFuncs[any]{
				OnNext: func(any) { over <- struct{}{} }, OnError: func(error) {},
			})
			conn.Connect(ctx)
			select {
			case <-conn.Done():
				return conn.Err()
			case <-over:
				return nil
			}
		}))
	})
}

type messages = session.Session[wsource.Message, wsource.Message]

// watch remembers the connections of sockets.
func (s *site) watch(conn net.Conn, state http.ConnState) {
	if state == http.StateHijacked {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hijacked = append(s.hijacked, conn)
	}
}

// cut breaks all connections of sockets off.
func (s *site) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.hijacked {
		_ = conn.Close() // it may be over
	}
	s.hijacked = nil
}

func (s *site) drain(server *wsource.Server, farewell wsource.Farewell) {
	ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
	defer cancel()
	assert.NoError(s.t, server.Drain(ctx, farewell))
}

func (s *site) handle(ctx context.Context, socket *wsource.Socket) error {
	switch socket.Request().URL.Path {
	case "/events":
		conn := event.New(socket, nil)
		s.talk(ctx, conn)
		conn.Connect(ctx)
		<-conn.Done()
		return conn.Err()
	case "/state":
		if _, err := s.states.Room("board").Join(ctx, socket, socket.ID(), hub.JoinOptions{Since: since(socket)}); err != nil {
			return err
		}
		changes := operators.TryMap(socket, wsource.DecodeFunc(wsource.JSON[change, change]()))
		return observable.TryForEach(ctx, changes, func(c change) error {
			if c.Deleted {
				return s.board.Delete(ctx, c.Key)
			}
			return s.board.Set(ctx, c.Key, c.Value)
		})
	default:
		asked := socket.Request()
		member, err := s.rooms.Room(asked.PathValue("room")).Join(ctx, socket, asked.FormValue("user"), hub.JoinOptions{
			Since: since(socket), Meta: asked.FormValue("mood"),
		})
		if err != nil {
			return err
		}
		return observable.TryForEach(ctx, socket, func(m wsource.Message) error {
			var text string
			if err := json.Unmarshal(m.Data, &text); err != nil {
				return err
			}
			if mood, ok := strings.CutPrefix(text, "/mood "); ok {
				return member.SetMeta(ctx, mood)
			}
			return member.Say(ctx, text)
		})
	}
}

// since returns the position that a socket comes back with.
func since(socket *wsource.Socket) hub.Position {
	asked := socket.Request()
	offset, _ := strconv.ParseUint(asked.FormValue("offset"), 10, 64)
	return hub.Position{Epoch: asked.FormValue("epoch"), Offset: offset}
}

func authorize(_ *event.Conn, topic string, publish bool) error {
	if strings.HasPrefix(topic, "secret") || publish && topic == "readonly" {
		return &event.PublicError{Code: event.CodeForbidden, Message: "not for you"}
	}
	return nil
}

// talk is the application of a connection with events.
func (s *site) talk(ctx context.Context, conn *event.Conn) {
	emit := event.Emit[any](conn, "told")
	s.pubsub.Serve(conn)
	conn.Errors().Subscribe(ctx, observable.ObserverFuncs[error]{
		OnNext: func(err error) {
			if stray, ok := errors.AsType[*event.StrayError](err); !ok || !stray.Late {
				emit.Next(err.Error())
			}
		},
		OnError: func(error) {},
	})
	event.OnValue[any](conn, "say").Subscribe(ctx, event.Emit[any](conn, "said"))
	event.Answer(conn, "add", func(_ context.Context, numbers []int) (sum int, err error) {
		for _, n := range numbers {
			sum += n
		}
		return sum, nil
	})
	event.Answer(conn, "fail", func(context.Context, any) (int, error) {
		return 0, &event.PublicError{Code: "sold_out", Message: "no apples"}
	})
	event.Answer(conn, "never", func(ctx context.Context, _ any) (int, error) {
		emit.Next("never begins")
		<-ctx.Done()
		if errors.Is(context.Cause(ctx), event.ErrCancelled) {
			emit.Next("never was cancelled")
		}
		return 0, context.Cause(ctx)
	})
	event.Answer(conn, "rest", func(ctx context.Context, _ any) (int64, error) {
		deadline, _ := ctx.Deadline()
		return time.Until(deadline).Milliseconds(), nil
	})
	event.AnswerMany(conn, "count", func(_ context.Context, n int) observable.Observable[int] {
		s.counted.Store(0)
		counted := operators.Tap(observable.Range(1, n), func(int) { s.counted.Add(1) })
		return operators.Finalize(counted, func() { emit.Next("count is over") })
	})
	event.Answer(conn, "later", func(ctx context.Context, ms int) (int, error) {
		select {
		case <-time.After(time.Duration(ms) * time.Millisecond):
			return ms, nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	})
	event.Answer(conn, "counted", func(context.Context, any) (int64, error) { return s.counted.Load(), nil })
	event.OnValue[int](conn, "ask me").Subscribe(ctx, observable.ObserverFuncs[int]{
		OnNext: func(n int) {
			s.running.Go(func() {
				doubled, err := event.Ask[int](ctx, conn, "double", n)
				emit.Next(answerOf(doubled, err))
				letters := operators.Take(event.AskMany[string](conn, "letters", n), n)
				all, err := observable.Collect(ctx, letters)
				emit.Next(answerOf(all, err))
				_, err = event.Ask[int](ctx, conn, "nothing", n)
				emit.Next(answerOf(0, err))
			})
		},
		OnError: func(error) {},
	})
}

// answerOf is the report of an answer for a client.
func answerOf(value any, err error) any {
	if remote, ok := errors.AsType[*event.RemoteError](err); ok {
		return string(remote.Code) + ": " + remote.Message
	}
	if err != nil {
		return err.Error()
	}
	return value
}
