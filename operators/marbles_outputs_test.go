package operators_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/observable/observabletest/draw/diagram"
	"github.com/rxsocket/rxsocket/operators"
)

// output is the result of a call: an observable of any type.
type output interface {
	// record subscribes to it. inner is called with each observable among its values, and
	// returns its name.
	record(p *play, inner func(output) string) *tape
}

// tape is the record of an output.
type tape struct {
	from   int // the column of the subscription
	events func() []happening
	leave  func()
}

// happening is a value or an end, in its column.
type happening struct {
	column int
	text   string
}

// written writes the happenings as columns and values.
func written(all []happening) string {
	words := make([]string, len(all))
	for i, h := range all {
		words[i] = fmt.Sprintf("%d:%s", h.column, h.text)
	}
	return strings.Join(words, " ")
}

// of returns an observable as an output.
func of[T any](src observable.Observable[T]) output { return values[T]{src} }

type values[T any] struct{ observable.Observable[T] }

func (o values[T]) record(p *play, _ func(output) string) *tape {
	return record(p, o.Observable, func(v T) string { return p.text(v) }, func(v T) { p.takeTime(p.text(v)) })
}

// opened returns an observable of observables as an output: the rows of these begin with
// a name.
func opened[O observable.Observable[T], T any](src observable.Observable[O]) output {
	return windows[O, T]{src}
}

type windows[O observable.Observable[T], T any] struct{ observable.Observable[O] }

func (o windows[O, T]) record(p *play, inner func(output) string) *tape {
	var names []string
	next := 0
	text := func(O) string {
		next++
		return names[next-1]
	}
	return record(p, o.Observable, text, func(v O) { names = append(names, inner(of[T](v))) })
}

// record subscribes a recorder to src.
func record[T any](p *play, src observable.Observable[T], text func(T) string, onNext func(T)) *tape {
	from := p.now()
	recorder := observabletest.NewRecorder[T]().OnNext(onNext)
	sub := src.Subscribe(context.Background(), recorder)
	events := func() (all []happening) {
		for _, e := range recorder.Events() {
			column := from + p.column(e.At)
			switch e.Kind {
			case observabletest.Next:
				all = append(all, happening{column, text(e.Value)})
			case observabletest.Complete:
				all = append(all, happening{column, "|"})
			case observabletest.Error:
				all = append(all, happening{column, "#" + e.Err.Error()})
			}
		}
		return all
	}
	return &tape{from, events, sub.Unsubscribe}
}

// takeTime takes the time of a slow downstream for a value.
func (p *play) takeTime(text string) {
	if d := p.busy(text); d > 0 {
		time.Sleep(d)
	}
}

// text writes a value as a diagram does.
func (p *play) text(v any) string {
	switch v := v.(type) {
	case operators.Pair[int, int]:
		return fmt.Sprintf("(%v,%v)", v.First, v.Second)
	case operators.TimestampValue[int]:
		return fmt.Sprintf("{%v t%d}", v.Value, v.Time.Sub(p.begun).Round(p.frame)/p.frame)
	case operators.TimeIntervalValue[int]:
		return fmt.Sprintf("{%v %v}", v.Value, v.Elapsed.Round(p.frame))
	case operators.Notification[int]:
		switch v.Kind {
		case operators.NextNotification:
			return fmt.Sprintf("{N %v}", v.Value)
		case operators.ErrorNotification:
			return fmt.Sprintf("{E %v}", v.Err)
		default:
			return "{C}"
		}
	case player:
		return fmt.Sprintf("(%s,%d)", v.name, v.score)
	}
	return unspaced(fmt.Sprint(v))
}

// unspaced writes a slice as most diagrams do.
func unspaced(text string) string {
	if strings.HasPrefix(text, "[") {
		return strings.ReplaceAll(text, " ", "")
	}
	return text
}

// player is a value with a score, as in (ann,7).
type player struct {
	name  string
	score int
}

// expected returns the happenings of a row.
func expected(row diagram.Row) (all []happening) {
	means := legend(row)
	for _, m := range row.Marks {
		text := m.Text
		switch m.Kind {
		case diagram.Value:
			if meant, ok := means[text]; ok {
				text = meant
			}
			text = unspaced(text)
		case diagram.Complete:
		case diagram.Failure:
			if row.Note != "" && means == nil {
				text += row.Note
			}
		default:
			continue
		}
		all = append(all, happening{m.Time(), text})
	}
	return all
}

// mark returns the column of the first mark of a kind in a row, or -1.
func mark(row diagram.Row, kind diagram.Kind) int {
	for _, m := range row.Marks {
		if m.Kind == kind {
			return m.Time()
		}
	}
	return -1
}
