package session

// Position is where a session is: the last position in each direction, counted from 1.
type Position struct {
	Received uint64 // the last of the peer's messages that has arrived
	Sent     uint64 // the last of this side's messages that the latest connection has had
	// The last of this side's messages that the peer has acknowledged; the next
	// connection goes on behind it.
	Acknowledged uint64
}

// Position returns where the session is at this moment. Before the first connection it is
// zero.
func (s *Session[In, Out]) Position() Position {
	c := s.latest()
	if c == nil {
		return Position{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return Position{Received: c.received, Sent: c.out.handed, Acknowledged: c.out.acked}
}
