package natsbroker

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// forgetAfter is the time after which a node that is not heard is forgotten, long after
// its jobs were taken. If one is left, the node counts as new, and as dead a little
// later.
const forgetAfter = time.Minute

// JobsConfig is the make of a [Jobs]. All nodes must have the same Name, Queue and
// Replicas.
type JobsConfig struct {
	// Name tells these jobs from others on the same servers: see Config. Default:
	// DefaultName.
	Name string
	// Queue names the queue, with the characters of Name.
	Queue string
	// Replicas is how many servers of a cluster keep each job. Default: 1.
	Replicas int
	// Timeout is the time for which an operation goes on trying while the servers cannot
	// be reached. Default: DefaultTimeout.
	Timeout time.Duration
}

// Jobs keeps the jobs of one event.Queue for several nodes, in a stream of JetStream: it
// is their event.QueueBroker. [NewJobs] makes one.
//
// A job that was added is kept until a worker has acknowledged it. Each node mirrors the
// stream. A node that takes a job writes that to the stream: the server accepts it from
// one node only. The jobs of a node not heard for four seconds are taken by others.
type Jobs struct {
	keeper

	config JobsConfig
	node   string
	feed   feed
	beats  *nats.Subscription

	mu      sync.Mutex
	closing bool
	changed chan struct{}        // closes at the next change of the fields below
	entries map[string]*jobEntry // the jobs by ID
	line    jobLine
	held    map[string]bool      // the jobs that this node works on
	heard   map[string]time.Time // the time when each other node has been heard last

	// The following fields belong to the step in progress.
	whole  bool      // the sync fetches all jobs
	lately time.Time // the time of the last sync
}

// jobEntry is a job of the mirror.
type jobEntry struct {
	jobState

	id       string
	sequence uint64 // the sequence of the last message about it
	refused  uint64 // the sequence at which another node was faster to take it
}

// jobState is the content of a message about a job, in JSON. An empty message says that
// the job is over.
type jobState struct {
	Key  string          `json:"key,omitempty"`
	Data json.RawMessage `json:"data"`
	// The sequence of the message that has added it; 0 in that one.
	First    uint64 `json:"first,omitzero"`
	Attempts int    `json:"attempts,omitzero"` // the taking under way counts
	Node     string `json:"node,omitempty"`    // the node that has the job
	Nonce    string `json:"nonce,omitempty"`   // names the taking
}

// NewJobs returns the jobs of a queue on a connection, which is to try for ever to come
// back (nats.MaxReconnects(-1)) and stays the caller's. The error is as with [New].
func NewJobs(ctx context.Context, conn *nats.Conn, config JobsConfig) (*Jobs, error) {
	config.Name = cmp.Or(config.Name, DefaultName)
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	config.Replicas = cmp.Or(config.Replicas, 1)
	p := problemOf(config.Name, config.Replicas, config.Timeout)
	if !legal(config.Queue) {
		p = "has a Queue with other characters, or too many: " + config.Queue
	}
	if p != "" {
		return nil, &observable.ArgumentError{Func: "natsbroker.NewJobs", Argument: "config", Problem: p}
	}
	if err := checkArguments(ctx, conn, "NewJobs"); err != nil {
		return nil, err
	}
	q := &Jobs{
		config: config, node: newNode(), changed: make(chan struct{}), entries: make(map[string]*jobEntry),
		held: make(map[string]bool), heard: make(map[string]time.Time),
	}
	if err := q.keeper.init(conn, config.Timeout); err != nil {
		return nil, err
	}
	q.feed = feed{
		link: &q.link, stream: "JOBS_" + config.Name + "_" + config.Queue, owner: q,
		filter: q.subject("s", ">"), live: q.subject("e", ">"),
	}
	if err := q.open(ctx); err != nil {
		q.abandon()
		return nil, fmt.Errorf("natsbroker: %w", err)
	}
	q.keep(q.fallBehind, q.tend, q.catchUp)
	return q, nil
}

