package event

import (
	"encoding/json"
	"reflect"
)

// Values is the codec of the values in events. Several goroutines use it at once.
type Values interface {
	// Name names the codec in errors.
	Name() string
	// Encode makes data of a value: JSON, unless binary is true. It must not use data
	// again.
	Encode(value any) (data []byte, binary bool, err error)
	// Decode makes a value of data, and stores it where value points to. It must not keep
	// data itself, only copies.
	Decode(data []byte, binary bool, value any) error
}

// JSONValues returns the codec of values as encoding/json has them. It takes an event
// without data for one with null, and reads binary data as JSON, too.
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
	if _, ok := c.values.(jsonValues); ok && parsePlain(e.Data, &value) {
		return value, nil
	}
	return unpackWith[T](c.values, e)
}

// unpackWith is unpack with a codec. It is a function apart, as its value is on the heap.
func unpackWith[T any](values Values, e *Envelope) (value T, err error) {
	if err := guarded(func() error { return values.Decode(e.Data, e.Binary, &value) }); err != nil {
		return value, &DataError{Envelope: e, Target: reflect.TypeFor[T]().String(), Err: err}
	}
	return value, nil
}

// Pack returns an event of a type with value as its data, to be completed and given to
// [Conn.Send]. The error is a [*DataError] if the value does not encode.
func Pack[T any](c *Conn, typ string, value T) (*Envelope, error) {
	if c == nil {
		return nil, argument("Pack", "c", isNil)
	}
	return packWith(c.values, typ, value)
}

// packWith is Pack with a codec.
func packWith[T any](values Values, typ string, value T) (*Envelope, error) {
	if _, ok := values.(jsonValues); ok {
		if data, ok := appendPlain(nil, value); ok {
			return &Envelope{Type: typ, Data: data}, nil
		}
	}
	e := &Envelope{Type: typ}
	err := guarded(func() (err error) {
		e.Data, e.Binary, err = values.Encode(value)
		return err
	})
	if err != nil {
		return nil, &DataError{Envelope: e, Target: reflect.TypeFor[T]().String(), Err: err}
	}
	return e, nil
}
