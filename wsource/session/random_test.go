package session

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
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

var (
	randomRuns = flag.Int("session.runs", 150, "how many random sessions TestRandom runs")
	randomSeed = flag.Uint64("session.seed", 1, "the seed of the first of them")
)

// play is one client, the sessions of a server that it has had, and the faults.
type play struct {
	*site
	random *rand.Rand
	client *witness

	mu      sync.Mutex
	servers []*witness
	values  int
	thefts  int
}

// newPlay connects a client, on a network with those faults.
func newPlay(
	t *testing.T, seed uint64, server ServerConfig[string], client *Config[string], slow bool, faults ...cutAt,
) *play {
	t.Helper()
	p := &play{random: rand.New(rand.NewPCG(seed, 12))}
	pause := func() {}
	if slow {
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(seed, 13))
		pause = func() {
			mu.Lock()
			d := time.Duration(0)
			if random.IntN(8) == 0 {
				d = time.Duration(random.IntN(3000)) * time.Millisecond
			}
			mu.Unlock()
			time.Sleep(d)
		}
	}
	p.site = newSite(t, server, func(ctx context.Context, s *text) error {
		w := witnessOf(s, pause)
		p.mu.Lock()
		p.servers = append(p.servers, w)
		p.mu.Unlock()
		<-ctx.Done()
		return nil
	})
	for _, c := range faults {
		require.NoError(t, p.network.OnDial(c.connection, c.fault))
	}
	p.client = witnessOf(p.site.client(client), pause)
	return p
}

// server returns the latest session of the server, or nil.
func (p *play) server() *witness {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.servers) == 0 {
		return nil
	}
	return p.servers[len(p.servers)-1]
}

// post sends values, one way or the other.
func (p *play) post(to *witness, count, size int) {
	for range count {
		p.values++
		value := fmt.Sprintf("%d %s", p.values, strings.Repeat("x", size))
		if p.values%17 == 0 {
			value = "\x00" + value
		}
		to.send(value)
	}
}

// fault returns something that goes wrong with a connection.
func (p *play) fault(after int) []wstest.Fault {
	d := wstest.Direction(p.random.IntN(2) == 0)
	switch n := p.random.IntN(after); p.random.IntN(5) {
	case 0, 1:
		return []wstest.Fault{wstest.Cut(d, n)}
	case 2, 3:
		return []wstest.Fault{wstest.Reset(d, n)}
	default:
		return []wstest.Fault{wstest.Stall(d, n)}
	}
}

// step does something at random.
func (p *play) step(restarts bool) {
	synctest.Wait() // nobody dials now
	switch p.random.IntN(12) {
	case 0, 1, 2:
		p.post(p.client, 1+p.random.IntN(20), p.random.IntN(200))
	case 3, 4, 5:
		if s := p.server(); s != nil {
			p.post(s, 1+p.random.IntN(20), p.random.IntN(200))
		}
	case 6:
		time.Sleep(time.Duration(p.random.IntN(4000)) * time.Millisecond)
	case 7, 8:
		if l := p.link(); l != nil {
			require.NoError(p.t, l.Inject(p.fault(1000)...))
		}
	case 9: // while resuming
		require.NoError(p.t, p.network.OnDial(p.network.Dials()+1, p.fault(700)...))
	case 10:
		if p.random.IntN(3) == 0 && restarts {
			p.restart()
		} else {
			require.NoError(p.t, p.network.OnDial(p.network.Dials()+1, wstest.Refuse()))
		}
	case 11:
		p.steal()
	}
}

// steal shows the client's token on a connection with another key.
func (p *play) steal() {
	c := p.client.s.latest()
	if c == nil {
		return
	}
	c.mu.Lock()
	token, received := c.token, c.received
	c.mu.Unlock()
	if token == "" {
		return
	}
	require.NoError(p.t, p.network.OnDial(p.network.Dials()+1))
	synctest.Wait()
	p.key = "thief"
	socket, err := wsource.Dial(context.Background(), "ws://"+host, &wsource.DialOptions{
		Subprotocols: []string{Subprotocol}, Transport: p.network.HTTPClient().Transport,
	})
	p.key = ""
	if err != nil {
		return
	}
	var got []string
	socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
		OnNext: func(m wsource.Message) { got = append(got, m.String()) }, OnError: func(error) {},
	})
	socket.Next(wsource.TextMessage(string((&control{word: wordResume, token: token, numbers: [3]uint64{received}}).encode())))
	<-socket.Done()
	synctest.Wait()
	assert.Equal(p.t, []string{"\x00expired"}, got)
	assert.Equal(p.t, StatusExpired, wsource.CloseStatus(socket.Err()))
	p.thefts++
}

