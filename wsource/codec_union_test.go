package wsource_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

type (
	trade struct{ Price float64 }
	hello struct {
		Type string `json:"type"`
		Name string
	}
	nothing struct{}
)

// trades is the union of the tests.
func trades(more ...wsource.Member) wsource.Codec[any, any] {
	return wsource.Union("type", append([]wsource.Member{
		wsource.As[trade]("trade"), wsource.As[*hello]("hello"), wsource.As[nothing]("nothing"),
		wsource.As[json.Number]("number"),
	}, more...)...)
}

func TestUnionDecodes(t *testing.T) {
	for text, want := range map[string]any{
		`{"type":"trade","Price":1.5}`:                    trade{1.5},
		"\n{\t\"Price\": 1.5, \"type\": \"trade\" }\n":    trade{1.5},
		`{"type":"hello","Name":"A"}`:                     &hello{"hello", "A"},
		`{"type":"nothing"}`:                              nothing{},
		`{"a":{"type":"hello"},"type":"trade","Price":2}`: trade{2},
		`{"type":"tr\u0061de","Price":3}`:                 trade{3},
	} {
		v, err := trades().Decode(wsource.Text, []byte(text))
		require.NoError(t, err, text)
		assert.Equal(t, want, v, text)
	}
}

func TestUnionUnknownTags(t *testing.T) {
	for text, tag := range map[string]string{
		`{"type":"news"}`:  "news",
		`{"type":7}`:       "7",
		`{"type":{"a":1}}`: `{"a":1}`,
		`{"type":""}`:      "",
		`{}`:               "",
		`{"Type":"trade"}`: "",
	} {
		_, err := trades().Decode(wsource.Text, []byte(text))
		var te *wsource.TagError
		require.ErrorAs(t, err, &te, text)
		assert.Equal(t, wsource.TagError{Field: "type", Tag: tag}, *te, text)
		v, err := trades(wsource.Otherwise[json.RawMessage]()).Decode(wsource.Text, []byte(text))
		require.NoError(t, err, text)
		assert.Equal(t, json.RawMessage(text), v, text)
	}
	assert.Equal(t, `no member of the union has the tag "news", which the field "type" holds`,
		(&wsource.TagError{Field: "type", Tag: "news"}).Error())
	assert.Equal(t, `the message has no field "type"`, (&wsource.TagError{Field: "type"}).Error())
	long := string(make([]byte, 1000))
	assert.Less(t, len((&wsource.TagError{Field: "type", Tag: long}).Error()), 300)
}

func TestUnionRefuses(t *testing.T) {
	for _, text := range []string{
		``, `7`, `[]`, `null`, `"type"`, `{"type"`, `{"type":"news"`, `{"a":1`, `{"type":"news"} x`, `{"type":"trade","Price":"no"}`,
		`{"type":"trade"`, `{"type":"trade"} {}`, `{"a":}`,
	} {
		_, err := trades().Decode(wsource.Text, []byte(text))
		require.Error(t, err, text)
		var te *wsource.TagError
		require.NotErrorAs(t, err, &te, text)
	}
}

func TestUnionEncodes(t *testing.T) {
	for want, value := range map[string]any{
		`{"type":"trade","Price":1.5}`:      trade{1.5},
		`{"type":"trade","Price":2.5}`:      &trade{2.5},
		`{"type":"hello","Name":"A"}`:       &hello{Name: "A"},
		`{"type":"hello","Name":"B"}`:       &hello{Type: "wrong", Name: "B"},
		`{"type":"hello","Name":"C"}`:       &hello{Type: "hello", Name: "C"},
		`{"type":"nothing"}`:                nothing{},
		`{"type":"whatever I like","a":[]}`: json.RawMessage(`{"type":"whatever I like","a":[]}`),
	} {
		m, err := trades(wsource.Otherwise[json.RawMessage]()).Encode(value)
		require.NoError(t, err, want)
		assert.Equal(t, want, m.String())
		assert.Equal(t, wsource.Text, m.Type)
	}
	for _, value := range []any{nil, 7, "text", hello{}, json.Number("7"), json.RawMessage(`{}`), new(**trade)} {
		_, err := trades().Encode(value)
		require.Error(t, err, "%v", value)
	}
	odd := wsource.Union(`"\`, wsource.As[nothing](`"\`))
	m, err := odd.Encode(nothing{})
	require.NoError(t, err)
	v, err := odd.Decode(m.Type, m.Data)
	require.NoError(t, err)
	assert.Equal(t, nothing{}, v)
}

func TestUnionArguments(t *testing.T) {
	for name, codec := range map[string]wsource.Codec[any, any]{
		"two tags":       trades(wsource.As[int]("trade")),
		"two types":      trades(wsource.As[trade]("trades")),
		"two fallbacks":  trades(wsource.Otherwise[int](), wsource.Otherwise[any]()),
		"a zero Member":  trades(wsource.Member{}),
		"none":           wsource.Union("type"),
		"fallback known": trades(wsource.Otherwise[trade]()),
	} {
		_, err := codec.Decode(wsource.Text, []byte(`{"type":"trade"}`))
		requireArgument(t, err, "members")
		_, err = codec.Encode(trade{})
		requireArgument(t, err, "members")
		assert.NotEmpty(t, name)
	}
}

func TestUnionInASubject(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		var told []wsource.Event
		hook := wsource.HookFunc(func(e wsource.Event) {
			if e.Kind == wsource.EventUndecodable {
				e.Socket = nil
				told = append(told, e)
			}
		})
		subject := newSubject(s, trades(), &wsource.SubjectConfig[any]{Hook: hook})
		only := record(t, operators.OfType[trade](subject))
		all := record(t, subject)
		skipped := record(t, subject.Undecodable())
		server := s.accept()
		server.say(`{"type":"trade","Price":1}`)
		server.say(`{"type":"news"}`)
		server.say(`{"type":"hello","Name":"A"}`)
		time.Sleep(time.Second)
		assert.Equal(t, []trade{{1}}, only.Values())
		assert.Equal(t, []any{trade{1}, &hello{"hello", "A"}}, all.Values(), "an unknown kind is a matter of its message")
		require.Len(t, skipped.Values(), 1)
		assert.Equal(t, `{"type":"news"}`, skipped.Values()[0].Message.String())
		assert.Equal(t, []wsource.Event{{
			Kind: wsource.EventUndecodable, Messages: 1, Bytes: 15, Err: skipped.Values()[0],
		}}, told)
		assert.Equal(t, "undecodable", told[0].Kind.String())
		subject.Next(trade{2})
		assert.Equal(t, []string{`{"type":"trade","Price":2}`}, server.heard())
		server.say(`{"type":`)
		var ce *wsource.CodecError
		require.ErrorAs(t, all.ExpectEnd(t), &ce)
	})
}

func FuzzUnion(f *testing.F) {
	for _, text := range []string{`{"type":"trade","Price":1}`, `{"type":7}`, `{"a":[1,{"type":"hello"}]}`, `{`, `{"type":"hello"}x`} {
		f.Add([]byte(text))
	}
	codec := trades(wsource.Otherwise[json.RawMessage]())
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := codec.Decode(wsource.Text, data)
		if err != nil {
			return
		}
		require.True(t, json.Valid(data))
		m, err := codec.Encode(v)
		require.NoError(t, err)
		again, err := codec.Decode(m.Type, m.Data)
		require.NoError(t, err)
		if _, raw := v.(json.RawMessage); !raw {
			require.Equal(t, v, again)
		}
	})
}
