package hub

// Log is what was said in a room, as far as a [History] or a compaction keeps it: what a
// [Broker] of another system answers a Snapshot from. One goroutine uses it at a time. It is
// made by [NewLog].
type Log[K, M comparable, T any] struct {
	past     past[K, M, T]
	compact  func(T) (key any, deletes bool) // nil: all events are kept
	position Position
}

// NewLog returns an empty log at a position: nothing is known of what was said up to there.
// With compact, it keeps what [Config] says of Compact.
func NewLog[K, M comparable, T any](
	history History, compact func(T) (key any, deletes bool), at Position,
) *Log[K, M, T] {
	l := &Log[K, M, T]{position: at, compact: compact}
	l.past.bounds, l.past.compacts, l.past.floor = history.withDefaults(), compact != nil, at.Offset
	return l
}

// Position returns that of the last event.
func (l *Log[K, M, T]) Position() Position { return l.position }

// Add keeps an event that was said to all, with the bytes that it counts for. Its offset is
// greater than all before; what is between was replaced by a later event.
func (l *Log[K, M, T]) Add(e *Event[K, M, T], bytes int) {
	e.bytes = bytes
	l.position = e.Position
	if l.past.bounds.Count == 0 && !l.past.compacts {
		l.past.floor = e.Position.Offset
		return
	}
	if l.compact != nil {
		e.compactKey, e.deletes = l.compact(e.Value)
	}
	l.past.prune()
	l.past.add(e)
}

// Lose notes that what was said up to an offset is not known, in part or as a whole. What is
// kept of that is given up, but with compact.
func (l *Log[K, M, T]) Lose(offset uint64) {
	for front := l.past.events.Front(); front != nil && !l.past.compacts; front = l.past.events.Front() {
		if event[K, M, T](front).Position.Offset > offset {
			break
		}
		l.past.drop(front)
	}
	l.past.floor = max(l.past.floor, offset)
	l.position.Offset = max(l.position.Offset, offset)
}

// Snapshot returns what a socket needs that joins with a position, but for the members and the
// revision.
func (l *Log[K, M, T]) Snapshot(since Position) Snapshot[K, M, T] {
	return l.past.snapshot(since, l.position)
}
