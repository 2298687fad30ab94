package wsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"unicode/utf8"
)

// Codec turns messages into values of type In and values of type Out into messages. It is
// used by several goroutines at once.
type Codec[In, Out any] interface {
	// Name names the codec in errors.
	Name() string
	// Decode makes a value of a message. data is borrowed: its buffer is used again when
	// Decode has returned, so a codec copies the bytes that it keeps.
	Decode(typ MessageType, data []byte) (In, error)
	// Encode makes a message of a value. It must not use the message's Data again.
	Encode(value Out) (Message, error)
}

// DecodeFunc returns a function that decodes messages, for operators.TryMap on a
// [Socket]. Its error is a [*CodecError], which ends the stream. A handler of
// [Server.Handle] that returns this error blames the peer, not itself. With [AsValues]
// the stream goes on.
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
	Err     error   // the codec's error
}

// shownBytes is the number of bytes of a message that an error shows.
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

// Unwrap returns the codec's error.
func (e *CodecError) Unwrap() error { return e.Err }

// LogValue tells the codec, the message's type and size, and the type of the codec's
// error, for log/slog. It leaves out the first bytes, and the codec's text, which often
// repeats some: a peer must not write into a log, and its messages may hold a secret.
func (e *CodecError) LogValue() slog.Value {
	if e.Message.Data == nil {
		return slog.StringValue(fmt.Sprintf("wsource: codec %s cannot encode: %T", e.Codec, e.Err))
	}
	return slog.StringValue(fmt.Sprintf("wsource: codec %s cannot decode a %s message of %d bytes: %T",
		e.Codec, e.Message.Type, len(e.Message.Data), e.Err))
}

// blame returns the close frame for a peer whose message did not decode (RFC 6455,
// section 7.4.1).
func (e *CodecError) blame() *CloseError {
	if errors.Is(e.Err, ErrMessageType) {
		return &CloseError{Code: StatusUnsupportedData, Reason: "a message is of a type that is not read here", Err: e}
	}
	return &CloseError{Code: StatusInvalidPayload, Reason: "a message cannot be decoded", Err: e}
}

// ErrMessageType is a codec's error for a message of the type that it does not read.
var ErrMessageType = errors.New("the message is not of the codec's type")

// JSON returns the codec of text messages that are JSON, by encoding/json. It decodes
// binary messages too, since some peers send JSON so. A message holds one JSON value;
// anything but white space behind it is an error.
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

// Decoded is a value, or the error of a message that does not decode.
type Decoded[In any] struct {
	Value In          // the zero value if there is an Err
	Err   *CodecError // the codec's error, with the message; nil if it has decoded
}

// AsValues returns a codec that delivers the decoding errors of codec as values, in their
// place in the stream. Without it, such an error ends the stream or is skipped.
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

// Member is one kind of message of a [Union]: see [As] and [Otherwise].
type Member struct {
	tag      string
	fallback bool
	typ      reflect.Type
	decode   func(data []byte) (any, error)
}

// As is the member of a [Union] whose messages have the tag, and whose values are of type
// T: a struct, mostly, or a pointer to one.
func As[T any](tag string) Member {
	return Member{tag: tag, typ: reflect.TypeFor[T](), decode: decodeAs[T]}
}

// Otherwise is the member of a [Union] for messages without a tag, or with a tag that no
// other member has. T is json.RawMessage or map[string]any, for instance. A value of type
// T is encoded as it is.
func Otherwise[T any]() Member {
	return Member{fallback: true, typ: reflect.TypeFor[T](), decode: decodeAs[T]}
}

func decodeAs[T any](data []byte) (any, error) {
	var v T
	err := json.Unmarshal(data, &v)
	return v, err
}

// TagError reports a message of a [Union] whose tag no member has. It is a failure of
// that message only, as peers learn new kinds of messages: a [Subject] reports it by
// Undecodable and to its hook, and its stream goes on.
type TagError struct {
	Field string // the field with the tag
	Tag   string // its value, as JSON if it is no string; "" without such a field
}

// Error tells the field and the tag.
func (e *TagError) Error() string {
	if e.Tag == "" {
		return fmt.Sprintf("the message has no field %q", e.Field)
	}
	return fmt.Sprintf("no member of the union has the tag %q, which the field %q holds", shortened(e.Tag), e.Field)
}

// shortened returns the beginning of a text of the peer's.
func shortened(text string) string {
	if len(text) > shownBytes {
		return text[:shownBytes] + "..."
	}
	return text
}

