package natsbroker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/hub"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// healMessages is how many messages a room's stream keeps at least, for nodes that have
// lost their connection for a while.
const healMessages = 1024

// room is a room as this node follows it.
type room[K, M comparable, T any] struct {
	broker *Broker[K, M, T]
	key    K
	token  string
	feed   feed
	// The subscribers and the calls in progress; guarded by the broker's mu.
	uses   int
	giveUp context.CancelCauseFunc // ends the opening, as nobody waits for it any more
	opened chan struct{}           // closes when the room is followed, or will not be
	open   bool                    // the room is followed; guarded by the broker's mu
	err    error                   // the error with which it will not be followed

	// The number of the last sync, for its events; it belongs to the step in progress.
	late uint64

	mu     sync.Mutex
	log    *hub.Log[K, M, T]
	latest map[string]latest[T] // the latest values by digest of the key, with Compact
	subs   []*func(*hub.Event[K, M, T])
}

// latest is the last value of a key in a compacted room.
type latest[T any] struct {
	sequence uint64
	value    T
}

// use returns the room with that key, which stays until it is released.
func (b *Broker[K, M, T]) use(ctx context.Context, key K) (*room[K, M, T], error) {
	name, err := token(key)
	if err != nil {
		return nil, roomError(key, err)
	}
	b.mu.Lock()
	if b.closing {
		b.mu.Unlock()
		return nil, roomError(key, ErrClosed)
	}
	r := b.rooms[key]
	var opening context.Context
	if r == nil { // it is opened for all that wait, so no single context decides
		r = &room[K, M, T]{broker: b, key: key, token: name, opened: make(chan struct{})}
		r.feed = feed{
			link: &b.link, stream: b.config.Name + "_" + name, owner: r,
			filter: b.subject("s", name, ">"), live: b.subject("e", name, ">"),
		}
		opening, r.giveUp = context.WithCancelCause(context.Background())
		b.rooms[key], b.named[name] = r, r
	}
	r.uses++
	b.mu.Unlock()
	if opening != nil {
		go r.follow(opening)
	}
	select {
	case <-r.opened:
	case <-ctx.Done():
		r.release()
		return nil, context.Cause(ctx)
	}
	if r.err != nil {
		r.release()
		return nil, roomError(key, r.err)
	}
	return r, nil
}

// follow begins to follow the room.
func (r *room[K, M, T]) follow(ctx context.Context) {
	err := r.feed.open(ctx)
	r.broker.mu.Lock()
	r.err, r.open = err, err == nil
	left := r.uses == 0
	r.broker.mu.Unlock()
	close(r.opened)
	r.giveUp(nil)
	if left && err == nil {
		r.feed.close()
	}
}

// release ends a use. The last one ends the following of the room, also while it begins.
func (r *room[K, M, T]) release() {
	b := r.broker
	b.mu.Lock()
	r.uses--
	last, open := r.uses == 0, r.open
	if last {
		delete(b.rooms, r.key)
		delete(b.named, r.token)
	}
	b.mu.Unlock()
	if !last {
		return
	}
	r.giveUp(nil)
	if open {
		r.feed.close()
	}
}

// subject returns a subject of the broker: s for stored values, e for delivered ones.
func (b *Broker[K, M, T]) subject(kind, room, last string) string {
	return b.config.Name + "." + kind + "." + room + "." + last
}

