package hub

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// DefaultMaxKeys is how many keys a [State] has at most.
const DefaultMaxKeys = 10_000

// ErrStateFull is the cause of the error of a [State] that has as many keys as it may
// have.
var ErrStateFull = errors.New("the state has too many keys")

// ErrStateClosed is the cause of the error of a [State] that was closed.
var ErrStateClosed = errors.New("the state is closed")

// Change is a change of a key of a [State].
type Change[K comparable, V any] struct {
	Key     K    `json:"key"`
	Value   V    `json:"value,omitzero"`
	Deleted bool `json:"deleted,omitzero"` // the key has no value any more
	// Expires is the time of the delete. A delete at that time carries the same Expires
	// as the value before it.
	Expires time.Time `json:"expires,omitzero"`
}

// CompactChange is the Compact of a hub for a [State].
func CompactChange[K comparable, V any](c Change[K, V]) (key any, deletes bool) {
	return c.Key, c.Deleted
}

// ChangeApplies is the Applies of a hub for a [State]: a key that has expired is not
// deleted if it has got another value since.
func ChangeApplies[K comparable, V any](before, c Change[K, V]) bool {
	return !c.Deleted || c.Expires.IsZero() || c.Expires.Equal(before.Expires)
}

// NewStates returns a hub with a [State] in each room. It sets the config's Compact and
// Applies. The Slow policy may be CloseSlow or SlowRoom only: the others lose changes,
// and with them the map. Another policy is an [*observable.ArgumentError], of NewState
// and of all that is done with the rooms.
func NewStates[R, M, K comparable, V any](config Config[R, M, Change[K, V]]) *Hub[R, M, Change[K, V]] {
	config.Compact, config.Applies = CompactChange[K, V], ChangeApplies[K, V]
	return newHub("hub.NewStates", config)
}

// State is a map that all in a room share. A socket that joins gets every key, and then
// each change, in one order for all; a socket that comes back gets the changes since. A
// State is in a room of a hub of [NewStates]. On the other side of a socket, [StateMaps]
// and [StateChanges] make the map again. Any goroutine may use a State.
//
// It keeps the room in being until Close. Without one, the keys are forgotten with the
// last member.
type State[K comparable, V any] struct {
	say     func(context.Context, Change[K, V]) error
	room    any
	maxKeys int
	scope   *observable.Scope
	sub     observable.Subscription
	ctx     context.Context // context of the deletes of keys that expire
	cancel  context.CancelFunc

	mu     interleave.Mutex
	values map[K]Change[K, V]
	coming map[K]int // number of changes under way that set the key
	fresh  int       // number of these keys that have no value yet
	expiry expiry[K]
	timer  *time.Timer // timer of the next key that expires; nil before the first
	saying int         // goroutines that say these deletes
	said   interleave.Cond
	closed bool
}

// NewState returns the state of a room, with at most maxKeys keys; 0 means
// DefaultMaxKeys. The error is that of the room.
func NewState[R, M, K comparable, V any](
	ctx context.Context, room Room[R, M, Change[K, V]], maxKeys int,
) (*State[K, V], error) {
	if maxKeys == 0 {
		maxKeys = DefaultMaxKeys
	}
	s := &State[K, V]{say: room.Say, room: room.key, maxKeys: maxKeys, values: make(map[K]Change[K, V])}
	s.expiry.index, s.coming = make(map[K]int), make(map[K]int)
	s.said.L = &s.mu
	l, err := room.hub.use(ctx, room.key)
	if err != nil {
		return nil, err
	}
	defer l.release()
	if room.hub.config.Compact == nil {
		return nil, &observable.ArgumentError{Func: "hub.NewState", Argument: "room", Problem: "is not of NewStates"}
	}
	var held []*Event[R, M, Change[K, V]]
	ready, offset := false, uint64(0)
	take := func(e *Event[R, M, Change[K, V]]) {
		switch {
		case e.Kind == Welcome && e.Recovery == TooOld:
			s.reset()
			offset = e.Position.Offset
		case e.Kind == Said && !e.Private && e.Position.Offset > offset:
			s.apply(e.Value)
		}
	}
	events := observable.AttachFunc[*Event[R, M, Change[K, V]]](
		func(sc *observable.Scope, down observable.Stage[*Event[R, M, Change[K, V]]]) {
			s.scope = sc
			observable.Attach(room.Events(), sc, down)
		})
	s.ctx, s.cancel = context.WithCancel(context.Background()) //nolint:gosec // Close calls it
	s.sub = events.Subscribe(context.Background(), observable.ObserverFuncs[*Event[R, M, Change[K, V]]]{
		OnNext: func(e *Event[R, M, Change[K, V]]) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if ready {
				take(e)
			} else {
				held = append(held, e)
			}
		},
	})
	snapshot, err := room.hub.broker.Snapshot(ctx, room.key, Position{})
	if err != nil {
		s.Close()
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range snapshot.Events {
		s.apply(e.Value)
	}
	ready, offset = true, snapshot.Position.Offset
	for _, e := range held {
		take(e)
	}
	held = nil
	return s, nil
}

// apply makes a change happen; mu is held.
func (s *State[K, V]) apply(c Change[K, V]) {
	s.expiry.remove(c.Key)
	defer s.recount(c.Key)()
	if c.Deleted {
		delete(s.values, c.Key)
		return
	}
	s.arrive(c.Key)
	s.values[c.Key] = c
	if !c.Expires.IsZero() {
		s.expiry.add(c.Key, c.Expires)
		s.schedule()
	}
}

