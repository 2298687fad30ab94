package inspect_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/event"
	"github.com/rxsocket/rxsocket/wsource/inspect"
)

type octet byte

type embedded struct{ Key []byte }

type owner struct{ text []byte }

func (o owner) MarshalText() ([]byte, error) { return o.text, nil }

// TestShowJSONOfBytes checks that bytes at each place in a value are shown by their
// content, not as base64.
func TestShowJSONOfBytes(t *testing.T) {
	const secret = `{"Password":"pw", "n":1}`
	type node struct {
		Next, Other *node
		Data        []byte `json:"data,omitempty"`
	}
	at := &node{Data: []byte(secret)}
	ring := &node{}
	ring.Next, ring.Other = ring, ring
	show, hide := inspect.ShowJSON(), inspect.ShowJSON("password")
	for _, test := range []struct {
		value         any
		shown, hidden string
	}{
		{[]byte(secret), `{"Password":"pw","n":1}`, `{"Password":"•••","n":1}`},
		{[]byte("pw"), `"2 bytes"`, `"2 bytes"`},
		{[]octet(secret), `{"Password":"pw","n":1}`, `{"Password":"•••","n":1}`},
		{[]byte(nil), `null`, `null`},
		{nil, `null`, `null`},
		{at, `{"Next":null,"Other":null,"data":{"Password":"pw","n":1}}`,
			`{"Next":null,"Other":null,"data":{"Password":"•••","n":1}}`},
		{map[string]any{"a": [2][]byte{[]byte("pw"), []byte(secret)}, "password": []byte("x")},
			`{"a":["2 bytes",{"Password":"pw","n":1}],"password":"1 bytes"}`,
			`{"a":["2 bytes",{"Password":"•••","n":1}],"password":"•••"}`},
		{struct{ embedded }{embedded{[]byte(secret)}}, `{"Key":{"Password":"pw","n":1}}`, `{"Key":{"Password":"•••","n":1}}`},
		{struct{ *embedded }{&embedded{[]byte(secret)}}, `struct { *inspect_test.embedded }`, `struct { *inspect_test.embedded }`},
		{struct{ Owner owner }{owner{[]byte("its own")}}, `{"Owner":"its own"}`, `{"Owner":"its own"}`},
		{json.RawMessage(secret), `{"Password":"pw","n":1}`, `{"Password":"•••","n":1}`},
		{[]string{secret, "[plain"}, `["{\"Password\":\"pw\", \"n\":1}","[plain"]`,
			`["{\"Password\":\"•••\",\"n\":1}","[plain"]`},
		{`"{\"password\":\"pw\"}"`, `"\"{\\\"password\\\":\\\"pw\\\"}\""`, `"\"{\\\"password\\\":\\\"•••\\\"}\""`},
		{"user=ann&Password=pw", `"user=ann&Password=pw"`, `"20 bytes"`},
		{`42["login",{"password" : "pw"}]`, `"42[\"login\",{\"password\" : \"pw\"}]"`, `"31 bytes"`},
		{"no password", `"no password"`, `"no password"`},
		{ring, `*inspect_test.node`, `*inspect_test.node`},
	} {
		assert.Equal(t, test.shown, show("", test.value))
		assert.Equal(t, test.hidden, hide("", test.value))
	}
	assert.Equal(t, secret, string(at.Data)) // it belongs to others

	e := event.Event[any]{Envelope: &event.Envelope{Type: "login", Data: []byte(secret)}}
	assert.Contains(t, hide("", e), `"Data":{"Password":"•••","n":1}`)
}
