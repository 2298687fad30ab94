package observabletest

import (
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
)

// note is a line that a test has added to a recorder's log.
type note struct {
	after int // events recorded before it
	text  string
}

// Notef adds a line to what [Recorder.Log] returns: for what happens between notifications, such as
// a teardown.
func (r *Recorder[V]) Notef(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, note{len(r.events), fmt.Sprintf(format, args...)})
}

// Log returns what was recorded so far in words, without the times: a line for each notification,
// as "7", "error: boom", "panic: boom" and "complete", and for each note of [Recorder.Note], in
// order. At the end comes a line for each breach of the contract (see [Recorder.Breaches]), so
// that a log which equals what a test wants has none.
func (r *Recorder[V]) Log() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var log []string
	notes := r.notes
	for i, e := range r.events {
		for len(notes) > 0 && notes[0].after <= i {
			log = append(log, notes[0].text)
			notes = notes[1:]
		}
		log = append(log, e.words())
	}
	for _, n := range notes {
		log = append(log, n.text)
	}
	for _, b := range r.breaches {
		log = append(log, "breach: "+b)
	}
	return log
}

// words returns the event without its time. A panic is told by its value alone: its place changes
// with the lines of a file.
func (e Event[V]) words() string {
	switch e.Kind {
	case Next:
		return fmt.Sprintf("%+v", e.Value)
	case Error:
		if p, ok := e.Err.(*observable.PanicError); ok { //nolint:errorlint // what wraps one has a text of its own
			return fmt.Sprintf("panic: %v", p.Value)
		}
		return fmt.Sprintf("error: %v", e.Err)
	default:
		return "complete"
	}
}
