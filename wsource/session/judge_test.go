package session

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// told is a value or a status, as it was told.
type told struct {
	value  string
	status *Status
}

// witness has the values that one side of a session has sent, and all that it was told.
type witness struct {
	s     *text
	pause func() // inside the observer of values; may be nil

	mu      sync.Mutex
	sent    []string
	events  []told
	reports map[string]wsource.Outcome
	doubles []string // reported twice
	ended   bool
}

// witnessOf subscribes to all streams of a session.
func witnessOf(s *text, pause func()) *witness {
	w := &witness{s: s, pause: pause, reports: make(map[string]wsource.Outcome)}
	s.Status().Subscribe(context.Background(), observable.ObserverFuncs[Status]{OnNext: func(status Status) {
		w.add(told{status: &status})
	}})
	// Another goroutine may deliver, a moment later, the values of the time of the
	// subscription.
	time.Sleep(time.Nanosecond)
	s.Undelivered().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.SendError]{OnNext: func(err *wsource.SendError) {
		w.mu.Lock()
		defer w.mu.Unlock()
		value := string(err.Message.Data)
		if _, twice := w.reports[value]; twice {
			w.doubles = append(w.doubles, value)
		}
		w.reports[value] = err.Outcome
	}})
	end := func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = true
	}
	s.Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(v string) {
			w.add(told{value: v})
			if pause != nil {
				pause()
			}
		},
		OnError: func(error) { end() }, OnComplete: end,
	})
	return w
}

func (w *witness) add(e told) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// send sends a value unlike all others.
func (w *witness) send(value string) {
	w.mu.Lock()
	w.sent = append(w.sent, value)
	w.mu.Unlock()
	w.s.Next(value)
}

func (w *witness) isOver() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// last returns the last value, "" if there is none.
func (w *witness) lastValue() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range slices.Backward(w.events) {
		if e.status == nil {
			return e.value
		}
	}
	return ""
}

// figures are a judge's counts.
type figures struct {
	sent, delivered, gaps, lost, unknown, unsent int
	kinds                                        map[Kind]int
}

func (f *figures) add(g figures) {
	f.sent += g.sent
	f.delivered += g.delivered
	f.gaps += g.gaps
	f.lost += g.lost
	f.unknown += g.unknown
	f.unsent += g.unsent
	if f.kinds == nil {
		f.kinds = make(map[Kind]int)
	}
	for k, n := range g.kinds {
		f.kinds[k] += n
	}
}

func (f *figures) String() string {
	return fmt.Sprintf("%d messages: %d delivered; %d lost in %d gaps; told as unknown %d, as unsent %d; statuses: %v",
		f.sent, f.delivered, f.lost, f.gaps, f.unknown, f.unsent, f.kinds)
}

// judge judges one direction by its history: the values that one side has sent and was
// told to be undelivered, and the values that the other side was told, in its sessions
// one after the other. Values come once and in order. Each missing value was told as
// undelivered, or is part of the gap that was told in its place.
func judge(t *testing.T, what string, sent []string, reports map[string]wsource.Outcome, sessions ...[]told) (f figures) {
	t.Helper()
	f.sent, f.kinds = len(sent), make(map[Kind]int)
	index := make(map[string]int, len(sent))
	for i, v := range sent {
		index[v] = i
	}
	for v, outcome := range reports {
		if _, known := index[v]; !assert.True(t, known, "%s: a report of a value that was not sent", what) {
			return f
		}
		if outcome == wsource.Unsent {
			f.unsent++
		} else {
			f.unknown++
		}
	}
	defer func() {
		if t.Failed() {
			story(t, what, index, reports, sessions)
		}
	}()
	last, gap := -1, 0
	// missing checks the values between the last value and that with an index.
	missing := func(to int) bool {
		silent, unknown := 0, 0
		for _, v := range sent[last+1 : to] {
			switch outcome, known := reports[v]; {
			case !known:
				silent++
			case outcome == wsource.Unknown:
				unknown++
			}
		}
		f.lost += silent
		return assert.True(t, silent <= gap && gap <= silent+unknown,
			"%s: between %d and %d, %d are missing without a report, and %d with; a gap of %d was told", what, last, to, silent, unknown, gap)
	}
	for _, events := range sessions {
		position := uint64(0)
		connection := 0
		for _, e := range events {
			if s := e.status; s != nil && s.Kind == Waiting { //nolint:nestif // one history is read in one place
				continue
			} else if s != nil {
				f.kinds[s.Kind]++
				switch s.Kind {
				case Fresh:
					position, connection = 0, 0
					fallthrough
				case Recovered, Gap:
					if !assert.Greater(t, s.Connection, connection, "%s: a connection without a status of its own", what) {
						return f
					}
					connection = s.Connection
				default:
				}
				if n := s.LostIn.Len(); n > 0 {
					f.gaps++
					if !assert.Equal(t, position+1, s.LostIn.From, "%s: where the gap begins", what) {
						return f
					}
					position = s.LostIn.To
					gap += int(n)
				}
				continue
			}
			i, known := index[e.value]
			if !assert.True(t, known, "%s: %q was never sent", what, e.value) ||
				!assert.Greater(t, i, last, "%s: %q comes twice or late", what, e.value) || !missing(i) {
				return f
			}
			if outcome, known := reports[e.value]; known && !assert.NotEqual(t, wsource.Unsent, outcome, "%s: %q has arrived", what, e.value) {
				return f
			}
			position++
			last, gap = i, 0
			f.delivered++
		}
	}
	missing(len(sent))
	return f
}

// story logs the history that a judge has seen.
func story(t *testing.T, what string, index map[string]int, reports map[string]wsource.Outcome, sessions [][]told) {
	t.Helper()
	var b strings.Builder
	for i, events := range sessions {
		fmt.Fprintf(&b, "%s, session %d:", what, i)
		for _, e := range events {
			if e.status != nil {
				fmt.Fprintf(&b, " [%v]", *e.status)
			} else {
				fmt.Fprintf(&b, " %d", index[e.value])
			}
		}
		b.WriteString("\n")
	}
	for v, outcome := range reports {
		fmt.Fprintf(&b, " %d: %v;", index[v], outcome)
	}
	t.Log(b.String())
}
