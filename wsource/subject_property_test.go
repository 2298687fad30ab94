package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// ledger has the outcome of each numbered message.
type ledger struct {
	mu sync.Mutex
	// received has the messages by connection number: a late message of one connection
	// may arrive after messages of the next.
	received map[int][]int
	reports  map[int][]*wsource.SendError
	strange  []string // messages that were never sent
	// broken: the sender knows that a connection broke, and not which messages had
	// arrived.
	broken bool
	// corrupt: the network changes a byte. Strange messages may arrive, and one message
	// may become a ping.
	corrupt bool
}

func newLedger() *ledger {
	return &ledger{received: make(map[int][]int), reports: make(map[int][]*wsource.SendError)}
}

// numbered is the text of a message: its number, some filling, and a check sum, which
// betrays a torn or corrupt text.
func numbered(i, size int) string {
	text := fmt.Sprintf("%d %s ", i, strings.Repeat("x", size))
	return text + checkSum(text)
}

func checkSum(text string) string {
	return fmt.Sprintf("%04x", crc32.ChecksumIEEE([]byte(text))&0xFFFF)
}

func numberOf(text string) (int, bool) {
	head, _, _ := strings.Cut(text, " ")
	i, err := strconv.Atoi(head)
	end := len(text) - 4
	return i, err == nil && end > 0 && checkSum(text[:end]) == text[end:]
}

// inTheWay is a message outside the account.
const inTheWay = "in the way"

func (l *ledger) receive(connection int, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i, ok := numberOf(text); ok {
		l.received[connection] = append(l.received[connection], i)
	} else if text != inTheWay {
		l.strange = append(l.strange, text)
	}
}

func (l *ledger) report(err *wsource.SendError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := err.Message.String()
	if i, ok := numberOf(text); ok {
		l.reports[i] = append(l.reports[i], err)
	} else if text != inTheWay {
		l.strange = append(l.strange, err.Error())
	}
}

// inOrder returns the received messages by connection, in the sender's order of the
// connections, which is the order of the first messages. A server may hear of two
// handshakes in the other order.
func (l *ledger) inOrder() [][]int {
	return slices.SortedFunc(maps.Values(l.received), func(a, b []int) int { return a[0] - b[0] })
}

// audit checks that each of the messages up to n was received once, in order, or reported
// once, and that no message reported as unsent was received.
func (l *ledger) audit(t *testing.T, n int) (unknown, unsent int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.corrupt {
		assert.Empty(t, l.strange)
	}
	count := make([]int, n)
	last, missed := -1, 0
	for _, received := range l.inOrder() {
		for _, i := range received {
			assert.Greater(t, i, last, "out of order, or twice")
			last = i
			count[i]++
		}
	}
	for i := range n {
		switch reports := l.reports[i]; {
		case len(reports) > 1:
			t.Errorf("message %d is reported %d times: %v", i, len(reports), reports)
		case len(reports) == 1 && reports[0].Outcome == wsource.Unknown:
			unknown++
		case len(reports) == 1:
			unsent++
			assert.Zero(t, count[i], "message %d is reported as unsent, and arrived: %v", i, reports[0])
		case count[i] == 0 && l.broken:
			unknown++
		case count[i] == 0 && l.corrupt && missed == 0:
			missed++
		case count[i] == 0:
			t.Errorf("message %d is lost without a word", i)
		}
	}
	return unknown, unsent
}

// chaos is one run of the property.
type chaos struct {
	*site
	random *rand.Rand
	ledger *ledger
	done   chan struct{} // nothing goes wrong any more
	over   chan struct{} // the run is over
	latest atomic.Pointer[wsource.Socket]
}

// receive receives on each connection.
func (c *chaos) receive() {
	for {
		var socket *wsource.Socket
		select {
		case socket = <-c.sockets:
		case <-c.over:
			return
		}
		_, port, _ := net.SplitHostPort(socket.RemoteAddr().String())
		connection, _ := strconv.Atoi(port)
		c.latest.Store(socket)
		subject := wsource.WrapSocket(socket, wsource.TextCodec(), nil)
		subject.Subscribe(context.Background(), observable.ObserverFuncs[string]{
			OnNext: func(text string) { c.ledger.receive(connection, text) },
		})
	}
}

