package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Milliseconds is a time as JSON has it: a number of milliseconds, with a fraction.
type Milliseconds time.Duration

// MarshalJSON returns the number of milliseconds.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Duration(m).Microseconds())/1000, 'f', -1, 64), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Milliseconds) UnmarshalJSON(data []byte) error {
	number, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return fmt.Errorf("a number of milliseconds: %w", err)
	}
	*m = Milliseconds(number * float64(time.Millisecond))
	return nil
}

// Snapshot is what an Inspector knows at a moment, as state.json has it.
type Snapshot struct {
	Version int       `json:"version"` // 1
	At      time.Time `json:"at"`
	Marble  uint64    `json:"marble"` // number of the newest marble, for the query "since"
	Sockets Sockets   `json:"sockets"`
	Streams Streams   `json:"streams"`
	Parts   []Part    `json:"parts"`
}

// Sockets are the sockets whose options have the hook. Counts are since New.
type Sockets struct {
	Open          int           `json:"open"`
	Opened        uint64        `json:"opened"`
	Refused       uint64        `json:"refused"`    // handshakes
	Reconnects    uint64        `json:"reconnects"` // of Subjects
	Failed        uint64        `json:"failed"`     // handlers, and panics
	Received      uint64        `json:"received"`   // messages
	ReceivedBytes uint64        `json:"receivedBytes"`
	Sent          uint64        `json:"sent"` // messages
	SentBytes     uint64        `json:"sentBytes"`
	Dropped       uint64        `json:"dropped"`     // messages that were not sent
	Undecodable   uint64        `json:"undecodable"` // messages that did not decode
	Shown         []Socket      `json:"shown"`       // the slowest first, then the newest; MaxShown at most
	Ended         []EndedSocket `json:"ended"`       // the last ones, the latest first; MaxEnded at most
}

// Socket is a socket that lives.
type Socket struct {
	ID            string       `json:"id"`
	Side          string       `json:"side"` // "server" if it was accepted, "client" if it was dialled
	State         string       `json:"state"`
	Remote        string       `json:"remote,omitempty"`      // address of the peer
	Key           string       `json:"key,omitempty"`         // of the Admission
	Path          string       `json:"path,omitempty"`        // of the handshake's URL, without the query
	Subprotocol   string       `json:"subprotocol,omitempty"` // that was negotiated
	Age           Milliseconds `json:"age"`
	RTT           Milliseconds `json:"rtt"` // round-trip time of the last ping, 0 before the first
	Received      uint64       `json:"received"`
	ReceivedBytes uint64       `json:"receivedBytes"`
	Sent          uint64       `json:"sent"`
	SentBytes     uint64       `json:"sentBytes"`
	Queued        int          `json:"queued"` // messages that wait to be sent
	QueuedBytes   int          `json:"queuedBytes"`
	Dropped       uint64       `json:"dropped"` // messages that were not sent
	Faulty        uint64       `json:"faulty"`  // messages that did not decode, or came over the Rate
	// Waiting is how long what is queued has waited at least, as far as it was looked at: it grows
	// from the second request on.
	Waiting Milliseconds `json:"waiting"`
	Slow    bool         `json:"slow"` // Waiting is SlowAfter at least
	// Session is where the session of the socket is, if it was given to Add.
	Session *Position `json:"session,omitempty"`
}

// Position is where a session is, as session.Position has it.
type Position struct {
	Received     uint64 `json:"received"`
	Sent         uint64 `json:"sent"`
	Acknowledged uint64 `json:"acknowledged"` // the next connection goes on behind it
}

// EndedSocket is a socket that is over.
type EndedSocket struct {
	ID     string       `json:"id"`
	Remote string       `json:"remote,omitempty"`
	Key    string       `json:"key,omitempty"`
	Path   string       `json:"path,omitempty"`
	At     time.Time    `json:"at"`   // when it ended
	Age    Milliseconds `json:"age"`  // that it has reached
	Code   int          `json:"code"` // close code
	Why    string       `json:"why"`  // name of the close code
}

