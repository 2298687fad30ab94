package wsource

import (
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
)

// heldFor is how long a socket that no subscriber got waits for the next one.
const heldFor = 5 * time.Second

// connections is a server's observable of sockets. It differs from a [observable.Subject] in that
// a socket which no subscriber got is the next subscriber's.
type connections struct {
	mu          sync.Mutex // guards what follows; never held while a subscriber is called
	subscribers []*observable.Emitter[*Socket]
	queue       []*Socket // sockets that no subscriber has got yet, in their order
	delivering  bool      // a goroutine delivers what is in the queue
	ended       bool
}

// Connections returns the observable of the sockets as they are accepted. It is hot, never fails and
// completes with [Server.Shutdown]. A subscriber gets each socket before any message of it is lost, since a
// socket keeps its messages for its first subscriber. It gets them one after the other and should not take
// long over one: [Server.Handle] and [Server.Answer] do each on a goroutine of its own. A socket that is over before its
// turn comes is left out. A subscriber that
// panics over one stays subscribed, and what its operators do with a panic does not happen: the socket is closed with
// [StatusInternalError], the Hook is told with [EventFailed], and [observable.OnUnhandled]. One that ends its
// goroutine (runtime.Goexit) over one has ended, with [observable.ErrGoexit]: that socket is closed in the same way, and
// those behind it are the next subscriber's.
//
// An operator that does something for each socket, as operators.MergeMap and operators.TryMap do, goes on when that fails
// for one: the failure is the socket's alone ([Socket.FailAlone]). Behind an operator that makes something else of the
// sockets, a failure is the stream's, as everywhere: then nobody is subscribed any more, and what was accepted
// before stays open, unread.
//
// With no subscriber, handshakes are refused with 503. A socket that was being accepted when the last
// subscriber left waits for the next one for 5 seconds, and is then closed with
// [StatusTryAgainLater]. A socket that a subscriber has got is its own, and stays when it leaves.
func (s *Server) Connections() observable.Observable[*Socket] {
	c := &s.connections
	return observable.AttachFunc[*Socket](func(sc *observable.Scope, down observable.Stage[*Socket]) {
		out := observable.NewEmitter(sc, s.guarded(down))
		c.mu.Lock()
		ended := c.ended
		if !ended {
			c.subscribers = append(slices.Clip(c.subscribers), out)
		}
		waiting := len(c.queue) > 0
		c.mu.Unlock()
		if ended {
			down.Complete()
			return
		}
		s.signalReady()
		sc.OnClose(func() { c.leave(out) })
		if waiting {
			go c.deliver()
		}
	})
}

// guarded returns the stage before down that makes a panic over one socket that socket's failure.
func (s *Server) guarded(down observable.Stage[*Socket]) observable.Stage[*Socket] {
	next := down.Next
	down.Next = func(socket *Socket) {
		returned := false
		defer func() {
			if returned {
				return
			}
			if v := recover(); v != nil {
				socket.failed(&observable.PanicError{Value: v, Stack: debug.Stack()}, s)
			} else { // the subscription has failed, too, and tells it
				socket.closeFailed(observable.ErrGoexit)
			}
		}()
		next(socket)
		returned = true
	}
	return down
}

func (c *connections) leave(out *observable.Emitter[*Socket]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.subscribers, out); i >= 0 {
		c.subscribers = slices.Delete(slices.Clone(c.subscribers), i, i+1)
	}
}

// observed reports whether there is a subscriber.
func (c *connections) observed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.subscribers) > 0
}

// offer gives socket to the subscribers after those that came before it.
func (c *connections) offer(socket *Socket) {
	c.mu.Lock()
	c.queue = append(c.queue, socket)
	c.mu.Unlock()
	c.deliver()
	if socket.State() == Closed { // and so it was withdrawn too early, or will be
		c.withdraw(socket)
	}
}

// withdraw takes a socket back that no subscriber has got yet, and reports whether it could. One that is over would
// else wait without counting for MaxConnections.
func (c *connections) withdraw(socket *Socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.queue, socket)
	if i < 0 || i == 0 && c.delivering {
		return false
	}
	c.queue = slices.Delete(c.queue, i, i+1)
	return true
}

// deliver gives what is in the queue to the subscribers, unless another goroutine does. A socket
// that nobody gets is held for a while.
func (c *connections) deliver() {
	if socket, to := c.next(); socket != nil {
		c.deliverTo(socket, to, false)
	}
}

// deliverTo gives a socket to those subscribers, and then the next ones in the queue to theirs. Taken
// says that somebody has got it.
func (c *connections) deliverTo(socket *Socket, to []*observable.Emitter[*Socket], taken bool) {
	returned := false
	defer func() {
		if !returned { // a callback, which has got the socket, has ended this goroutine
			go c.deliverTo(socket, to, true)
		}
	}()
	for socket != nil {
		for len(to) > 0 {
			out := to[0]
			to = to[1:]
			if out.Deliver(socket) {
				taken = true
			} else {
				c.leave(out) // its subscription has ended
			}
		}
		c.dealtWith(socket, taken)
		socket, to = c.next()
		taken = false
	}
	returned = true
}

// next returns the socket to be delivered, which stays in the queue, and the subscribers; or nil if
// there is none, or nobody to get it, or another goroutine delivers.
func (c *connections) next() (*Socket, []*observable.Emitter[*Socket]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.delivering {
		return nil, nil
	}
	if len(c.queue) == 0 || len(c.subscribers) == 0 {
		for _, socket := range c.queue {
			c.hold(socket)
		}
		return nil, nil
	}
	c.delivering = true
	return c.queue[0], c.subscribers
}

// dealtWith ends the delivery of a socket.
func (c *connections) dealtWith(socket *Socket, taken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delivering = false
	if i := slices.Index(c.queue, socket); taken && i >= 0 {
		c.queue = slices.Delete(c.queue, i, i+1)
	}
}

// hold closes the socket after some time, if no subscriber has got it by then; mu is held.
func (c *connections) hold(socket *Socket) {
	time.AfterFunc(heldFor, func() {
		if c.withdraw(socket) {
			socket.startClose(&CloseError{Code: StatusTryAgainLater, Reason: "nobody takes connections"})
		}
	})
}

// complete ends the subscribers, and those to come.
func (c *connections) complete() {
	c.mu.Lock()
	subscribers := c.subscribers
	c.subscribers, c.queue, c.ended = nil, nil, true
	c.mu.Unlock()
	each.Call(subscribers, (*observable.Emitter[*Socket]).Complete)
}
