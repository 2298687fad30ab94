package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/event"
)

// decode decodes a text.
func decode(c event.Codec, text string) (*event.Envelope, error) {
	return c.Decode(wsource.Text, []byte(text))
}

// encode returns the text of an envelope.
func encode(t *testing.T, c event.Codec, e *event.Envelope) string {
	t.Helper()
	m, err := c.Encode(e)
	require.NoError(t, err)
	require.Equal(t, wsource.Text, m.Type)
	require.True(t, json.Valid(m.Data), "%s", m.Data)
	return m.String()
}

func TestEnvelope(t *testing.T) {
	t.Run("the issue's example", func(t *testing.T) {
		e, err := decode(event.JSON(), `{"id":"69688550-5be2-41e4-a057-b9da2d59eb03","type":"order_placed",`+
			`"created":"1676554735324","source":"alice","data":{"id":5}}`)
		require.NoError(t, err)
		assert.Equal(t, &event.Envelope{
			ID: "69688550-5be2-41e4-a057-b9da2d59eb03", Type: "order_placed", Created: time.UnixMilli(1676554735324),
			Source: "alice", Data: []byte(`{"id":5}`),
		}, e)
		assert.JSONEq(t, `{"id":"69688550-5be2-41e4-a057-b9da2d59eb03","type":"order_placed",`+
			`"created":1676554735324,"source":"alice","data":{"id":5}}`, encode(t, event.JSON(), e))
	})
	t.Run("every field, and unknown ones", func(t *testing.T) {
		text := " {\"\\u0069d\" : \"a\\\"b\" , \"type\":\"t\",\"created\":1.5e3,\"source\":\"s\",\"corr\":\"c\",\"topic\":\"x.y\"," +
			"\"credit\":3,\"timeout\":250,\"v\":1,\"data\":[1, {\"a\":\"}]\\\\\"}],\"trace\":{\"id\":\"7\"},\"é\":null}\n"
		e, err := decode(event.JSON(), text)
		require.NoError(t, err)
		want := &event.Envelope{
			ID: `a"b`, Type: "t", Created: time.UnixMilli(1500), Source: "s", Corr: "c", Topic: "x.y", Credit: 3,
			Timeout: 250 * time.Millisecond, Data: []byte(`[1, {"a":"}]\\"}]`),
			Extra: []event.Field{{"trace", []byte(`{"id":"7"}`)}, {"é", []byte("null")}},
		}
		assert.Equal(t, want, e)
		again, err := decode(event.JSON(), encode(t, event.JSON(), e))
		require.NoError(t, err)
		assert.Equal(t, want, again)
	})
	t.Run("CloudEvents", func(t *testing.T) {
		text := `{"specversion":"1.0","id":"1","type":"com.example.t","source":"/s","time":"2023-02-16T13:38:55.324Z",` +
			`"subject":"x.y","datacontenttype":"application/json","data":{"id":5},"topic":"unrelated","corr":"0"}`
		e, err := decode(event.CloudEvents(), text)
		require.NoError(t, err)
		assert.True(t, time.UnixMilli(1676554735324).Equal(e.Created))
		assert.Equal(t, "x.y", e.Topic)
		assert.Equal(t, "0", e.Corr)
		assert.Equal(t, []event.Field{
			{"datacontenttype", []byte(`"application/json"`)}, {"topic", []byte(`"unrelated"`)},
		}, e.Extra)
		assert.JSONEq(t, text, encode(t, event.CloudEvents(), e))
		bare := encode(t, event.CloudEvents(), &event.Envelope{Type: "rx.cancel", Corr: "1"})
		e, err = decode(event.CloudEvents(), bare)
		require.NoError(t, err)
		assert.NotEmpty(t, e.ID)
		assert.Equal(t, "/", e.Source)
	})
	t.Run("binary data", func(t *testing.T) {
		for _, codec := range []event.Codec{event.JSON(), event.CloudEvents()} {
			for n := range 5 {
				data := bytes.Repeat([]byte{0xff, 0}, n)[:n]
				e := &event.Envelope{ID: "1", Type: "t", Source: "/", Data: data, Binary: true}
				again, err := decode(codec, encode(t, codec, e))
				require.NoError(t, err)
				assert.True(t, again.Binary)
				assert.True(t, bytes.Equal(data, again.Data))
			}
		}
	})
	t.Run("its data are its own", func(t *testing.T) {
		data := []byte(`{"id":"1","type":"t","data":"before"}`)
		e, err := event.JSON().Decode(wsource.Text, data)
		require.NoError(t, err)
		copy(data, bytes.Repeat([]byte("x"), len(data)))
		assert.Equal(t, `"before"`, string(e.Data))
	})
	t.Run("a field of the wrong dialect is not doubled", func(t *testing.T) {
		e := &event.Envelope{ID: "1", Type: "t", Extra: []event.Field{{"time", []byte(`"noon"`)}, {"corr", []byte(`"2"`)}}}
		assert.Equal(t, `{"id":"1","type":"t","time":"noon"}`, encode(t, event.JSON(), e))
		assert.NotContains(t, encode(t, event.CloudEvents(), e), "noon")
	})
	t.Run("IDs", func(t *testing.T) {
		a, b := event.NewID(), event.NewID()
		assert.Len(t, a, 36)
		assert.Equal(t, byte('7'), a[14])
		assert.Less(t, a, b, "they are in the order of time")
		var (
			all  sync.Map
			wait sync.WaitGroup
		)
		for range 8 {
			wait.Go(func() {
				for range 1000 {
					// The IDs are compared without the time.
					_, twice := all.LoadOrStore(event.NewID()[15:], true)
					assert.False(t, twice)
				}
			})
		}
		wait.Wait()
	})
}