// Streams are the subscriptions to named streams.
type Streams struct {
	Live  int      `json:"live"`
	Names []Name   `json:"names"` // those with the most values first; MaxShown at most
	Shown []Stream `json:"shown"` // what waits first, then the newest, then those over; MaxShown at most
}

// Name sums up all subscriptions to the streams of a name.
type Name struct {
	Name       string `json:"name"`
	Live       int    `json:"live"`
	Subscribed uint64 `json:"subscribed"` // subscriptions since New
	Values     uint64 `json:"values"`
	Errors     uint64 `json:"errors"`    // subscriptions that have ended with an error
	Completed  uint64 `json:"completed"` // subscriptions that have completed
}

// compare orders names by their values, and then by the alphabet from its end.
func (n *Name) compare(other *Name) int {
	return cmp.Or(cmp.Compare(n.Values, other.Values), strings.Compare(other.Name, n.Name))
}

// Stream is one subscription to a named stream.
type Stream struct {
	ID     uint64       `json:"id"`
	Name   string       `json:"name"`
	Socket string       `json:"socket,omitempty"` // ID of the socket that it belongs to
	Into   uint64       `json:"into,omitempty"`   // ID of the nearest named stream downstream
	Age    Milliseconds `json:"age"`
	Values uint64       `json:"values"` // that have come
	// Waiting is how long downstream has been taking the same value at least, as far as it was
	// looked at: it grows from the second request on. What waits in a stream and not in the one
	// that it goes into waits between the two.
	Waiting Milliseconds `json:"waiting"`
	End     string       `json:"end,omitempty"` // "error", "complete" or "unsubscribe", when it is over
	Marbles []Marble     `json:"marbles"`       // the latest ones since the query's, in their order
}

// Marble is something that has happened in a stream.
type Marble struct {
	Number  uint64    `json:"number"` // counts the marbles of all streams
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`              // "value", "error", "complete" or "unsubscribe"
	Text    string    `json:"text,omitempty"`    // of the value or error, as Show says
	Skipped uint64    `json:"skipped,omitempty"` // values before it, since the last marble, that are not shown
}

// Part is what something that Add was given says of itself.
type Part struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Snapshot returns what is known now, as state.json does without a query. Of a nil Inspector, and
// after Close, that is nothing.
func (i *Inspector) Snapshot() Snapshot { return i.snapshot(new(query)) }

// snapshot returns what a request wants to see.
func (i *Inspector) snapshot(want *query) Snapshot {
	s := Snapshot{Version: 1, At: time.Now()}
	if i == nil || i.isClosed() {
		return s
	}
	i.watch()
	s.Marble = i.marbles.Load() // before they are looked at, so that none is missed by the next request
	t := &i.totals
	s.Sockets = Sockets{
		Opened: t.opened.Load(), Refused: t.refused.Load(), Reconnects: t.reconnects.Load(), Failed: t.failed.Load(),
		Received: t.received.Load(), ReceivedBytes: t.receivedBytes.Load(),
		Sent: t.sent.Load(), SentBytes: t.sentBytes.Load(),
		Dropped: t.dropped.Load(), Undecodable: t.undecodable.Load(),
		Shown: i.socketsNow(s.At, want), Ended: i.endedNow(want),
	}
	s.Sockets.Open = int(t.opened.Load() - t.closed.Load()) //nolint:gosec // it is a number of connections
	s.Streams.Live, s.Streams.Shown, s.Streams.Names = i.streamsNow(s.At, want)
	s.Parts = i.tell()
	return s
}

// endedNow returns the sockets that are over, the latest first.
func (i *Inspector) endedNow(want *query) []EndedSocket {
	i.mu.Lock()
	defer i.mu.Unlock()
	ended := []EndedSocket{}
	for _, e := range slices.Backward(i.ended) {
		if want.socket(&Socket{ID: e.ID, Remote: e.Remote, Key: e.Key, Path: e.Path}) {
			ended = append(ended, e)
		}
	}
	return ended
}
