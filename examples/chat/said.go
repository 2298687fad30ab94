package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Bounds of the past that a room keeps.
const (
	pastLines = 200
	pastAge   = time.Hour
	maxRooms  = 100
)

// errNotSaid is the outcome of a line until it was said.
var errNotSaid = errors.New("it was not said")

// lately knows the lines that rooms keep, by their speakers and IDs. A client whose
// connection has broken does not know whether its last lines have arrived, and sends them
// again. The zero value is ready to use.
type lately struct {
	mu    sync.Mutex // not held while a line is said
	rooms map[string][]*line
}

// line is a line that is being said, or was.
type line struct {
	key  string
	at   time.Time
	done chan struct{} // closed when the outcome is known
	err  error         // reason why it was not said
}

// once says a line that has an ID, unless the room keeps it already.
func (l *lately) once(ctx context.Context, room, user, id string, say func() error) error {
	if id == "" {
		return say()
	}
	for {
		said, isNew := l.note(room, user+" "+id)
		if isNew {
			defer func() { // even if say panics
				if said.err != nil {
					l.forget(room, said)
				}
				close(said.done)
			}()
			said.err = errNotSaid
			said.err = say()
			return said.err
		}
		select { // another connection of the client says it, or has said it
		case <-said.done:
			if said.err == nil {
				return nil
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// note returns the line of that key in a room, which is new if there was none.
func (l *lately) note(room, key string) (said *line, isNew bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prune()
	lines := l.rooms[room]
	if i := slices.IndexFunc(lines, func(other *line) bool { return other.key == key }); i >= 0 {
		return lines[i], false
	}
	if l.rooms == nil {
		l.rooms = make(map[string][]*line)
	}
	said = &line{key: key, at: time.Now(), done: make(chan struct{})}
	l.rooms[room] = append(lines[max(0, len(lines)-pastLines+1):], said)
	return said, true
}

// prune forgets the lines that the rooms have forgotten by their age; mu is held.
func (l *lately) prune() {
	for room, lines := range l.rooms {
		old := 0
		for old < len(lines) && time.Since(lines[old].at) > pastAge {
			old++
		}
		if l.rooms[room] = lines[old:]; old == len(lines) {
			delete(l.rooms, room)
		}
	}
}

// forget has a line that was not said count as a new one.
func (l *lately) forget(room string, said *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rooms[room] = slices.DeleteFunc(l.rooms[room], func(other *line) bool { return other == said })
}
