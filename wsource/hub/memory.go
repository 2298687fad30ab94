package hub

import (
	"context"
	"crypto/rand"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// memory is the [Broker] of one process.
type memory[K, M comparable, T any] struct {
	hub    *Hub[K, M, T] // encodes the events that are kept
	coming tally         // events that are not handled yet

	mu     interleave.Mutex
	topics map[K]*topic[K, M, T]
}

// topic is a room in a memory.
type topic[K, M comparable, T any] struct {
	broker *memory[K, M, T]
	room   K
	uses   int         // subscribers and calls in progress; guarded by the broker's mu
	forget *time.Timer // forgets the topic when it keeps no event any more; likewise

	in   observable.Subject[struct{}] // emits once for each event in the queue, serially
	work observable.Subscription      // handles an event; guarded by the broker's mu

	mu       interleave.Mutex
	queue    []*Event[K, M, T] // events to come, in their order
	position Position
	revision uint64
	past     past[K, M, T]
	members  map[M]*present
	entered  []M // members in the order of entering
	subs     []*func(*Event[K, M, T])
}

// present is a member that is present.
type present struct {
	nodes int // number of nodes that it is on
	meta  any
}

// use returns the topic of a room, which stays until release.
func (b *memory[K, M, T]) use(room K) (*topic[K, M, T], error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.topics[room]
	if t == nil {
		if len(b.topics) >= b.hub.config.MaxRooms {
			return nil, &RoomError{room, ErrTooManyRooms}
		}
		t = &topic[K, M, T]{broker: b, room: room, members: make(map[M]*present)}
		t.position.Epoch = rand.Text()[:10]
		t.past.bounds, t.past.compacts = b.hub.config.History.withDefaults(), b.hub.config.Compact != nil
		t.begin()
		if b.topics == nil {
			b.topics = make(map[K]*topic[K, M, T])
		}
		b.topics[room] = t
	}
	t.uses++
	if t.forget != nil {
		t.forget.Stop()
		t.forget = nil
	}
	return t, nil
}

// release ends a use. A topic that keeps no event is then forgotten.
func (t *topic[K, M, T]) release() {
	b := t.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.uses--; t.uses > 0 {
		return
	}
	if left := t.keeps(); left > 0 {
		t.forget = time.AfterFunc(left, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			if t.uses == 0 && b.topics[t.room] == t && t.keeps() <= 0 {
				t.end()
			}
		})
		return
	}
	t.end()
}

// end forgets the topic; the broker's mu is held.
func (t *topic[K, M, T]) end() {
	delete(t.broker.topics, t.room)
	t.work.Unsubscribe()
}

// keeps returns how long the topic still has to keep an event.
func (t *topic[K, M, T]) keeps() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.past.events.Back()
	if last == nil || t.past.compacts {
		return 0
	}
	return t.past.bounds.Age - time.Since(event[K, M, T](last).At)
}

// begin has events handled from now on; the broker's mu is held.
func (t *topic[K, M, T]) begin() {
	t.work = t.in.Subscribe(context.Background(), observable.ObserverFuncs[struct{}]{
		OnNext: func(struct{}) { t.handle() },
		OnError: func(err error) {
			defer unheard(&RoomError{t.room, err})
			t.goOn()
		},
	})
}

// goOn begins anew after code of a user has panicked, or has ended the goroutine that was
// handling an event.
func (t *topic[K, M, T]) goOn() {
	b := t.broker
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.topics[t.room] != t {
		return
	}
	t.begin()
	t.mu.Lock()
	defer t.mu.Unlock()
	if turns := len(t.queue); turns > 0 { // the emissions for these events are lost
		go func() {
			for range turns {
				t.in.Next(struct{}{})
			}
		}()
	}
}

// emit puts an event of a room in its place. The topic stays until the event is handled.
func (b *memory[K, M, T]) emit(e *Event[K, M, T]) error {
	t, err := b.use(e.Room)
	if err != nil {
		return err
	}
	b.coming.add()
	t.mu.Lock()
	t.queue = append(t.queue, e)
	t.mu.Unlock()
	t.in.Next(struct{}{})
	return nil
}

func (b *memory[K, M, T]) Publish(_ context.Context, e *Event[K, M, T]) error {
	if err := b.hub.compact(e); err != nil {
		return err
	}
	return b.emit(e)
}

func (b *memory[K, M, T]) Enter(_ context.Context, room K, member M, meta any) error {
	return b.emit(&Event[K, M, T]{Kind: Entered, Room: room, Member: member, Meta: meta})
}