// reset forgets all keys; mu is held.
func (s *State[K, V]) reset() {
	for key := range s.values {
		s.apply(Change[K, V]{Key: key, Deleted: true})
	}
}

// schedule sets the timer to the next key that expires; mu is held.
func (s *State[K, V]) schedule() {
	at, ok := s.expiry.next()
	switch {
	case !ok || s.closed:
	case s.timer == nil:
		s.timer = time.AfterFunc(time.Until(at), s.expire)
	default:
		s.timer.Reset(time.Until(at))
	}
}

// expireAgain is the time after which a delete that has failed is said again.
const expireAgain = 10 * time.Second

// expire deletes the keys that are over.
func (s *State[K, V]) expire() {
	var over []Change[K, V]
	s.mu.Lock()
	for {
		at, ok := s.expiry.next()
		if !ok || s.closed || time.Until(at) > 0 {
			break
		}
		key := s.expiry.keys[0].key
		s.expiry.remove(key)
		over = append(over, Change[K, V]{Key: key, Deleted: true, Expires: s.values[key].Expires})
	}
	s.schedule()
	s.saying++
	s.mu.Unlock()
	s.scope.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.saying--
			s.said.Broadcast()
		}()
		each.Call(over, s.sayOver)
	})
}

// sayOver says the delete of a key that is over.
func (s *State[K, V]) sayOver(c Change[K, V]) {
	err := s.ctx.Err()
	if err == nil {
		err = s.say(s.ctx, c)
	}
	if err != nil && s.ctx.Err() == nil && !errors.Is(err, ErrShutdown) {
		s.postpone(c)
		unheard(err)
	}
}

// postpone has a key deleted later, unless it has got another value or was deleted
// meanwhile.
func (s *State[K, V]) postpone(c Change[K, V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, has := s.values[c.Key]
	if _, waits := s.expiry.index[c.Key]; has && !waits && now.Expires.Equal(c.Expires) {
		s.expiry.add(c.Key, time.Now().Add(expireAgain))
		s.schedule()
	}
}

// reserve counts a change that sets a key, until it arrives. The error is the reason why
// the key may not have a value.
func (s *State[K, V]) reserve(key K) error {
	if !hashable(key) {
		return argument("State.Set", "key", notKey)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrStateClosed // this State would not hear of the change any more
	}
	if _, has := s.values[key]; !has && s.coming[key] == 0 && len(s.values)+s.fresh >= s.maxKeys {
		return ErrStateFull
	}
	defer s.recount(key)()
	s.coming[key]++
	return nil
}

// arrive undoes reserve, as the change happens now, or never will; mu is held. A change
// of another node was not counted.
func (s *State[K, V]) arrive(key K) {
	switch s.coming[key] {
	case 0:
	case 1:
		delete(s.coming, key)
	default:
		s.coming[key]--
	}
}

// recount keeps fresh right across a change of a key: from the call until that of the
// function that it returns; mu is held.
func (s *State[K, V]) recount(key K) (done func()) {
	count := func(d int) {
		if _, has := s.values[key]; !has && s.coming[key] > 0 {
			s.fresh += d
		}
	}
	count(-1)
	return func() { count(1) }
}

// Set gives a key a value, for all in the room. The error is that of [Room.Say], or
// ErrStateFull for a new key, or ErrStateClosed, or an [*observable.ArgumentError] for a
// value that cannot be a key. Keys that other nodes set are set all the same, and may
// exceed the bound of this one.
func (s *State[K, V]) Set(ctx context.Context, key K, value V) error {
	return s.set(ctx, Change[K, V]{Key: key, Value: value})
}

// SetFor is Set for a time, after which the key is deleted, unless it is set again. If
// the broker fails then, the delete is tried again after 10 seconds.
func (s *State[K, V]) SetFor(ctx context.Context, key K, value V, ttl time.Duration) error {
	return s.set(ctx, Change[K, V]{Key: key, Value: value, Expires: time.Now().Add(ttl).Round(0)})
}

func (s *State[K, V]) set(ctx context.Context, c Change[K, V]) error {
	if err := s.reserve(c.Key); err != nil {
		return &RoomError{s.room, err}
	}
	err := s.say(ctx, c)
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		defer s.recount(c.Key)()
		s.arrive(c.Key)
	}
	return err
}

// Delete deletes a key, for all in the room. A key that has no value stays so.
func (s *State[K, V]) Delete(ctx context.Context, key K) error {
	return s.say(ctx, Change[K, V]{Key: key, Deleted: true})
}

// Get returns the value of a key, and whether it has one.
func (s *State[K, V]) Get(key K) (value V, ok bool) {
	if !hashable(key) {
		return value, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.values[key]
	return c.Value, ok
}

// Map returns a copy of the map.
func (s *State[K, V]) Map() map[K]V {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[K]V, len(s.values))
	for key, c := range maps.All(s.values) {
		all[key] = c.Value
	}
	return all
}

// Close gives the room up. It deletes no key, and none expires any more: the context of a
// delete that is under way ends, and Close waits for it, unless an observer that hears of
// the delete calls Close. Get and Map still return the last values; Set and SetFor fail.
func (s *State[K, V]) Close() {
	s.cancel()
	s.mu.Lock()
	s.closed = true
	clear(s.coming) // changes under way do not arrive any more
	s.fresh = 0
	if s.timer != nil {
		s.timer.Stop()
	}
	for waits := true; waits && s.saying > 0; {
		waits = s.scope.Wait(&s.said)
	}
	s.mu.Unlock()
	s.sub.Unsubscribe()
}