func TestEnvelopeErrors(t *testing.T) {
	long := strings.Repeat("x", event.MaxName+1)
	fields := make([]string, event.MaxFields+1)
	for i := range fields {
		fields[i] = fmt.Sprintf(`"f%d":1`, i)
	}
	for name, c := range map[string]struct {
		text  string
		code  event.Code
		field string
		id    string
	}{
		"no JSON":             {`{"id":"1"`, event.CodeMalformed, "", ""},
		"no UTF-8":            {"{\"id\":\"1\",\"type\":\"t\",\"data\":\"\xff\"}", event.CodeMalformed, "", ""},
		"empty":               {``, event.CodeMalformed, "", ""},
		"two":                 {`{"id":"1","type":"t"}{}`, event.CodeMalformed, "", ""},
		"no object":           {`["id"]`, event.CodeMalformed, "", ""},
		"no id":               {`{"type":"t"}`, event.CodeMissingID, "id", ""},
		"null id":             {`{"type":"t","id":null}`, event.CodeMissingID, "id", ""},
		"no type":             {`{"id":"1"}`, event.CodeMissingType, "type", "1"},
		"id twice":            {`{"id":"1","id":"2","type":"t"}`, event.CodeMalformed, "id", "1"},
		"id twice, escaped":   {`{"id":"1","\u0069d":"2","type":"t"}`, event.CodeMalformed, "id", "1"},
		"numeric id":          {`{"id":1,"type":"t"}`, event.CodeMalformed, "id", ""},
		"later id":            {`{"type":5,"id":"1"}`, event.CodeMalformed, "type", "1"},
		"version":             {`{"v":2,"id":"1","type":"t"}`, event.CodeVersion, "v", "1"},
		"version as text":     {`{"v":"1","id":"1","type":"t"}`, event.CodeVersion, "v", "1"},
		"long id":             {`{"id":"` + long + `","type":"t"}`, event.CodeTooLong, "id", ""},
		"long type":           {`{"id":"1","type":"` + long + `"}`, event.CodeTooLong, "type", "1"},
		"long topic":          {`{"id":"1","type":"t","topic":"` + long + `"}`, event.CodeTooLong, "topic", "1"},
		"long name":           {`{"id":"1","type":"t","` + long + `":1}`, event.CodeTooLong, "", "1"},
		"too many fields":     {`{"id":"1","type":"t",` + strings.Join(fields, ",") + `}`, event.CodeTooLong, "", "1"},
		"created":             {`{"id":"1","type":"t","created":"soon"}`, event.CodeMalformed, "created", "1"},
		"created in between":  {`{"id":"1","type":"t","created":1e30}`, event.CodeMalformed, "created", "1"},
		"created, too late":   {`{"id":"1","type":"t","created":92233720368547758080}`, event.CodeMalformed, "created", "1"},
		"negative credit":     {`{"id":"1","type":"t","credit":-1}`, event.CodeMalformed, "credit", "1"},
		"timeout as text":     {`{"id":"1","type":"t","timeout":"1"}`, event.CodeMalformed, "timeout", "1"},
		"base64":              {`{"id":"1","type":"t","data_base64":"?"}`, event.CodeMalformed, "data_base64", "1"},
		"base64 as a number":  {`{"id":"1","type":"t","data_base64":1}`, event.CodeMalformed, "data_base64", "1"},
		"data and base64":     {`{"id":"1","type":"t","data":1,"data_base64":""}`, event.CodeMalformed, "data_base64", "1"},
		"base64 and data":     {`{"id":"1","type":"t","data_base64":"","data":1}`, event.CodeMalformed, "data", "1"},
		"cloud: version":      {`{"specversion":"0.3","id":"1","type":"t"}`, event.CodeVersion, "specversion", "1"},
		"cloud: none":         {`{"id":"1","type":"t"}`, event.CodeVersion, "specversion", "1"},
		"cloud: no id":        {`{"specversion":"1.0","type":"rx.cancel"}`, event.CodeMissingID, "id", ""},
		"cloud: time":         {`{"specversion":"1.0","id":"1","type":"t","time":"now"}`, event.CodeMalformed, "time", "1"},
		"cloud: time, number": {`{"specversion":"1.0","id":"1","type":"t","time":1}`, event.CodeMalformed, "time", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			codec := event.JSON()
			if strings.HasPrefix(name, "cloud") {
				codec = event.CloudEvents()
			}
			_, err := decode(codec, c.text)
			var ee *event.EnvelopeError
			require.ErrorAs(t, err, &ee)
			assert.Equal(t, c.code, ee.Code)
			assert.Equal(t, c.field, ee.Field)
			assert.Equal(t, c.id, ee.ID)
			assert.Less(t, len(ee.Error()), 3*event.MaxName)
		})
	}
	t.Run("envelopes that are sent", func(t *testing.T) {
		for _, e := range []event.Envelope{{ID: "1"}, {Type: "t"}, {ID: long, Type: "t"}, {ID: "1", Type: "t", Credit: -1}} {
			_, err := event.JSON().Encode(&e)
			var ee *event.EnvelopeError
			require.ErrorAs(t, err, &ee)
		}
	})
}

