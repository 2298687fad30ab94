package operators_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/observable/observabletest/draw/diagram"
)

// play is a diagram that is run. A call takes its inputs from it: observables that follow
// the rows of the diagram, each row from the column in which it begins.
type play struct {
	t     *observabletest.T
	rows  []diagram.Row
	label string        // of the row of the call's result
	frame time.Duration // of a column
	begun time.Time

	mu       sync.Mutex       // guards uses
	uses     map[string][]int // by label: the columns of a row's subscriptions, or calls
	releases map[string][]int // by label: the columns of events that a row shows as ^
	log      bytes.Buffer     // of logger
}

// now returns the present column.
func (p *play) now() int { return p.column(time.Since(p.begun)) }

func (p *play) column(d time.Duration) int { return int(math.Round(float64(d) / float64(p.frame))) }

// at returns the time from the beginning to a column.
func (p *play) at(column int) time.Duration { return time.Duration(column) * p.frame }

// row returns the row with a label.
func (p *play) row(label string) diagram.Row {
	for _, r := range p.rows {
		if r.Label == label {
			p.use(label)
			return r
		}
	}
	require.FailNow(p.t, "the diagram has no such row", label)
	return diagram.Row{}
}

// use notes that the call uses a row, and the columns in which it begins.
func (p *play) use(label string, begins ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uses[label] = append(p.uses[label], begins...)
}

// errMarble is the error that # stands for in a row without a note.
var errMarble = errors.New("err")

// rowOf returns the observable of a row; parse makes the values of their texts.
func rowOf[T any](p *play, label string, parse func(text string) T) observable.Observable[T] {
	row := p.row(label)
	src := played(p, row.Marks, row.Lines[0].From, errorOf(row), parse)
	return observable.Defer(func() observable.Observable[T] {
		p.use(label, p.now())
		return src
	})
}

// errorOf returns the error that # stands for in a row.
func errorOf(row diagram.Row) error {
	if row.Note != "" && legend(row) == nil {
		return errors.New(row.Note)
	}
	return errMarble
}

// played returns a cold observable of marks that begin in a column.
func played[T any](p *play, marks []diagram.Mark, from int, err error, parse func(text string) T) observable.Observable[T] {
	var marble strings.Builder
	values := observabletest.Values[T]{}
	for _, m := range marks {
		symbol := m.Text
		if m.Kind == diagram.Value {
			r := rune('a' + len(values))
			values[r], symbol = parse(m.Text), string(r)
		}
		fmt.Fprintf(&marble, " @%v %s", p.at(m.Time()-from), symbol)
	}
	return observabletest.Cold(p.t, strings.TrimSpace(marble.String()), values).WithError(err)
}

// ints returns the observable of a row of numbers.
func (p *play) ints(label string) ints { return rowOf(p, label, p.number) }

func (p *play) number(text string) int {
	v, err := strconv.Atoi(text)
	require.NoError(p.t, err)
	return v
}

// texts returns the observable of a row of texts; quotes are not part of a text.
func (p *play) texts(label string) texts { return rowOf(p, label, unquoted) }

type texts = observable.Observable[string]

func unquoted(text string) string { return strings.Trim(text, `"`) }

// nested returns the observable of the source's row, whose values name the rows of
// observables.
func (p *play) nested() observable.Observable[texts] {
	return rowOf(p, "src", func(text string) texts {
		// An observable that is not subscribed to has no row.
		return observable.Defer(func() texts { return p.texts(text) })
	})
}

// inner returns the project that stands in the label behind an arrow, as x => xa--xb|.
func (p *play) inner() func(int) texts {
	_, marble, ok := strings.Cut(p.label, "=> ")
	require.True(p.t, ok, p.label)
	_, marble, _ = strings.Cut(" "+marble, " ")
	open := p.open(strings.TrimRight(marble, ")"))
	return func(v int) texts {
		src, err := open(strconv.Itoa(v))
		require.NoError(p.t, err)
		return src
	}
}

// open returns a function that opens the stream of a marble, in which x stands for the
// value; it fails for the value x.
func (p *play) open(marble string) func(string) (texts, error) {
	return func(v string) (texts, error) {
		if v == "x" {
			return nil, errMarble
		}
		d, ok := diagram.Parse([]string{"inner: " + strings.ReplaceAll(marble, "x", v)})
		require.True(p.t, ok, marble)
		return played(p, d.Rows[0].Marks, 0, errMarble, unquoted), nil
	}
}

// work returns a function that takes the time of its value's row, which has a label as in
// project(1).
func (p *play) work(name string) func(context.Context, int) (string, error) {
	return func(_ context.Context, v int) (string, error) {
		label := fmt.Sprintf("%s(%d)", name, v)
		row := p.row(label)
		p.use(label, p.now())
		m := row.Marks[len(row.Marks)-1]
		time.Sleep(p.at(m.Time() - row.Lines[0].From))
		return m.Text, nil
	}
}

// context returns a context that ends when the row says so.
func (p *play) context(label string) context.Context {
	row := p.row(label)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(p.at(row.Marks[0].Time()), cancel)
	return ctx
}

// release returns a function whose call a row shows as ^.
func (p *play) release(label string) func() {
	p.row(label)
	return func() { p.releases[label] = append(p.releases[label], p.now()) }
}

// logger returns a logger that writes the lines that the diagram shows below its rows,
// without the time of day.
func (p *play) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(&p.log, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch {
			case a.Key == slog.TimeKey:
				return slog.Attr{}
			case a.Value.Kind() == slog.KindDuration:
				a.Value = slog.DurationValue(a.Value.Duration().Round(time.Millisecond))
			}
			return a
		},
	}))
}

// busy returns the time for which downstream is busy with a value.
func (p *play) busy(text string) time.Duration {
	for _, r := range p.rows {
		if !r.Busy {
			continue
		}
		columns := 0
		for _, m := range r.Marks {
			if m.Text == text {
				columns += m.Columns
			}
		}
		return p.at(columns)
	}
	return 0
}

// meaning matches a letter of a row and its meaning in the row's note.
var meaning = regexp.MustCompile(`(\w) = (\[[^\]]*\]|\w+)`)

// legend returns the meanings of the letters of a row.
func legend(row diagram.Row) map[string]string {
	var all map[string]string
	for _, m := range meaning.FindAllStringSubmatch(row.Note, -1) {
		if all == nil {
			all = map[string]string{}
		}
		all[m[1]] = m[2]
	}
	return all
}
