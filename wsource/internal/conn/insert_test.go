package conn_test

import (
	"context"
	"sync"
	"testing"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// lockingOwner is an owner that takes a mutex when nothing more will be told.
type lockingOwner struct {
	owner

	held sync.Mutex
	gone chan struct{}
}

func (o *lockingOwner) Over() {
	o.held.Lock()
	defer o.held.Unlock()
	close(o.gone)
}

// TestAnItemOfNobody sends items without an Owner while the connection ends. Their sender
// holds a mutex: another goroutine tells the connection's owner.
func TestAnItemOfNobody(t *testing.T) {
	for range 300 {
		o := &lockingOwner{gone: make(chan struct{})}
		c, peer := openFor(t, o)
		go c.Break(&transport.End{Code: 1006})
		for over := false; !over; {
			o.held.Lock()
			c.Send(context.Background(), &transport.Item{Room: transport.RoomIgnore})
			o.held.Unlock()
			select {
			case <-o.gone:
				over = true
			default:
			}
		}
		_ = peer.Close()
	}
}