// Union returns the codec of JSON objects of several kinds, which the tag in a field
// tells apart: the value is of the type of the member with that tag. operators.OfType
// takes the values of one type out of the stream:
//
//	codec := wsource.Union("type", wsource.As[Trade]("trade"), wsource.As[Quote]("quote"))
//	feed := wsource.NewSubject(url, codec, nil)
//	trades := operators.OfType[Trade](feed)
//
// A message with another tag is a [*TagError], unless there is a member [Otherwise]. A
// value that is sent is of the type of a member, or a pointer to such a value. It gets
// the member's tag, in place of its own value of that field. Two members with one tag or
// type are an [*observable.ArgumentError] of each message. As [JSON] does, it decodes
// binary messages, too.
func Union(field string, members ...Member) Codec[any, any] {
	u := &union{field: field, byTag: make(map[string]Member), byType: make(map[reflect.Type]Member)}
	problem := func(problem string) {
		if u.invalid == nil {
			u.invalid = argument("Union", "members", problem)
		}
	}
	for _, m := range members {
		_, tagged := u.byTag[m.tag]
		_, typed := u.byType[m.typ]
		switch {
		case m.decode == nil:
			problem("has one that neither As nor Otherwise made")
		case m.fallback && u.otherwise.decode != nil:
			problem("has two for the values of no other member")
		case !m.fallback && tagged:
			problem(fmt.Sprintf("has two with the tag %q", m.tag))
		case typed:
			problem(fmt.Sprintf("has two of type %v", m.typ))
		case m.fallback:
			u.otherwise, u.byType[m.typ] = m, m
		default:
			u.byTag[m.tag], u.byType[m.typ] = m, m
		}
	}
	if len(members) == 0 {
		problem("is empty")
	}
	return u
}

type union struct {
	field     string
	byTag     map[string]Member
	byType    map[reflect.Type]Member
	otherwise Member // without decode if there is none
	invalid   error
}

func (u *union) Name() string { return "union" }

func (u *union) Decode(_ MessageType, data []byte) (any, error) {
	if u.invalid != nil {
		return nil, u.invalid
	}
	tag, _, _, err := u.find(data)
	if err != nil {
		return nil, err
	}
	m, ok := u.byTag[tag]
	switch {
	case ok:
		return m.decode(data)
	case u.otherwise.decode != nil:
		return u.otherwise.decode(data)
	case !json.Valid(data): // find stops at the tag
		return nil, json.Unmarshal(data, new(any))
	}
	return nil, &TagError{u.field, tag}
}

func (u *union) Encode(value any) (Message, error) {
	if u.invalid != nil {
		return Message{}, u.invalid
	}
	typ := reflect.TypeOf(value)
	m, ok := u.byType[typ]
	if !ok && typ != nil && typ.Kind() == reflect.Pointer {
		m, ok = u.byType[typ.Elem()]
	}
	if !ok {
		return Message{}, fmt.Errorf("no member of the union is of type %v", typ)
	}
	data, err := json.Marshal(value)
	if err != nil || m.fallback {
		return Message{Type: Text, Data: data}, err
	}
	data, err = u.setTag(data, m)
	return Message{Type: Text, Data: data}, err
}

// setTag puts the tag of m into an object.
func (u *union) setTag(data []byte, m Member) ([]byte, error) {
	if len(data) == 0 || data[0] != '{' {
		return nil, fmt.Errorf("a %v is no JSON object, which has a tag", m.typ)
	}
	tag, start, end, err := u.find(data)
	if err != nil {
		return nil, err
	}
	switch {
	case end > 0 && tag == m.tag:
		return data, nil
	case end > 0:
		return splice(data, start, end, quoted(m.tag)), nil
	}
	head := append(append(quoted(u.field), ':'), quoted(m.tag)...)
	if !bytes.Equal(data, []byte("{}")) {
		head = append(head, ',')
	}
	return splice(data, 1, 1, head), nil
}

// splice returns data with the bytes from start to end replaced.
func splice(data []byte, start, end int, by []byte) []byte {
	out := make([]byte, 0, len(data)-(end-start)+len(by))
	out = append(out, data[:start]...)
	out = append(out, by...)
	return append(out, data[end:]...)
}

// quoted returns a text as JSON.
func quoted(text string) []byte {
	data, _ := json.Marshal(text) //nolint:errchkjson // a string has no error
	return data
}

// find returns the value of the field with the tag, and its place in the data: end is 0
// if there is no such field. It does not read the data behind the field.
func (u *union) find(data []byte) (tag string, start, end int, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	token, err := d.Token()
	if err != nil {
		return "", 0, 0, err
	}
	if token != json.Delim('{') {
		return "", 0, 0, errors.New("the message is no JSON object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return "", 0, 0, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return "", 0, 0, err
		}
		if key != u.field {
			continue
		}
		end = int(d.InputOffset())
		start = end - len(value)
		if json.Unmarshal(value, &tag) != nil {
			tag = string(value)
		}
		return tag, start, end, nil
	}
	_, err = d.Token() // the end of the object
	return "", 0, 0, err
}
