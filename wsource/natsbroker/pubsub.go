package natsbroker

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// PubSubConfig is the make of a [PubSub]. All nodes must have the same Name and Replicas.
type PubSubConfig struct {
	// Name tells these topics from others on the same servers: see Config. Default:
	// DefaultName.
	Name string
	// Replicas is how many servers of a cluster keep the retained events. Default: 1.
	Replicas int
	// Timeout is the time for which an operation goes on trying while the servers cannot
	// be reached. Default: DefaultTimeout.
	Timeout time.Duration
}

// PubSub joins the event.PubSubs of several nodes by core NATS: it is their
// event.PubSubBroker. A stream holds the retained events, the last one of each topic.
// [NewPubSub] makes a PubSub.
//
// An event reaches the nodes that are connected; a node that is cut off misses it. When
// it is back, it hears the last event of each retained topic. While a node is cut off,
// its own events reach its own subscribers at once, and the other nodes later, as far as
// the connection keeps them (nats.ReconnectBufSize). Events that come so, many at once,
// wait at the connections of a node outside of their bounds: those that come within 5
// seconds are one burst (see event.PubSubBroker).
type PubSub struct {
	keeper

	config PubSubConfig
	node   string
	sub    *nats.Subscription
	worker worker // handles the messages of sub
	feed   feed   // the feed of the retained events; not open if nothing is retained

	mu        sync.Mutex
	retain    int
	deliver   func(e *event.Envelope, late uint64)
	bursts    uint64    // the number of the latest burst
	burstAt   time.Time // when that began
	following bool
	topics    map[string]*retainedTopic
	// The events that the stream is to get, by topic: at most as many as it keeps.
	pending map[string][]byte
	order   []string // the topics of pending, the one without an event for longest first
	kick    chan struct{}
	written chan struct{} // closes when nothing is written any more
}

// retainedTopic is a node's knowledge of a retained topic.
type retainedTopic struct {
	// The ID of the event that this node's subscribers were told last.
	told     string
	toldAt   time.Time       // the time of that
	kept     *event.Envelope // the stream's event
	at       time.Time       // the time when this node heard of kept
	sequence uint64          // the sequence of kept
}

// NewPubSub returns a PubSub on a connection, which is to try for ever to come back
// (nats.MaxReconnects(-1)) and stays the caller's. The error is an
// [*observable.ArgumentError].
func NewPubSub(conn *nats.Conn, config PubSubConfig) (*PubSub, error) {
	config.Name = cmp.Or(config.Name, DefaultName)
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	config.Replicas = cmp.Or(config.Replicas, 1)
	if p := problemOf(config.Name, config.Replicas, config.Timeout); p != "" {
		return nil, &observable.ArgumentError{Func: "natsbroker.NewPubSub", Argument: "config", Problem: p}
	}
	if err := checkArguments(context.Background(), conn, "NewPubSub"); err != nil {
		return nil, err
	}
	p := &PubSub{
		config: config, node: newNode(), topics: make(map[string]*retainedTopic), pending: make(map[string][]byte),
		kick: make(chan struct{}, 1), written: make(chan struct{}),
	}
	return p, p.keeper.init(conn, config.Timeout)
}

// Status returns the observable of whether the servers are reached: see [Broker.Status].
func (p *PubSub) Status() observable.Observable[Status] { return p.status }

// subject returns a subject: p for published events, r for retained ones, l for retained
// ones as they are delivered.
func (p *PubSub) subject(kind, last string) string { return p.config.Name + "." + kind + "." + last }

// Follow implements event.PubSubBroker. It is called once.
func (p *PubSub) Follow(retain int, deliver func(e *event.Envelope, late uint64)) (stop func(), err error) {
	p.mu.Lock()
	again := p.following
	if !again {
		p.following, p.retain, p.deliver = true, retain, deliver
	}
	p.mu.Unlock()
	if again {
		return nil, errors.New("natsbroker: the PubSub is followed already")
	}
	if err := p.open(); err != nil {
		p.abandon()
		return nil, fmt.Errorf("natsbroker: %w", err)
	}
	p.keep(func() { p.feed.behind.Store(true) }, p.tend, p.catchUp)
	go p.write()
	return sync.OnceFunc(p.close), nil
}

