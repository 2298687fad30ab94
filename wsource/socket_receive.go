package wsource

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

var (
	// ErrSubscribed is what a subscriber of a [Socket] gets that may not be beside those it has: of [Socket.Readers]
	// there is one at a time, and none beside those of messages, a [Subject] among them.
	ErrSubscribed = errors.New("the socket's messages go to another subscriber")
	// ErrReaderOver is what a [MessageReader] returns after the callback that it was given to.
	ErrReaderOver = conn.ErrReaderOver
)

// Subscribe adds observer to the socket's subscribers: see [Socket] for what it gets, and
// [observable.Observable] for ctx, which does not bound the connection.
func (s *Socket) Subscribe(ctx context.Context, observer observable.Observer[Message]) observable.Subscription {
	return observable.Subscribe(ctx, s, observer)
}

// AttachTo adds a stage to the socket's subscribers (see [observable.Attacher]).
func (s *Socket) AttachTo(sc *observable.Scope, down observable.Stage[Message]) {
	s.subscribers.attach(s, sc, down, false)
}

// Borrowed is the other face of the socket for who deals with each message at once: the
// same messages, as [Socket] says, but their data is the connection's memory, which is used
// again when the subscriber's Next has returned. So a message is neither allocated nor
// copied. It completes and fails as the socket does, and its subscribers are those of the
// socket in all else.
//
// What comes is borrowed, as a [BorrowedMessage] is: a socket that sends it back or passes it
// on is safe, and an operator that only transforms is. Before one that holds values back,
// repeats them or hands them to another goroutine, as Buffer, Delay, Share or ObserveOn,
// goes operators.Map with [Message.Owned].
//
//	socket.Borrowed().Subscribe(ctx, socket) // an echo
func (s *Socket) Borrowed() observable.Observable[Message] {
	return observable.AttachFunc[Message](func(sc *observable.Scope, down observable.Stage[Message]) {
		s.subscribers.attach(s, sc, down, true)
	})
}

// Readers is the other face of what arrives: each message as a reader of it while it arrives, so that a large one
// is never held whole.
//
//	uploads.Readers().Subscribe(ctx, observable.ObserverFuncs[*wsource.MessageReader]{
//		OnNext: func(m *wsource.MessageReader) { _, err = io.Copy(file, m) },
//	})
//
// It is as hot as the socket, ends as it does, and keeps what arrives for the next subscriber in the same way. It has
// one subscriber at a time, as a message is read once, and none beside those of the socket itself: who comes second
// gets [ErrSubscribed], until the subscription before is Done.
//
// Nothing is read from the connection but what the subscriber reads, save for the rest of a message that it leaves,
// which is read and dropped. While the subscriber does something else, the reading is paused; while it waits in Read,
// the heartbeat judges the peer.
//
// A message may have StreamLimit bytes, see [DialOptions]. If that is set, a message that begins while nobody is
// subscribed waits with no more than its beginning read. If it is not set, ReadLimit bounds messages of either face, and
// one that comes while nobody is subscribed is read whole.
//
// In a browser (js/wasm) a message is whole when its reader comes.
//
// The reader belongs to the callback, and is over when that returns. So an operator that holds values back or
// hands them to another goroutine has to be put behind one that reads them, as operators.TryMap can.
func (s *Socket) Readers() observable.Observable[*MessageReader] {
	return observable.AttachFunc[*MessageReader](func(sc *observable.Scope, down observable.Stage[*MessageReader]) {
		s.subscribers.attachReader(s, sc, down, s.conn.Receives())
	})
}

// subscribers are those of a socket. They differ from an [observable.Subject] in that a
// message counts as delivered when every subscriber has dealt with it, not when it is queued at
// one that is busy: what no subscriber gets is not lost.
type subscribers struct {
	mu    sync.Mutex
	list  atomic.Pointer[[]*subscriber] // replaced under mu, so that the reader takes no lock
	ended bool
	err   error // that it ended with; nil if it completed

	waiting atomic.Bool   // the reader waits, or is about to look whether it has to
	moved   chan struct{} // holds a notice when subscribers have come or gone since; made by who waits first
}

// subscriber is one subscriber.
type subscriber struct {
	life     observable.Scope
	messages *observable.Emitter[Message]        // nil if it is one of Readers
	borrows  bool                                // it is one of Borrowed
	readers  *observable.Emitter[*MessageReader] // or else nil
}