// ensure makes the room's stream if there is none.
func (r *room[K, M, T]) ensure(ctx context.Context) (*jetstream.StreamInfo, error) {
	c := &r.broker.config
	want := jetstream.StreamConfig{
		Name: r.feed.stream, Subjects: []string{r.feed.filter}, Replicas: c.Replicas, Storage: jetstream.FileStorage,
		RePublish:   &jetstream.RePublish{Source: r.feed.filter, Destination: r.feed.live},
		AllowDirect: true, AllowMsgTTL: true, MaxMsgs: -1, MaxBytes: -1,
		Duplicates: 2 * time.Minute,
	}
	if c.Compact != nil {
		want.MaxMsgsPerSubject = 1
	} else {
		want.MaxMsgs = int64(max(c.History.Count, healMessages))
		want.MaxBytes = 2 * int64(max(c.History.Bytes, 1<<20))
		want.MaxAge = c.History.Age
		want.Duplicates = min(want.Duplicates, max(want.MaxAge, 100*time.Millisecond))
	}
	stream, err := r.broker.link.js.Stream(ctx, want.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		stream, err = r.broker.link.js.CreateStream(ctx, want)
	case err == nil:
		has := stream.CachedInfo().Config
		if has.MaxMsgs != want.MaxMsgs || has.MaxBytes != want.MaxBytes || has.MaxAge != want.MaxAge ||
			has.Replicas != want.Replicas {
			stream, err = r.broker.link.js.UpdateStream(ctx, want)
		}
	}
	if err != nil {
		return nil, err
	}
	return stream.CachedInfo(), nil
}

func (r *room[K, M, T]) from(info *jetstream.StreamInfo, fresh bool, applied uint64) uint64 {
	if fresh || r.broker.config.Compact != nil && applied != info.State.LastSeq {
		return max(info.State.FirstSeq, 1)
	}
	return max(applied+1, info.State.FirstSeq)
}

// synced adds the messages that were fetched. Subscribers are told if some are lost.
func (r *room[K, M, T]) synced(info *jetstream.StreamInfo, fresh bool, messages []stored) {
	epoch := strconv.FormatInt(info.Created.UnixNano(), 36)
	last := info.State.LastSeq
	known := last // nothing is known up to there, but for the fetched messages
	if len(messages) > 0 {
		known = messages[0].sequence - 1
	}
	if r.broker.config.Compact != nil {
		known = r.knownSince(last, messages)
	}
	var applied uint64
	welcome := &hub.Event[K, M, T]{Kind: hub.Welcome, Room: r.key, At: time.Now(), Recovery: hub.Recovered}
	r.mu.Lock()
	initial := r.log == nil
	if !initial {
		applied = r.log.Position().Offset
	}
	switch compact := r.broker.config.Compact != nil; {
	case initial:
	case fresh || compact && known > applied:
		welcome.Recovery, applied = hub.TooOld, 0
	case known > applied:
		welcome.Recovery, welcome.Missed = hub.Gap, known-applied
		r.log.Lose(known)
	}
	if initial || welcome.Recovery == hub.TooOld {
		r.log = hub.NewLog[K, M](r.broker.config.History, r.broker.config.Compact, hub.Position{Epoch: epoch, Offset: known})
		r.latest = make(map[string]latest[T])
	}
	r.mu.Unlock()
	r.late = r.broker.syncs.Add(1)
	messages = slices.DeleteFunc(messages, func(m stored) bool { return m.sequence <= applied })
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.log.Position().Offset < last {
			r.log.Lose(last)
		}
	}()
	defer each.Call(messages, func(m stored) {
		m.late = true
		r.add(m, epoch, !initial)
	})
	if welcome.Recovery != hub.Recovered && !initial {
		welcome.Position = hub.Position{Epoch: epoch, Offset: known}
		if len(messages) > 0 {
			welcome.Position.Offset = messages[0].sequence - 1
		}
		welcome.Replayed, welcome.Late = len(messages), r.late
		welcome.Members, welcome.Revision = r.broker.presence.members(r.token)
		r.deliver(welcome)
	}
}

// knownSince returns the sequence up to which a compacted room may have lost a delete of
// a key. A delete is kept for the Age.
func (r *room[K, M, T]) knownSince(last uint64, messages []stored) uint64 {
	for _, m := range messages {
		if time.Since(m.at) < r.broker.config.History.Age {
			return m.sequence - 1
		}
	}
	return last
}

func (r *room[K, M, T]) take(m stored) {
	r.mu.Lock()
	epoch := r.log.Position().Epoch
	r.mu.Unlock()
	r.add(m, epoch, true)
}

