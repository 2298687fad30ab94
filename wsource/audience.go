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
	list  []*listener // replaced when it changes, so that the reader can walk it
	ended bool
	err   error // that it ended with; nil if it completed

	taken atomic.Bool   // the current message has reached somebody
	moved chan struct{} // holds a notice when a listener has come, has dealt with the message, or has left
}

// listener is one subscriber.
type listener struct {
	life  observable.Scope
	inlet *observable.Inlet[Message]
	owes  atomic.Bool // it was given a message and has not dealt with it
}

// attach adds a subscriber until sc closes, or gives it the end.
func (a *audience) attach(sc *observable.Scope, down observable.Stage[Message]) {
	l := new(listener)
	sc.Nest(&l.life)
	l.life.Finally(func() { a.remove(l) })
	l.inlet = observable.NewInlet(sc, observable.Stage[Message]{
		Next: func(m Message) {
			a.taken.Store(true)
			down.Next(m)
			l.owes.Store(false)
			a.notify()
		},
		Terminal: down.Terminal,
	})
	a.mu.Lock()
	ended, err := a.ended, a.err
	if !ended && l.life.Open() {
		a.list = append(slices.Clip(a.list), l)
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
	if i := slices.Index(a.list, l); i >= 0 {
		a.list = slices.Delete(slices.Clone(a.list), i, i+1)
	}
	a.mu.Unlock()
	a.notify()
}

// notify lets the reader look again at what it waits for.
func (a *audience) notify() {
	select {
	case a.moved <- struct{}{}:
	default: // it has not looked since the notice before
	}
}

// listeners returns those who are there.
func (a *audience) listeners() []*listener {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.list
}

func (a *audience) present() bool { return len(a.listeners()) > 0 }

// deliver hands a message to all and waits until each has dealt with it or left, or done is closed. It
// reports whether anybody took it.
func (a *audience) deliver(m Message, done <-chan struct{}) bool {
	a.taken.Store(false)
	list := a.listeners()
	for _, l := range list {
		l.owes.Store(true)
		l.inlet.Next(m)
	}
	for _, l := range list {
		for l.owes.Load() && l.life.Open() {
			select {
			case <-a.moved:
			case <-done:
				return true // nobody will
			}
		}
	}
	return a.taken.Load()
}

// end ends all subscribers, and those to come: with err, or completing them if it is nil.
func (a *audience) end(err error) {
	a.mu.Lock()
	list := a.list
	a.list, a.ended, a.err = nil, true, err
	a.mu.Unlock()
	for _, l := range list {
		if err != nil {
			l.inlet.Error(err)
		} else {
			l.inlet.Complete()
		}
	}
}