// attach adds a subscriber of a socket until sc closes, or gives it the end. One that borrows does
// without owning the messages' data.
func (s *subscribers) attach(of *Socket, sc *observable.Scope, down observable.Stage[Message], borrows bool) {
	s.add(of, &subscriber{messages: observable.NewEmitter(sc, down), borrows: borrows}, sc, down.Terminal, false)
}

// attachReader adds the one subscriber that reads messages as they arrive, unless the messages go elsewhere.
func (s *subscribers) attachReader(
	of *Socket, sc *observable.Scope, down observable.Stage[*MessageReader], taken bool,
) {
	s.add(of, &subscriber{readers: observable.NewEmitter(sc, down)}, sc, down.Terminal, taken)
}

// add adds a subscriber until sc closes, or gives it the end, or ErrSubscribed if it cannot be beside those there are.
func (s *subscribers) add(
	of *Socket, l *subscriber, sc *observable.Scope, down observable.Terminal, taken bool,
) {
	sc.Nest(&l.life)
	l.life.Finally(func() {
		s.remove(l)
		of.subscriberLeft(sc)
	})
	s.mu.Lock()
	ended, err := s.ended, s.err
	list := s.current()
	if taken = taken || len(list) > 0 && (l.readers != nil || list[0].readers != nil); taken && !ended {
		ended, err = true, ErrSubscribed
	}
	if !ended && l.life.Open() {
		list = append(slices.Clip(list), l)
		s.list.Store(&list)
	}
	s.mu.Unlock()
	s.notify()
	switch {
	case !ended || !sc.Open():
	case err != nil:
		down.Error(err)
	default:
		down.Complete()
	}
}

func (s *subscribers) remove(l *subscriber) {
	s.mu.Lock()
	list := s.current()
	if i := slices.Index(list, l); i >= 0 {
		list = slices.Delete(slices.Clone(list), i, i+1)
		s.list.Store(&list)
	}
	s.mu.Unlock()
	s.notify()
}

// notify lets the reader look again at what it waits for. It is called after what has changed can be seen, and
// costs a look while the reader does not wait, as for nearly every message.
func (s *subscribers) notify() {
	if !s.waiting.Load() {
		return // it will see what has changed when it looks
	}
	select {
	case s.moved <- struct{}{}:
	default: // it has not looked since the notice before
	}
}

// await returns when ready reports true, or done is closed. There is one reader who waits.
func (s *subscribers) await(ready func() bool, done <-chan struct{}) {
	if s.moved == nil {
		s.moved = make(chan struct{}, 1)
	}
	s.waiting.Store(true) // before it looks, so that what changes from now on is told
	defer s.waiting.Store(false)
	for !ready() {
		select {
		case <-s.moved:
		case <-done:
			return
		}
	}
}

// current returns those who are there.
func (s *subscribers) current() []*subscriber {
	if list := s.list.Load(); list != nil {
		return *list
	}
	return nil
}

// demand reports in what form a message is wanted.
func (s *subscribers) demand() conn.Demand { return demandOf(s.current()) }

func demandOf(list []*subscriber) conn.Demand {
	switch {
	case len(list) == 0:
		return conn.DemandNone
	case list[0].readers != nil:
		return conn.DemandReader
	}
	for _, l := range list {
		if !l.borrows {
			return conn.DemandOwned
		}
	}
	return conn.DemandBorrowed
}

// deliver hands a message to all subscribers, one after the other, and returns when each has
// dealt with it or left. It reports whether anybody took it.
func (s *subscribers) deliver(m Message) (taken bool) {
	list := s.current()
	switch {
	case len(list) == 0:
		return false
	case list[0].messages == nil: // it reads messages as they arrive, and has just come
		return false
	case demandOf(list) == conn.DemandOwned:
		m = m.Owned()
	}
	if len(list) == 1 {
		return list[0].messages.Deliver(m)
	}
	each.Call(list, func(l *subscriber) { taken = l.messages.Deliver(m) || taken })
	return taken
}

// lend is deliver for the one who reads messages as they arrive.
func (s *subscribers) lend(m *MessageReader) (taken bool) {
	list := s.current()
	return len(list) > 0 && list[0].readers != nil && list[0].readers.Deliver(m)
}

// end ends all subscribers, and those to come: with err, or completing them if it is nil.
func (s *subscribers) end(err error) {
	s.mu.Lock()
	list := s.current()
	s.ended, s.err = true, err
	s.list.Store(nil)
	s.mu.Unlock()
	each.Call(list, func(l *subscriber) {
		var down observable.Terminal = l.messages
		if l.readers != nil {
			down = l.readers
		}
		if err != nil {
			down.Error(err)
		} else {
			down.Complete()
		}
	})
}
