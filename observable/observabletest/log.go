package observabletest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// note is a line that a test has added to a recorder's log.
type note struct {
	after int           // events recorded before it
	at    time.Duration // since the beginning
	text  string
}

// Notef adds a line to the results of [Recorder.Log] and [Recorder.String], for events
// between notifications, such as a teardown.
func (r *Recorder[V]) Notef(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, note{len(r.events), elapsed(r.begun), fmt.Sprintf(format, args...)})
}

// Log returns the record so far in words, without the times: a line for each
// notification, as "7", "error: boom", "panic: boom" and "complete", and for each note of
// [Recorder.Notef], in order. At the end comes a line for each breach of the contract
// (see [Recorder.Breaches]), so a log that equals the wanted one has no breach.
func (r *Recorder[V]) Log() []string {
	return r.lines(func(_ time.Duration, text string) string { return text }, Event[V].words)
}

// String returns the lines of Log in one line, with the symbols of a marble for the ends,
// as "1 2 |", "1 #boom" and "#panic: boom".
func (r *Recorder[V]) String() string {
	return strings.Join(r.lines(func(_ time.Duration, text string) string { return text }, Event[V].symbols), " ")
}

// TimedString returns the text of String with the milliseconds since the recorder was
// made, as "3:1 4.5:2 7:|".
func (r *Recorder[V]) TimedString() string {
	timed := func(at time.Duration, text string) string {
		return strconv.FormatFloat(float64(at)/float64(Frame), 'f', -1, 64) + ":" + text
	}
	return strings.Join(r.lines(timed, Event[V].symbols), " ")
}

// lines returns the events, written by text, and the notes, in order and each passed
// through line with its time, and then the breaches.
func (r *Recorder[V]) lines(line func(at time.Duration, text string) string, text func(Event[V]) string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	notes := r.notes
	for i, e := range r.events {
		for len(notes) > 0 && notes[0].after <= i {
			lines = append(lines, line(notes[0].at, notes[0].text))
			notes = notes[1:]
		}
		lines = append(lines, line(e.At, text(e)))
	}
	for _, n := range notes {
		lines = append(lines, line(n.at, n.text))
	}
	for _, b := range r.breaches {
		lines = append(lines, "breach: "+b)
	}
	return lines
}

// words returns the event without its time.
func (e Event[V]) words() string {
	switch e.Kind {
	case Next:
		return fmt.Sprintf("%+v", e.Value)
	case Error:
		text, bare := withoutPlace(e.Err)
		if bare {
			return text
		}
		return "error: " + text
	default:
		return "complete"
	}
}

// symbols returns the event without its time, and its end as in a marble.
func (e Event[V]) symbols() string {
	switch e.Kind {
	case Next:
		return fmt.Sprintf("%+v", e.Value)
	case Error:
		text, _ := withoutPlace(e.Err)
		return string(symbolError) + text
	default:
		return string(symbolComplete)
	}
}

// withoutPlace returns the text of an error, with a panic as its value alone, as "panic:
// boom": its place changes with the lines of a file. It reports whether the error is a
// panic that nothing wraps.
func withoutPlace(err error) (text string, bare bool) {
	text = fmt.Sprint(err)
	p, ok := errors.AsType[*observable.PanicError](err)
	if !ok {
		return text, false
	}
	return strings.Replace(text, p.Error(), fmt.Sprintf("panic: %v", p.Value), 1), text == p.Error()
}
