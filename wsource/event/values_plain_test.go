package event

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A plain value has the JSON that encoding/json gives it.
func TestAppendPlain(t *testing.T) {
	t.Parallel()
	for _, value := range []any{
		"", "plain", "~ !#[]", `quo"ted`, `back\slash`, "<a href>", "&", "new\nline", "é", "\x7f", "\xff", "\u2028",
		0, 1, -1, 21, math.MaxInt, math.MinInt, int64(math.MaxInt64), int64(math.MinInt64), true, false, struct{}{},
	} {
		want, err := json.Marshal(value)
		require.NoError(t, err)
		data, ok := appendPlain(nil, value)
		if ok {
			assert.Equal(t, string(want), string(data))
		}
		data, binary, err := JSONValues().Encode(value)
		require.NoError(t, err)
		assert.False(t, binary)
		assert.Equal(t, string(want), string(data))
	}
	for _, value := range []any{nil, 1.5, uint(1), []int{1}, struct{ A int }{1}, json.Number("1"), named(1)} {
		_, ok := appendPlain(nil, value)
		assert.False(t, ok, "%T", value)
	}
}

// named has JSON of its own.
type named int

func (named) MarshalJSON() ([]byte, error) { return []byte(`"a name"`), nil }

// Plain JSON is read as encoding/json reads it, and all other JSON is left to it.
func TestParsePlain(t *testing.T) {
	t.Parallel()
	for _, data := range plainJSON {
		parsesAs[string](t, data)
		parsesAs[int](t, data)
		parsesAs[int64](t, data)
		parsesAs[bool](t, data)
		parsesAs[struct{}](t, data)
		parsesAs[named](t, data)
	}
}

var plainJSON = []string{
	``, `"`, `""`, `"text"`, `"a\"b"`, `"\u0041"`, `"<&>"`, `"é"`, "\"\xff\"", `text"`, `"text`, `"a"b"`,
	`0`, `-0`, `00`, `01`, `1`, `-1`, `-01`, `-`, `+1`, `1e3`, `1.0`, `1 `, `21`, `999999999999999999`, `-999999999999999999`,
	`1000000000000000000`, `9223372036854775807`, `-9223372036854775808`, `9223372036854775808`,
	`true`, `false`, `True`, `tru`, `truth`, `null`, `{}`, `{ }`, `{"a":1}`, `[]`, `nul`,
}

func FuzzParsePlain(f *testing.F) {
	for _, data := range plainJSON {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data string) {
		parsesAs[string](t, data)
		parsesAs[int](t, data)
		parsesAs[int64](t, data)
		parsesAs[bool](t, data)
		parsesAs[struct{}](t, data)
	})
}

// parsesAs checks that plain JSON is the T of encoding/json.
func parsesAs[T any](t *testing.T, data string) {
	t.Helper()
	var plain, value T
	if !parsePlain([]byte(data), &plain) {
		assert.Equal(t, value, plain)
		return
	}
	require.NoError(t, json.Unmarshal([]byte(data), &value), data)
	assert.Equal(t, value, plain, data)
}

// A question and an answer that are plain take no memory but their events'.
func TestPlainAllocations(t *testing.T) {
	c := New(nil, nil)
	e, err := Pack(c, "double", 1<<20)
	require.NoError(t, err)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = Pack(c, "double", 1<<20) }), 2.0)
	assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = unpack[int](c, e) }))
}
