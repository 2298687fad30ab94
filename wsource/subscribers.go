package wsource

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

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
