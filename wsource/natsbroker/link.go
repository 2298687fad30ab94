package natsbroker

import (
	"context"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// attempt is how long one request waits for its answer. An answer is lost with the
// connection on which it would have come.
const attempt = time.Second

// link is the connection to the servers.
type link struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	timeout time.Duration

	mu      sync.Mutex
	changed chan struct{} // closes when the connection has come, or is closed for good
	closed  bool          // the broker is closed
}

// init makes l a link on a connection.
func (l *link) init(conn *nats.Conn, timeout time.Duration) (err error) {
	l.conn, l.timeout, l.changed = conn, timeout, make(chan struct{})
	l.js, err = jetstream.New(conn)
	return err
}

// wake has all goroutines look at the connection again that wait for it.
func (l *link) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

// over reports whether nothing works any more. It returns a channel that closes when that
// may have changed, or when the connection may have come.
func (l *link) over() (bool, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed || l.conn.IsClosed(), l.changed
}

// do does something that may be done twice, and does it again while the servers cannot be
// reached, until the timeout. The error is the cause of ctx's end, ErrDisconnected,
// ErrClosed, or a server's error.
func (l *link) do(ctx context.Context, op func(context.Context) error) error {
	whole, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	pause := 10 * time.Millisecond
	for {
		over, changed := l.over()
		if over {
			return ErrClosed
		}
		if l.conn.IsConnected() {
			once, cancel := context.WithTimeout(whole, attempt)
			err := op(once)
			cancel()
			switch {
			case err == nil:
				return nil
			case ctx.Err() != nil:
				return context.Cause(ctx)
			case !transient(err):
				return err
			}
		}
		timer := time.NewTimer(pause)
		select {
		case <-changed:
		case <-timer.C:
		case <-whole.Done():
		}
		timer.Stop()
		pause = min(2*pause, 250*time.Millisecond)
		if whole.Err() != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return ErrDisconnected
		}
	}
}
