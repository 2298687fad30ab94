package wsource_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

func TestRequestsLostConnection(t *testing.T) {
	t.Run("says whether a request may have arrived", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, requests := asking(s, nil)
			lost := record(t, subject.Undelivered())
			answered, written := do(requests, t.Context(), "answered"), do(requests, t.Context(), "written")
			server := s.accept()
			server.reply(1, "A")
			require.NoError(t, (<-answered).err)
			server.restart()
			got := <-written
			requireRequest(t, got.err, 2, wsource.Unknown, got.err)
			requireClose(t, got.err, wsource.StatusServiceRestart)
			settle()
			require.Empty(t, lost.Values(), "it is told once")
			assert.False(t, s.dialled(), "nothing holds the subject any more")
		})
	})
	t.Run("sends again a request that has certainly not arrived", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, requests := asking(s, nil)
			_, subscription := listen(t, subject)
			s.accept()
			require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
			large := do(requests, t.Context(), strings.Repeat("x", 1<<20))
			behind := do(requests, t.Context(), "behind it")
			require.NoError(t, s.link().Inject(wstest.Reset(wstest.ToServer, 0), wstest.Reset(wstest.ToClient, 0)))
			got := <-large
			requireRequest(t, got.err, 1, wsource.Unknown, got.err)
			server := s.accept()
			assert.Equal(t, []string{"2 behind it"}, server.asked())
			server.reply(2, "")
			require.NoError(t, (<-behind).err)
			subscription.Unsubscribe()
			require.NoError(t, server.wait())
		})
	})
	t.Run("waits for another one", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnDial(1, wstest.Refuse()))
			_, requests := asking(s, nil)
			patient := do(requests, t.Context(), "patient")
			server := s.accept()
			server.reply(1, "")
			require.NoError(t, (<-patient).err)
			require.NoError(t, server.wait())
		})
	})
	t.Run("the end of the stream ends all", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			_, requests := asking(s, func(c *askConfig) { c.Max = 1 })
			first, second := do(requests, t.Context(), "a"), do(requests, t.Context(), "b")
			server := s.accept()
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
			requireRequest(t, (<-first).err, 1, wsource.Unknown, wsource.ErrClosed)
			requireRequest(t, (<-second).err, 2, wsource.Unsent, wsource.ErrClosed)
			third := do(requests, t.Context(), "c")
			server = s.accept()
			assert.Equal(t, []string{"3 c"}, server.asked())
			server.reply(3, "")
			require.NoError(t, (<-third).err)
			require.NoError(t, server.wait())
		})
	})
	t.Run("goes on the next one while one is being closed", func(t *testing.T) {
		for _, first := range []bool{true, false} {
			inBubbleWith(t, calm, func(t *testing.T, s *site) {
				subject, requests := asking(s, nil)
				before := do(requests, t.Context(), "a")
				s.accept()
				link := s.link()
				s.vanish()
				subject.Complete()
				if !first {
					listen(t, subject)
				}
				after := do(requests, t.Context(), "b")
				require.True(t, s.dialled())
				server := s.accept()
				assert.Equal(t, []string{"2 b"}, server.asked())
				server.reply(2, "B")
				require.NoError(t, (<-after).err)
				requireRequest(t, (<-before).err, 1, wsource.Unknown, wsource.ErrCloseTimeout)
				subject.Complete()
				require.NoError(t, server.wait())
				link.Resume(wstest.ToServer)
				link.Resume(wstest.ToClient)
			})
		}
	})
	t.Run("one that is lost before it is made gives way to others", func(t *testing.T) {
		inBubbleWith(t, calm, func(t *testing.T, s *site) {
			made := make(chan struct{})
			subject, requests := asking(s, func(c *askConfig) {
				c.Max = 1
				c.SetID = func(q query, id uint64) query {
					if q.Text == "a" {
						<-made
					}
					return query{id, q.Text}
				}
			})
			before := do(requests, t.Context(), "a")
			s.accept()
			link := s.link()
			s.vanish()
			subject.Complete()
			after := do(requests, t.Context(), "b")
			server := s.accept()
			assert.Empty(t, server.asked())
			time.Sleep(6 * time.Second)
			assert.Equal(t, []string{"2 b"}, server.asked())
			server.reply(2, "B")
			require.NoError(t, (<-after).err)
			close(made)
			requireRequest(t, (<-before).err, 1, wsource.Unsent, wsource.ErrCloseTimeout)
			require.NoError(t, server.wait())
			link.Resume(wstest.ToServer)
			link.Resume(wstest.ToClient)
		})
	})
	t.Run("a refused dial without Reconnect", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			require.NoError(t, s.network.OnEveryDial(wstest.Refuse()))
			subject := newSubject(s, wsource.JSON[query, query](), nil)
			got := <-do(wsource.NewRequests(subject, askBy(nil)), t.Context(), "a")
			var he *wsource.HandshakeError
			require.ErrorAs(t, got.err, &he)
			requireRequest(t, got.err, 1, wsource.Unsent, he)
		})
	})
}