// close heals the network, waits until all is told, and judges.
func (p *play) close() (f figures) {
	p.t.Helper()
	require.NoError(p.t, p.network.OnEveryDial())
	synctest.Wait()
	require.NoError(p.t, p.network.OnDial(p.network.Dials()+1))
	for _, l := range p.network.Links() {
		l.Resume(wstest.ToServer)
		l.Resume(wstest.ToClient)
	}
	wait(2 * time.Minute)
	p.client.s.Reconnect(nil)
	wait(5 * time.Minute) // sessions without a client have expired
	if !p.client.isOver() {
		p.post(p.client, 1, 0)
		p.post(p.server(), 1, 0)
		wait(time.Minute)
		assert.Equal(p.t, p.client.sent[len(p.client.sent)-1], p.server().lastValue(), "the value sent at the end")
		assert.Equal(p.t, p.server().sent[len(p.server().sent)-1], p.client.lastValue(), "the value sent at the end")
		if p.t.Failed() {
			p.dump()
		}
		assert.NoError(p.t, p.client.s.Shutdown(context.Background()))
	}
	wait(5 * time.Minute)
	assert.True(p.t, p.client.isOver())
	assert.Zero(p.t, p.sessions.Len())
	for _, s := range p.servers {
		if !assert.True(p.t, s.isOver()) {
			c := s.s.latest()
			p.t.Log(s.s, c.over, c.err, c.turn.held(), len(c.inbox), len(s.sent), len(s.reports))
			for _, e := range s.events {
				if e.status != nil {
					p.t.Log(e.status)
				}
			}
		}
	}
	p.servers = merged(p.servers)
	var atServer [][]told
	for _, s := range p.servers {
		atServer = append(atServer, s.events)
	}
	f.add(judge(p.t, "to the server", p.client.sent, p.client.reports, atServer...))
	p.judgeClient(&f)
	return f
}

// merged makes one of the histories that two servers have of one session, which a store
// has handed on.
func merged(all []*witness) (sessions []*witness) {
	known := make(map[string]*witness)
	for _, s := range all {
		before := known[s.s.ID()]
		if before == nil {
			known[s.s.ID()] = s
			sessions = append(sessions, s)
			continue
		}
		before.sent = append(before.sent, s.sent...)
		before.events = append(before.events, s.events...)
		maps.Copy(before.reports, s.reports)
	}
	return sessions
}

// dump tells the state of both sides.
func (p *play) dump() {
	for _, s := range []*text{p.client.s, p.server().s} {
		c := s.latest()
		c.mu.Lock()
		p.t.Logf("%v: link %v, out: count %d first %d handed %d acked %d told %d waiters %d; in: delivering %v received %d inbox %d told %d; %+v",
			s, c.link != nil, c.out.count, c.out.first, c.out.handed, c.out.acked, c.out.told, c.waiters,
			c.turn.held(), c.received, len(c.inbox), c.told, c.outbox)
		c.mu.Unlock()
	}
	p.t.Log(p.client.s.Subject, p.server().s.Subject, len(p.client.reports), len(p.server().reports), len(p.servers))
	for v := range p.server().reports {
		p.t.Logf("%.10q", v)
	}
}

// judgeClient judges the values that have come to the client, session by session.
func (p *play) judgeClient(f *figures) {
	from := make(map[string]*witness)
	for _, s := range p.servers {
		for _, v := range s.sent {
			from[v] = s
		}
	}
	var events []told
	heard := make(map[*witness]bool)
	split := func() {
		var server *witness
		for _, e := range events {
			if e.status == nil {
				server = from[e.value]
				break
			}
		}
		if server != nil && assert.False(p.t, heard[server]) {
			heard[server] = true
			f.add(judge(p.t, "to the client", server.sent, server.reports, events))
		}
		events = nil
	}
	for _, e := range p.client.events {
		if e.status != nil && e.status.Kind == Fresh {
			split()
		}
		events = append(events, e)
	}
	split()
	for _, s := range p.servers { // the values that nobody has heard are told
		if !heard[s] {
			f.add(judge(p.t, "to nobody", s.sent, s.reports))
		}
	}
}

// TestRandom runs random sessions and judges them by their history.
func TestRandom(t *testing.T) {
	var all figures
	for i := range *randomRuns {
		seed := *randomSeed + uint64(i)
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { all.add(runRandom(t, seed)) })
		})
		if !ok {
			break
		}
	}
	t.Logf("%d sessions: %s", *randomRuns, &all)
}

// runRandom runs one random session.
func runRandom(t *testing.T, seed uint64) figures {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 11))
	var server ServerConfig[string]
	var client Config[string]
	restarts := random.IntN(3) == 0
	if restarts && random.IntN(2) == 0 {
		server.Store = NewMemoryStore(10)
	}
	for _, outbox := range []*Outbox{&server.Outbox, &client.Outbox} {
		if random.IntN(2) == 0 {
			outbox.Messages = 1 + random.IntN(30)
			outbox.Overflow = []observable.Overflow{
				observable.OverflowBlock, observable.OverflowDropOldest, observable.OverflowDropNewest,
			}[random.IntN(3)]
		}
		if random.IntN(4) == 0 {
			outbox.Age = time.Duration(1+random.IntN(10)) * time.Second
		}
	}
	p := newPlay(t, seed, server, &client, random.IntN(3) == 0)
	for range 10 + p.random.IntN(40) {
		p.step(restarts)
	}
	return p.close()
}