func (p *PubSub) open() (err error) {
	if p.link.conn.IsClosed() {
		return ErrClosed
	}
	p.feed = feed{
		link: &p.link, stream: "RETAINED_" + p.config.Name, owner: p,
		filter: p.subject("r", ">"), live: p.subject("l", ">"),
	}
	if p.retain > 0 {
		if err := p.feed.open(context.Background()); err != nil {
			return err
		}
		p.tellRetained(0)
	}
	own := p.subject("p", p.node+".")
	p.worker.start(p.heard)
	p.sub, err = p.link.conn.Subscribe(p.subject("p", "*.>"), func(m *nats.Msg) {
		if !strings.HasPrefix(m.Subject, own) {
			p.worker.add(m)
		}
	})
	if err == nil {
		err = p.link.do(context.Background(), func(ctx context.Context) error { return p.link.conn.FlushWithContext(ctx) })
	}
	if err != nil {
		p.worker.stop()
	}
	if err != nil && p.retain > 0 {
		p.feed.close()
	}
	return err
}

// close ends the node's part. Events that are to be retained and are not written yet are
// written, if the servers are there.
func (p *PubSub) close() {
	_ = p.sub.Unsubscribe() // otherwise it is over with the connection
	p.worker.stop()
	p.finish()
	<-p.written
	if p.retain > 0 {
		p.feed.close()
	}
	p.status.Complete()
}

// headerLate is the header of an event that was published while its node was cut off.
const headerLate = "Rx-Late"

// heard delivers an event of another node.
func (p *PubSub) heard(m *nats.Msg) {
	e, err := event.JSON().Decode(wsource.Text, m.Data)
	if err != nil {
		unheard(fmt.Errorf("natsbroker: an event of another node: %w", err))
		return
	}
	var late uint64
	p.mu.Lock()
	told := p.retain > 0 && !p.topic(e.Topic).tell(e.ID)
	if m.Header.Get(headerLate) != "" {
		late = p.burst()
	}
	p.mu.Unlock()
	if !told { // otherwise it was told as retained, long unheard
		p.deliver(e, late)
	}
}

// burstTime is how long late events belong to one burst. The nodes that a restart of the
// servers has cut off come back one after the other, each with the events that it has
// kept and that it has missed.
const burstTime = 5 * time.Second

// burst returns the number of the burst to which a late event of this moment belongs; mu
// is held.
func (p *PubSub) burst() uint64 {
	if now := time.Now(); now.Sub(p.burstAt) >= burstTime {
		p.burstAt = now
		p.bursts++
	}
	return p.bursts
}

// tell notes that an event is told now, and reports whether it is another one than the
// last one told.
func (t *retainedTopic) tell(id string) bool {
	if t.told == id {
		return false
	}
	t.told, t.toldAt = id, time.Now()
	return true
}

// topic returns the state of a topic; mu is held. Beyond as many topics as the stream
// keeps, some are forgotten.
func (p *PubSub) topic(name string) *retainedTopic {
	t := p.topics[name]
	if t != nil {
		return t
	}
	if len(p.topics) >= 2*p.retain {
		for other, t := range p.topics {
			if len(p.topics) > p.retain && p.pending[other] == nil && time.Since(t.at) > settles {
				delete(p.topics, other)
			}
		}
	}
	t = new(retainedTopic)
	p.topics[name] = t
	return t
}

// Publish implements event.PubSubBroker.
func (p *PubSub) Publish(e *event.Envelope) error {
	m, err := event.JSON().Encode(e)
	if err != nil {
		return err
	}
	p.mu.Lock()
	if p.retain > 0 {
		p.topic(e.Topic).tell(e.ID)
		p.enqueue(e.Topic, m.Data)
	}
	p.mu.Unlock()
	select {
	case p.kick <- struct{}{}:
	default:
	}
	published := &nats.Msg{Subject: p.subject("p", p.node+"."+e.Topic), Data: m.Data}
	if !p.link.conn.IsConnected() { // it keeps the event, and later sends all that it has kept at once
		published.Header = nats.Header{headerLate: {"1"}}
	}
	err = p.link.conn.PublishMsg(published)
	if errors.Is(err, nats.ErrMaxPayload) {
		return ErrTooLarge
	}
	return err
}

