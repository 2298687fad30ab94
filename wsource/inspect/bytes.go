package inspect

import (
	"bytes"
	"crypto/rand"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// maxDepth bounds the depth of the search for bytes in a value. JSON ends at the same
// depth for a value that holds itself.
const maxDepth = 1000

// marked replaces the base64 of bytes in the JSON of a value: base64 hides nothing, but
// nobody can read it. Each []byte in a copy of the value gets a mark as its content, and
// the text of encoding/json then has the base64 of the mark.
type marked struct {
	nonce string // nobody can guess a mark, nor send one
	pairs []string
	lost  bool // not all bytes could be found
}

// bytesShown returns a value as JSON on one line, which shows bytes that are JSON as
// JSON, and others as their length. It returns "" for a value that does not encode.
func bytesShown(value any) string {
	if value == nil {
		return encoded(value)
	}
	m := &marked{nonce: rand.Text()}
	text := encoded(m.copy(reflect.ValueOf(value), 0).Interface())
	if m.lost {
		return ""
	}
	return strings.NewReplacer(m.pairs...).Replace(text)
}

// mark returns the mark for bytes in the copy.
func (m *marked) mark(data []byte) []byte {
	mark := fmt.Appendf(nil, "%s%d.", m.nonce, len(m.pairs))
	var shown bytes.Buffer
	if json.Compact(&shown, data) != nil {
		shown.Reset()
		fmt.Fprintf(&shown, `"%d bytes"`, len(data))
	}
	m.pairs = append(m.pairs, `"`+base64.StdEncoding.EncodeToString(mark)+`"`, shown.String())
	return mark
}

// encodesItself reports whether encoding/json leaves the encoding to the value.
func encodesItself(v reflect.Value) bool {
	marshals := func(t reflect.Type) bool {
		return t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
	}
	return marshals(v.Type()) || v.CanAddr() && marshals(reflect.PointerTo(v.Type()))
}

// copy returns a copy of the part of a value that encoding/json sees, with marks for its
// bytes. The value itself belongs to others.
func (m *marked) copy(v reflect.Value, depth int) reflect.Value {
	depth++
	m.lost = m.lost || depth > maxDepth
	if m.lost || encodesItself(v) {
		return v
	}
	switch v.Kind() { //nolint:exhaustive // the others have no bytes in them
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return m.pointed(v, depth)
		}
	case reflect.Struct:
		c := reflect.New(v.Type()).Elem()
		m.fields(c, v, depth)
		return c
	case reflect.Map:
		if !v.IsNil() {
			c := reflect.MakeMapWithSize(v.Type(), v.Len())
			for pairs := v.MapRange(); pairs.Next(); {
				c.SetMapIndex(pairs.Key(), m.copy(pairs.Value(), depth))
			}
			return c
		}
	case reflect.Slice:
		if v.Len() > 0 {
			return m.slice(v, depth)
		}
	case reflect.Array:
		c := reflect.New(v.Type()).Elem()
		for n := range v.Len() {
			c.Index(n).Set(m.copy(v.Index(n), depth))
		}
		return c
	}
	return v
}

// pointed copies the value behind a pointer or an interface.
func (m *marked) pointed(v reflect.Value, depth int) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	if v.Kind() == reflect.Interface {
		c.Set(m.copy(v.Elem(), depth))
		return c
	}
	c.Set(reflect.New(v.Type().Elem()))
	c.Elem().Set(m.copy(v.Elem(), depth))
	return c
}

// slice copies a slice that is not empty.
func (m *marked) slice(v reflect.Value, depth int) reflect.Value {
	elem := v.Type().Elem()
	if elem.Kind() == reflect.Uint8 && !encodesItself(v.Index(0)) {
		c := reflect.New(v.Type()).Elem()
		c.SetBytes(m.mark(v.Bytes()))
		return c
	}
	c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	for n := range v.Len() {
		c.Index(n).Set(m.copy(v.Index(n), depth))
	}
	return c
}

// fields copies the fields of a struct that encoding/json sees: the exported ones, also
// of an embedded struct that is not exported. This package must not read the others
// either, as they may change under a lock.
func (m *marked) fields(c, v reflect.Value, depth int) {
	for n := range v.NumField() {
		field := v.Type().Field(n)
		switch {
		case field.IsExported():
			c.Field(n).Set(m.copy(v.Field(n), depth))
		case !field.Anonymous:
		case field.Type.Kind() == reflect.Struct:
			m.fields(c.Field(n), v.Field(n), depth)
		case field.Type.Kind() == reflect.Pointer && !v.Field(n).IsNil():
			m.lost = true // it cannot be copied
		}
	}
}
