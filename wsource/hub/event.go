package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
)

// Kind is the kind of an [Event].
type Kind uint8

// The kinds of events, with the fields that each one fills beside Kind, Room, Position
// and At.
const (
	// Said: a member has said something. It fills Member (zero if no member did), Value,
	// Private.
	Said Kind = iota
	// Welcome: the first event for a socket that joins, and for a node that has lost
	// events. It fills Member, Recovery, Missed, Replayed, Members.
	Welcome
	// Entered: a member is present now. It fills Member, Meta.
	Entered
	// Left: a member is gone. It fills Member.
	Left
	// Changed: a member has other metadata. It fills Member, Meta.
	Changed
)

var kindNames = [...]string{"said", "welcome", "entered", "left", "changed"}

// String returns the kind's name in lower case.
func (k Kind) String() string { return nameOf(kindNames[:], int(k)) }

// MarshalText returns the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's name. The error names an unknown one.
func (k *Kind) UnmarshalText(text []byte) error {
	i, err := indexOf("kind", kindNames[:], string(text))
	*k = Kind(i)
	return err
}

// Recovery says how much there is of the values said since the Position with which a
// socket joins.
type Recovery uint8

// The recoveries.
const (
	Fresh     Recovery = iota // no position: the socket gets all events that are kept
	Recovered                 // the socket gets every event that it missed
	Gap                       // the socket gets all but the first Missed events
	TooOld                    // the number of missed events is unknown: as Fresh
)

var recoveryNames = [...]string{"fresh", "recovered", "gap", "too old"}

// String returns the recovery's name in lower case.
func (r Recovery) String() string { return nameOf(recoveryNames[:], int(r)) }

// MarshalText returns the recovery's name.
func (r Recovery) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a recovery's name. The error names an unknown one.
func (r *Recovery) UnmarshalText(text []byte) error {
	i, err := indexOf("recovery", recoveryNames[:], string(text))
	*r = Recovery(i)
	return err
}

func nameOf(names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return "unknown"
}

func indexOf(what string, names []string, name string) (uint8, error) {
	i := slices.Index(names, name)
	if i < 0 {
		return 0, fmt.Errorf("hub: there is no %s %q", what, name)
	}
	return uint8(i), nil //nolint:gosec // there are few names
}

// Position is a place in the order of the values said in a room. The zero value is before
// all.
type Position struct {
	// Epoch names the order that Offset counts in: a room that was forgotten begins
	// another.
	Epoch  string `json:"epoch"`
	Offset uint64 `json:"offset"` // counts the values said to all, from 1
}

// Event is something that happens in a room, as sockets and observers get it. It must not
// be changed.
type Event[K, M comparable, T any] struct {
	Kind Kind `json:"kind"`
	Room K    `json:"room"`
	// Position is the place of a value that is said; for other kinds, that of the last
	// value before. A client that comes back joins with the last Position that it got.
	Position Position  `json:"position"`
	At       time.Time `json:"at"` // time when it happened
	Member   M         `json:"member,omitzero"`
	Meta     any       `json:"meta,omitempty"`   // metadata that the member sets
	Value    T         `json:"value,omitzero"`   // value that is said
	Private  bool      `json:"private,omitzero"` // for some members only, and not kept

	Recovery Recovery    `json:"recovery,omitzero"`
	Missed   uint64      `json:"missed,omitzero"`   // values said to all that are lost
	Replayed int         `json:"replayed,omitzero"` // events of the past that follow
	Members  []Member[M] `json:"members,omitempty"` // those present, by their entering

	To       []M    `json:"-"` // members that hear a private event
	Except   []M    `json:"-"` // members that do not hear it
	Revision uint64 `json:"-"` // counts the comings, goings and changes in the room

	// Late is the number of a burst, if the event comes in one, after it happened, or
	// else 0. See Broker.Subscribe and Room.Late.
	Late uint64 `json:"-"`

	prepared *wsource.Prepared // message for sockets, once encoded; nil if they get none
	encoded  bool
	bytes    int // size that counts in a Log, if it is not prepared

	conflateKey any  // key of Config.ConflateBy
	compactKey  any  // key of Config.Compact, of a value said to all
	deletes     bool // the value deletes that key
}

// String tells the event, the room and the member, in one line for logs and tests.
func (e Event[K, M, T]) String() string {
	text := fmt.Sprintf("%v in %v", e.Kind, e.Room)
	var nobody M
	if e.Member != nobody {
		text += fmt.Sprintf(", %v", e.Member)
	}
	if e.Private {
		text += ", in private"
	}
	switch e.Kind {
	case Said:
		text += fmt.Sprintf(": %v", e.Value)
	case Welcome:
		text += fmt.Sprintf(": %v, missed %d, %d replayed, with %v", e.Recovery, e.Missed, e.Replayed, e.Members)
	case Entered, Changed:
		if e.Meta != nil {
			text += fmt.Sprintf(": %v", e.Meta)
		}
	case Left:
	}
	return text
}

// Member is a member that is in a room.
type Member[M comparable] struct {
	Key  M   `json:"key"`
	Meta any `json:"meta,omitempty"` // metadata that the member sets
}

// meant reports whether a member hears the event.
func (e *Event[K, M, T]) meant(member M) bool {
	if e.Private {
		return slices.Contains(e.To, member)
	}
	return len(e.Except) == 0 || !slices.Contains(e.Except, member)
}

// size returns the bytes of the event's message.
func (e *Event[K, M, T]) size() int {
	if e.prepared == nil {
		return e.bytes
	}
	return len(e.prepared.Message().Data)
}

// ErrSkip is the error of an Encode for an event that sockets do not get. It is no
// failure.
var ErrSkip = errors.New("sockets are not told")

// EncodeJSON makes a text message of a whole event, by encoding/json. It is the default.
func EncodeJSON[K, M comparable, T any](event *Event[K, M, T]) (wsource.Message, error) {
	data, err := json.Marshal(event)
	return wsource.Message{Type: wsource.Text, Data: data}, err
}

// EncodeValue returns an Encode for sockets that get only the values said, as a codec
// encodes them, without the member that said one and without the members that come and
// go.
func EncodeValue[K, M comparable, T any](encode func(T) (wsource.Message, error)) func(*Event[K, M, T]) (wsource.Message, error) {
	return func(event *Event[K, M, T]) (wsource.Message, error) {
		if event.Kind != Said {
			return wsource.Message{}, ErrSkip
		}
		return encode(event.Value)
	}
}
