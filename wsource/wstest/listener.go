package wstest

import (
	"context"
	"net"
	"sync"
	"syscall"
)

// listener is one named address of a network. It waits on channels alone, so that
// waiting in Accept or for room in the backlog can also end with a context.
type listener struct {
	network *Network
	address address
	backlog chan *Conn
	done    chan struct{}
	close   sync.Once
}

// enqueue hands over the accepting end of a connection. It waits while the backlog is
// full.
func (l *listener) enqueue(ctx context.Context, server *Conn) error {
	select {
	case <-l.done:
		return syscall.ECONNREFUSED
	case <-ctx.Done():
		return ctx.Err()
	case l.backlog <- server:
	}
	select {
	case <-l.done:
		// Close may have emptied the backlog before this connection came into it.
		l.drain()
	default:
	}
	return nil
}

// Accept returns the next dialled connection, and waits for one.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, l.fail("accept")
	default:
	}
	select {
	case <-l.done:
		return nil, l.fail("accept")
	case server := <-l.backlog:
		return server, nil
	}
}

// Close frees the address, ends a waiting Accept, and resets the connections that
// nobody has accepted.
func (l *listener) Close() error {
	err := l.fail("close")
	l.close.Do(func() {
		l.network.free(l)
		close(l.done)
		l.drain()
		err = nil
	})
	return err
}

func (l *listener) drain() {
	for {
		select {
		case server := <-l.backlog:
			// It fails only on a closed end, and nobody else has this one.
			_ = server.Reset()
		default:
			return
		}
	}
}

func (l *listener) Addr() net.Addr {
	return l.address
}

func (l *listener) fail(op string) error {
	return &net.OpError{Op: op, Net: l.address.Network(), Addr: l.address, Err: net.ErrClosed}
}
