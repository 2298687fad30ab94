package session

import (
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/wsource"
)

// Kind is the kind of a [Status].
type Kind uint8

// The kinds. [Fresh], [Recovered] and [Gap] tell how a connection begins; each has one of
// them. [Expired], [TakenOver] and [Failed] tell how a session ends. A session that ends
// normally has none of them.
const (
	Waiting   Kind = iota // there is no connection: there was none yet, or it has broken
	Fresh                 // the session has begun
	Recovered             // the session goes on, and nothing is lost
	// Gap: the session goes on, and messages are lost. LostIn and LostOut tell their
	// positions.
	Gap
	// Expired: the session is over. The other side does not know it, no connection came
	// in time, or Err tells the reason.
	Expired
	// TakenOver: the session is over on this side. Another client has shown its token.
	TakenOver
	// Failed, of a client: the session is over, and none follows. Err tells the reason,
	// also if there was none yet.
	Failed
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

// Range is the positions of messages, which count from 1 in each direction of a session.
// The zero value has none.
type Range struct{ From, To uint64 }

// Len returns how many positions there are.
func (r Range) Len() uint64 {
	if r.From == 0 {
		return 0
	}
	return r.To - r.From + 1
}

// Status is a state of a session, with its details.
type Status struct {
	Kind Kind
	// The number of the session's connection, from 1 on: the one that has begun, or the
	// last one.
	Connection int
	// Gap: the messages that the peer has sent and this side has not received.
	LostIn Range
	// Gap: the messages that this side has sent and the peer has not received.
	LostOut  Range
	Replaced bool            // recovered, Gap: the connection before was still open here
	Socket   *wsource.Socket // Fresh, Recovered, Gap: the connection
	// Waiting, Expired, TakenOver, Failed: the error that ended the last connection, or
	// the session.
	Err error
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
		// Without the body, which may hold a secret.
		return text + ": " + refused.LogValue().String()
	}
	if s.Err != nil {
		text += ": " + s.Err.Error()
	}
	return text
}
