package natsbroker

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/hub"
)

// The defaults of a [Config].
const (
	DefaultName    = "rxsocket"
	DefaultTimeout = 5 * time.Second
)

// beat is how often a node says that it is there. A node that has not been heard for
// deadAfter is taken for dead.
const (
	beat      = time.Second
	deadAfter = 4 * beat
)

// Config is the make of a [Broker]. All nodes must have the same, as far as no field says
// otherwise. The zero value is a broker that keeps no messages for sockets that join.
type Config[T any] struct {
	// Name tells the rooms of one hub from those of another on the same servers. It has
	// at most 32 letters, digits, - and _. Default: DefaultName.
	Name string
	// History bounds the messages kept of a room: see hub.Config. The hub's own is not
	// used.
	History hub.History
	// Compact and Applies are those of hub.Config. For a hub of hub.NewStates they must
	// be hub.CompactChange and hub.ChangeApplies.
	Compact func(T) (key any, deletes bool)
	Applies func(before, value T) bool
	// Replicas is how many servers of a cluster keep each message. Default: 1.
	Replicas int
	// Timeout is the time for which an operation goes on trying while the servers cannot
	// be reached. It may differ from node to node. Default: DefaultTimeout.
	Timeout time.Duration
}

// problem returns the problem with the settings, or "".
func (c *Config[T]) problem() string {
	switch {
	case c.History.Count < 0 || c.History.Bytes < 0 || c.History.Age < 0:
		return "has a negative bound of History"
	case c.Applies != nil && c.Compact == nil:
		return "has Applies without Compact"
	}
	return problemOf(c.Name, c.Replicas, c.Timeout)
}

// problemOf returns the problem with settings that all configs have, or "".
func problemOf(name string, replicas int, timeout time.Duration) string {
	switch {
	case !legal(name):
		return "has a Name with other characters, or too many: " + name
	case replicas < 0:
		return "has negative Replicas"
	case timeout < 0:
		return "has a negative Timeout: " + timeout.String()
	}
	return ""
}

// checkArguments returns an error of a function for a context or a connection that is
// nil, or nil.
func checkArguments(ctx context.Context, conn *nats.Conn, function string) error {
	missing := func(argument string) error {
		return &observable.ArgumentError{Func: "natsbroker." + function, Argument: argument, Problem: "is nil"}
	}
	switch {
	case ctx == nil:
		return missing("ctx")
	case conn == nil:
		return missing("conn")
	}
	return nil
}

// Broker is a hub.Broker for one of several nodes. Any goroutine may use it. [New] makes
// one.
type Broker[K, M comparable, T any] struct {
	keeper

	config   Config[T]
	node     string
	presence *presence[K, M, T]
	swept    time.Time
	syncs    atomic.Uint64 // counts the late fetches, of all rooms and of the presence

	mu      sync.Mutex
	closing bool
	left    error // error of the first Close; read when ended is closed
	rooms   map[K]*room[K, M, T]
	named   map[string]*room[K, M, T] // the rooms by token
}

// New returns a broker on a connection, which is to try for ever to come back
// (nats.MaxReconnects(-1)) and stays the caller's. JetStream must be enabled on the
// servers, of version 2.11 or later. New returns when it knows the members present. The
// broker works until Close.
//
// The error is an [*observable.ArgumentError], the cause of ctx's end, ErrDisconnected,
// ErrClosed or a server's error.
func New[K, M comparable, T any](ctx context.Context, conn *nats.Conn, config Config[T]) (*Broker[K, M, T], error) {
	config.Name = cmp.Or(config.Name, DefaultName)
	config.Timeout = cmp.Or(config.Timeout, DefaultTimeout)
	config.Replicas = cmp.Or(config.Replicas, 1)
	config.History.Age = cmp.Or(config.History.Age, hub.DefaultHistoryAge)
	config.History.Bytes = cmp.Or(config.History.Bytes, 1<<20)
	if p := config.problem(); p != "" {
		return nil, &observable.ArgumentError{Func: "natsbroker.New", Argument: "config", Problem: p}
	}
	if err := checkArguments(ctx, conn, "New"); err != nil {
		return nil, err
	}
	b := &Broker[K, M, T]{
		config: config, node: newNode(), swept: time.Now(),
		rooms: make(map[K]*room[K, M, T]), named: make(map[string]*room[K, M, T]),
	}
	err := b.keeper.init(conn, config.Timeout)
	if err != nil {
		return nil, err
	}
	if b.presence, err = openPresence(ctx, b); err != nil {
		b.abandon()
		return nil, fmt.Errorf("natsbroker: %w", err)
	}
	b.keep(b.fallBehind, b.tend, b.catchUp)
	return b, nil
}

