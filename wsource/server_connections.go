package wsource

import (
	"runtime/debug"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/wsource/internal/each"
	"github.com/rxsocket/rxsocket/wsource/internal/ends"
)

// heldFor is the time that a socket without a subscriber waits for the next one.
const heldFor = 5 * time.Second

// connections is a server's observable of sockets. Other than with an
// [observable.Subject], the next subscriber gets a socket that no subscriber got.
type connections struct {
	mu          interleave.Mutex // guards the fields below; not held in calls of subscribers
	subscribers []*connectionsSubscriber
	queue       []*Socket // sockets that no subscriber has got yet, in their order
	delivering  bool      // a goroutine delivers the queue
	ended       bool
}

// connectionsSubscriber is a subscriber of a server's connections.
type connectionsSubscriber struct {
	out *observable.Emitter[*Socket]
	end *ends.End
}

// Connections returns the observable of the sockets as they are accepted. It is hot,
// never fails and completes with [Server.Shutdown]. A subscriber gets each socket before
// any of its messages is lost, since a socket keeps its messages for its first
// subscriber. It gets the sockets one after the other and should not take long over one:
// [Server.Handle] and [Server.Answer] serve each on a goroutine of its own. A socket that
// is over before its turn comes is left out.
//
// A subscriber that panics over a socket stays subscribed, and its operators do not see
// the panic: the socket is closed with [StatusInternalError], the Hook gets
// [EventFailed], and [observable.OnUnhandled] the panic. A subscriber that ends its
// goroutine (runtime.Goexit) over a socket ends with [observable.ErrGoexit]: that socket
// is closed in the same way, and the next subscriber gets the sockets behind it.
//
// An operator that does something for each socket, as operators.MergeMap and
// operators.TryMap do, goes on after a failure for one: the failure is the socket's alone
// ([Socket.FailAlone]). Behind an operator that makes other values of the sockets, a
// failure is the stream's, as everywhere: then nobody is subscribed any more, and the
// sockets accepted before stay open, unread.
//
// Without a subscriber, the server refuses handshakes with 503. A socket that was being
// accepted when the last subscriber left waits 5 seconds for the next one, and is then
// closed with [StatusTryAgainLater]. A socket that a subscriber has got is its own, and
// stays when the subscriber leaves.
func (s *Server) Connections() observable.Observable[*Socket] {
	c := &s.connections
	return observable.AttachFunc[*Socket](func(sc *observable.Scope, down observable.Stage[*Socket]) {
		sub, counted := new(connectionsSubscriber), down
		sub.end, counted.Terminal = s.ends.Add(sc, down.Terminal)
		sub.out = observable.NewEmitter(sc, s.guarded(counted))
		c.mu.Lock()
		ended := c.ended
		if !ended {
			c.subscribers = append(slices.Clip(c.subscribers), sub)
		}
		waiting := len(c.queue) > 0
		c.mu.Unlock()
		if ended {
			counted.Complete()
			return
		}
		s.signalReady()
		sc.OnClose(func() { c.leave(sub) })
		if waiting {
			go c.deliver()
		}
	})
}

// guarded returns the stage before down, in which a panic over one socket is that
// socket's failure.
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
			} else { // the subscription has failed, too, and reports it
				socket.closeFailed(observable.ErrGoexit)
			}
		}()
		next(socket)
		returned = true
	}
	return down
}

func (c *connections) leave(sub *connectionsSubscriber) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.subscribers, sub); i >= 0 {
		c.subscribers = slices.Delete(slices.Clone(c.subscribers), i, i+1)
	}
}

// observed reports whether there is a subscriber.
func (c *connections) observed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.subscribers) > 0
}

// offer gives socket to the subscribers, behind the sockets that came before it.
func (c *connections) offer(socket *Socket) {
	c.mu.Lock()
	c.queue = append(c.queue, socket)
	c.mu.Unlock()
	c.deliver()
	if socket.State() == Closed { // its withdrawal came too early, or comes later
		c.withdraw(socket)
	}
}

// withdraw takes back a socket that no subscriber has got yet, and reports whether it
// could. Otherwise a socket that is over would wait without counting for MaxConnections.
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

// deliver gives the queue to the subscribers, unless another goroutine does. It holds a
// socket that nobody gets for a while.
func (c *connections) deliver() {
	if socket, to := c.next(); socket != nil {
		c.deliverTo(socket, to, false)
	}
}

// deliverTo gives a socket to the subscribers in to, and then the rest of the queue to
// the subscribers at that time. taken says that a subscriber has got the socket already.
func (c *connections) deliverTo(socket *Socket, to []*connectionsSubscriber, taken bool) {
	returned := false
	defer func() {
		if !returned { // a callback, which has got the socket, has ended this goroutine
			go c.deliverTo(socket, to, true)
		}
	}()
	for socket != nil {
		for len(to) > 0 {
			sub := to[0]
			to = to[1:]
			if sub.out.Deliver(socket) {
				taken = true
			} else {
				c.leave(sub) // its subscription has ended
				sub.end.Leave()
			}
		}
		c.dealtWith(socket, taken)
		socket, to = c.next()
		taken = false
	}
	returned = true
}

// next returns the next socket to deliver, which stays in the queue, and the subscribers.
// It returns nil without a socket or a subscriber, and while another goroutine delivers.
func (c *connections) next() (*Socket, []*connectionsSubscriber) {
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

// dealtWith ends the delivery of a socket, and takes it off the queue if a subscriber has
// taken it.
func (c *connections) dealtWith(socket *Socket, taken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delivering = false
	if i := slices.Index(c.queue, socket); taken && i >= 0 {
		c.queue = slices.Delete(c.queue, i, i+1)
	}
}

// hold closes the socket after heldFor, if no subscriber has got it by then; mu is held.
func (c *connections) hold(socket *Socket) {
	time.AfterFunc(heldFor, func() {
		if c.withdraw(socket) {
			socket.startClose(&CloseError{Code: StatusTryAgainLater, Reason: "nobody takes connections"})
		}
	})
}

// complete completes the subscribers, and all later ones.
func (c *connections) complete() {
	c.mu.Lock()
	subscribers := c.subscribers
	c.subscribers, c.queue, c.ended = nil, nil, true
	c.mu.Unlock()
	each.Call(subscribers, func(sub *connectionsSubscriber) { sub.out.Complete() })
}
