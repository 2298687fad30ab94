package wsource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Member is one kind of message of a [Union]: see [As] and [Otherwise].
type Member struct {
	tag      string
	fallback bool
	typ      reflect.Type
	decode   func(data []byte) (any, error)
}

// As is the member of a [Union] whose messages have the tag, and whose values are of type T: a
// struct, mostly, or a pointer to one.
func As[T any](tag string) Member {
	return Member{tag: tag, typ: reflect.TypeFor[T](), decode: decodeAs[T]}
}

// Otherwise is the member of a [Union] for messages with a tag that no other member has, or
// without one: as json.RawMessage or map[string]any, for instance. A value of type T is encoded
// as it is.
func Otherwise[T any]() Member {
	return Member{fallback: true, typ: reflect.TypeFor[T](), decode: decodeAs[T]}
}

func decodeAs[T any](data []byte) (any, error) {
	var v T
	err := json.Unmarshal(data, &v)
	return v, err
}

// TagError reports a message of a [Union] whose tag no member has. It is a failure of that
// message only: a [Subject] tells it by Undecodable and to its hook, and its stream goes on,
// as peers learn new kinds of messages.
type TagError struct {
	Field string // the field with the tag
	Tag   string // what it holds, as JSON if it is not a string; "" if the message has no such field
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

// Union returns the codec of JSON objects of several kinds, which a field with a tag tells from
// each other: the value is of the type of the member with that tag. operators.OfType takes
// those of one type out of the stream:
//
//	codec := wsource.Union("type", wsource.As[Trade]("trade"), wsource.As[Quote]("quote"))
//	feed := wsource.NewSubject(url, codec, nil)
//	trades := operators.OfType[Trade](feed)
//
// A message with another tag is a [*TagError], unless there is a member [Otherwise]. What
// is sent is of the type of a member, and gets its tag, in place of what it has in that field. It may
// also be a pointer to such a value. Two members with one tag or type are an
// [*observable.ArgumentError] of each message.
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
			problem("has two for what no other member has")
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

// splice returns data with what is between start and end replaced.
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

// find returns what the field with the tag holds, and where that is in the data: end is 0 if
// there is no such field. What follows it is not looked at.
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
