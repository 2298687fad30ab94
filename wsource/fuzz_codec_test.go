package wsource_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// message makes a message that a fuzzer has thought of.
func message(binary bool, data []byte) wsource.Message {
	m := wsource.Message{Type: wsource.Text, Data: append([]byte(nil), data...)}
	if binary {
		m.Type = wsource.Binary
	}
	return m
}

// decodes decodes a message and checks that the value does not depend on the message's
// data, which is used again, and that it survives the way to another message and back.
// AsValues delivers an error as a value, with the whole message.
func decodes[T any](t *testing.T, codec wsource.Codec[T, T], m wsource.Message) (value T, err error) {
	t.Helper()
	sent := bytes.Clone(m.Data)
	value, err = codec.Decode(m.Type, m.Data)
	require.Equal(t, sent, bytes.Clone(m.Data), "the message is not the codec's to change")
	whole, always := wsource.AsValues(codec).Decode(m.Type, m.Data)
	require.NoError(t, always)
	if err != nil {
		require.NotNil(t, whole.Err)
		require.Equal(t, codec.Name(), whole.Err.Codec)
		require.Equal(t, m.Type, whole.Err.Message.Type)
		clear(m.Data)
		require.True(t, bytes.Equal(sent, whole.Err.Message.Data))
		// The text has 32 bytes, each of four characters at most, and the codec's error.
		require.Less(t, len(whole.Err.Error()), 4*32+len(codec.Name())+len(err.Error())+100)
		return value, err
	}
	require.Nil(t, whole.Err)
	before, err := codec.Encode(value)
	require.NoError(t, err)
	clear(m.Data)
	after, err := codec.Encode(value)
	require.NoError(t, err)
	require.Equal(t, before, after, "a codec copies the bytes that it keeps")
	again, err := codec.Decode(after.Type, after.Data)
	require.NoError(t, err)
	require.Equal(t, value, again)
	return value, nil
}

// FuzzTextCodec and its neighbours feed the codecs messages that no peer would send.
func FuzzTextCodec(f *testing.F) {
	f.Add(false, []byte("text"))
	f.Add(true, []byte("text"))
	f.Add(false, []byte{})
	f.Fuzz(func(t *testing.T, binary bool, data []byte) {
		if !utf8.Valid(data) && !binary {
			t.Skip() // no socket delivers such a message
		}
		value, err := decodes(t, wsource.TextCodec(), message(binary, data))
		if binary {
			require.ErrorIs(t, err, wsource.ErrMessageType)
			return
		}
		require.NoError(t, err)
		require.Equal(t, string(data), value)
	})
}

func FuzzBinaryCodec(f *testing.F) {
	f.Add(true, []byte{0, 0xFF})
	f.Add(false, []byte("text"))
	f.Add(true, []byte{})
	f.Fuzz(func(t *testing.T, binary bool, data []byte) {
		value, err := decodes(t, wsource.BinaryCodec(), message(binary, data))
		if !binary {
			require.ErrorIs(t, err, wsource.ErrMessageType)
			return
		}
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, value))
	})
}

func FuzzRawCodec(f *testing.F) {
	f.Add(true, []byte{0, 0xFF})
	f.Add(false, []byte("text"))
	f.Fuzz(func(t *testing.T, binary bool, data []byte) {
		value, err := decodes(t, wsource.Raw(), message(binary, data))
		require.NoError(t, err)
		require.Equal(t, binary, value.Type == wsource.Binary)
		require.True(t, bytes.Equal(data, value.Data))
	})
}

// order is a value with fields of several kinds.
type order struct {
	ID    int             `json:"id"`
	Note  string          `json:"note,omitempty"`
	Parts []order         `json:"parts,omitempty"`
	More  map[string]any  `json:"more,omitempty"`
	Rest  json.RawMessage `json:"rest,omitempty"`
}

// jsonSeeds are values, near misses, and texts that have broken decoders before.
var jsonSeeds = []string{
	`{"id":1,"note":"x","parts":[{"id":2}],"more":{"a":[1,null]},"rest":{"b":0}}`, `{"id":1,"what":2}`, `{"ID":1}`, `null`,
	`[]`, `"text"`, `-0`, `1e999`, `12345678901234567890`, "{\"id\":1}\n\t ", `{"id":1} {"id":2}`, `{"id":1}]`, `{"id":`, ``, ` `,
	"\"\xFF\"", `"\ud800"`, `{"rest":null,"parts":null}`, strings.Repeat("[", 200), `{"more":{}}`, `{"rest": [ 1 ] }`,
}

func FuzzJSON(f *testing.F) {
	for _, seed := range jsonSeeds {
		f.Add(false, []byte(seed))
	}
	f.Add(true, []byte(`{"id":1}`))
	f.Fuzz(func(t *testing.T, binary bool, data []byte) {
		m := message(binary, data)
		if _, err := decodes(t, wsource.JSON[any, any](), message(binary, data)); err == nil {
			require.True(t, json.Valid(data), "one value, and nothing after it")
		}
		loose, err := wsource.JSON[order, order]().Decode(m.Type, m.Data)
		if err == nil {
			require.True(t, json.Valid(data))
		}
		strict, problem := wsource.StrictJSON[order, order]().Decode(m.Type, m.Data)
		if problem == nil {
			require.NoError(t, err, "StrictJSON takes no message that JSON refuses")
			require.Equal(t, loose, strict)
		}
	})
}

// FuzzStrictJSON is FuzzJSON for the codec that refuses unknown fields.
func FuzzStrictJSON(f *testing.F) {
	for _, seed := range jsonSeeds {
		f.Add(false, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, binary bool, data []byte) {
		type plain struct {
			ID   int    `json:"id"`
			Note string `json:"note"`
		}
		if _, err := decodes(t, wsource.StrictJSON[plain, plain](), message(binary, data)); err != nil {
			return
		}
		require.True(t, json.Valid(data))
		var fields map[string]any
		require.NoError(t, json.Unmarshal(data, &fields))
		for name := range fields {
			require.Contains(t, []string{"id", "note"}, strings.ToLower(name))
		}
	})
}