func (q *Jobs) open(ctx context.Context) (err error) {
	if q.link.conn.IsClosed() {
		return ErrClosed
	}
	q.beats, err = q.link.conn.Subscribe(q.subject("beat", "_"), func(m *nats.Msg) {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.heard[string(m.Data)] = time.Now()
	})
	if err != nil {
		return err
	}
	if err := q.feed.open(ctx); err != nil {
		_ = q.beats.Unsubscribe() // otherwise it is over with the connection
		return err
	}
	q.sendBeat()
	return nil
}

// Status returns the observable of whether the servers are reached: see [Broker.Status].
func (q *Jobs) Status() observable.Observable[Status] { return q.status }

// Close ends the node's part. The caller shuts down the queue before. A second Close
// waits for the first one.
func (q *Jobs) Close() {
	q.mu.Lock()
	closing := q.closing
	q.closing = true
	q.mu.Unlock()
	if closing {
		<-q.ended
		return
	}
	q.finish()
	q.notify()
	_ = q.beats.Unsubscribe() // otherwise it is over with the connection
	q.feed.close()
	close(q.ended) // an observer of the status may call Close, too
	q.status.Complete()
}

// subject returns a subject: s stored, e republished, beat for signs of life.
func (q *Jobs) subject(kind, last string) string {
	return q.config.Name + ".q." + q.config.Queue + "." + kind + "." + last
}

func (q *Jobs) sendBeat() {
	// Otherwise it is not heard.
	_ = q.link.conn.Publish(q.subject("beat", "_"), []byte(q.node))
}

// fallBehind has the mirror look, and gives the other nodes time to be heard again.
func (q *Jobs) fallBehind() {
	q.feed.behind.Store(true)
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.heard)
}

// tend says that this node is there, and has the mirror look. This finds messages that a
// server does not deliver while its cluster chooses another leader.
func (q *Jobs) tend(beats bool) {
	q.sendBeat()
	if beats {
		q.feed.behind.Store(true)
		q.mu.Lock()
		for _, e := range q.line {
			e.refused = 0 // the faster node may have given it back, or be dead
		}
		maps.DeleteFunc(q.heard, func(_ string, last time.Time) bool { return time.Since(last) >= forgetAfter })
		q.mu.Unlock()
	}
	q.notify() // goroutines that wait look whether a node is dead
}

// catchUp has the mirror fetch the messages that it lacks.
func (q *Jobs) catchUp() {
	if q.feed.behind.Load() {
		q.feed.resync()
	}
}

// notify has all goroutines look again that wait for a change.
func (q *Jobs) notify() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.change()
}

