package inspect

import (
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
)

// totals are the counts of events since New.
type totals struct {
	opened, closed, refused, reconnects, failed, dropped, undecodable atomic.Uint64
	received, sent, receivedBytes, sentBytes                          atomic.Uint64
}

// socket is the record of a live socket.
type socket struct {
	*wsource.Socket

	number                                                    uint64
	opened                                                    time.Time
	received, sent, receivedBytes, sentBytes, dropped, faulty atomic.Uint64
	waiting                                                   waiting // under Inspector.mu
}

// Hook returns the hook that makes sockets known to the Inspector, for the options of a
// Server, of Dial or of a Subject. wsource.Hooks combines it with others. The Hook of a
// nil Inspector is nil.
func (i *Inspector) Hook() wsource.Hook {
	if i == nil {
		return nil
	}
	return (*hook)(i)
}

// hook is an Inspector as a wsource.Hook.
type hook Inspector

// Handle counts an event.
func (h *hook) Handle(e wsource.Event) {
	i := (*Inspector)(h)
	switch e.Kind {
	case wsource.EventOpened:
		i.opened(e.Socket)
		return
	case wsource.EventClosed:
		i.socketEnded(e)
		return
	case wsource.EventRefused:
		i.totals.refused.Add(1)
	case wsource.EventReconnect:
		i.totals.reconnects.Add(1)
	case wsource.EventReceived:
		i.totals.received.Add(1)
		i.totals.receivedBytes.Add(uint64(e.Bytes)) //nolint:gosec // it is not negative
	case wsource.EventSent:
		i.totals.sent.Add(uint64(e.Messages))   //nolint:gosec // it is not negative
		i.totals.sentBytes.Add(uint64(e.Bytes)) //nolint:gosec // it is not negative
	case wsource.EventDropped:
		i.totals.dropped.Add(1)
	case wsource.EventUndecodable:
		i.totals.undecodable.Add(1)
	case wsource.EventFailed:
		i.totals.failed.Add(1)
	case wsource.EventHeartbeat, wsource.EventOverRate:
	}
	if e.Socket == nil {
		return
	}
	if known, ok := i.sockets.Load(e.Socket); ok {
		known.(*socket).count(&e) //nolint:forcetypeassert // the map has no other type
	}
}

// opened notes a socket, if there is room.
func (i *Inspector) opened(s *wsource.Socket) {
	i.totals.opened.Add(1)
	if i.isClosed() || i.known.Add(1) > MaxSockets {
		i.known.Add(-1)
		return
	}
	number, _ := strconv.ParseUint(s.ID(), 10, 64) // an ID has only digits
	i.sockets.Store(s, &socket{Socket: s, number: number, opened: time.Now()})
}

// count counts an event of the socket.
func (s *socket) count(e *wsource.Event) {
	switch e.Kind { //nolint:exhaustive // the others have nothing to count
	case wsource.EventReceived:
		s.received.Add(1)
		s.receivedBytes.Add(uint64(e.Bytes)) //nolint:gosec // it is not negative
	case wsource.EventSent:
		s.sent.Add(uint64(e.Messages))   //nolint:gosec // it is not negative
		s.sentBytes.Add(uint64(e.Bytes)) //nolint:gosec // it is not negative
	case wsource.EventDropped:
		s.dropped.Add(1)
	case wsource.EventUndecodable, wsource.EventOverRate:
		s.faulty.Add(1)
	}
}

// socketEnded forgets a socket, but for a few words about it.
func (i *Inspector) socketEnded(e wsource.Event) {
	i.totals.closed.Add(1)
	known, ok := i.sockets.LoadAndDelete(e.Socket)
	if !ok {
		return
	}
	i.known.Add(-1)
	s := known.(*socket) //nolint:forcetypeassert // the map has no other type
	about := s.about()
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closed {
		i.ended = last(i.ended, MaxEnded, EndedSocket{
			ID: about.ID, Remote: about.Remote, Key: about.Key, Path: about.Path, At: time.Now(),
			Age: Milliseconds(time.Since(s.opened)), Code: int(e.Code), Why: e.Code.String(),
		})
	}
}

// about returns the identity of a socket.
func (s *socket) about() Socket {
	told := Socket{ID: s.ID(), Key: bounded(s.Key()), Subprotocol: bounded(s.Subprotocol()), Side: "client"}
	if remote := s.RemoteAddr(); remote != nil {
		told.Remote = remote.String()
	}
	if r := s.Request(); r != nil {
		told.Side = "server"
		told.Path = bounded(r.URL.Path) // the query may hold a secret
	}
	return told
}

// socketsNow returns the sockets that a request wants to see, the slowest first, MaxShown
// at most.
func (i *Inspector) socketsNow(now time.Time, want *query) (shown []Socket) {
	type pair struct {
		*socket

		waited time.Duration
	}
	var all []pair
	i.sockets.Range(func(_, known any) bool {
		s := known.(*socket) //nolint:forcetypeassert // the map has no other type
		queued, _ := s.Queued()
		sent := s.sent.Load()
		i.mu.Lock()
		waited := s.waiting.look(now, sent, sent+uint64(queued)) //nolint:gosec // it is not negative
		i.mu.Unlock()
		all = append(all, pair{s, waited})
		return true
	})
	slices.SortFunc(all, func(a, b pair) int { return byWaiting(a.waited, b.waited, a.number, b.number) })
	shown, positions := []Socket{}, i.positions()
	for _, p := range all {
		if len(shown) == MaxShown {
			break
		}
		if about := p.about(); want.socket(&about) {
			if at, ok := positions[p.Socket]; ok {
				about.Session = &Position{at.Received, at.Sent, at.Acknowledged}
			}
			shown = append(shown, p.snapshot(about, now, p.waited))
		}
	}
	return shown
}

// snapshot adds the state of a socket to its identity.
func (s *socket) snapshot(told Socket, now time.Time, waited time.Duration) Socket {
	told.State = s.State().String()
	told.Age = Milliseconds(now.Sub(s.opened))
	told.Queued, told.QueuedBytes = s.Queued()
	told.Received, told.ReceivedBytes = s.received.Load(), s.receivedBytes.Load()
	told.Sent, told.SentBytes = s.sent.Load(), s.sentBytes.Load()
	told.Dropped, told.Faulty = s.dropped.Load(), s.faulty.Load()
	told.RTT = Milliseconds(s.RTT())
	told.Waiting = Milliseconds(waited)
	told.Slow = waited >= SlowAfter
	return told
}