// add keeps a value said to all, and delivers it.
func (r *room[K, M, T]) add(m stored, epoch string, deliver bool) {
	e, err := r.event(m.Msg)
	if err != nil {
		unheard(roomError(r.key, fmt.Errorf("message %d: %w", m.sequence, err)))
		return
	}
	e.Position, e.At = hub.Position{Epoch: epoch, Offset: m.sequence}, m.at
	if m.late {
		e.Late = r.late
	}
	if deliver {
		defer r.deliver(e)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Add(e, len(m.Data))
	if compact := r.broker.config.Compact; compact != nil {
		r.remember(e, compact)
	}
}

// remember notes the last value of a key; mu is held.
func (r *room[K, M, T]) remember(e *hub.Event[K, M, T], compact func(T) (any, bool)) {
	key, deletes := compact(e.Value)
	name, err := digest(key)
	switch {
	case err != nil: // this broker has said it, or it is of no use to this broker
	case deletes:
		delete(r.latest, name)
	default:
		r.latest[name] = latest[T]{e.Position.Offset, e.Value}
	}
}

// aside delivers a value said to some members, and answers nodes that ask whether the
// room is followed.
func (r *room[K, M, T]) aside(m *nats.Msg) {
	if m.Reply != "" {
		_ = m.Respond(nil) // otherwise the asking node thinks that it is followed
		return
	}
	e, err := r.event(m)
	if err != nil {
		unheard(roomError(r.key, err))
		return
	}
	if !e.Private {
		return
	}
	r.whisper(e)
}

// whisper delivers a private event.
func (r *room[K, M, T]) whisper(e *hub.Event[K, M, T]) {
	e.At = time.Now()
	r.mu.Lock()
	e.Position = r.log.Position()
	r.mu.Unlock()
	r.deliver(e)
}

// deliver tells all subscribers; it is called in steps.
func (r *room[K, M, T]) deliver(e *hub.Event[K, M, T]) {
	r.mu.Lock()
	subs := r.subs
	r.mu.Unlock()
	each.Call(subs, func(deliver *func(*hub.Event[K, M, T])) { (*deliver)(e) })
}

// Subscribe is that of hub.Broker. It makes the room's stream if there is none, and
// returns when the node has the messages that the stream keeps.
func (b *Broker[K, M, T]) Subscribe(
	ctx context.Context, key K, deliver func(*hub.Event[K, M, T]),
) (stop func(), err error) {
	r, err := b.use(ctx, key)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.subs = append(slices.Clip(r.subs), &deliver)
	r.mu.Unlock()
	return sync.OnceFunc(func() {
		r.mu.Lock()
		i := slices.Index(r.subs, &deliver)
		r.subs = slices.Delete(slices.Clone(r.subs), i, i+1)
		r.mu.Unlock()
		r.release()
	}), nil
}

// Snapshot is that of hub.Broker. It answers from this node's memory, also while the
// broker is not connected. If the position is one that this node has not heard of yet, it
// waits a moment.
func (b *Broker[K, M, T]) Snapshot(ctx context.Context, key K, since hub.Position) (hub.Snapshot[K, M, T], error) {
	var none hub.Snapshot[K, M, T]
	r, err := b.use(ctx, key)
	if err != nil {
		return none, err
	}
	defer r.release()
	r.mu.Lock()
	now := r.log.Position()
	r.mu.Unlock()
	if since.Epoch == now.Epoch && since.Offset > now.Offset && !r.feed.await(ctx, since.Offset, attempt) {
		if ctx.Err() != nil {
			return none, context.Cause(ctx)
		}
		if !b.link.conn.IsConnected() {
			return none, roomError(key, ErrDisconnected)
		}
	}
	r.mu.Lock()
	s := r.log.Snapshot(since)
	r.mu.Unlock()
	s.Members, s.Revision = b.presence.members(r.token)
	return s, nil
}

// unheard reports an error that nobody listens to.
func unheard(err error) {
	observable.Throw[struct{}](err).Subscribe(context.Background(), observable.ObserverFuncs[struct{}]{})
}
