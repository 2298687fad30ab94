package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestEverythingAtOnce lets several goroutines send, subscribe, leave, close and break a connection at random
// moments. Whatever happens, each end ends once, each message arrives at most once and in order, each is
// accounted for, and nothing is left.
func TestEverythingAtOnce(t *testing.T) {
	for seed := range uint64(25) {
		synctest.Test(t, func(t *testing.T) { everythingAtOnce(t, rand.New(rand.NewPCG(seed, 1))) })
		if t.Failed() {
			t.Logf("seed %d", seed)
			return
		}
	}
}

// half is one end of a connection with all that is watched about it.
type half struct {
	socket *wsource.Socket
	got    *tape[wsource.Message]    // of a subscriber that stays
	lost   *tape[*wsource.SendError] // of what Next sent
	mu     sync.Mutex
	sure   map[string]bool // what Send reported as unsent
}

func newHalf(t *testing.T, socket *wsource.Socket) *half {
	t.Helper()
	return &half{
		socket: socket, got: record[wsource.Message](t, socket), lost: record(t, socket.Undelivered()), sure: map[string]bool{},
	}
}

func everythingAtOnce(t *testing.T, random *rand.Rand) {
	t.Helper()
	compression := wsource.Compression(random.IntN(3))
	s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat, Compression: compression, CloseTimeout: 2 * time.Second})
	client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, Compression: compression, CloseTimeout: time.Second})
	halves := []*half{newHalf(t, client), newHalf(t, server)}
	var all sync.WaitGroup
	for i, h := range halves {
		for sender := range 1 + random.IntN(3) {
			n, size, pause := random.IntN(150), 1+random.IntN(2000), time.Duration(random.IntN(3))*time.Millisecond
			all.Go(func() { h.send(t, fmt.Sprintf("1%d%d", i, sender), n, size, pause) })
		}
		for range random.IntN(3) {
			count := 1 + random.IntN(5)
			all.Go(func() {
				_ = observable.ForEach(t.Context(), operators.Take[wsource.Message](h.socket, count), func(wsource.Message) {})
			})
		}
	}
	for range 1 + random.IntN(3) {
		act, when := actions[random.IntN(len(actions))], time.Duration(random.IntN(400))*time.Millisecond
		which, after := halves[random.IntN(2)].socket, random.IntN(100_000)
		all.Go(func() {
			time.Sleep(when)
			act(s.link(), which, after)
		})
	}
	time.Sleep(time.Second)
	client.Complete()
	for _, h := range halves {
		<-h.socket.Done()
		_ = h.got.wait()
		_ = h.lost.wait()
	}
	all.Wait()
	for i, h := range halves {
		assert.Equal(t, 1, h.got.endings())
		assert.Equal(t, 1, h.lost.endings())
		h.check(t, halves[1-i])
	}
}

// actions are what ends a connection, or disturbs it.
var actions = []func(l *wstest.Link, s *wsource.Socket, after int){
	func(_ *wstest.Link, s *wsource.Socket, _ int) { s.Complete() },
	func(_ *wstest.Link, s *wsource.Socket, _ int) { s.CloseNow() },
	func(_ *wstest.Link, s *wsource.Socket, _ int) { s.Error(io.EOF) },
	func(_ *wstest.Link, s *wsource.Socket, _ int) { _ = s.Close(4000, "enough") },
	func(l *wstest.Link, _ *wsource.Socket, after int) { _ = l.Inject(wstest.Cut(wstest.ToServer, after)) },
	func(l *wstest.Link, _ *wsource.Socket, after int) { _ = l.Inject(wstest.Reset(wstest.ToClient, after)) },
	func(l *wstest.Link, _ *wsource.Socket, after int) {
		_ = l.Inject(wstest.Stall(wstest.ToClient, after))
		time.Sleep(300 * time.Millisecond)
		l.Resume(wstest.ToClient)
	},
	func(l *wstest.Link, _ *wsource.Socket, _ int) {
		_ = l.Inject(wstest.Throttle(wstest.ToServer, 500_000))
	},
}

// send sends n messages that begin with the sender's name and a number.
func (h *half) send(t *testing.T, name string, n, size int, pause time.Duration) {
	t.Helper()
	for i := range n {
		m := wsource.BinaryMessage([]byte(fmt.Sprintf("%s %d %0*d", name, i, size, 0)))
		if i%3 == 0 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			err := h.socket.Send(ctx, m)
			cancel()
			if se := new(wsource.SendError); errors.As(err, &se) && se.Outcome == wsource.Unsent {
				h.mu.Lock()
				h.sure[label(m)] = true
				h.mu.Unlock()
			}
		} else {
			h.socket.Next(m)
		}
		time.Sleep(pause)
	}
}

// label returns the sender and the number of a message.
func label(m wsource.Message) string {
	fields := strings.SplitN(m.String(), " ", 3)
	return fields[0] + " " + fields[1]
}

// check compares what arrived with what the other end was told of what it sent.
func (h *half) check(t *testing.T, from *half) {
	t.Helper()
	arrived, next := map[string]bool{}, map[string]int{}
	for _, m := range h.got.got() {
		arrived[label(m)] = true
		var name, number int
		_, err := fmt.Sscan(m.String(), &name, &number)
		require.NoError(t, err)
		require.GreaterOrEqual(t, number, next[strconv.Itoa(name)], "in order, and once")
		next[strconv.Itoa(name)] = number + 1
	}
	told := map[string]bool{}
	for _, se := range from.lost.got() {
		require.False(t, told[label(se.Message)], "told twice")
		told[label(se.Message)] = true
		if se.Outcome == wsource.Unsent {
			from.sure[label(se.Message)] = true
		}
	}
	for unsent := range from.sure {
		require.False(t, arrived[unsent], "%s was said to be unsent", unsent)
	}
}