// A text is JSON if encoding/json takes it for JSON.
func TestWhatIsJSON(t *testing.T) {
	values := []string{
		``, ` `, `0`, `-0`, `01`, `-`, `+1`, `1.`, `.5`, `1.5`, `-1.50`, `1e`, `1e5`, `1E+05`, `1e-`, `1.e1`, `0x1`, `1 2`, `1,2`,
		`tru`, `true`, `truex`, `false`, `null`, `nul`, `NaN`, `"`, `""`, `"a`, `"a"`, `"a"b`, `'a'`, "\"\t\"", "\"\x00\"", "\"\x7f\"",
		`"é"`, "\"\u2028\"", `"\`, `"\"`, `"\\"`, `"\/\b\f\n\r\t\""`, `"\x"`, `"\u"`, `"\u12"`, `"\u12g4"`, `"\u12aF"`, `"\ud800"`, `"\u123"`,
		`{`, `{}`, `{ }`, `{,}`, `{"a"}`, `{"a":}`, `{"a":1}`, `{"a":1,}`, `{"a" : 1 , "b": [ ] }`, `{"a":1 "b":2}`, `{a:1}`, `{1:1}`, `{"a":1]`,
		`{"a"`, `{"a":1`, `{"a":1,`, `{"a":{"b":{}}}`, `[`, `[]`, `[ ]`, `[,]`, `[1]`, `[1,]`, `[1 , 2]`, `[1 2]`, `[1}`, `[[[]]`, `[[[]]]`, `[1`, `[1,`,
		`]`, `}`, `:`, `,`, "\ufeff1", "\v1", "\r\n\t 1", `//`, strings.Repeat("[", 100), strings.Repeat("[", 1e5),
	}
	// Package encoding/json allows 10,000 with those around it.
	for _, depth := range []int{9_998, 9_999, 10_000, 10_001} {
		values = append(values, strings.Repeat("[", depth)+strings.Repeat("]", depth),
			strings.Repeat("[", depth)+"1"+strings.Repeat("]", depth), strings.Repeat(`{"a":`, depth)+"1"+strings.Repeat("}", depth))
	}
	for _, value := range values {
		for _, text := range []string{
			value, ` {"id":"1","type":"t","data":` + value + `}`, `{"id":"1","type":"t","data":` + value + `,"x":1} `,
			`{"id":"1","type":"t","x":` + value + `}x`, `{"id":"1","type":"t"` + value + `}`,
		} {
			_, err := decode(event.JSON(), text)
			var ee *event.EnvelopeError
			malformed := errors.As(err, &ee) && ee.Problem == "the message is not JSON"
			assert.Equal(t, !json.Valid([]byte(text)), malformed, "%.80s", text)
		}
	}
}

// Any input is an envelope that stays the same when it is sent again, or a typed error.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(`{"id":"1","type":"t","created":"1676554735324","data":{"id":5},"x":[{"]":"\""}]}`), false)
	f.Add([]byte(`{"specversion":"1.0","id":"1","type":"t","time":"2023-02-16T13:38:55.324Z","data_base64":"AAE="}`), true)
	f.Add([]byte(`{"v":1,"id":"\ud800","type":"t","credit":1e2,"timeout":9e18}`), false)
	f.Fuzz(func(t *testing.T, data []byte, cloud bool) {
		codec := event.JSON()
		if cloud {
			codec = event.CloudEvents()
		}
		e, err := codec.Decode(wsource.Text, bytes.Clone(data))
		if err != nil {
			var ee *event.EnvelopeError
			require.ErrorAs(t, err, &ee)
			require.NotEmpty(t, ee.Code)
			// The error says that it is no JSON object.
			if ee.Code == event.CodeMalformed && ee.Field == "" {
				var object map[string]json.RawMessage
				require.True(t, !utf8.Valid(data) || json.Unmarshal(data, &object) != nil || object == nil, "%s", data)
			}
			return
		}
		var reference map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &reference))
		for _, field := range e.Extra {
			require.Contains(t, reference, field.Name)
		}
		if raw, ok := reference["data"]; ok {
			require.Equal(t, string(raw), string(e.Data))
		}
		m, err := codec.Encode(e)
		require.NoError(t, err)
		require.True(t, json.Valid(m.Data), "%s", m.Data)
		again, err := codec.Decode(m.Type, m.Data)
		require.NoError(t, err, "%s", m.Data)
		require.True(t, e.Created.Equal(again.Created))
		again.Created = e.Created
		require.Equal(t, e.Type, again.Type)
		if !cloud || e.Source != "" {
			require.Equal(t, e, again)
		}
	})
}
