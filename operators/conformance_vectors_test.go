package operators_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// indexFile is index.json: the list of the files of a folder of vectors.
type indexFile struct {
	Files []struct{ Op, File string }
}

// vector is one case, decoded when it runs.
type vector struct {
	ID  string
	raw json.RawMessage

	Args          map[string]any
	Sources       []script
	UnsubscribeAt *int `json:"unsubscribe_at"`
	Subscribers   []span
	Ties          bool
	Transient     bool
	Expect        expectation
}

// script is the script of a source.
type script struct {
	Kind   string // cold, hot or sync
	Events []event
}

// event is a notification and its frame; W is set if an inner observable made it.
type event struct {
	T int
	K string // N, E or C
	W *int
	V any
	E string
}

// span is the life of a subscription, of the test or to a source.
type span struct {
	At    int
	Until *int
	Sub   int
	Unsub *int
}

type expectation struct {
	Events        []event
	Subscribers   []struct{ Events []event }
	Subscriptions [][]span
	Log           []map[string]any
}

// readIndex finds the folder and reads its index. Without an index, it takes all the
// files there.
func readIndex(t *testing.T, dir string) (string, indexFile) {
	if _, err := os.Stat(dir); err != nil && !filepath.IsAbs(dir) {
		dir = filepath.Join("..", dir) // as seen from the folder of the go test call
	}
	var index indexFile
	text, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return dir, listFiles(t, dir)
	}
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &index))
	require.NotEmpty(t, index.Files)
	return dir, index
}

func listFiles(t *testing.T, dir string) (index indexFile) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, paths, "no vectors in %s", dir)
	for _, path := range paths {
		var head struct{ Op, File string }
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &head), path)
		head.File = filepath.Base(path)
		index.Files = append(index.Files, head)
	}
	return index
}

// readFile reads the cases of one op, as far as their ids.
func readFile(t *testing.T, dir, name string) []*vector {
	var file struct{ Cases []json.RawMessage }
	text, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &file))
	vectors := make([]*vector, len(file.Cases))
	for i, raw := range file.Cases {
		var head struct{ ID string }
		require.NoError(t, json.Unmarshal(raw, &head))
		vectors[i] = &vector{ID: head.ID, raw: raw}
	}
	return vectors
}

// decode reads the rest of the case; whole numbers become int.
func (v *vector) decode() error {
	d := json.NewDecoder(bytes.NewReader(v.raw))
	d.UseNumber()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("case %s: %w", v.ID, err)
	}
	for key, arg := range v.Args {
		v.Args[key] = plain(arg)
	}
	for _, s := range v.Sources {
		for i := range s.Events {
			s.Events[i].V = plain(s.Events[i].V)
		}
	}
	return nil
}

// plain replaces the numbers in a decoded value by ints, or float64s where necessary.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return int(n)
		}
		f, err := v.Float64()
		if err != nil {
			panic(err)
		}
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return v
}

// String writes an event in one line. Events are compared by these lines.
func (e event) String() string {
	where := ""
	if e.W != nil {
		where = fmt.Sprintf(" inner %d", *e.W)
	}
	what := ""
	switch e.K {
	case "N":
		what = " " + encode(e.V)
	case "E":
		what = " " + e.E
	}
	return fmt.Sprintf("%4d%s %s%s", e.T, where, e.K, what)
}

// String writes a subscription to a source in one line.
func (s span) String() string {
	if s.Unsub == nil {
		return fmt.Sprintf("%4d - open", s.Sub)
	}
	return fmt.Sprintf("%4d - %d", s.Sub, *s.Unsub)
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%#v (%v)", v, err)
	}
	return string(text)
}

// errorNames are the vectors' names for the errors that operators make.
var errorNames = map[error]string{
	observable.ErrEmpty:     "EmptyError",
	operators.ErrSequence:   "SequenceError",
	operators.ErrNotFound:   "NotFoundError",
	operators.ErrOutOfRange: "ArgumentOutOfRangeError",
	operators.ErrTimeout:    "TimeoutError",
}

// errorName returns the vectors' name for err; a panic counts as the error that it was
// made with.
func errorName(err error) string {
	for sentinel, name := range errorNames {
		if errors.Is(err, sentinel) {
			return name
		}
	}
	if p := (*observable.PanicError)(nil); errors.As(err, &p) {
		if inner := p.Unwrap(); inner != nil {
			return errorName(inner)
		}
		return fmt.Sprint(p.Value)
	}
	return err.Error()
}