func TestRequestsFailures(t *testing.T) {
	setID := func(f func()) func(*askConfig) {
		return func(c *askConfig) { c.SetID = func(a query, _ uint64) query { f(); return a } }
	}
	var panicked *observable.PanicError
	t.Run("SetID panics", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			_, requests := asking(s, setID(func() { panic(1) }))
			_, err := requests.Do(t.Context(), query{})
			requireRequest(t, err, 1, wsource.Unsent, err)
			require.ErrorAs(t, err, &panicked)
		})
	})
	t.Run("SetID ends the goroutine", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			_, requests := asking(s, setID(runtime.Goexit))
			do(requests, t.Context(), "") // it does not return
			assert.Equal(t, "0 requests", requests.String())
		})
	})
	t.Run("ID panics", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, requests := asking(s, func(c *askConfig) { c.ID = func(query) (uint64, bool) { panic("no ID") } })
			other := record(t, subject)
			one := do(requests, t.Context(), "a")
			server := s.accept()
			server.reply(1, "")
			got := <-one
			require.ErrorAs(t, got.err, &panicked)
			requireRequest(t, got.err, 1, wsource.Unknown, got.err)
			assert.Len(t, other.Values(), 1)
			assert.False(t, over(other), "a failure of its own")
			subject.Complete()
			require.NoError(t, server.wait())
		})
	})
	t.Run("a value that does not encode", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject := s.subject(nil)
			requests := wsource.NewRequests(subject, wsource.RequestsConfig[string, string]{
				SetID: func(text string, _ uint64) string { return text },
				ID:    func(string) (uint64, bool) { return 0, false },
			})
			_, err := requests.Do(t.Context(), "caf\xE9")
			requireRequest(t, err, 1, wsource.Unsent, wsource.ErrInvalidUTF8)
		})
	})
	t.Run("Cancel panics", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, requests := asking(s, func(c *askConfig) { c.Cancel = func(uint64) query { panic(1) } })
			lost := record(t, subject.Undelivered())
			_, subscription := listen(t, requests.Call(query{}))
			server := s.accept()
			subscription.Unsubscribe()
			require.NoError(t, server.wait())
			require.Len(t, lost.Values(), 1)
			require.ErrorAs(t, lost.Values()[0], &panicked)
		})
	})
	for name, change := range map[string]func(*askConfig){
		"SetID":   func(c *askConfig) { c.SetID = nil },
		"ID":      func(c *askConfig) { c.ID = nil },
		"Timeout": func(c *askConfig) { c.Timeout = -time.Second },
		"Max":     func(c *askConfig) { c.Max = -1 },
	} {
		t.Run("no "+name, func(t *testing.T) {
			subject := wsource.NewSubject("ws://nowhere.test", wsource.JSON[query, query](), nil)
			_, err := wsource.NewRequests(subject, askBy(change)).Do(t.Context(), query{})
			requireArgument(t, err, "config."+name)
		})
	}
	t.Run("no subject, connection or context", func(t *testing.T) {
		requests := wsource.NewRequests[query, query](nil, askBy(nil))
		_, err := requests.Do(t.Context(), query{})
		requireArgument(t, err, "subject")
		_, err = requests.DoOn(t.Context(), nil, query{})
		requireArgument(t, err, "c")
		_, err = requests.Do(nil, query{}) //nolint:staticcheck // that is the case
		requireArgument(t, err, "ctx")
		got := record(t, requests.Call(query{}))
		requireArgument(t, got.ExpectEnd(t), "subject")
	})
}

// requireArgument requires that err is about an argument.
func requireArgument(t *testing.T, err error, name string) {
	t.Helper()
	var ae *observable.ArgumentError
	require.ErrorAs(t, err, &ae)
	require.Equal(t, name, ae.Argument)
}

