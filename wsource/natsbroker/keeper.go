package natsbroker

import (
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rxsocket/rxsocket/observable"
)

// Status tells whether a node reaches its servers.
type Status uint8

// The statuses.
const (
	Connected    Status = iota // the node reaches its servers
	Disconnected               // it does not, and its connection tries to
)

// String returns the status in lower case.
func (s Status) String() string {
	if s == Connected {
		return "connected"
	}
	return "disconnected"
}

// keeper follows the connection of a broker, and has the repeated work done.
type keeper struct {
	link     link
	status   *observable.BehaviorSubject[Status]
	statuses chan nats.Status
	quit     chan struct{}
	done     chan struct{} // closes when the keeper has ended
	ended    chan struct{} // closes when the first Close has ended everything
}

// init makes k a keeper on a connection.
func (k *keeper) init(conn *nats.Conn, timeout time.Duration) error {
	k.quit, k.done, k.ended = make(chan struct{}), make(chan struct{}), make(chan struct{})
	k.status = observable.NewBehaviorSubject(Connected)
	if err := k.link.init(conn, timeout); err != nil {
		return err
	}
	k.statuses = conn.StatusChanged()
	return nil
}

// abandon ends a keeper that does not keep yet.
func (k *keeper) abandon() { k.link.conn.RemoveStatusListener(k.statuses) }

// keep begins. It calls fallBehind when the connection has come back, and tend and
// catchUp while the connection is there, at each change of it and every beat. CatchUp may
// take long, and is on a goroutine of its own.
func (k *keeper) keep(fallBehind func(), tend func(beats bool), catchUp func()) {
	turns, caughtUp := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(caughtUp)
		for range turns {
			apart(catchUp)
		}
	}()
	go func() {
		defer close(k.done)
		k.run(fallBehind, tend, turns)
		close(turns)
		<-caughtUp
	}()
}

func (k *keeper) run(fallBehind func(), tend func(beats bool), turns chan<- struct{}) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	now := Connected
	reconnects := k.link.conn.Stats().Reconnects
	for {
		beats := false
		select {
		case <-k.quit:
			return
		case <-ticker.C:
			beats = true
		case _, ok := <-k.statuses:
			if !ok {
				k.statuses = nil
			}
		}
		status := Disconnected
		if k.link.conn.IsConnected() {
			status = Connected
		}
		if n := k.link.conn.Stats().Reconnects; n != reconnects {
			reconnects = n
			fallBehind()
		}
		if status != now {
			now = status
			k.link.wake()
			apart(func() { k.status.Next(now) })
		}
		if now == Connected {
			apart(func() { tend(beats) })
			select {
			case turns <- struct{}{}:
			default: // there is one under way already
			}
		}
	}
}

// finish ends the keeper, and all waits for the connection. The caller completes the
// status.
func (k *keeper) finish() {
	k.link.mu.Lock()
	k.link.closed = true
	k.link.mu.Unlock()
	close(k.quit)
	k.link.wake()
	<-k.done
	k.link.conn.RemoveStatusListener(k.statuses)
}