// disturb does one thing to the latest connection.
func (c *chaos) disturb() {
	link := c.link()
	direction := wstest.Direction(c.random.IntN(2) == 0)
	after := c.random.IntN(2000)
	switch c.random.IntN(8) {
	case 0:
		_ = c.network.OnEveryDial(wstest.Refuse())
		c.pause(3000)
		_ = c.network.OnEveryDial()
	case 1:
		_ = c.network.OnDial(c.network.Dials()+1, wstest.Cut(direction, c.random.IntN(400)))
	case 2:
		_ = c.network.OnDial(c.network.Dials()+1, wstest.Delay(direction, time.Duration(c.random.IntN(300))*time.Millisecond))
	}
	if link == nil {
		return
	}
	switch c.random.IntN(8) {
	case 6:
		if socket := c.latest.Load(); socket != nil {
			_ = socket.Close(wsource.StatusServiceRestart, "back soon")
		}
	case 7:
		if socket := c.latest.Load(); socket != nil {
			socket.CloseNow()
		}
	case 0:
		_ = link.Inject(wstest.Cut(direction, after))
	case 1:
		_ = link.Inject(wstest.Reset(direction, after))
	case 2:
		_ = link.Inject(wstest.Stall(direction, after))
		c.pause(10_000)
		_ = link.Inject(wstest.Reset(direction, 0))
		link.Resume(direction)
	case 3:
		_ = link.Inject(wstest.Stall(direction, after))
		c.pause(2000)
		link.Resume(direction)
	case 4:
		_ = link.Inject(wstest.Throttle(direction, 2000+c.random.IntN(100_000)))
	}
}

// pause lets up to so many milliseconds pass.
func (c *chaos) pause(ms int) { time.Sleep(time.Duration(c.random.IntN(ms)) * time.Millisecond) }

func TestNoMessageIsLostWithoutAWord(t *testing.T) {
	runs := 150
	if testing.Short() {
		runs = 30
	}
	unknown, unsent, dials := 0, 0, 0
	for seed := range runs {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				c := &chaos{
					site: s, random: rand.New(rand.NewPCG(1, uint64(seed))), ledger: newLedger(),
					done: make(chan struct{}), over: make(chan struct{}),
				}
				a, b := c.run(t, uint64(seed))
				unknown, unsent, dials = unknown+a, unsent+b, dials+s.network.Dials()
			})
		})
	}
	t.Logf("%d runs: %d dials, %d messages unknown, %d unsent", runs, dials, unknown, unsent)
	assert.NotZero(t, unknown)
	assert.NotZero(t, unsent)
}

func (c *chaos) run(t *testing.T, seed uint64) (unknown, unsent int) {
	t.Helper()
	subject := c.subject(&wsource.SubjectConfig[string]{
		Reconnect: &backoff.Config{Base: 50 * time.Millisecond, Max: time.Second},
		Outbox:    wsource.Outbox{Messages: 20},
		Dial:      wsource.DialOptions{Heartbeat: wsource.Heartbeat{Interval: 2 * time.Second, Timeout: time.Second}},
		// An end that is final for CloseAction is not final here.
		OnEnd: func(err error) wsource.Action {
			if err == nil {
				return wsource.CompleteStream
			}
			return wsource.RetryConnect
		},
	})
	subject.Undelivered().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.SendError]{OnNext: c.ledger.report})
	got := record(t, subject)
	go c.receive()
	go func() {
		defer close(c.done)
		for range 8 {
			c.pause(2000)
			c.disturb()
		}
	}()

	// One sender, whose calls are in order.
	sender := rand.New(rand.NewPCG(2, seed))
	const messages = 150
	for i := range messages {
		text := numbered(i, sender.IntN(300))
		switch sender.IntN(8) {
		case 0:
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(sender.IntN(2000))*time.Millisecond)
			c.sent(subject.Send(ctx, text))
			cancel()
		case 1:
			c.sent(subject.SendAs(t.Context(), text, wsource.Delivery{Volatile: true}))
		case 2:
			c.sent(subject.SendAs(t.Context(), text, wsource.Delivery{TTL: time.Second}))
		case 3:
			go subject.SendAs(t.Context(), inTheWay, wsource.Delivery{Volatile: true}) //nolint:errcheck // it has done its work
			fallthrough
		default:
			subject.Next(text)
		}
		if sender.IntN(3) == 0 {
			time.Sleep(time.Duration(sender.IntN(300)) * time.Millisecond)
		}
	}
	<-c.done
	require.NoError(t, c.network.OnEveryDial())
	time.Sleep(time.Minute)
	subject.Complete()
	_ = got.ExpectEnd(t)
	time.Sleep(time.Minute)
	close(c.over)
	return c.ledger.audit(t, messages)
}

// sent notes the outcome of a Send.
func (c *chaos) sent(err error) {
	if se, ok := errors.AsType[*wsource.SendError](err); ok {
		c.ledger.report(se)
	}
}
