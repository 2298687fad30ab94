package session

import (
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/wsource"
)

// Kind says what has become of a session.
type Kind uint8

// The kinds. [Fresh], [Recovered] and [Gap] tell how a connection begins; each has one of them.
// [Expired], [TakenOver] and [Failed] tell how a session ends; one that ends normally has none of them.
const (
	Waiting   Kind = iota // there is no connection: there was none yet, or it has broken
	Fresh                 // the session has begun
	Recovered             // the session goes on, and nothing is lost
	Gap                   // the session goes on, and messages are lost: LostIn and LostOut say which
	Expired               // the session is over: the other side does not know it, no connection came in time, or Err says why
	TakenOver             // the session is over on this side: another client has shown its token
	Failed                // of a client: the session is over, and none follows; Err says why, also if there was none yet
)

// String returns the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Fresh:
		return "fresh"
	case Recovered:
		return "recovered"
	case Gap:
		return "gap"
	case Expired:
		return "expired"
	case TakenOver:
		return "taken over"
	case Failed:
		return "failed"
	default:
		return "waiting"
	}
}

// Range is the positions of messages, which count from 1 in each direction of a session. The
// zero value has none.
type Range struct{ From, To uint64 }

// Len returns how many there are.
func (r Range) Len() uint64 {
	if r.From == 0 {
		return 0
	}
	return r.To - r.From + 1
}

// Status is what has become of a session.
type Status struct {
	Kind       Kind
	Connection int             // of the session, from 1 on: the one that has begun, or the last one
	LostIn     Range           // Gap: what the peer has sent and this side has not received
	LostOut    Range           // Gap: what this side has sent and the peer has not received
	Replaced   bool            // Recovered, Gap: the connection before was still open here
	Socket     *wsource.Socket // Fresh, Recovered, Gap: the connection
	Err        error           // Waiting, Expired, TakenOver, Failed: what ended the last connection, or the session
}

// String tells the status in one line for logs.
func (s Status) String() string {
	text := s.Kind.String()
	if s.Connection > 0 {
		text += fmt.Sprintf(", connection %d", s.Connection)
	}
	if n := s.LostIn.Len(); n > 0 {
		text += fmt.Sprintf(", %d messages in are lost (%d to %d)", n, s.LostIn.From, s.LostIn.To)
	}
	if n := s.LostOut.Len(); n > 0 {
		text += fmt.Sprintf(", %d messages out are lost (%d to %d)", n, s.LostOut.From, s.LostOut.To)
	}
	if refused, ok := errors.AsType[*wsource.HandshakeError](s.Err); ok {
		return text + ": " + refused.LogValue().String() // without the body, which may hold a secret
	}
	if s.Err != nil {
		text += ": " + s.Err.Error()
	}
	return text
}