func (b *memory[K, M, T]) Change(_ context.Context, room K, member M, meta any) error {
	return b.emit(&Event[K, M, T]{Kind: Changed, Room: room, Member: member, Meta: meta})
}

func (b *memory[K, M, T]) Leave(_ context.Context, room K, member M) error {
	return b.emit(&Event[K, M, T]{Kind: Left, Room: room, Member: member})
}

func (b *memory[K, M, T]) Subscribe(
	_ context.Context, room K, deliver func(*Event[K, M, T]),
) (stop func(), err error) {
	t, err := b.use(room)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.subs = append(slices.Clip(t.subs), &deliver)
	t.mu.Unlock()
	return sync.OnceFunc(func() {
		t.mu.Lock()
		i := slices.Index(t.subs, &deliver)
		t.subs = slices.Delete(slices.Clone(t.subs), i, i+1)
		t.mu.Unlock()
		t.release()
	}), nil
}

func (b *memory[K, M, T]) Snapshot(_ context.Context, room K, since Position) (Snapshot[K, M, T], error) {
	t, err := b.use(room)
	if err != nil {
		return Snapshot[K, M, T]{}, err
	}
	defer t.release()
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.past.snapshot(since, t.position)
	s.Revision = t.revision
	for _, key := range t.entered {
		s.Members = append(s.Members, Member[M]{key, t.members[key].meta})
	}
	return s, nil
}

// handle makes the next event happen. Calls are serial. It holds no lock while code of a
// user runs, and defers the rest behind that code, which may panic or end the goroutine.
func (t *topic[K, M, T]) handle() {
	e := t.next()
	if e == nil { // an emission that seemed to be lost has handled it
		return
	}
	defer t.broker.coming.done()
	defer t.release()
	if t.applies(e) && t.place(e) {
		defer t.tell(e)
		t.broker.hub.prepare(e)
	}
}

// next takes an event out of the queue, and returns nil if there is none.
func (t *topic[K, M, T]) next() *Event[K, M, T] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.queue) == 0 {
		return nil
	}
	e := t.queue[0]
	t.queue[0] = nil
	if t.queue = t.queue[1:]; len(t.queue) == 0 {
		t.queue = nil
	}
	return e
}

// keeps reports whether an event has a place in the order of events said to all.
func (e *Event[K, M, T]) keeps() bool { return e.Kind == Said && !e.Private }

// applies reports whether an event still is to happen, after the last one with its key. A
// key without a value cannot be deleted.
func (t *topic[K, M, T]) applies(e *Event[K, M, T]) bool {
	if !e.keeps() || !t.past.compacts {
		return true
	}
	t.mu.Lock()
	before := t.past.last(e)
	t.mu.Unlock()
	if before == nil || before.deletes {
		return !e.deletes
	}
	applies := t.broker.hub.config.Applies
	return applies == nil || applies(before.Value, e.Value)
}

// place gives an event its place, and reports whether it changes anything.
func (t *topic[K, M, T]) place(e *Event[K, M, T]) (happens bool) {
	e.At = time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	happens = e.Kind == Said || t.count(e)
	e.Position, e.Revision = t.position, t.revision
	if e.keeps() {
		e.Position.Offset++
	}
	return happens
}

// tell keeps an event, as far as the bounds allow, and delivers it.
func (t *topic[K, M, T]) tell(e *Event[K, M, T]) {
	t.mu.Lock()
	t.position = e.Position
	switch {
	case e.keeps() && (t.past.bounds.Count > 0 || t.past.compacts):
		t.past.prune()
		t.past.add(e)
	case e.keeps():
		t.past.floor = e.Position.Offset
	}
	subs := t.subs
	t.mu.Unlock()
	each.Call(subs, func(deliver *func(*Event[K, M, T])) { (*deliver)(e) })
}

// count counts a member in or out, and reports whether the others are to hear of it; mu
// is held.
func (t *topic[K, M, T]) count(e *Event[K, M, T]) bool {
	p := t.members[e.Member]
	switch {
	case e.Kind == Entered && p == nil:
		t.members[e.Member] = &present{1, e.Meta}
		t.entered = append(t.entered, e.Member)
	case p == nil:
		return false
	case e.Kind == Left:
		if p.nodes--; p.nodes > 0 {
			return false
		}
		delete(t.members, e.Member)
		i := slices.Index(t.entered, e.Member)
		t.entered = slices.Delete(t.entered, i, i+1)
	default:
		if e.Kind == Entered {
			p.nodes++
			e.Kind = Changed
		}
		if e.Meta == nil || reflect.DeepEqual(p.meta, e.Meta) {
			return false
		}
		p.meta = e.Meta
	}
	t.revision++
	return true
}
