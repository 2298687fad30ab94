package event

import (
	"encoding/json"
	"fmt"
)

// Values is the codec of the values in events. It is used by several goroutines at once.
type Values interface {
	// Name names the codec in errors.
	Name() string
	// Encode makes data of a value: JSON, unless binary is true. It must not use data again.
	Encode(value any) (data []byte, binary bool, err error)
	// Decode makes a value of data, and stores it in what value points to. It copies what it
	// keeps.
	Decode(data []byte, binary bool, value any) error
}

// JSONValues returns the codec of values by encoding/json. An event without data is one with
// null, and data that is binary is JSON all the same.
func JSONValues() Values { return jsonValues{} }

type jsonValues struct{}

func (jsonValues) Name() string { return "JSON" }

func (jsonValues) Encode(value any) (data []byte, binary bool, err error) {
	data, err = json.Marshal(value)
	return data, false, err
}

func (jsonValues) Decode(data []byte, _ bool, value any) error {
	if len(data) == 0 {
		return nil
	}
	return json.Unmarshal(data, value)
}

// unpack decodes the data of an event. The error is a [*DataError].
func unpack[T any](c *Conn, e *Envelope) (value T, err error) {
	if err := guarded(func() error { return c.values.Decode(e.Data, e.Binary, &value) }); err != nil {
		return value, &DataError{Envelope: e, Target: fmt.Sprintf("%T", &value)[1:], Err: err}
	}
	return value, nil
}

// Pack returns an event of a type with value as its data, to be completed and given to
// [Conn.Send]. The error is a [*DataError] if the value does not encode.
func Pack[T any](c *Conn, typ string, value T) (*Envelope, error) {
	return packWith(c.values, typ, value)
}

// packWith is Pack with a codec.
func packWith[T any](values Values, typ string, value T) (*Envelope, error) {
	e := &Envelope{Type: typ}
	err := guarded(func() (err error) {
		e.Data, e.Binary, err = values.Encode(value)
		return err
	})
	if err != nil {
		return nil, &DataError{Envelope: e, Target: fmt.Sprintf("%T", &value)[1:], Err: err}
	}
	return e, nil
}
