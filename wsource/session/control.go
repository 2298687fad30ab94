package session

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/rxsocket/rxsocket/wsource"
)

// Subprotocol is the name of the subprotocol, as a client offers it.
const Subprotocol = "rxsocket.session.v1"

// mark begins a control message, and an application's text message that begins with it.
const mark = 0

// maxPosition is the largest number of a control message: 2^53-1.
const maxPosition = 1<<53 - 1

// word is the subject of a control message.
type word uint8

const (
	wordHello word = iota
	wordResume
	wordFresh
	wordResumed
	wordExpired
	wordGo
	wordAck
	wordAsk
	wordEnd
)

// forms are the words with the kinds of their fields: t is a token, n a number, c a close
// code with its reason.
var forms = [...]struct{ name, fields string }{
	wordHello: {"hello", ""}, wordResume: {"resume", "tn"}, wordFresh: {"fresh", "tn"},
	wordResumed: {"resumed", "tnnn"}, wordExpired: {"expired", ""}, wordGo: {"go", "n"},
	wordAck: {"ack", "n"}, wordAsk: {"ask", ""}, wordEnd: {"end", "c"},
}

// control is a control message without its mark.
type control struct {
	word    word
	token   string
	numbers [3]uint64 // in the order of the fields
	code    wsource.StatusCode
	reason  string
}

// errControl is the cause of each error of parseControl.
var errControl = errors.New("not a control message")

// encode returns the message, with its mark.
func (c *control) encode() []byte {
	form := forms[c.word]
	b := append(make([]byte, 0, 64), mark)
	b = append(b, form.name...)
	n := 0
	for _, kind := range form.fields {
		b = append(b, ' ')
		switch kind {
		case 't':
			b = append(b, c.token...)
		case 'n':
			b = strconv.AppendUint(b, c.numbers[n], 10)
			n++
		case 'c':
			b = strconv.AppendUint(b, uint64(c.code), 10)
			b = append(b, ' ')
			b = append(b, c.reason...)
		}
	}
	return b
}

// parseControl parses a control message without its mark. Each message has one form:
// encode gives back every message that is accepted.
func parseControl(data []byte) (c control, err error) {
	name, rest, more := bytes.Cut(data, []byte{' '})
	for w, form := range forms {
		if form.name != string(name) {
			continue
		}
		c.word = word(w)
		if more != (form.fields != "") {
			return c, fmt.Errorf("%w: %s with a wrong number of fields", errControl, form.name)
		}
		err = c.parseFields(form.fields, rest)
		if err != nil {
			err = fmt.Errorf("%w: %s: %w", errControl, form.name, err)
		}
		return c, err
	}
	return c, fmt.Errorf("%w: the word is unknown", errControl)
}

func (c *control) parseFields(kinds string, rest []byte) (err error) {
	n := 0
	for i, kind := range kinds {
		field, last := rest, i == len(kinds)-1
		if !last || kind == 'c' {
			var found bool
			if field, rest, found = bytes.Cut(rest, []byte{' '}); !found {
				return errors.New("a field is missing")
			}
		}
		switch kind {
		case 't':
			if c.token = string(field); !wellFormed(c.token) {
				return errors.New("the token is malformed")
			}
		case 'n':
			if c.numbers[n], err = parseNumber(field); err != nil {
				return err
			}
			n++
		case 'c':
			code, err := parseNumber(field)
			if err != nil || !endCode(code) || len(rest) > wsource.MaxReason || !utf8.Valid(rest) {
				return errors.New("the code or the reason cannot be those of a close frame")
			}
			c.code, c.reason = wsource.StatusCode(code), string(rest) //nolint:gosec // it is a code
		}
	}
	return nil
}

// endCode reports whether a close frame may have the code (RFC 6455, section 7.4).
func endCode(code uint64) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}

// parseNumber parses a number in its one form.
func parseNumber(field []byte) (uint64, error) {
	if len(field) == 0 || len(field) > 16 || field[0] == '0' && len(field) > 1 {
		return 0, errors.New("a number is malformed")
	}
	var n uint64
	for _, d := range field {
		if d < '0' || d > '9' {
			return 0, errors.New("a number is malformed")
		}
		n = n*10 + uint64(d-'0')
	}
	if n > maxPosition {
		return 0, errors.New("a number is too large")
	}
	return n, nil
}
