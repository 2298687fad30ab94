package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/rxsocket/rxsocket/wsource"
)

// Codec makes messages of envelopes, and envelopes of messages. Its errors in decoding
// should be an [*EnvelopeError], so that the peer is told the problem.
type Codec = wsource.Codec[*Envelope, *Envelope]

// JSON returns the codec of envelopes as JSON objects in text messages: see the package's
// documentation for the fields. It decodes binary messages too.
func JSON() Codec { return jsonCodec{native{}} }

// dialect is one way to name the fields of an envelope in a JSON object.
type dialect interface {
	name() string
	// field returns the field of that name; fieldExtra if this package knows none.
	field(name []byte) field
	// missing returns the problem with an envelope because of a missing field, or nil.
	missing(seen uint32, e *Envelope) *EnvelopeError
	// begin writes the fields but for data and the unknown ones.
	begin(out []byte, e *Envelope) []byte
}

// field is a field of an envelope.
type field uint8

const (
	fieldExtra field = iota // an unknown field, which is kept as it is
	fieldID
	fieldType
	fieldCreated // in milliseconds
	fieldTime    // as in RFC 3339
	fieldSource
	fieldCorr
	fieldTopic
	fieldPattern
	fieldData
	fieldBinary
	fieldCredit
	fieldTimeout
	fieldVersion // of this protocol
	fieldSpec    // the version of CloudEvents
)

// bit is the field in a set of fields.
func (f field) bit() uint32 { return 1 << f }

type jsonCodec struct{ dialect }

func (c jsonCodec) Name() string { return c.name() }

// Decode makes an envelope of a message.
func (c jsonCodec) Decode(_ wsource.MessageType, data []byte) (*Envelope, error) {
	return c.decodeOwned(bytes.Clone(data))
}

// decodeOwned is Decode for data that no code changes any more: the envelope refers to
// it.
func (c jsonCodec) decodeOwned(data []byte) (*Envelope, error) {
	p := parser{dialect: c.dialect, envelope: new(Envelope)}
	if err := p.parse(data); err != nil {
		return nil, err
	}
	return p.envelope, nil
}

// Encode makes a text message of an envelope.
func (c jsonCodec) Encode(e *Envelope) (wsource.Message, error) {
	if err := e.vet(); err != nil {
		return wsource.Message{}, err
	}
	out := make([]byte, 0, 160+len(e.Data)+len(e.Data)/2*bit(e.Binary)+64*len(e.Extra))
	out = c.begin(append(out, '{'), e)
	switch {
	case e.Binary:
		out = append(out, `,"data_base64":"`...)
		out = append(base64.StdEncoding.AppendEncode(out, e.Data), '"')
	case len(e.Data) > 0:
		out = append(append(out, `,"data":`...), e.Data...)
	}
	for _, f := range e.Extra {
		if c.field([]byte(f.Name)) != fieldExtra {
			continue
		}
		out = append(appendString(append(out, ','), f.Name), ':')
		out = append(out, f.Value...)
	}
	return wsource.Message{Type: wsource.Text, Data: append(out, '}')}, nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// native is the dialect of this package.
type native struct{}

func (native) name() string { return "event JSON" }

func (native) field(name []byte) field {
	switch string(name) {
	case "id":
		return fieldID
	case "type":
		return fieldType
	case "created":
		return fieldCreated
	case "source":
		return fieldSource
	case "topic":
		return fieldTopic
	case "v":
		return fieldVersion
	default:
		return common(name)
	}
}

// common returns the field of a name that is the same in all dialects.
func common(name []byte) field {
	switch string(name) {
	case "corr":
		return fieldCorr
	case "pattern":
		return fieldPattern
	case "data":
		return fieldData
	case "data_base64":
		return fieldBinary
	case "credit":
		return fieldCredit
	case "timeout":
		return fieldTimeout
	default:
		return fieldExtra
	}
}

func (native) missing(uint32, *Envelope) *EnvelopeError { return nil }

func (native) begin(out []byte, e *Envelope) []byte {
	mark := len(out)
	out = appendField(out, mark, "id", e.ID)
	out = appendField(out, mark, "type", e.Type)
	if !e.Created.IsZero() {
		out = strconv.AppendInt(append(out, `,"created":`...), e.Created.UnixMilli(), 10)
	}
	out = appendField(out, mark, "source", e.Source)
	out = appendField(out, mark, "topic", e.Topic)
	return appendCommon(out, mark, e)
}

// appendCommon appends the fields that all dialects have.
func appendCommon(out []byte, mark int, e *Envelope) []byte {
	out = appendField(out, mark, "corr", e.Corr)
	out = appendField(out, mark, "pattern", e.Pattern)
	if e.Credit > 0 {
		out = strconv.AppendInt(append(out, `,"credit":`...), e.Credit, 10)
	}
	if e.Timeout > 0 { // rounded up, so that it does not become 0
		ms := (e.Timeout-1)/time.Millisecond + 1
		out = strconv.AppendInt(append(out, `,"timeout":`...), int64(ms), 10)
	}
	return out
}

// appendField appends a field that is not empty, with a comma unless it is the first, at
// mark.
func appendField(out []byte, mark int, name, value string) []byte {
	if value == "" {
		return out
	}
	if len(out) > mark {
		out = append(out, ',')
	}
	out = append(append(append(out, '"'), name...), `":`...)
	return appendString(out, value)
}

// appendString appends a JSON string.
func appendString(out []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			quoted, err := json.Marshal(s)
			if err != nil { // no string can cause it
				panic(err)
			}
			return append(out, quoted...)
		}
	}
	return append(append(append(out, '"'), s...), '"')
}
