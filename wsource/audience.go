package wsource

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
)

// audience is the subscribers of a socket. It differs from a [observable.Subject] in that a
// message counts as delivered when every subscriber has dealt with it, not when it is queued at one
// that is busy: what a subscriber leaves behind in its queue is not lost.
type audience struct {
	mu    sync.Mutex
	list  atomic.Pointer[[]*listener] // replaced under mu, so that the reader, who looks four times per message, takes no lock
	ended bool
	err   error // that it ended with; nil if it completed

	waiting atomic.Bool   // the reader waits, or is about to look whether it has to
	moved   chan struct{} // holds a notice when something has changed since
}

// listener is one subscriber.
type listener struct {
	life  observable.Scope
	inlet *observable.Emitter[Message]        // nil if it is one of Readers
	loan  *observable.Emitter[*MessageReader] // or else nil
	steps atomic.Uint32                     // two for each message: it has reached the subscriber, who has dealt with it
	from  uint32                            // steps before the current message; the reader's
}

// attach adds a subscriber until sc closes, or gives it the end.
func (a *audience) attach(sc *observable.Scope, down observable.Stage[Message]) {
	l := new(listener)
	l.inlet = ear(a, l, sc, down)
	a.add(l, sc, down.Terminal, false)
}

// attachReader adds the one subscriber that reads messages as they arrive, unless the messages go elsewhere.
func (a *audience) attachReader(sc *observable.Scope, down observable.Stage[*MessageReader], taken bool) {
	l := new(listener)
	l.loan = ear(a, l, sc, down)
	a.add(l, sc, down.Terminal, taken)
}

// ear returns what a listener hears messages with, of either form.
func ear[T any](a *audience, l *listener, sc *observable.Scope, down observable.Stage[T]) *observable.Emitter[T] {
	return observable.NewEmitter(sc, observable.Stage[T]{
		Next: func(m T) {
			l.steps.Add(1)
			down.Next(m)
			l.steps.Add(1)
			a.notify()
		},
		Terminal: down.Terminal,
	})
}

// add adds a listener until sc closes, or gives it the end, or ErrSubscribed if it cannot be beside those there are.
func (a *audience) add(l *listener, sc *observable.Scope, down observable.Terminal, taken bool) {
	sc.Nest(&l.life)
	l.life.Finally(func() { a.remove(l) })
	a.mu.Lock()
	ended, err := a.ended, a.err
	list := a.listeners()
	if taken = taken || len(list) > 0 && (l.loan != nil || list[0].loan != nil); taken && !ended {
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
	return len(list) > 0 && list[0].loan != nil, len(list) > 0
}

// deliver hands a message to all and waits until each has dealt with it or left, or done is closed. It
// reports whether anybody took it.
func (a *audience) deliver(m Message, done <-chan struct{}) bool {
	list := a.listeners()
	for _, l := range list {
		if l.inlet == nil {
			return false // it has just come
		}
		l.from = l.steps.Load()
		l.inlet.Next(m)
	}
	return a.settle(list, done)
}

// lend is deliver for the one who reads messages as they arrive.
func (a *audience) lend(m *MessageReader, done <-chan struct{}) bool {
	list := a.listeners()
	if len(list) == 0 || list[0].loan == nil {
		return false
	}
	list[0].from = list[0].steps.Load()
	list[0].loan.Next(m)
	return a.settle(list, done)
}

// settle waits until those in the list have dealt with a message, and reports whether anybody took it.
func (a *audience) settle(list []*listener, done <-chan struct{}) (taken bool) {
	for _, l := range list {
		if !l.settled() { // it is busy, as few are
			if a.await(l.settled, done); !l.settled() {
				return true // nobody will
			}
		}
		taken = taken || l.steps.Load() != l.from
	}
	return taken
}

// settled reports whether the listener has dealt with the message it was given, or has left.
func (l *listener) settled() bool { return l.steps.Load() == l.from+2 || !l.life.Open() }

// end ends all subscribers, and those to come: with err, or completing them if it is nil.
func (a *audience) end(err error) {
	a.mu.Lock()
	list := a.listeners()
	a.ended, a.err = true, err
	a.list.Store(nil)
	a.mu.Unlock()
	for _, l := range list {
		var down observable.Terminal = l.inlet
		if l.loan != nil {
			down = l.loan
		}
		if err != nil {
			down.Error(err)
		} else {
			down.Complete()
		}
	}
}
