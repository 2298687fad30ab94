package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
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
)

// clients is the number of clients that share the cuts of a test.
const clients = 4

// cuts is the number of connections that each test of this file breaks over real TCP.
func cuts() int64 {
	if testing.Short() {
		return 200
	}
	return 2000
}

// window is the number of messages that a sender has on the way, neither arrived nor
// reported.
const window = 64

// account is a ledger whose sender waits for the outcomes of its messages.
type account struct {
	*ledger

	t       *testing.T
	changed sync.Cond
	settled map[int]bool
	posted  int
}

func newAccount(t *testing.T) *account {
	a := &account{ledger: newLedger(), t: t, settled: make(map[int]bool)}
	a.changed.L = &a.mu
	return a
}

// receive notes that a message has arrived on a connection.
func (a *account) receive(connection int, text string) {
	a.ledger.receive(connection, text)
	a.settle(text)
}

// report notes the sender's error for a message.
func (a *account) report(err *wsource.SendError) {
	a.ledger.report(err)
	a.settle(err.Message.String())
}

func (a *account) settle(text string) {
	i, _ := numberOf(text)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.settled[i] = true
	a.changed.Broadcast()
}

// outstanding is the number of messages on the way; mu is held.
func (a *account) outstanding() int { return a.posted - len(a.settled) }

// next returns the number of the next message, when there is room for it.
func (a *account) next() int {
	a.mu.Lock()
	a.await(window)
	a.mu.Unlock()
	return a.take()
}

// take returns the number of the next message.
func (a *account) take() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.posted++
	return a.posted - 1
}

// await waits until fewer messages are on the way; mu is held.
func (a *account) await(fewer int) {
	late := false
	timer := time.AfterFunc(time.Minute, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		late = true
		a.changed.Broadcast()
	})
	defer timer.Stop()
	for !late && a.outstanding() >= fewer {
		a.changed.Wait()
	}
	if late {
		a.t.Errorf("%d messages are neither here nor told for a minute", a.outstanding())
	}
}

// arrives waits until all outcomes are known, and reports whether a message has arrived.
func (a *account) arrives(i int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.await(1)
	return len(a.reports[i]) == 0
}

// close waits for the rest and audits all. It returns the number of messages reported as
// unsent.
func (a *account) close(what string) (unsent int) {
	a.t.Helper()
	a.mu.Lock()
	a.await(1)
	posted := a.posted
	a.mu.Unlock()
	unknown, unsent := a.audit(a.t, posted)
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, reports := range a.reports {
		if reports[0].Outcome == wsource.Unsent && unsent < 10 {
			a.t.Logf("message %d: %v", i, reports[0])
		}
	}
	a.t.Logf("%s: %d messages, %d of them told as unknown, %d as unsent", what, posted, unknown, unsent)
	return unsent
}

// cutting is one client whose connections are cut, and its server.
type cutting struct {
	t        *testing.T
	relay    *relay
	seed     uint64
	random   *rand.Rand
	subject  *wsource.Subject[string, string]
	toServer *account

	over, accepting chan struct{}
	ends            sync.WaitGroup // the server's, of the connections
}

// eachCutting runs a test for each of the clients.
func eachCutting(t *testing.T, test func(c *cutting)) {
	t.Helper()
	for client := range clients {
		t.Run(fmt.Sprint(client), func(t *testing.T) {
			t.Parallel()
			test(newCutting(t, uint64(client)))
		})
	}
}

func newCutting(t *testing.T, seed uint64) *cutting {
	t.Helper()
	return &cutting{
		t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 8)), toServer: newAccount(t),
		over: make(chan struct{}), accepting: make(chan struct{}),
	}
}

// begin makes the server, which passes its connections to serve, and the client's
// subject.
func (c *cutting) begin(serve func(socket *wsource.Socket, number int)) {
	c.t.Helper()
	addr, _, sockets := tcpSite(c.t, wsource.AcceptOptions{})
	c.relay = newRelay(c.t, addr, cuts()/clients, c.seed)
	go func() {
		defer close(c.accepting)
		for number := 1; ; number++ {
			select {
			case socket := <-sockets:
				c.ends.Add(1)
				serve(socket, number)
			case <-c.over:
				return
			}
		}
	}()
	c.subject = wsource.NewSubject(c.relay.address(), wsource.TextCodec(), &wsource.SubjectConfig[string]{
		// Attempts follow each other at once.
		Reconnect: &backoff.Config{Base: 10 * time.Microsecond, Max: time.Millisecond},
	})
	c.subject.Undelivered().Subscribe(c.t.Context(), observable.ObserverFuncs[*wsource.SendError]{OnNext: c.toServer.report})
}

// serve subscribes to an accepted socket. lost hears of messages to it that do not
// arrive.
func (c *cutting) serve(
	socket *wsource.Socket, lost func(*wsource.SendError), received func(to *wsource.Subject[string, string], text string),
) {
	subject := wsource.WrapSocket(socket, wsource.TextCodec(), nil)
	subject.Undelivered().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.SendError]{OnNext: lost})
	subject.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext:     func(text string) { received(subject, text) },
		OnError:    func(error) { c.ends.Done() },
		OnComplete: c.ends.Done,
	})
}

