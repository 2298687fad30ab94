package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Milliseconds is a time in the form of the JSON: a number of milliseconds, with a
// fraction.
type Milliseconds time.Duration

// MarshalJSON returns the number of milliseconds.
func (m Milliseconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Duration(m).Microseconds())/1000, 'f', -1, 64), nil
}

// UnmarshalJSON reads the number that MarshalJSON wrote.
func (m *Milliseconds) UnmarshalJSON(data []byte) error {
	number, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return fmt.Errorf("a number of milliseconds: %w", err)
	}
	*m = Milliseconds(number * float64(time.Millisecond))
	return nil
}

// Snapshot is the knowledge of an Inspector at a moment, in the form of state.json.
type Snapshot struct {
	Version int       `json:"version"` // 1
	At      time.Time `json:"at"`
	Marble  uint64    `json:"marble"` // the newest marble, for the query "since"
	Sockets Sockets   `json:"sockets"`
	Streams Streams   `json:"streams"`
	Parts   []Part    `json:"parts"`
}

// Sockets are the sockets whose options have the hook. The counts begin at New.
type Sockets struct {
	Open          int    `json:"open"`
	Opened        uint64 `json:"opened"`
	Refused       uint64 `json:"refused"`    // handshakes
	Reconnects    uint64 `json:"reconnects"` // of Subjects
	Failed        uint64 `json:"failed"`     // handlers, and panics
	Received      uint64 `json:"received"`   // messages
	ReceivedBytes uint64 `json:"receivedBytes"`
	Sent          uint64 `json:"sent"` // messages
	SentBytes     uint64 `json:"sentBytes"`
	Dropped       uint64 `json:"dropped"`     // messages that were not sent
	Undecodable   uint64 `json:"undecodable"` // messages that did not decode
	// Shown has the slowest first, then the newest; MaxShown at most.
	Shown []Socket `json:"shown"`
	// Ended has the latest first; MaxEnded at most.
	Ended []EndedSocket `json:"ended"`
}

// Socket is a socket that lives.
type Socket struct {
	ID            string       `json:"id"`
	Side          string       `json:"side"` // "server" if accepted, "client" if dialled
	State         string       `json:"state"`
	Remote        string       `json:"remote,omitempty"`      // address of the peer
	Key           string       `json:"key,omitempty"`         // the Admission's
	Path          string       `json:"path,omitempty"`        // the handshake's
	Subprotocol   string       `json:"subprotocol,omitempty"` // the negotiated one
	Age           Milliseconds `json:"age"`
	RTT           Milliseconds `json:"rtt"` // of the last ping, 0 before the first
	Received      uint64       `json:"received"`
	ReceivedBytes uint64       `json:"receivedBytes"`
	Sent          uint64       `json:"sent"`
	SentBytes     uint64       `json:"sentBytes"`
	Queued        int          `json:"queued"` // messages that wait to be sent
	QueuedBytes   int          `json:"queuedBytes"`
	Dropped       uint64       `json:"dropped"` // messages that were not sent
	Faulty        uint64       `json:"faulty"`  // messages undecodable, or over the Rate
	// Waiting is the time that the queue has waited at least, as far as answers have
	// looked: it grows from the second request on.
	Waiting Milliseconds `json:"waiting"`
	Slow    bool         `json:"slow"` // Waiting is SlowAfter at least
	// Session is the position of the socket's session, if Add has got the session.
	Session *Position `json:"session,omitempty"`
}

// Position is the position of a session, as session.Position has it.
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
	At     time.Time    `json:"at"`   // the time of its end
	Age    Milliseconds `json:"age"`  // the age at its end
	Code   int          `json:"code"` // close code
	Why    string       `json:"why"`  // name of the close code
}

// Streams are the subscriptions to named streams.
type Streams struct {
	Live int `json:"live"`
	// Names has the names with the most values first; MaxShown at most.
	Names []Name `json:"names"`
	// Shown has the streams that wait first, then the newest, then those over; MaxShown
	// at most.
	Shown []Stream `json:"shown"`
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
	Into   uint64       `json:"into,omitempty"`   // ID of the next stream downstream
	Age    Milliseconds `json:"age"`
	Values uint64       `json:"values"` // the values that have come
	// Waiting is the time that downstream has taken for the same value at least, as far
	// as answers have looked: it grows from the second request on. If a stream waits and
	// the stream downstream does not, the value waits between the two.
	Waiting Milliseconds `json:"waiting"`
	End     string       `json:"end,omitempty"` // "error", "complete", "unsubscribe"
	Marbles []Marble     `json:"marbles"`       // the latest since the query's, in order
}

// Marble is something that has happened in a stream.
type Marble struct {
	Number uint64    `json:"number"` // counts the marbles of all streams
	At     time.Time `json:"at"`
	// Kind is "value", "error", "complete" or "unsubscribe".
	Kind string `json:"kind"`
	Text string `json:"text,omitempty"` // the text of the value or error, as Show says
	// Skipped is the number of hidden values between the last marble and this one.
	Skipped uint64 `json:"skipped,omitempty"`
}

// Part is the text of an argument of Add.
type Part struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Snapshot returns the present knowledge, as state.json does without a query. It is empty
// for a nil Inspector, and after Close.
func (i *Inspector) Snapshot() Snapshot { return i.snapshot(new(query)) }

// snapshot returns the snapshot that a request wants to see.
func (i *Inspector) snapshot(want *query) Snapshot {
	s := Snapshot{Version: 1, At: time.Now()}
	if i == nil || i.isClosed() {
		return s
	}
	i.watch()
	s.Marble = i.marbles.Load() // first, so that the next request misses none
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
