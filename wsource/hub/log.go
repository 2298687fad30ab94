package hub

// Log is the values said in a room, as far as a [History] or a compaction keeps them: a
// [Broker] of another system answers a Snapshot from it. One goroutine uses it at a time.
// [NewLog] makes one.
type Log[K, M comparable, T any] struct {
	past     past[K, M, T]
	compact  func(T) (key any, deletes bool) // nil: all events are kept
	position Position
}

// NewLog returns an empty log at a position: the values said up to there are unknown.
// With compact, it keeps the events that [Config] names at Compact.
func NewLog[K, M comparable, T any](
	history History, compact func(T) (key any, deletes bool), at Position,
) *Log[K, M, T] {
	l := &Log[K, M, T]{position: at, compact: compact}
	l.past.bounds, l.past.compacts, l.past.floor = history.withDefaults(), compact != nil, at.Offset
	return l
}

// Position returns the position of the last event.
func (l *Log[K, M, T]) Position() Position { return l.position }

// Add keeps an event that was said to all, with the bytes that it counts for. Its offset
// is greater than all before; later events have replaced those of the offsets between.
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

// Lose notes that values said up to an offset are unknown, some or all of them. Without
// compact, it drops the events up to there that are kept.
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

// Snapshot returns the state for a socket that joins with a position, but for the members
// and the revision.
func (l *Log[K, M, T]) Snapshot(since Position) Snapshot[K, M, T] {
	return l.past.snapshot(since, l.position)
}
