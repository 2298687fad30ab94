package wsource

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
)

// audience is the subscribers of a socket. It differs from a [observable.Subject] in that a
// message counts as delivered when every subscriber has dealt with it, not when it is queued at
// one that is busy: what no subscriber gets is not lost.
type audience struct {
	mu    sync.Mutex
	list  atomic.Pointer[[]*listener] // replaced under mu, so that the reader takes no lock
	ended bool
	err   error // that it ended with; nil if it completed

	waiting atomic.Bool   // the reader waits, or is about to look whether it has to
	moved   chan struct{} // holds a notice when subscribers have come or gone since
}

// listener is one subscriber.
type listener struct {
	life     observable.Scope
	messages *observable.Emitter[Message]        // nil if it is one of Readers
	readers  *observable.Emitter[*MessageReader] // or else nil
}

// attach adds a subscriber until sc closes, or gives it the end.
func (a *audience) attach(sc *observable.Scope, down observable.Stage[Message]) {
	a.add(&listener{messages: observable.NewEmitter(sc, down)}, sc, down.Terminal, false)
}

// attachReader adds the one subscriber that reads messages as they arrive, unless the messages go elsewhere.
func (a *audience) attachReader(sc *observable.Scope, down observable.Stage[*MessageReader], taken bool) {
	a.add(&listener{readers: observable.NewEmitter(sc, down)}, sc, down.Terminal, taken)
}

// add adds a listener until sc closes, or gives it the end, or ErrSubscribed if it cannot be beside those there are.
func (a *audience) add(l *listener, sc *observable.Scope, down observable.Terminal, taken bool) {
	sc.Nest(&l.life)
	l.life.Finally(func() { a.remove(l) })
	a.mu.Lock()
	ended, err := a.ended, a.err
	list := a.listeners()
	if taken = taken || len(list) > 0 && (l.readers != nil || list[0].readers != nil); taken && !ended {
		ended, err = true, ErrSubscribed
	}
	if !ended && l.life.Open() {
		list = append(slices.Clip(list), l)
		a.list.Store(&list)
	}
	a.mu.Unlock()
	a.notify()
	switch {
	case !ended || !sc.Open():
	case err != nil:
		down.Error(err)
	default:
		down.Complete()
	}
}

func (a *audience) remove(l *listener) {
	a.mu.Lock()
	list := a.listeners()
	if i := slices.Index(list, l); i >= 0 {
		list = slices.Delete(slices.Clone(list), i, i+1)
		a.list.Store(&list)
	}
	a.mu.Unlock()
	a.notify()
}

// notify lets the reader look again at what it waits for. It is called after what has changed can be seen, and
// costs a look while the reader does not wait, as for nearly every message.
func (a *audience) notify() {
	if !a.waiting.Load() {
		return // it will see what has changed when it looks
	}
	select {
	case a.moved <- struct{}{}:
	default: // it has not looked since the notice before
	}
}

// await returns when ready reports true, or done is closed. There is one reader who waits.
func (a *audience) await(ready func() bool, done <-chan struct{}) {
	a.waiting.Store(true) // before it looks, so that what changes from now on is told
	defer a.waiting.Store(false)
	for !ready() {
		select {
		case <-a.moved:
		case <-done:
			return
		}
	}
}

// listeners returns those who are there.
func (a *audience) listeners() []*listener {
	if list := a.list.Load(); list != nil {
		return *list
	}
	return nil
}

func (a *audience) present() bool { return len(a.listeners()) > 0 }

// kind reports whether there is somebody, and whether that is one who reads messages as they arrive.
func (a *audience) kind() (readers, present bool) {
	list := a.listeners()
	return len(list) > 0 && list[0].readers != nil, len(list) > 0
}

// deliver hands a message to all subscribers, one after the other, and returns when each has
// dealt with it or left. It reports whether anybody took it.
func (a *audience) deliver(m Message) (taken bool) {
	for _, l := range a.listeners() {
		if l.messages == nil {
			return false // it has just come
		}
		taken = l.messages.Deliver(m) || taken
	}
	return taken
}

// lend is deliver for the one who reads messages as they arrive.
func (a *audience) lend(m *MessageReader) (taken bool) {
	list := a.listeners()
	return len(list) > 0 && list[0].readers != nil && list[0].readers.Deliver(m)
}

// end ends all subscribers, and those to come: with err, or completing them if it is nil.
func (a *audience) end(err error) {
	a.mu.Lock()
	list := a.listeners()
	a.ended, a.err = true, err
	a.list.Store(nil)
	a.mu.Unlock()
	for _, l := range list {
		var down observable.Terminal = l.messages
		if l.readers != nil {
			down = l.readers
		}
		if err != nil {
			down.Error(err)
		} else {
			down.Complete()
		}
	}
}
