package wsource_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Storms: connections that break one after the other, and many connections that break at
// once.

// stormInARow breaks one connection after the other of a reconnecting subject, at an
// offset of its own each, while both sides send. When it is over, the stream goes on.
func stormInARow(t *testing.T, count *faultCount) {
	t.Helper()
	const drops = 50
	for seed := range uint64(10) {
		count.try(t, fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 4))
			s := newSite(t, wsource.AcceptOptions{Heartbeat: serverBeat})
			for i := range drops {
				direction := directions[random.IntN(2)]
				fault := []wstest.Fault{
					wstest.Cut(direction, random.IntN(600)), wstest.Reset(direction, random.IntN(600)), wstest.Refuse(),
				}[random.IntN(3)]
				require.NoError(t, s.network.OnDial(i+1, fault))
			}
			c := newSession(s, reconnecting)
			c.dial()
			for s.network.Dials() <= drops {
				c.client.next(numbered(c.posted[0], random.IntN(100)))
				c.posted[0]++
				c.post(wstest.ToClient, random.IntN(100))
				time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
			}
			time.Sleep(pause)
			c.post(wstest.ToServer, 5, 5)
			c.post(wstest.ToClient, 5, 5)
			settle()
			c.client.complete()
			require.NoError(t, c.client.wait())
			c.finish()
			c.audit()
			assert.Equal(t, drops+1, s.network.Dials())
			assert.Contains(t, c.toServer.received[drops+1], c.posted[0]-1)
			assert.Contains(t, c.toClient.received[0], c.posted[1]-1)
		})
	}
}

// crowd is many reconnecting subjects at one site, each with the outcomes of its
// messages.
type crowd struct {
	*site
	members []*member
}

// member is one of a crowd. Its messages have the numbers from first on.
type member struct {
	subject *wsource.Subject[string, string]
	values  *observabletest.Recorder[string]
	first   int
	posted  int
	ledger  *ledger
}

// numbers is the count of numbers that each member has.
const numbers = 1000

func newCrowd(s *site, size int) *crowd {
	c := &crowd{site: s}
	for i := range size {
		m := &member{
			subject: s.subject(&wsource.SubjectConfig[string]{
				Reconnect: &backoff.Config{Base: time.Second, Max: 10 * time.Second},
				Dial:      wsource.DialOptions{Heartbeat: clientBeat},
			}),
			first:  i * numbers,
			ledger: newLedger(),
		}
		m.values = observabletest.NewRecorder[string]()
		lost := observabletest.NewRecorder[*wsource.SendError]().OnNext(func(err *wsource.SendError) {
			text, _ := c.whose(err.Message.String())
			m.ledger.report(&wsource.SendError{Message: wsource.TextMessage(text), Outcome: err.Outcome, Err: err.Err})
		})
		m.subject.Undelivered().Subscribe(context.Background(), lost)
		m.subject.Subscribe(context.Background(), m.values)
		c.members = append(c.members, m)
	}
	return c
}

// whose returns the member that has sent a message, and the message as if there were no
// others.
func (c *crowd) whose(text string) (string, *member) {
	i, ok := numberOf(text)
	if !ok || i/numbers >= len(c.members) {
		assert.Fail(c.t, "a strange message: "+text)
		return text, c.members[0]
	}
	return numbered(i%numbers, 0), c.members[i/numbers]
}

// receive notes the messages that arrive on each connection.
func (c *crowd) receive(over <-chan struct{}) {
	for number := 0; ; number++ {
		select {
		case socket := <-c.sockets:
			socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{OnNext: func(m wsource.Message) {
				text, from := c.whose(m.String())
				from.ledger.receive(number, text)
			}})
		case <-over:
			return
		}
	}
}

// say makes every member send a message.
func (c *crowd) say() {
	for _, m := range c.members {
		m.subject.Next(numbered(m.first+m.posted, 20))
		m.posted++
	}
}

// back waits until all connections are open, and checks that they were not all dialled at
// once.
func (c *crowd) back(before int) {
	c.t.Helper()
	instants := 0
	for range 2000 {
		time.Sleep(10 * time.Millisecond)
		if n := c.network.Dials(); n > before {
			before = n
			instants++
		}
	}
	time.Sleep(time.Minute)
	assert.Equal(c.t, len(c.members), c.site.server.Len(), "all are back")
	assert.Greater(c.t, instants, len(c.members)/4, "they do not come all at once")
}

// stormOfMany drops 40 clients of one server at once, in several ways.
func stormOfMany(t *testing.T, count *faultCount) {
	t.Helper()
	for name, drop := range map[string]func(t *testing.T, c *crowd){
		"reset": func(_ *testing.T, c *crowd) {
			for _, link := range c.network.Links() {
				_ = link.Inject(wstest.Reset(wstest.ToServer, 0))
			}
		},
		"in the middle of a frame": func(_ *testing.T, c *crowd) {
			for _, link := range c.network.Links() {
				_ = link.Inject(wstest.Cut(wstest.ToServer, 7))
			}
			c.say()
		},
		"outage": func(t *testing.T, c *crowd) {
			t.Helper()
			require.NoError(t, c.network.OnEveryDial(wstest.Refuse()))
			for _, link := range c.network.Links() {
				_ = link.Inject(wstest.Reset(wstest.ToClient, 0))
			}
			c.say()
			time.Sleep(5 * time.Second)
			require.NoError(t, c.network.OnEveryDial())
		},
		"broken handshakes": func(t *testing.T, c *crowd) {
			t.Helper()
			require.NoError(t, c.network.OnEveryDial(wstest.Cut(wstest.ToClient, 50)))
			for _, link := range c.network.Links() {
				_ = link.Inject(wstest.Cut(wstest.ToClient, 0))
			}
			time.Sleep(5 * time.Second)
			require.NoError(t, c.network.OnEveryDial())
		},
		"vanished": func(_ *testing.T, c *crowd) {
			for _, link := range c.network.Links() {
				_ = link.Inject(wstest.Stall(wstest.ToServer, 0), wstest.Stall(wstest.ToClient, 0))
			}
			c.say()
		},
	} {
		count.try(t, name, func(t *testing.T) {
			c := newCrowd(newSite(t, wsource.AcceptOptions{Heartbeat: serverBeat}), 40)
			over := make(chan struct{})
			go c.receive(over)
			settle()
			for range 2 {
				c.say()
				time.Sleep(pause)
				before := c.network.Dials()
				drop(t, c)
				c.back(before)
				c.say()
			}
			time.Sleep(pause)
			for _, m := range c.members {
				m.subject.Complete()
				require.NoError(t, m.values.ExpectEnd(t))
				m.ledger.audit(t, m.posted)
			}
			close(over)
		})
	}
}
