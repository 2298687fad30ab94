package inspect

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// name holds the counts of the streams of a name that are over, and the number of live
// ones.
type name struct {
	live       int // the number of live streams
	subscribed uint64
	values     uint64
	errors     uint64
	completed  uint64
}

// stream is one subscription to a named stream. It is its operators.Probe.
type stream struct {
	inspector *Inspector
	id        uint64
	name      string
	group     *name
	socket    string // the ID of the socket that it belongs to, or ""
	into      uint64 // the id of the stream downstream, or 0
	opened    time.Time
	entered   atomic.Uint64 // values that have come
	left      atomic.Uint64 // values that downstream has taken
	looked    atomic.Int64  // the last time in an answer, in nanoseconds since 1970

	skipped atomic.Uint64 // values since the last shown one

	// The next two fields are used inside the stream only.
	second time.Time // the second in which shown counts values
	shown  int

	mu      sync.Mutex // guards marbles and end
	marbles []Marble
	end     string // its Kind; "" while the stream lives

	waiting waiting // guarded by the mu of the Inspector
}

// open notes a subscription to a named stream, if there is room.
func (i *Inspector) open(n operators.NamedSubscription) operators.Probe {
	socket := ""
	if of := wsource.SocketOf(n.Context); of != nil {
		socket = of.ID()
	}
	s := &stream{inspector: i, name: bounded(n.Name), socket: socket, opened: time.Now()}
	if down, ok := n.Downstream.(*stream); ok && down.inspector == i {
		s.into = down.id
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return nil
	}
	s.group = i.group(s.name)
	s.group.subscribed++
	if len(i.streams) >= MaxStreams {
		return nil
	}
	s.group.live++
	i.newest++
	s.id = i.newest
	i.streams[s.id] = s
	i.crowded.Store(len(i.streams) > MaxShown)
	return s
}

// group returns the counts of a name; mu is held.
func (i *Inspector) group(of string) *name {
	group := i.names[of]
	if group == nil && len(i.names) >= MaxNames {
		of = otherStream
		group = i.names[of]
	}
	if group == nil {
		group = new(name)
		i.names[of] = group
	}
	return group
}

// Enter counts a value, and reports whether to show it.
func (s *stream) Enter() bool {
	s.entered.Add(1)
	if !s.inspector.watched.Load() {
		return false
	}
	now := time.Now()
	if s.inspector.crowded.Load() && now.Sub(time.Unix(0, s.looked.Load())) >= WatchTime {
		return false // nobody sees it, and thousands of streams would cost a lot
	}
	if now.Sub(s.second) >= time.Second {
		s.second, s.shown = now, 0
	}
	if s.shown >= s.inspector.config.PerSecond {
		s.skipped.Add(1)
		return false
	}
	s.shown++
	return true
}

// Show keeps the text of a value.
func (s *stream) Show(value any) { s.note("value", s.inspector.text(s.name, value)) }

// Leave counts a value as taken.
func (s *stream) Leave() { s.left.Add(1) }

// Error keeps the text of an error.
func (s *stream) Error(err error) { s.finish("error", s.inspector.text(s.name, err)) }

// Complete notes the completion.
func (s *stream) Complete() { s.finish("complete", "") }

// finish notes the end of the stream.
func (s *stream) finish(kind, text string) {
	s.mu.Lock()
	first := s.end == ""
	if first {
		s.end = kind
	}
	s.mu.Unlock()
	if first {
		s.note(kind, text)
	}
}

// Close forgets the stream, but for a few words about it.
func (s *stream) Close() {
	s.finish("unsubscribe", "")
	s.mu.Lock()
	end := s.end
	s.mu.Unlock()
	i := s.inspector
	i.mu.Lock()
	defer i.mu.Unlock()
	s.group.live--
	s.group.values += s.entered.Load()
	switch end {
	case "error":
		s.group.errors++
	case "complete":
		s.group.completed++
	}
	if !i.closed {
		delete(i.streams, s.id)
		i.crowded.Store(len(i.streams) > MaxShown)
		i.over = last(i.over, MaxEnded, s)
	}
}

// note keeps a marble, and drops the oldest one beyond the bound.
func (s *stream) note(kind, text string) {
	m := Marble{
		Number: s.inspector.marbles.Add(1), At: time.Now(), Kind: kind, Text: text,
		Skipped: s.skipped.Swap(0),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marbles = last(s.marbles, MaxMarbles, m)
}

// look returns the time for which the stream has been passing a value on; the mu of the
// Inspector is held.
func (s *stream) look(now time.Time) time.Duration {
	left := s.left.Load()
	return s.waiting.look(now, left, s.entered.Load())
}

// streamsNow returns the streams that a request wants to see, and the counts by name.
func (i *Inspector) streamsNow(now time.Time, want *query) (live int, shown []Stream, names []Name) {
	type pair struct {
		*stream

		waited time.Duration
	}
	i.mu.Lock()
	var all []pair
	values := make(map[*name]uint64, len(i.names))
	for _, s := range i.streams {
		all = append(all, pair{s, s.look(now)})
		values[s.group] += s.entered.Load()
	}
	live = len(all)
	names = []Name{}
	for text, n := range i.names {
		names = append(names, Name{
			Name: text, Live: n.live, Subscribed: n.subscribed, Values: n.values + values[n],
			Errors: n.errors, Completed: n.completed,
		})
	}
	over := slices.Clone(i.over)
	i.mu.Unlock()
	slices.SortFunc(names, func(a, b Name) int { return b.compare(&a) })
	names = limit(names, MaxShown)

	slices.SortFunc(all, func(a, b pair) int { return byWaiting(a.waited, b.waited, a.id, b.id) })
	for _, s := range slices.Backward(over) {
		all = append(all, pair{s, 0})
	}
	shown = []Stream{}
	for _, p := range all {
		if len(shown) == MaxShown {
			break
		}
		if want.stream(p.stream) {
			p.looked.Store(now.UnixNano())
			shown = append(shown, p.snapshot(now, p.waited, want.since))
		}
	}
	return live, shown, names
}

// snapshot returns the state of a stream.
func (s *stream) snapshot(now time.Time, waited time.Duration, since uint64) Stream {
	told := Stream{
		ID: s.id, Name: s.name, Socket: s.socket, Into: s.into, Age: Milliseconds(now.Sub(s.opened)),
		Values: s.entered.Load(), Waiting: Milliseconds(waited), Marbles: []Marble{},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	told.End = s.end
	for _, m := range s.marbles {
		if m.Number > since {
			told.Marbles = append(told.Marbles, m)
		}
	}
	return told
}