// enqueue notes that the stream is to get an event; mu is held. Beyond as many topics as
// the stream keeps, it gives up the topic that has had no event for longest, as the
// stream would.
func (p *PubSub) enqueue(topic string, data []byte) {
	if p.pending[topic] != nil {
		i := slices.Index(p.order, topic)
		p.order = slices.Delete(p.order, i, i+1)
	} else if len(p.order) >= p.retain {
		delete(p.pending, p.order[0])
		p.order = p.order[1:]
	}
	p.order = append(p.order, topic)
	p.pending[topic] = data
}

// write writes events that are to be retained, only the last one of each topic.
func (p *PubSub) write() {
	defer close(p.written)
	for {
		last := false
		select {
		case <-p.kick:
		case <-p.done:
			last = true
		}
		p.mu.Lock()
		pending, order := p.pending, p.order
		p.pending, p.order = make(map[string][]byte), nil
		p.mu.Unlock()
		var again []string
		for i, topic := range order {
			data := pending[topic]
			ctx, cancel := context.WithTimeout(context.Background(), attempt)
			_, err := p.link.js.PublishMsg(ctx, &nats.Msg{
				Subject: p.subject("r", base64.RawURLEncoding.EncodeToString([]byte(topic))), Data: data,
			}, jetstream.WithRetryAttempts(0))
			cancel()
			if err == nil {
				continue
			}
			if last || !transient(err) {
				unheard(fmt.Errorf("natsbroker: topic %s is not retained: %w", topic, err))
				continue
			}
			p.feed.behind.Store(true) // the stream may be gone; it is made again
			// In their order, which decides which topics are given up first.
			again = order[i:]
			break
		}
		if last {
			return
		}
		p.requeue(again, pending)
	}
}

// requeue puts events that could not be written before those that have come since, as far
// as there is room and the topic has nothing newer.
func (p *PubSub) requeue(topics []string, pending map[string][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	topics = slices.DeleteFunc(topics, func(topic string) bool { return p.pending[topic] != nil })
	topics = topics[max(0, len(topics)-(p.retain-len(p.order))):]
	for _, topic := range topics {
		p.pending[topic] = pending[topic]
	}
	p.order = append(topics, p.order...)
}

// settles is how long the stream has had an event before a node concludes that it was not
// told of it.
const settles = time.Second

// tend has the mirror of the retained events look.
func (p *PubSub) tend(beats bool) {
	if p.retain <= 0 {
		return
	}
	if beats {
		p.feed.behind.Store(true)
	}
	select {
	case p.kick <- struct{}{}: // events that could not be written are tried again
	default:
	}
}

// catchUp has the mirror fetch the messages that it lacks, and tells of the events that
// this node has missed.
func (p *PubSub) catchUp() {
	if p.retain <= 0 {
		return
	}
	if p.feed.behind.Load() {
		p.feed.resync()
	}
	p.tellRetained(settles)
}

// tellRetained delivers the retained events that this node was not told of. An event that
// was told after the stream had its own is newer: the stream is yet to get it.
func (p *PubSub) tellRetained(settled time.Duration) {
	p.mu.Lock()
	var missed []*retainedTopic
	for name, t := range p.topics {
		switch {
		case t.kept == nil || time.Since(t.at) < settled || p.pending[name] != nil:
		case t.at.After(t.toldAt) && t.tell(t.kept.ID):
			own := *t
			missed = append(missed, &own)
		}
	}
	var late uint64
	if len(missed) > 0 {
		late = p.burst()
	}
	p.mu.Unlock()
	slices.SortFunc(missed, func(a, b *retainedTopic) int { return cmp.Compare(a.sequence, b.sequence) })
	each.Call(missed, func(t *retainedTopic) { p.deliver(t.kept, late) })
}
