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
	"github.com/rxsocket/rxsocket/wsource/internal/handling"
)

var (
	// ErrSubscribed is returned to a subscriber that the socket's current subscribers
	// exclude: a [Socket] has one subscriber of [Socket.Readers] at a time, and none
	// beside subscribers of messages, a [Subject] among them.
	ErrSubscribed = errors.New("the socket's messages go to another subscriber")
	// ErrReaderOver is the error of a [MessageReader] after its callback has returned.
	ErrReaderOver = conn.ErrReaderOver
)

// Subscribe adds observer to the socket's subscribers: see [Socket] for the values that
// it gets, and [observable.Observable] for ctx, which does not bound the connection.
func (s *Socket) Subscribe(ctx context.Context, observer observable.Observer[Message]) observable.Subscription {
	return observable.Subscribe(ctx, s, observer)
}

// AttachTo adds a stage to the socket's subscribers (see [observable.Attacher]).
func (s *Socket) AttachTo(sc *observable.Scope, down observable.Stage[Message]) {
	s.subscribers.attach(s, sc, down, false)
}

// Borrowed returns the socket's messages for a subscriber that handles each message at
// once: their data is the connection's memory, which is used again when the subscriber's
// Next has returned. So a message is neither allocated nor copied. The stream completes
// and fails as the socket does, and in all else its subscribers are subscribers of the
// socket.
//
// The messages are borrowed, as a [BorrowedMessage] is: a socket may send them back or
// pass them on, and an operator that only transforms them is safe. Put operators.Map with
// [Message.Owned] before an operator that holds values back, repeats them or hands them
// to another goroutine, as Buffer, Delay, Share or ObserveOn do.
//
//	socket.Borrowed().Subscribe(ctx, socket) // an echo
func (s *Socket) Borrowed() observable.Observable[Message] {
	return observable.AttachFunc[Message](func(sc *observable.Scope, down observable.Stage[Message]) {
		s.subscribers.attach(s, sc, down, true)
	})
}

// Readers returns the socket's messages as readers: each reads a message while it
// arrives, so that a large message is never held whole.
//
//	uploads.Readers().Subscribe(ctx, observable.ObserverFuncs[*wsource.MessageReader]{
//		OnNext: func(m *wsource.MessageReader) { _, err = io.Copy(file, m) },
//	})
//
// The stream is as hot as the socket, ends as it does, and keeps messages for the next
// subscriber in the same way. It has one subscriber at a time, as a message is read once,
// and none beside subscribers of the socket itself: a second subscriber gets
// [ErrSubscribed], until the subscription before is Done.
//
// The subscriber's own reading reads the connection; only the rest of a message that it
// leaves is read and dropped for it. While the subscriber does something else, the
// reading is paused; while it waits in Read, the heartbeat judges the peer.
//
// A message may have StreamLimit bytes, see [DialOptions]. If StreamLimit is set, a
// message that begins while nobody is subscribed waits with no more than its beginning
// read. If it is not set, ReadLimit bounds messages in either form, and a message that
// comes while nobody is subscribed is read whole.
//
// In a browser (js/wasm) a message is whole when its reader comes.
//
// The reader belongs to the callback, and is over when the callback returns. So an
// operator that holds values back or hands them to another goroutine must stand behind an
// operator that reads them, as operators.TryMap can.
func (s *Socket) Readers() observable.Observable[*MessageReader] {
	return observable.AttachFunc[*MessageReader](func(sc *observable.Scope, down observable.Stage[*MessageReader]) {
		s.subscribers.attachReader(s, sc, down, s.conn.Receives())
	})
}

// subscribers are the subscribers of a socket. Other than with an [observable.Subject], a
// message counts as delivered when every subscriber has handled it, not when it is queued
// at a busy one: a message that no subscriber gets is not lost.
type subscribers struct {
	mu    sync.Mutex
	list  atomic.Pointer[[]*subscriber] // replaced under mu; the reader takes no lock
	ended bool
	err   error // the error of the end; nil if it completed

	waiting atomic.Bool // the reader waits, or is about to check whether it has to
	// moved holds a notice when subscribers have come or gone since the last check. The
	// first wait makes it.
	moved chan struct{}
}

// subscriber is one subscriber.
type subscriber struct {
	life     observable.Scope
	messages *observable.Emitter[Message]        // nil for a subscriber of Readers
	borrows  bool                                // a subscriber of Borrowed
	readers  *observable.Emitter[*MessageReader] // otherwise nil
}

// attach adds a subscriber of a socket until sc closes, or gives it the end. A subscriber
// that borrows does not own the messages' data.
func (s *subscribers) attach(of *Socket, sc *observable.Scope, down observable.Stage[Message], borrows bool) {
	s.add(of, &subscriber{messages: observable.NewEmitter(sc, down), borrows: borrows}, sc, down.Terminal, false)
}

// attachReader adds the single subscriber that reads messages as they arrive, unless
// taken says that the messages go elsewhere.
func (s *subscribers) attachReader(
	of *Socket, sc *observable.Scope, down observable.Stage[*MessageReader], taken bool,
) {
	s.add(of, &subscriber{readers: observable.NewEmitter(sc, down)}, sc, down.Terminal, taken)
}

// add adds a subscriber until sc closes, or gives it the end, or ErrSubscribed if the
// current subscribers exclude it.
func (s *subscribers) add(
	of *Socket, l *subscriber, sc *observable.Scope, down observable.Terminal, taken bool,
) {
	handling.Hold(sc, of)
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

// notify makes the waiting reader check its condition again. Callers call it after their
// change is visible. It costs one load while the reader does not wait, as for nearly
// every message.
func (s *subscribers) notify() {
	if !s.waiting.Load() {
		return // it sees the change when it checks
	}
	select {
	case s.moved <- struct{}{}:
	default: // it has not checked since the notice before
	}
}

// await returns when ready reports true, or done is closed. Only the one reader waits.
func (s *subscribers) await(ready func() bool, done <-chan struct{}) {
	if s.moved == nil {
		s.moved = make(chan struct{}, 1)
	}
	s.waiting.Store(true) // before the check, so that every later change notifies
	defer s.waiting.Store(false)
	for !ready() {
		select {
		case <-s.moved:
		case <-done:
			return
		}
	}
}

// current returns the list of the current subscribers.
func (s *subscribers) current() []*subscriber {
	if list := s.list.Load(); list != nil {
		return *list
	}
	return nil
}

// demand returns the form in which the subscribers want a message.
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

// deliver hands a message to all subscribers, one after the other, and returns when each
// has handled it or left. It reports whether any subscriber took it.
func (s *subscribers) deliver(m Message) (taken bool) {
	list := s.current()
	switch {
	case len(list) == 0:
		return false
	case list[0].messages == nil: // a subscriber of Readers has just come
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

// lend is deliver for the subscriber of Readers.
func (s *subscribers) lend(m *MessageReader) (taken bool) {
	list := s.current()
	return len(list) > 0 && list[0].readers != nil && list[0].readers.Deliver(m)
}

// end ends all subscribers, and all later ones: with err, or with completion if err is
// nil.
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
