package hub

import (
	"container/list"
	"time"
)

// DefaultHistoryAge is how long events are kept, if a [History] names no Age.
const DefaultHistoryAge = 5 * time.Minute

// History bounds the events that are kept of a room. The zero value keeps none. A socket
// that joins with a [Position] gets the events that it missed out of them.
type History struct {
	Count int           // number of events that are kept
	Bytes int           // size of their encoded messages together; 0 means 1 MiB
	Age   time.Duration // time for which they are kept; 0 means DefaultHistoryAge
}

// withDefaults returns h with its defaults filled in.
func (h History) withDefaults() History {
	if h.Bytes == 0 {
		h.Bytes = 1 << 20
	}
	if h.Age == 0 {
		h.Age = DefaultHistoryAge
	}
	return h
}

// past is the events said in a room, as far as they are kept.
type past[K, M comparable, T any] struct {
	bounds   History
	compacts bool // only the last event of each key is kept

	events list.List // of *Event, the oldest first
	bytes  int
	floor  uint64                // last offset of an event dropped without a successor
	latest map[any]*list.Element // events by the key of Config.Compact
	tombs  int                   // number of events that delete a key
}

// maxTombs is how many deletes of a compacted past are kept for clients that were away.
const maxTombs = 1024

// add keeps an event, and drops the events that exceed the bounds.
func (p *past[K, M, T]) add(e *Event[K, M, T]) {
	element := p.events.PushBack(e)
	p.bytes += e.size()
	if p.compacts {
		p.replace(e, element)
		return
	}
	for p.events.Len() > p.bounds.Count || p.events.Len() > 0 && p.bytes > p.bounds.Bytes {
		p.drop(p.events.Front())
	}
}

// replace has a new event stand for the last one with its key. An event that deletes a
// key is kept for a while, and one that sets a key as long as there is a room: the code
// that says the values bounds the keys.
func (p *past[K, M, T]) replace(e *Event[K, M, T], element *list.Element) {
	if before := p.latest[e.compactKey]; before != nil {
		p.remove(before)
	}
	if p.latest == nil {
		p.latest = make(map[any]*list.Element)
	}
	p.latest[e.compactKey] = element
	if !e.deletes {
		return
	}
	if p.tombs++; p.tombs > maxTombs {
		p.bury(func(*Event[K, M, T]) bool { return p.tombs > maxTombs/2 })
	}
}

// last returns the last event with the key of an event, or nil.
func (p *past[K, M, T]) last(e *Event[K, M, T]) *Event[K, M, T] {
	if element := p.latest[e.compactKey]; element != nil {
		return event[K, M, T](element)
	}
	return nil
}

// bury drops the deletes that are over, the oldest first.
func (p *past[K, M, T]) bury(over func(*Event[K, M, T]) bool) {
	for element := p.events.Front(); element != nil; {
		next := element.Next()
		e := event[K, M, T](element)
		if e.deletes {
			if !over(e) {
				return
			}
			p.drop(element)
		}
		element = next
	}
}

// prune drops the events that are too old.
func (p *past[K, M, T]) prune() {
	old := func(e *Event[K, M, T]) bool { return time.Since(e.At) >= p.bounds.Age }
	if p.compacts {
		if p.tombs > 0 {
			p.bury(old)
		}
		return
	}
	for front := p.events.Front(); front != nil && old(event[K, M, T](front)); front = p.events.Front() {
		p.drop(front)
	}
}

// drop removes an event that no later one stands for.
func (p *past[K, M, T]) drop(element *list.Element) {
	e := event[K, M, T](element)
	p.floor = e.Position.Offset
	if p.compacts {
		delete(p.latest, e.compactKey)
	}
	p.remove(element)
}

func (p *past[K, M, T]) remove(element *list.Element) {
	e := event[K, M, T](element)
	p.bytes -= e.size()
	if e.deletes {
		p.tombs--
	}
	p.events.Remove(element)
}

// since returns the events behind an offset, and the number of those that are gone.
func (p *past[K, M, T]) since(offset uint64) (events []*Event[K, M, T], missed uint64) {
	n := 0
	first := p.events.Back()
	for element := first; element != nil && event[K, M, T](element).Position.Offset > offset; element = element.Prev() {
		first = element
		n++
	}
	events = make([]*Event[K, M, T], 0, n)
	for element := first; n > 0; element = element.Next() {
		events = append(events, event[K, M, T](element))
		n--
	}
	if p.floor > offset {
		missed = p.floor - offset
	}
	return events, missed
}

// all returns every event that is kept, for a socket that knows none yet.
func (p *past[K, M, T]) all() []*Event[K, M, T] {
	events, _ := p.since(0)
	if !p.compacts {
		return events
	}
	kept := events[:0]
	for _, e := range events {
		if !e.deletes {
			kept = append(kept, e)
		}
	}
	return kept
}

// snapshot returns the state for a socket that joins with a position, when the room is at
// now.
func (p *past[K, M, T]) snapshot(since, now Position) Snapshot[K, M, T] {
	p.prune()
	s := Snapshot[K, M, T]{Position: now}
	switch {
	case since == Position{}:
		s.Recovery, s.Events = Fresh, p.all()
	case since.Epoch != now.Epoch || since.Offset > now.Offset:
		s.Recovery, s.Events = TooOld, p.all()
	default:
		s.Events, s.Missed = p.since(since.Offset)
		switch {
		case s.Missed == 0:
			s.Recovery = Recovered
		case p.compacts: // a key that was deleted may be among them
			s.Recovery, s.Missed, s.Events = TooOld, 0, p.all()
		default:
			s.Recovery = Gap
		}
	}
	return s
}

func event[K, M comparable, T any](element *list.Element) *Event[K, M, T] {
	return element.Value.(*Event[K, M, T]) //nolint:forcetypeassert // add puts nothing else in
}
