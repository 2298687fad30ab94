package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestEverythingAtOnce makes several goroutines send, subscribe, leave, close and break a
// connection at random moments. In each case each end ends once, each message arrives at
// most once and in order, each is accounted for, and nothing is left.
func TestEverythingAtOnce(t *testing.T) {
	for seed := range uint64(25) {
		synctest.Test(t, func(t *testing.T) { everythingAtOnce(t, rand.New(rand.NewPCG(seed, 1))) })
		if t.Failed() {
			t.Logf("seed %d", seed)
			return
		}
	}
}

// half is one end of a connection with its records.
type half struct {
	socket  *wsource.Socket
	got     *observabletest.Recorder[wsource.Message]    // a subscriber that stays
	lost    *observabletest.Recorder[*wsource.SendError] // the lost messages of Next
	senders []*sender
}

// sender sends from one goroutine.
type sender struct {
	name  string
	sent  int
	known *ledger
	// late has the messages during whose Next the socket may have ended: messages after
	// the end are dropped.
	late []int
}

func newHalf(t *testing.T, socket *wsource.Socket) *half {
	t.Helper()
	return &half{socket: socket, got: record[wsource.Message](t, socket), lost: record(t, socket.Undelivered())}
}

func everythingAtOnce(t *testing.T, random *rand.Rand) {
	t.Helper()
	compression := wsource.Compression(random.IntN(3))
	s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat, Compression: compression, CloseTimeout: 2 * time.Second})
	client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, Compression: compression, CloseTimeout: time.Second})
	halves := []*half{newHalf(t, client), newHalf(t, server)}
	var all sync.WaitGroup
	for i, h := range halves {
		for number := range 1 + random.IntN(3) {
			n, size, pause := random.IntN(150), 1+random.IntN(2000), time.Duration(random.IntN(3))*time.Millisecond
			from := &sender{name: fmt.Sprintf("%d.%d", i, number), known: newLedger()}
			h.senders = append(h.senders, from)
			all.Go(func() { h.send(t, from, n, size, pause) })
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
		_ = h.got.ExpectEnd(t)
		_ = h.lost.ExpectEnd(t)
	}
	all.Wait()
	for i, h := range halves {
		assertEnded(t, h.got)
		assertEnded(t, h.lost)
		h.check(t, halves[1-i])
	}
}

// actions are the ways to end a connection, or to disturb it.
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

// send sends n messages that begin with the sender's name.
func (h *half) send(t *testing.T, from *sender, n, size int, pause time.Duration) {
	t.Helper()
	for i := range n {
		m := wsource.BinaryMessage([]byte(from.name + " " + numbered(i, size)))
		from.sent++
		if i%3 == 0 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			err := h.socket.Send(ctx, m)
			cancel()
			if se := new(wsource.SendError); errors.As(err, &se) {
				from.report(se)
			}
		} else {
			h.socket.Next(m)
			if h.lost.Ended() {
				from.late = append(from.late, i)
			}
		}
		time.Sleep(pause)
	}
}

// report notes a message that was not sent, or may not have been.
func (s *sender) report(err *wsource.SendError) {
	_, text, _ := strings.Cut(err.Message.String(), " ")
	s.known.report(&wsource.SendError{Message: wsource.TextMessage(text), Outcome: err.Outcome, Err: err.Err})
}

// senderOf returns the sender of a message.
func (h *half) senderOf(t *testing.T, m wsource.Message) (from *sender, text string) {
	t.Helper()
	name, text, _ := strings.Cut(m.String(), " ")
	i := slices.IndexFunc(h.senders, func(s *sender) bool { return s.name == name })
	require.GreaterOrEqual(t, i, 0, "a message that nobody sent: %.40q", m)
	return h.senders[i], text
}

// check compares the messages that arrived with the reports of the other end. A message
// handed to the system may be lost without a word when the connection breaks; but then no
// later message arrives.
func (h *half) check(t *testing.T, other *half) {
	t.Helper()
	for _, m := range h.got.Values() {
		from, text := other.senderOf(t, m)
		from.known.receive(0, text)
	}
	for _, se := range other.lost.Values() {
		from, _ := other.senderOf(t, se.Message)
		from.report(se)
	}
	var end *wsource.CloseError
	broken := errors.As(h.got.ExpectEnd(t), &end) && end.Code == wsource.StatusAbnormalClosure
	for _, from := range other.senders {
		from.known.broken = broken
		arrived := from.known.received[0]
		accounted := func(i int) bool { return slices.Contains(arrived, i) || len(from.known.reports[i]) > 0 }
		for _, i := range from.late {
			if !accounted(i) {
				from.known.report(&wsource.SendError{Message: wsource.TextMessage(numbered(i, 0)), Outcome: wsource.Unsent})
			}
		}
		if len(arrived) > 0 {
			for i := range slices.Max(arrived) {
				assert.True(t, accounted(i), "message %d of %s is lost, and later ones arrived", i, from.name)
			}
		}
		from.known.audit(t, from.sent)
	}
}
