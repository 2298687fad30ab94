package wsource_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// relay passes TCP connections on to a server, and cuts each of them after a number of
// bytes of its own, until the cuts are done.
type relay struct {
	listener net.Listener
	target   string
	cuts     int64 // the number of cuts to make

	mu     sync.Mutex
	random *rand.Rand
	begun  atomic.Int64 // the cuts begun
	made   atomic.Int64 // the cuts done: nothing passes there any more
	passed atomic.Int64 // connections
	all    sync.WaitGroup
}

// newRelay begins to pass on the connections to its address.
func newRelay(t *testing.T, target string, cuts int64, seed uint64) *relay {
	t.Helper()
	r := &relay{listener: loopback(t), target: target, cuts: cuts, random: rand.New(rand.NewPCG(seed, 7))}
	r.all.Go(func() {
		for {
			conn, err := r.listener.Accept()
			if err != nil {
				return
			}
			r.passed.Add(1)
			r.all.Go(func() { r.pass(conn.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		_ = r.listener.Close()
		r.all.Wait()
	})
	return r
}

// Most cuts are early, in the handshake or some messages later, and some after many
// confirmed messages.
const (
	early = 4 << 10
	late  = 128 << 10
)

// draw returns the place of the next cut: the end that sends, the number of bytes after
// which it comes, and the ends for which the cut is a reset.
func (r *relay) draw() (from int, after int64, reset [2]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	longest := early
	if r.random.IntN(4) == 0 {
		longest = late
	}
	return r.random.IntN(2), int64(r.random.IntN(longest)), [2]bool{r.random.IntN(2) == 0, r.random.IntN(2) == 0}
}

// address is the URL for a client to dial.
func (r *relay) address() string { return "ws://" + r.listener.Addr().String() }

// over reports whether all cuts have been made.
func (r *relay) over() bool { return r.made.Load() >= r.cuts }

// pass passes one connection on.
func (r *relay) pass(client *net.TCPConn) {
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", r.target)
	if err != nil {
		_ = client.Close()
		return
	}
	server := conn.(*net.TCPConn)
	ends := [2]*net.TCPConn{client, server}
	from, after, reset := r.draw()
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(ends[from], ends[1-from])
		_ = ends[from].CloseWrite()
	})
	if n, _ := io.CopyN(ends[1-from], ends[from], after); n == after && r.begun.Add(1) <= r.cuts {
		for i, end := range ends { // one may close in an orderly way, the other not
			if reset[i] {
				_ = end.SetLinger(0)
			}
			_ = end.Close()
		}
		both.Wait()
		r.made.Add(1)
	} else {
		_, _ = io.Copy(ends[1-from], ends[from])
		_ = ends[1-from].CloseWrite()
	}
	both.Wait()
	_, _ = client.Close(), server.Close()
}