// send sends messages until all cuts have been made and one message has arrived after
// that: then a connection lasts.
func (c *cutting) send() {
	for !c.relay.over() && !c.t.Failed() {
		size := c.random.IntN(300)
		if c.random.IntN(2) == 0 {
			size = c.random.IntN(8000)
		}
		text := numbered(c.toServer.next(), size)
		if c.random.IntN(2) == 0 {
			c.subject.Next(text)
		} else if err, ok := errors.AsType[*wsource.SendError](c.subject.Send(c.t.Context(), text)); ok {
			c.toServer.report(err)
		}
	}
	for arrived := false; !arrived && !c.t.Failed(); {
		i := c.toServer.take()
		c.subject.Next(numbered(i, 0))
		arrived = c.toServer.arrives(i)
	}
}

// end closes the connection, waits for all ends and audits the client's messages.
func (c *cutting) end() {
	c.t.Helper()
	require.NoError(c.t, c.subject.Shutdown(c.t.Context()))
	close(c.over)
	<-c.accepting
	c.ends.Wait()
	assert.Zero(c.t, c.toServer.close("to the server"), "messages that another connection could have sent")
	c.t.Logf("%d connections, %d cuts", c.relay.passed.Load(), c.relay.made.Load())
}

// TestCutsOfASubject breaks the connections of reconnecting subjects, over real TCP and
// at any byte, while both sides send numbered messages: each is delivered once, in order,
// or reported.
func TestCutsOfASubject(t *testing.T) {
	t.Parallel()
	eachCutting(t, func(c *cutting) {
		toClient := newAccount(c.t)
		c.begin(func(socket *wsource.Socket, number int) {
			c.serve(socket, toClient.report, func(to *wsource.Subject[string, string], text string) {
				c.toServer.receive(number, text)
				to.Next(numbered(toClient.take(), len(text)))
			})
		})
		done := make(chan error, 1)
		go func() {
			done <- observable.ForEach(c.t.Context(), c.subject, func(text string) { toClient.receive(0, text) })
		}()
		c.send()
		c.end()
		require.NoError(c.t, <-done)
		toClient.close("to the client")
	})
}

// subscriptions are the topics of a connection of the server.
type subscriptions struct {
	t      *testing.T
	number int
	mu     sync.Mutex
	topics map[string]bool
}

// hear takes a message "+topic" or "-topic", and fails the test if it begins a topic
// twice, or ends one that has not begun.
func (s *subscriptions) hear(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begins, topic := text[0] == '+', text[1:]
	if s.topics[topic] == begins {
		s.t.Errorf("connection %d is told %s and has %v", s.number, text, s.topics)
	}
	if s.topics[topic] = begins; !begins {
		delete(s.topics, topic)
	}
}

// all returns the topics.
func (s *subscriptions) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.topics))
}

// TestCutsOfTopics does the same to topics, some of which come and go. Each message to a
// topic that stays is delivered once, in order, or reported at the server. No connection
// gets a topic twice, and the last one has the wanted topics.
func TestCutsOfTopics(t *testing.T) {
	t.Parallel()
	eachCutting(t, func(c *cutting) {
		lasting := map[string]*account{"a": newAccount(c.t), "b": newAccount(c.t), "c": newAccount(c.t)}
		var latest atomic.Pointer[subscriptions]
		lost := func(err *wsource.SendError) {
			topic, text, _ := strings.Cut(err.Message.String(), " ")
			if account := lasting[topic]; account != nil {
				account.report(&wsource.SendError{Message: wsource.TextMessage(text), Outcome: err.Outcome, Err: err.Err})
			}
		}
		c.begin(func(socket *wsource.Socket, number int) {
			here := &subscriptions{t: c.t, number: number, topics: make(map[string]bool)}
			latest.Store(here)
			c.serve(socket, lost, func(to *wsource.Subject[string, string], text string) {
				if text[0] == '+' || text[0] == '-' {
					here.hear(text)
					return
				}
				c.toServer.receive(number, text)
				all := here.all()
				if len(all) == 0 {
					return // no greeting, or no topic has begun yet
				}
				topic, value := all[len(text)%len(all)], "of no account"
				if account := lasting[topic]; account != nil {
					value = numbered(account.take(), len(text))
				}
				to.Next(topic + " " + value)
			})
		})
		topics := topicsOf(c.subject, nil)
		var subscribed sync.WaitGroup
		// All, before another topic can be the last to leave.
		for topic, account := range lasting {
			subscribed.Add(1)
			topics.Topic(topic).Subscribe(c.t.Context(), observable.ObserverFuncs[string]{
				OnNext: func(value string) {
					_, text, _ := strings.Cut(value, " ")
					account.receive(0, text)
				},
				OnError: func(err error) {
					defer subscribed.Done()
					assert.NoError(c.t, err)
				},
				OnComplete: subscribed.Done,
			})
		}
		var restless sync.WaitGroup
		for i := range 3 {
			restless.Go(func() {
				random := rand.New(rand.NewPCG(uint64(i), 9))
				for !c.relay.over() && !c.t.Failed() {
					topic := "t" + strconv.Itoa(random.IntN(4))
					sub := topics.Topic(topic).Subscribe(c.t.Context(), observable.ObserverFuncs[string]{})
					time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond)
					sub.Unsubscribe()
				}
			})
		}
		c.send()
		restless.Wait()
		assert.Eventually(c.t, func() bool { return slices.Equal(latest.Load().all(), []string{"a", "b", "c"}) },
			10*time.Second, time.Millisecond)
		c.end()
		subscribed.Wait()
		for topic, account := range lasting {
			account.close("of " + topic)
		}
	})
}