// Status returns the observable of whether the broker reaches its servers: the status of
// now, and each other one from then on. It completes when the broker is closed.
func (b *Broker[K, M, T]) Status() observable.Observable[Status] { return b.status }

// Close has all members of this node leave, as far as the servers can be reached until
// ctx ends, and ends the broker. The caller shuts down the hub before. The error is the
// one with which a member could not leave: the others take the node for dead a few
// seconds later. A second Close waits for the first one, and returns its error, or the
// cause of the end of its own ctx if that comes before.
func (b *Broker[K, M, T]) Close(ctx context.Context) error {
	b.mu.Lock()
	closing := b.closing
	b.closing = true
	b.mu.Unlock()
	if closing {
		return b.awaitEnded(ctx)
	}
	b.left = b.presence.leaveAll(ctx)
	b.finish()
	b.presence.close()
	b.mu.Lock()
	rooms := make([]*room[K, M, T], 0, len(b.rooms))
	for _, r := range b.rooms {
		rooms = append(rooms, r)
	}
	b.mu.Unlock()
	for _, r := range rooms {
		r.giveUp(ErrClosed)
		if <-r.opened; r.err == nil {
			r.feed.close()
		}
	}
	close(b.ended) // an observer of the status may call Close, too
	b.status.Complete()
	return b.left
}

// awaitEnded waits for the first Close.
func (b *Broker[K, M, T]) awaitEnded(ctx context.Context) error {
	select {
	case <-b.ended:
	default:
		select {
		case <-b.ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return b.left
}

// tend does everything that is to be repeated.
func (b *Broker[K, M, T]) tend(beats bool) {
	b.presence.tick()
	if beats {
		b.checkSome()
	}
	if time.Since(b.swept) >= sweepEvery {
		b.swept = time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), beat)
		b.sweep(ctx, b.config.History.Age+sweepEvery)
		cancel()
	}
}

// fallBehind has each feed look for the messages that it lacks, when it can.
func (b *Broker[K, M, T]) fallBehind() {
	b.presence.feed.behind.Store(true)
	b.presence.forgetBeats()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rooms {
		r.feed.behind.Store(true)
	}
}

// checkEach is how many rooms look each beat, though nothing says that they lack a
// message. This finds messages that a server does not deliver while its cluster chooses
// another leader.
const checkEach = 16

// checkSome has some rooms look.
func (b *Broker[K, M, T]) checkSome() {
	checked := 0
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.rooms { // a map's order is another one each time
		if checked++; checked > checkEach {
			return
		}
		r.feed.behind.Store(true)
	}
}

// catchUp has each feed look that is behind.
func (b *Broker[K, M, T]) catchUp() {
	if b.presence.feed.behind.Load() {
		b.presence.feed.resync()
	}
	var behind []*feed
	b.mu.Lock()
	for _, r := range b.rooms {
		if r.feed.behind.Load() {
			behind = append(behind, &r.feed)
		}
	}
	b.mu.Unlock()
	for _, f := range behind {
		if !b.link.conn.IsConnected() {
			return
		}
		f.resync()
	}
}