// Values sent before the answer to a login wait.
func TestRequestsLogin(t *testing.T) {
	t.Run("on each connection", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, requests := asking(s, nil)
			var failures []error
			subject.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Connection[query, query]]{
				OnNext: func(c *wsource.Connection[query, query]) {
					_, err := requests.DoOn(context.Background(), c, query{Text: "login"})
					failures = append(failures, err)
				},
			})
			subject.Next(query{Text: "queued"})
			server := s.accept()
			assert.Equal(t, []string{"1 login"}, server.asked())
			server.restart()
			server = s.accept()
			assert.Equal(t, []string{"2 login"}, server.asked())
			server.reply(2, "welcome")
			assert.Equal(t, []string{"2 login", "queued"}, server.asked())
			subject.Complete()
			require.NoError(t, server.wait())
			require.Len(t, failures, 2)
			requireRequest(t, failures[0], 1, wsource.Unknown, failures[0])
			require.NoError(t, failures[1])
		})
	})
	t.Run("in an observer of the status", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, requests := asking(s, nil)
			login := make(chan error, 1)
			subject.Status().Subscribe(context.Background(), observable.ObserverFuncs[wsource.Status]{
				OnNext: func(status wsource.Status) {
					if status.State == wsource.LinkOpen {
						_, err := requests.Do(context.Background(), query{Text: "login"})
						login <- err
					}
				},
			})
			_, subscription := listen(t, subject)
			server := s.accept()
			assert.Equal(t, []string{"1 login"}, server.asked())
			server.reply(1, "")
			require.NoError(t, <-login)
			subscription.Unsubscribe()
			require.NoError(t, server.wait())
		})
	})
	t.Run("on a connection that is over", func(t *testing.T) {
		inBubble(t, func(t *testing.T, s *site) {
			subject, requests := asking(s, nil)
			got := record(t, subject.Connections())
			s.accept().restart()
			_, err := requests.DoOn(t.Context(), got.Values()[0], query{Text: "late"})
			requireRequest(t, err, 1, wsource.Unsent, wsource.ErrClosed)
			subject.Complete()
			require.NoError(t, got.ExpectEnd(t))
		})
	})
}

// Connections break while requests begin, are answered, and are given up: each has one
// outcome, and the server has never seen an unsent one.
func TestRequestsStorm(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		subject := newSubject(s, wsource.JSON[query, query](), &wsource.SubjectConfig[query]{
			Reconnect: steady(), Linger: time.Second,
		})
		requests := wsource.NewRequests(subject, askBy(func(c *askConfig) { c.Max = 5 }))
		lost := record(t, subject.Undelivered())
		var mu sync.Mutex
		seen := make(map[string]int)
		stop := make(chan struct{})
		var servers sync.WaitGroup
		servers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case socket := <-s.sockets:
					answers := operators.Filter(operators.Tap(socket, func(m wsource.Message) {
						var a query
						assert.NoError(t, json.Unmarshal(m.Data, &a))
						mu.Lock()
						seen[a.Text]++
						mu.Unlock()
					}), func(m wsource.Message) bool { return !strings.Contains(m.String(), "7") })
					operators.Delay(answers, 3*time.Millisecond).Subscribe(context.Background(), socket)
					time.AfterFunc(time.Duration(10+i%17)*time.Millisecond, socket.CloseNow)
				}
			}
		})
		var answered, unknown, unsent atomic.Int64
		var users sync.WaitGroup
		for user := range 10 {
			users.Go(func() {
				for i := range 40 {
					text := fmt.Sprintf("%d-%d", user, i)
					ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i%9)*time.Second)
					v, err := requests.Do(ctx, query{Text: text})
					cancel()
					var re *wsource.RequestError
					switch {
					case err == nil:
						answered.Add(1)
						assert.Equal(t, text, v.Text)
					case assert.ErrorAs(t, err, &re) && re.Outcome == wsource.Unsent:
						unsent.Add(1)
						mu.Lock()
						assert.Zero(t, seen[text], text)
						mu.Unlock()
					default:
						unknown.Add(1)
					}
					time.Sleep(time.Duration(user) * time.Millisecond)
				}
			})
		}
		users.Wait()
		time.Sleep(time.Minute)
		close(stop)
		servers.Wait()
		assert.Equal(t, "0 requests", requests.String())
		assert.Empty(t, lost.Values())
		assert.Equal(t, int64(400), answered.Load()+unknown.Load()+unsent.Load())
		for _, n := range []int64{answered.Load(), unknown.Load(), unsent.Load()} {
			assert.NotZero(t, n)
		}
		for text, n := range seen {
			assert.True(t, n == 1 || strings.HasPrefix(text, "cancel"), "%s: %d", text, n)
		}
	})
}
