package wsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"unicode/utf8"
)

// Codec turns messages into values of type In and values of type Out into messages. It is
// used by several goroutines at once.
type Codec[In, Out any] interface {
	// Name names the codec in errors.
	Name() string
	// Decode makes a value of a message. data is borrowed: it is used again when Decode has
	// returned, so a codec copies what it keeps.
	Decode(typ MessageType, data []byte) (In, error)
	// Encode makes a message of a value. It must not use the message's Data again.
	Encode(value Out) (Message, error)
}

// DecodeFunc returns a function that decodes messages, for operators.TryMap on a [Socket]. Its error
// is a [*CodecError], which ends the stream. A handler of [Server.Handle] that returns it blames the peer,
// not itself. With [AsValues] the stream goes on.
func DecodeFunc[In, Out any](codec Codec[In, Out]) func(Message) (In, error) {
	return func(m Message) (In, error) {
		v, err := codec.Decode(m.Type, m.Data)
		if err != nil {
			return v, codecError(codec.Name(), m, err)
		}
		return v, nil
	}
}

// CodecError reports a message that could not be decoded or a value that could not be
// encoded.
type CodecError struct {
	Codec   string  // the codec's name
	Message Message // the message, with a copy of its data; zero for a value
	Err     error   // what the codec said
}

// shownBytes is how much of a message an error shows.
const shownBytes = 32

// Error tells the codec, the message's type and size and its first bytes.
func (e *CodecError) Error() string {
	if e.Message.Data == nil {
		return fmt.Sprintf("wsource: codec %s cannot encode: %v", e.Codec, e.Err)
	}
	shown, more := e.Message.Data, ""
	if len(shown) > shownBytes {
		shown, more = shown[:shownBytes], "..."
	}
	return fmt.Sprintf("wsource: codec %s cannot decode a %s message of %d bytes, %q%s: %v",
		e.Codec, e.Message.Type, len(e.Message.Data), shown, more, e.Err)
}

// Unwrap returns what the codec said.
func (e *CodecError) Unwrap() error { return e.Err }

// LogValue tells the codec, the message's type and size, and the type of what the codec said, for log/slog.
// It leaves out the first bytes and the codec's text, which often repeats some: a peer must not write
// into a log, and what it sends may be a secret.
func (e *CodecError) LogValue() slog.Value {
	if e.Message.Data == nil {
		return slog.StringValue(fmt.Sprintf("wsource: codec %s cannot encode: %T", e.Codec, e.Err))
	}
	return slog.StringValue(fmt.Sprintf("wsource: codec %s cannot decode a %s message of %d bytes: %T",
		e.Codec, e.Message.Type, len(e.Message.Data), e.Err))
}

// blame returns the close frame for a peer whose message did not decode (RFC 6455, section
// 7.4.1).
func (e *CodecError) blame() *CloseError {
	if errors.Is(e.Err, ErrMessageType) {
		return &CloseError{Code: StatusUnsupportedData, Reason: "a message is of a type that is not read here", Err: e}
	}
	return &CloseError{Code: StatusInvalidPayload, Reason: "a message cannot be decoded", Err: e}
}

// ErrMessageType is what a codec says of a message of the type that it does not read.
var ErrMessageType = errors.New("the message is not of the codec's type")

// JSON returns the codec of text messages that are JSON, by encoding/json. It decodes
// binary messages too, since some peers send JSON so. A message holds one JSON value; what
// follows it, save white space, is an error.
func JSON[In, Out any]() Codec[In, Out] { return jsonCodec[In, Out]{} }

type jsonCodec[In, Out any] struct{}

func (jsonCodec[In, Out]) Name() string { return "JSON" }

func (jsonCodec[In, Out]) Decode(_ MessageType, data []byte) (In, error) {
	var v In
	err := json.Unmarshal(data, &v)
	return v, err
}

func (jsonCodec[In, Out]) Encode(value Out) (Message, error) {
	data, err := json.Marshal(value)
	return Message{Type: Text, Data: data}, err
}

// StrictJSON is [JSON] that refuses fields a struct does not have.
func StrictJSON[In, Out any]() Codec[In, Out] { return strictJSON[In, Out]{} }

type strictJSON[In, Out any] struct{ jsonCodec[In, Out] }

func (strictJSON[In, Out]) Decode(_ MessageType, data []byte) (In, error) {
	var v In
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, err
	}
	if _, err := d.Token(); err != io.EOF {
		return v, errors.New("data after the JSON value")
	}
	return v, nil
}

// TextCodec is the codec of text messages as strings. A binary message is an error.
func TextCodec() Codec[string, string] { return textCodec{} }

type textCodec struct{}

func (textCodec) Name() string { return "text" }

func (textCodec) Decode(typ MessageType, data []byte) (string, error) {
	if typ != Text {
		return "", ErrMessageType
	}
	return string(data), nil
}

func (textCodec) Encode(value string) (Message, error) {
	if !utf8.ValidString(value) {
		return Message{}, ErrInvalidUTF8
	}
	return TextMessage(value), nil
}

// BinaryCodec is the codec of binary messages as byte slices, copies of their own. A text
// message is an error. A slice that was sent must not be changed after.
func BinaryCodec() Codec[[]byte, []byte] { return binaryCodec{} }

type binaryCodec struct{}

func (binaryCodec) Name() string { return "binary" }

func (binaryCodec) Decode(typ MessageType, data []byte) ([]byte, error) {
	if typ != Binary {
		return nil, ErrMessageType
	}
	return append(make([]byte, 0, len(data)), data...), nil
}

func (binaryCodec) Encode(value []byte) (Message, error) { return BinaryMessage(value), nil }

// Raw is the codec that changes nothing: messages in, messages out.
func Raw() Codec[Message, Message] { return rawCodec{} }

type rawCodec struct{}

func (rawCodec) Name() string { return "raw" }

func (rawCodec) Decode(typ MessageType, data []byte) (Message, error) {
	return Message{Type: typ, Data: append(make([]byte, 0, len(data)), data...)}, nil
}

func (rawCodec) Encode(m Message) (Message, error) { return m, nil }

// Decoded is a value, or what kept a message from becoming one.
type Decoded[In any] struct {
	Value In          // the zero value if there is an Err
	Err   *CodecError // what the codec said, with the message; nil if it has decoded
}

// AsValues returns codec with its decoding errors delivered as values, in their place in the
// stream, instead of ending it or being skipped.
func AsValues[In, Out any](codec Codec[In, Out]) Codec[Decoded[In], Out] {
	return asValues[In, Out]{codec}
}

type asValues[In, Out any] struct{ codec Codec[In, Out] }

func (c asValues[In, Out]) Name() string { return c.codec.Name() }

func (c asValues[In, Out]) Decode(typ MessageType, data []byte) (Decoded[In], error) {
	v, err := c.codec.Decode(typ, data)
	if err != nil {
		return Decoded[In]{Err: codecError(c.codec.Name(), Message{Type: typ, Data: data}, err)}, nil
	}
	return Decoded[In]{Value: v}, nil
}

func (c asValues[In, Out]) Encode(value Out) (Message, error) { return c.codec.Encode(value) }

func codecError(name string, m Message, err error) *CodecError {
	m.Data = append(make([]byte, 0, len(m.Data)), m.Data...)
	return &CodecError{Codec: name, Message: m, Err: err}
}
