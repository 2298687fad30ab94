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
)

// PubSubConfig says what a [PubSub] is made of. All nodes must have the same Name and Replicas.
type PubSubConfig struct {
	// Name tells these topics from others on the same servers: see Config. Default: DefaultName.
	Name string
	// Replicas is how many servers of a cluster keep what is retained. Default: 1.
	Replicas int
	// Timeout is for how long an operation goes on trying while the servers cannot be reached.
	// Default: DefaultTimeout.
	Timeout time.Duration
}

// PubSub joins the event.PubSubs of several nodes by core NATS: it is their event.PubSubBroker. What is
// retained is in a stream, which has the last event of each topic. It is made by [NewPubSub].
//
// An event reaches the nodes that are connected; one that is cut off misses it. When it is back, it hears
// the last event of each retained topic. What a node publishes while it is cut off reaches its own
// subscribers at once, and the other nodes later, as far as the connection keeps it
// (nats.ReconnectBufSize).
type PubSub struct {
	keeper

	config PubSubConfig
	node   string
	sub    *nats.Subscription
	feed   feed // of what is retained; not open if nothing is

	mu        sync.Mutex
	retain    int
	deliver   func(*event.Envelope)
	following bool
	topics    map[string]*retainedTopic
	pending   map[string][]byte // by topic, what the stream is to get: at most as many as it keeps
	order     []string          // the topics of pending, the one without an event for longest first
	kick      chan struct{}
	written   chan struct{} // closes when nothing is written any more
}

// retainedTopic is what a node knows of a retained topic.
type retainedTopic struct {
	told     string          // the ID of the event that this node's subscribers were told last
	toldAt   time.Time       // when
	kept     *event.Envelope // what the stream has
	at       time.Time       // since when
	sequence uint64          // there
}

// NewPubSub returns a PubSub on a connection, which is to try for ever to come back
// (nats.MaxReconnects(-1)) and stays the caller's. The error is an [*observable.ArgumentError].
func NewPubSub(conn *nats.Conn, config PubSubConfig) (*PubSub, error) {
	config.Name = cmp.Or(config.Name, DefaultName)
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	config.Replicas = cmp.Or(config.Replicas, 1)
	if p := problemOf(config.Name, config.Replicas, config.Timeout); p != "" {
		return nil, &observable.ArgumentError{Func: "natsbroker.NewPubSub", Argument: "config", Problem: p}
	}
	p := &PubSub{
		config: config, node: newNode(), topics: make(map[string]*retainedTopic), pending: make(map[string][]byte),
		kick: make(chan struct{}, 1), written: make(chan struct{}),
	}
	return p, p.keeper.init(conn, config.Timeout)
}

// Status returns the observable of whether the servers are reached: see [Broker.Status].
func (p *PubSub) Status() observable.Observable[Status] { return p.status }

// subject returns a subject: p for what is published, r for what is retained, l for how that is delivered.
func (p *PubSub) subject(kind, last string) string { return p.config.Name + "." + kind + "." + last }

// Follow implements event.PubSubBroker. It is called once.
func (p *PubSub) Follow(retain int, deliver func(*event.Envelope)) (stop func(), err error) {
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
	prefix := p.subject("p", "")
	p.sub, err = p.link.conn.Subscribe(p.subject("p", "*.>"), func(m *nats.Msg) {
		node, _, _ := strings.Cut(strings.TrimPrefix(m.Subject, prefix), ".")
		if node == p.node {
			return
		}
		e, err := event.JSON().Decode(wsource.Text, m.Data)
		if err != nil {
			unheard(fmt.Errorf("natsbroker: an event of another node: %w", err))
			return
		}
		p.heard(e)
	})
	if err == nil {
		err = p.link.do(context.Background(), func(ctx context.Context) error { return p.link.conn.FlushWithContext(ctx) })
	}
	if err != nil && p.retain > 0 {
		p.feed.close()
	}
	return err
}

// close ends the node's part. What is to be retained and is not written yet is written, if the servers are there.
func (p *PubSub) close() {
	_ = p.sub.Unsubscribe() // or else it is over with the connection
	p.finish()
	<-p.written
	if p.retain > 0 {
		p.feed.close()
	}
	p.status.Complete()
}

// heard delivers an event of another node.
func (p *PubSub) heard(e *event.Envelope) {
	p.mu.Lock()
	told := p.retain > 0 && !p.topic(e.Topic).tell(e.ID)
	p.mu.Unlock()
	if !told { // as what was retained and not heard for long
		p.deliver(e)
	}
}

// tell notes that an event is told now, and reports whether it is another one than was told last.
func (t *retainedTopic) tell(id string) bool {
	if t.told == id {
		return false
	}
	t.told, t.toldAt = id, time.Now()
	return true
}

// topic returns what is known of a topic; mu is held. Of those beyond what the stream keeps some
// are forgotten.
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
	err = p.link.conn.Publish(p.subject("p", p.node+"."+e.Topic), m.Data)
	if errors.Is(err, nats.ErrMaxPayload) {
		return ErrTooLarge
	}
	return err
}

// enqueue notes that the stream is to get an event; mu is held. Beyond what the stream keeps, the
// topic is given up that has had none for longest, as it would be there.
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

// write writes what is to be retained, of each topic only the last.
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
			again = order[i:]         // in their order, which says what is given up first
			break
		}
		if last {
			return
		}
		p.requeue(again, pending)
	}
}

// requeue puts what could not be written before what has come since, as far as there is room and
// its topic has nothing newer.
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

// settles is how long the stream has had an event before a node concludes that it was not told of it.
const settles = time.Second

// tend has the mirror of what is retained look.
func (p *PubSub) tend(beats bool) {
	if p.retain <= 0 {
		return
	}
	if beats {
		p.feed.behind.Store(true)
	}
	select {
	case p.kick <- struct{}{}: // what could not be written is tried again
	default:
	}
}

// catchUp has the mirror fetch what it lacks, and tells of what has been missed.
func (p *PubSub) catchUp() {
	if p.retain <= 0 {
		return
	}
	if p.feed.behind.Load() {
		p.feed.resync()
	}
	p.tellRetained(settles)
}

// tellRetained delivers the retained events that this node was not told of. What was told after the stream had
// its event is newer: the stream is yet to get it.
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
	p.mu.Unlock()
	slices.SortFunc(missed, func(a, b *retainedTopic) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, t := range missed {
		p.deliver(t.kept)
	}
}
