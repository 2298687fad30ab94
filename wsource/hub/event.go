package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
)

// Kind is what an [Event] is about.
type Kind uint8

// The kinds of events, with the fields that each one fills beside Kind, Room, Position and At.
const (
	Said    Kind = iota // a member has said something: Member, which is zero if nobody did, Value, Private
	Welcome             // first to who joins, and to a node that has lost something: Member, Recovery, Missed, Replayed, Members
	Entered             // a member is there now: Member, Meta
	Left                // a member is gone: Member
	Changed             // a member has other metadata: Member, Meta
)

var kindNames = [...]string{"said", "welcome", "entered", "left", "changed"}

// String returns the kind's name in lower case.
func (k Kind) String() string { return nameOf(kindNames[:], int(k)) }

// MarshalText returns the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's name. The error names one that is unknown.
func (k *Kind) UnmarshalText(text []byte) error {
	i, err := indexOf("kind", kindNames[:], string(text))
	*k = Kind(i)
	return err
}

// Recovery is what has become of what was said since the Position with which a socket joins.
type Recovery uint8

// The recoveries.
const (
	Fresh     Recovery = iota // it has no position: it gets all that is kept
	Recovered                 // it gets everything that it missed
	Gap                       // it gets what it missed, but for the first part: Missed says how much
	TooOld                    // nobody knows what it missed: it gets all that is kept, as if Fresh
)

var recoveryNames = [...]string{"fresh", "recovered", "gap", "too old"}

// String returns the recovery's name in lower case.
func (r Recovery) String() string { return nameOf(recoveryNames[:], int(r)) }

// MarshalText returns the recovery's name.
func (r Recovery) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a recovery's name. The error names one that is unknown.
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

// Position is a place in what is said in a room. The zero value is before everything.
type Position struct {
	Epoch  string `json:"epoch"`  // names the order that Offset counts in: a room that was forgotten begins another
	Offset uint64 `json:"offset"` // counts what was said to all, from 1
}

// Event is something that happens in a room, as sockets and observers are told of it. It must
// not be changed.
type Event[K, M comparable, T any] struct {
	Kind Kind `json:"kind"`
	Room K    `json:"room"`
	// Position is that of what is said; of the rest, that of what was said before. Who comes back
	// joins with the last one that it has got.
	Position Position  `json:"position"`
	At       time.Time `json:"at"` // when it happened
	Member   M         `json:"member,omitzero"`
	Meta     any       `json:"meta,omitempty"`   // what the member says about itself
	Value    T         `json:"value,omitzero"`   // what is said
	Private  bool      `json:"private,omitzero"` // it is said to some members only, and not kept

	Recovery Recovery    `json:"recovery,omitzero"`
	Missed   uint64      `json:"missed,omitzero"`   // how much of what was said to all does not come any more
	Replayed int         `json:"replayed,omitzero"` // how many events of the past follow
	Members  []Member[M] `json:"members,omitempty"` // who is there, in the order of entering

	To       []M    `json:"-"` // of a private event, who hears it
	Except   []M    `json:"-"` // who does not hear it
	Revision uint64 `json:"-"` // counts the comings, goings and changes in the room

	prepared *wsource.Prepared // for sockets, once it is encoded; nil if they are not told
	encoded  bool
	bytes    int // that it counts for in a Log, if it is not prepared

	conflateKey any  // of Config.ConflateBy
	compactKey  any  // of Config.Compact, when it is said to all
	deletes     bool // likewise
}

// String tells what has happened, where and to whom, in one line for logs and tests.
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

// Member is one who is in a room.
type Member[M comparable] struct {
	Key  M   `json:"key"`
	Meta any `json:"meta,omitempty"` // what the member says about itself
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

// ErrSkip is what an Encode returns for an event of which sockets are not told. It is no failure.
var ErrSkip = errors.New("sockets are not told")

// EncodeJSON makes a text message of a whole event, by encoding/json. It is the default.
func EncodeJSON[K, M comparable, T any](event *Event[K, M, T]) (wsource.Message, error) {
	data, err := json.Marshal(event)
	return wsource.Message{Type: wsource.Text, Data: data}, err
}

// EncodeValue returns an Encode for sockets that are told only what is said, as a codec
// encodes it, and neither who has said it nor who is there.
func EncodeValue[K, M comparable, T any](encode func(T) (wsource.Message, error)) func(*Event[K, M, T]) (wsource.Message, error) {
	return func(event *Event[K, M, T]) (wsource.Message, error) {
		if event.Kind != Said {
			return wsource.Message{}, ErrSkip
		}
		return encode(event.Value)
	}
}
