package event

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// parser makes an envelope of a JSON object.
type parser struct {
	dialect

	envelope *Envelope
	seen     uint32 // known fields that have come, as bits
}

// has reports whether a field has come.
func (p *parser) has(f field) bool { return p.seen&f.bit() != 0 }

// malformed returns the error for a field, or for a whole message, of the wrong form.
func (p *parser) malformed(field, problem string) *EnvelopeError {
	return p.envelope.wrong(CodeMalformed, field, problem)
}

// parse reads the object.
func (p *parser) parse(data []byte) error {
	// The first error is returned after the rest was read, which may have the ID.
	first, problem := p.object(data)
	if problem != "" {
		*p.envelope = Envelope{}
		return p.malformed("", problem)
	}
	if first == nil {
		if first = p.missing(p.seen, p.envelope); first == nil {
			first = p.envelope.vet()
		}
	}
	if first == nil {
		return nil
	}
	return p.envelope.wrong(first.Code, first.Field, first.Problem)
}

const notJSON = "the message is not JSON"

// object takes the fields of an object and returns the first error, or the reason why
// data is no object.
func (p *parser) object(data []byte) (first *EnvelopeError, problem string) {
	i := skipSpace(data, 0)
	switch {
	case !utf8.Valid(data):
		return nil, notJSON
	case !at(data, i, '{'):
		if i = skipValue(data, i, 0); i < 0 || skipSpace(data, i) != len(data) {
			return nil, notJSON
		}
		return nil, "the message is no JSON object"
	}
	i = skipSpace(data, i+1)
	for n := 0; n > 0 || !at(data, i, '}'); n++ {
		name, nameEnd := i, skipString(data, i)
		value := skipColon(data, nameEnd)
		if value < 0 {
			return nil, notJSON
		}
		if i = skipValue(data, value, 1); i < 0 {
			return nil, notJSON
		}
		if err := p.take(n, data[name:nameEnd], data[value:i:i]); err != nil && first == nil {
			first = err
		}
		if i = skipSpace(data, i); at(data, i, '}') {
			break
		}
		if !at(data, i, ',') {
			return nil, notJSON
		}
		i = skipSpace(data, i+1)
	}
	if skipSpace(data, i+1) != len(data) {
		return nil, notJSON
	}
	return first, ""
}

// take takes the field of number n.
func (p *parser) take(n int, name, value []byte) *EnvelopeError {
	if n >= MaxFields {
		return &EnvelopeError{Code: CodeTooLong, Problem: "there are too many fields"}
	}
	plain, ok := unquote(name)
	if !ok || len(plain) > MaxName {
		return &EnvelopeError{Code: CodeTooLong, Problem: "the name of a field is too long"}
	}
	f := p.field(plain)
	if f == fieldExtra {
		p.envelope.Extra = append(p.envelope.Extra, Field{string(plain), value})
		return nil
	}
	if p.has(f) {
		return p.malformed(string(plain), "comes twice")
	}
	p.seen |= f.bit()
	return p.set(f, plain, value)
}

// ownType returns the type of an event of the protocol, which need not be copied, or "".
func ownType(value []byte) string {
	for _, typ := range [...]string{typeReply, typeNext, typeComplete, typeError, typeCancel, typeCredit} {
		if len(value) == len(typ)+2 && string(value[1:len(typ)+1]) == typ {
			return typ
		}
	}
	return ""
}

// set sets a field that this package knows.
func (p *parser) set(f field, name, value []byte) *EnvelopeError {
	e := p.envelope
	switch f {
	case fieldID:
		return p.text(&e.ID, name, value)
	case fieldType:
		if e.Type = ownType(value); e.Type != "" {
			return nil
		}
		return p.text(&e.Type, name, value)
	case fieldSource:
		return p.text(&e.Source, name, value)
	case fieldCorr:
		return p.text(&e.Corr, name, value)
	case fieldTopic:
		return p.text(&e.Topic, name, value)
	case fieldPattern:
		return p.text(&e.Pattern, name, value)
	case fieldCreated:
		return p.created(value)
	case fieldTime:
		return p.timestamp(value)
	case fieldData:
		return p.value(value)
	case fieldBinary:
		return p.binary(value)
	case fieldCredit:
		return p.whole(&e.Credit, name, value)
	case fieldTimeout:
		var ms int64
		err := p.whole(&ms, name, value)
		e.Timeout = time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
		return err
	case fieldVersion:
		if n, ok := number(value); !ok || n != Version {
			return &EnvelopeError{Code: CodeVersion, Field: string(name), Problem: "is not 1"}
		}
	case fieldSpec:
		var version string
		if err := p.text(&version, name, value); err != nil || version != "1.0" {
			return &EnvelopeError{Code: CodeVersion, Field: string(name), Problem: "is not 1.0"}
		}
	case fieldExtra: // take keeps these
	}
	return nil
}

// text sets a field that is a string, or null.
func (p *parser) text(to *string, name, value []byte) *EnvelopeError {
	if value[0] == 'n' {
		return nil
	}
	plain, ok := unquote(value)
	if !ok {
		return p.malformed(string(name), "is not a string")
	}
	if len(plain) > MaxName {
		return &EnvelopeError{Code: CodeTooLong, Field: string(name), Problem: "is too long"}
	}
	*to = string(plain)
	return nil
}

// whole sets a field that is a whole number of at least 0, or null.
func (p *parser) whole(to *int64, name, value []byte) *EnvelopeError {
	if value[0] == 'n' {
		return nil
	}
	n, ok := number(value)
	if !ok || n < 0 {
		return p.malformed(string(name), "is no whole number of at least 0")
	}
	*to = n
	return nil
}

// binary sets Data from base64.
func (p *parser) binary(value []byte) *EnvelopeError {
	if value[0] == 'n' {
		return nil
	}
	e := p.envelope
	if len(e.Data) > 0 {
		return p.malformed("data_base64", "comes beside data")
	}
	plain, ok := unquote(value)
	var err error
	if ok {
		e.Data, err = base64.StdEncoding.AppendDecode(nil, plain)
	}
	if !ok || err != nil {
		return p.malformed("data_base64", "is not base64")
	}
	e.Binary = true
	return nil
}

// value sets Data from JSON.
func (p *parser) value(value []byte) *EnvelopeError {
	if p.envelope.Binary {
		return p.malformed("data", "comes beside data_base64")
	}
	p.envelope.Data = value
	return nil
}

// created sets the time, from milliseconds as a number or as a string of digits.
func (p *parser) created(value []byte) *EnvelopeError {
	if value[0] == 'n' {
		return nil
	}
	if value[0] == '"' {
		value = value[1 : len(value)-1]
	}
	ms, ok := number(value)
	if !ok {
		return p.malformed("created", "is not in milliseconds")
	}
	p.envelope.Created = time.UnixMilli(ms)
	return nil
}

// unquote returns the text of a JSON string, and false if the value is not a string.
func unquote(value []byte) (plain []byte, ok bool) {
	if value[0] != '"' {
		return nil, false
	}
	plain = value[1 : len(value)-1]
	if bytes.IndexByte(plain, '\\') < 0 {
		return plain, true
	}
	var s string
	if json.Unmarshal(value, &s) != nil {
		return nil, false
	}
	return []byte(s), true
}

// number returns a whole number that may be written as 1e3, and false if it is none.
func number(value []byte) (n int64, ok bool) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err == nil {
		return n, true
	}
	if errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || math.Abs(f) >= 1<<63 { // this also catches a NaN
		return 0, false
	}
	return int64(f), true
}