// change is notify; mu is held.
func (q *Jobs) change() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// wait waits for a change; mu is held before and after.
func (q *Jobs) wait(ctx context.Context) error {
	changed := q.changed
	q.mu.Unlock()
	defer q.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// over returns the error with which nothing is done any more, or nil; mu is held.
func (q *Jobs) over() error {
	if q.closing || q.link.conn.IsClosed() {
		return ErrClosed
	}
	return nil
}

// publish writes a job's state, nil if it is over, and returns its new sequence.
func (q *Jobs) publish(
	ctx context.Context, id string, state *jobState, options ...jetstream.PublishOpt,
) (sequence uint64, err error) {
	m := &nats.Msg{Subject: q.subject("s", id)}
	options = append(options, jetstream.WithRetryAttempts(0))
	if state == nil {
		options = append(options, jetstream.WithMsgTTL(markerAge))
	} else if m.Data, err = json.Marshal(state); err != nil {
		return 0, err
	}
	// The headers count, too.
	if q.link.conn.IsConnected() && int64(len(m.Data))+1024 > q.link.conn.MaxPayload() {
		return 0, ErrTooLarge
	}
	err = q.link.do(ctx, func(ctx context.Context) error {
		ack, err := q.link.js.PublishMsg(ctx, m, options...)
		if errors.Is(err, jetstream.ErrNoStreamResponse) {
			q.feed.behind.Store(true) // the stream may be gone; it is made again
		}
		if err == nil {
			sequence = ack.Sequence
		}
		return err
	})
	return sequence, err
}

// last asks the servers for the last message about a job; sequence 0 is none.
func (q *Jobs) last(ctx context.Context, id string) (state jobState, sequence uint64, err error) {
	err = q.link.do(ctx, func(ctx context.Context) error {
		state, sequence = jobState{}, 0
		m, err := q.link.lastOf(ctx, q.feed.stream, q.subject("s", id))
		if err != nil || m == nil || len(m.Data) == 0 {
			return err
		}
		sequence = m.Sequence
		return json.Unmarshal(m.Data, &state)
	})
	return state, sequence, err
}

// Add implements event.QueueBroker. When it returns nil the job is kept. A job whose Add
// has failed with ErrDisconnected may be kept all the same.
func (q *Jobs) Add(ctx context.Context, job event.StoredJob, most int) error {
	q.mu.Lock()
	for q.over() == nil && q.line.waiting(q.takeable) >= most {
		if err := q.wait(ctx); err != nil {
			q.mu.Unlock()
			return err
		}
	}
	err := q.over()
	q.mu.Unlock()
	if err != nil {
		return err
	}
	nonce := rand.Text()
	_, err = q.publish(ctx, job.ID, &jobState{Key: job.Key, Data: job.Data, Nonce: nonce},
		jetstream.WithExpectLastSequencePerSubject(0))
	if wrongLast(err) { // it is there: the answer was lost
		return nil
	}
	return err
}

// Take implements event.QueueBroker.
func (q *Jobs) Take(ctx context.Context) (event.StoredJob, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if err := cmp.Or(q.over(), context.Cause(ctx)); err != nil {
			return event.StoredJob{}, err
		}
		e := q.line.first(q.takeable)
		if e == nil || !q.link.conn.IsConnected() {
			if err := q.wait(ctx); err != nil {
				return event.StoredJob{}, err
			}
			continue
		}
		id, at, state := e.id, e.sequence, e.jobState
		state.Node, state.Nonce = q.node, rand.Text()
		state.Attempts++
		q.held[id] = true
		q.mu.Unlock()
		now, err := q.claim(ctx, id, at, &state)
		q.mu.Lock()
		switch {
		case err != nil || now == 0:
			delete(q.held, id)
			if e.sequence == at {
				e.refused = at // until the mirror hears the outcome
			}
			if err != nil && !errors.Is(err, ErrDisconnected) && ctx.Err() == nil {
				return event.StoredJob{}, err
			}
			if errors.Is(err, ErrDisconnected) {
				e.refused = 0
			}
		default:
			if e.sequence < now { // the mirror has not heard this yet
				e.sequence, e.jobState = now, state
			}
			return event.StoredJob{ID: id, Key: state.Key, Data: state.Data, Attempts: state.Attempts - 1}, nil
		}
	}
}

// claim writes that this node has a job. The sequence is 0 if another node was faster.
func (q *Jobs) claim(ctx context.Context, id string, at uint64, state *jobState) (sequence uint64, err error) {
	sequence, err = q.publish(ctx, id, state, jetstream.WithExpectLastSequencePerSubject(at))
	if !wrongLast(err) {
		return sequence, err
	}
	last, sequence, err := q.last(ctx, id)
	// The answer was lost if the nonces are equal.
	if err != nil || last.Nonce != state.Nonce {
		return 0, err
	}
	return sequence, nil
}

// Return implements event.QueueBroker.
func (q *Jobs) Return(ctx context.Context, job event.StoredJob) error {
	q.mu.Lock()
	e := q.entries[job.ID]
	if e == nil || e.Node != q.node {
		delete(q.held, job.ID)
		q.mu.Unlock()
		return nil // another node has it, or had it
	}
	at, state := e.sequence, e.jobState
	q.mu.Unlock()
	state.Node, state.Nonce, state.Attempts = "", "", job.Attempts
	_, err := q.publish(ctx, job.ID, &state, jetstream.WithExpectLastSequencePerSubject(at))
	if wrongLast(err) {
		err = nil // another node has taken this one for dead, or the answer was lost
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.held, job.ID) // also if it has failed: then this node takes it again
	q.change()
	return err
}

// Remove implements event.QueueBroker.
func (q *Jobs) Remove(ctx context.Context, id string) error {
	for {
		_, err := q.publish(ctx, id, nil)
		if err == nil {
			break
		} else if !errors.Is(err, ErrDisconnected) {
			return err
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.held, id)
	return nil
}
