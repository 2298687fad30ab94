package session

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

var tcpCuts = flag.Int64("session.cuts", 60, "how many connections TestCuts breaks over TCP")

// cutter passes TCP connections on to a server, and breaks each after a number of bytes
// of its own, until there have been enough.
type cutter struct {
	listener net.Listener
	target   string
	left     atomic.Int64 // the cuts to make
	mu       sync.Mutex
	random   *rand.Rand
	begun    bool
	all      sync.WaitGroup
}

func newCutter(t *testing.T, target string, cuts int64, seed uint64) *cutter {
	t.Helper()
	c := &cutter{listener: loopback(t), target: target, random: rand.New(rand.NewPCG(seed, 14))}
	c.left.Store(cuts)
	c.all.Go(func() {
		for {
			conn, err := c.listener.Accept()
			if err != nil {
				return
			}
			c.all.Go(func() { c.pass(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		_ = c.listener.Close()
		c.all.Wait()
	})
	return c
}

// pass passes one connection on.
func (c *cutter) pass(client *net.TCPConn) {
	defer client.Close()
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", c.target)
	if err != nil {
		return
	}
	server := conn.(*net.TCPConn)
	defer server.Close()
	c.mu.Lock()
	from, to := client, server
	if c.random.IntN(2) == 0 {
		from, to = server, client
	}
	longest := 2 << 10
	if c.random.IntN(3) == 0 {
		longest = 32 << 10
	}
	after, reset := int64(c.random.IntN(longest)), c.random.IntN(2) == 0
	// The client sends so much only when it has got its token: without it, it would begin
	// another session.
	if !c.begun {
		c.begun, from, to = true, client, server
		after += 1 << 10
	}
	c.mu.Unlock()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(from, to)
		_ = from.CloseWrite()
	})
	if n, _ := io.CopyN(to, from, after); n == after && c.left.Add(-1) >= 0 {
		if reset {
			_, _ = client.SetLinger(0), server.SetLinger(0)
		}
		_, _ = client.Close(), server.Close()
	} else {
		_, _ = io.Copy(to, from)
		_ = to.CloseWrite()
	}
	back.Wait()
}

func loopback(tb testing.TB) net.Listener {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not block
	require.NoError(tb, err)
	return listener
}

// tcpSite is a server of sessions over TCP, which calls begin with each one.
func tcpSite(tb testing.TB, config *ServerConfig[string], begin func(s *text)) (addr string, sessions *Server[string, string]) {
	tb.Helper()
	server := &wsource.Server{Options: wsource.AcceptOptions{Subprotocols: []string{Subprotocol}}}
	sessions = NewServer(wsource.TextCodec(), config)
	listener := loopback(tb)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(listener) })
	running.Go(func() {
		_ = sessions.Handle(ctx, server, func(ctx context.Context, s *text) error {
			begin(s)
			<-ctx.Done()
			return nil
		})
	})
	for server.Ready() != nil {
		time.Sleep(time.Millisecond)
	}
	tb.Cleanup(func() {
		cancel()
		assert.NoError(tb, server.Shutdown(context.Background()))
		running.Wait()
	})
	return listener.Addr().String(), sessions
}

// TestCuts breaks the connections of four clients, over TCP and at any byte, while both
// sides send from several goroutines: every message arrives once, and those of a
// goroutine in order.
func TestCuts(t *testing.T) {
	const clients, senders = 4, 2
	begun := time.Now()
	var sent, received, connections atomic.Int64
	t.Run("clients", func(t *testing.T) {
		for n := range clients {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				atServer, atClient := newTally(t), newTally(t)
				addr, _ := tcpSite(t, nil, func(s *text) { atServer.listen(s, senders) })
				cutter := newCutter(t, addr, *tcpCuts/clients, uint64(n))
				client := New("ws://"+cutter.listener.Addr().String(), wsource.TextCodec(), &Config[string]{
					Subject: wsource.SubjectConfig[string]{Reconnect: &backoff.Config{Base: 10 * time.Microsecond, Max: time.Millisecond}},
				})
				atClient.listen(client, senders)
				going := func() bool { return cutter.left.Load() > 0 && !t.Failed() }
				var sending sync.WaitGroup
				for i := range senders {
					sending.Go(func() { atClient.send(i, client, going) })
					sending.Go(func() { atServer.send(i, <-atServer.session, going) })
				}
				sending.Wait()
				atServer.expect(atClient)
				atClient.expect(atServer)
				assert.NoError(t, client.Shutdown(t.Context()))
				sent.Add(atServer.sum(atServer.sent) + atClient.sum(atClient.sent))
				received.Add(atServer.sum(atServer.next) + atClient.sum(atClient.next))
				connections.Add(int64(atClient.connections))
			})
		}
	})
	t.Logf("%d connections cut, %d resumed: %d messages sent, %d received once and in order, %v",
		*tcpCuts, connections.Load(), sent.Load(), received.Load(), time.Since(begun).Round(time.Millisecond))
}

// tally counts the messages that one side sends and receives: each sender numbers its
// messages.
type tally struct {
	t       *testing.T
	session chan *text

	mu          sync.Mutex
	changed     sync.Cond
	sent, next  []int
	connections int
}

func newTally(t *testing.T) *tally {
	a := &tally{t: t, session: make(chan *text, 16)}
	a.changed.L = &a.mu
	return a
}

// listen takes the values of a session.
func (a *tally) listen(s *text, senders int) {
	a.mu.Lock()
	a.sent, a.next = make([]int, senders), make([]int, senders)
	a.mu.Unlock()
	s.Status().Subscribe(context.Background(), onNext(func(status Status) {
		assert.Contains(a.t, []Kind{Waiting, Fresh, Recovered}, status.Kind)
		if status.Kind == Recovered {
			a.mu.Lock()
			a.connections++
			a.mu.Unlock()
		}
	}))
	s.Subscribe(context.Background(), onNext(func(v string) {
		var from, n int
		_, err := fmt.Sscanf(v, "%d %d", &from, &n)
		a.mu.Lock()
		defer a.mu.Unlock()
		if err != nil || n != a.next[from] {
			a.t.Errorf("message %d of %d in place of %d", n, from, a.next[from])
		}
		a.next[from] = n + 1
		a.changed.Broadcast()
	}))
	for range senders {
		a.session <- s
	}
}

// send sends while going is true.
func (a *tally) send(sender int, s *text, going func() bool) {
	random := rand.New(rand.NewPCG(uint64(sender), 15))
	for n := 0; going(); n++ {
		a.mu.Lock()
		a.sent[sender] = n + 1
		a.mu.Unlock()
		size := random.IntN(200)
		if random.IntN(8) == 0 {
			size = random.IntN(8000)
		}
		s.Next(fmt.Sprintf("%d %d %s", sender, n, strings.Repeat("x", size)))
	}
}

// expect waits until all values are there that the other side has sent.
func (a *tally) expect(from *tally) {
	timer := time.AfterFunc(20*time.Second, func() {
		a.t.Error("the rest does not come")
		a.changed.Broadcast()
	})
	defer timer.Stop()
	from.mu.Lock()
	sent := append([]int(nil), from.sent...)
	from.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, n := range sent {
		for a.next[i] < n && !a.t.Failed() {
			a.changed.Wait()
		}
	}
}

func (a *tally) sum(counts []int) (n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range counts {
		n += int64(c)
	}
	return n
}
