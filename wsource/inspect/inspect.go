package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/session"
)

// The bounds of the things that an Inspector keeps and shows.
const (
	MaxSockets  = 10_000          // sockets that it keeps; further ones are only counted
	MaxStreams  = 10_000          // subscriptions to named streams; likewise
	MaxNames    = 1000            // names of streams that it tells apart
	MaxShown    = 100             // sockets, streams, and parts, in one answer
	MaxEnded    = 50              // sockets, and streams, that are over and still shown
	MaxMarbles  = 32              // marbles that it keeps of a stream
	MaxText     = 256             // bytes of the text of a value
	WatchTime   = 5 * time.Second // time after a request in which it looks at values
	SlowAfter   = time.Second     // time that the queue of a slow socket has waited
	otherStream = "(others)"      // name of the streams beyond MaxNames
)

// DefaultPerSecond is the number of values of a stream shown in a second.
const DefaultPerSecond = 20

// Config sets the visitors and the content of an Inspector. The zero value is the
// default.
type Config struct {
	// Remote allows requests from other machines, and requests through a proxy. Put a
	// middleware that authenticates visitors around the Inspector.
	Remote bool
	// Hosts are the names of the server, without a port, by which requests may ask for it
	// beside localhost and IP addresses.
	Hosts []string
	// Show returns the text of a value, or of an error, of the stream of that name. It
	// runs inside the stream, for the shown values, so it must return soon. It must not
	// change or keep the value. Default: the type of the value, and no data. See
	// ShowJSON.
	Show func(name string, value any) string
	// PerSecond is the number of values of a stream shown in a second; the others are
	// counted. Default, and in place of a negative number: DefaultPerSecond.
	PerSecond int
}

// Inspector is an http.Handler that shows the sockets and the named streams of a program.
// [New] makes it. A nil Inspector is off. Any goroutine may use it.
//
// The named streams are those of the whole program: of two Inspectors, the later one sees
// the subscriptions from then on.
type Inspector struct {
	config  Config
	restore func() // the function that WatchNamed returned
	watched atomic.Bool
	crowded atomic.Bool   // there are more streams than an answer shows
	marbles atomic.Uint64 // the number of the newest
	totals  totals
	sockets sync.Map // from *wsource.Socket to *socket
	known   atomic.Int64
	broken  sync.Once // Show has panicked

	mu      sync.Mutex // guards the fields below; not held in the program's code
	closed  bool
	timer   *time.Timer // ends watched
	ended   []EndedSocket
	streams map[uint64]*stream
	newest  uint64 // the number of the latest stream
	over    []*stream
	names   map[string]*name
	parts   []*part
}

// part is an argument of Add.
type part struct {
	name string
	of   fmt.Stringer
}

// New returns an Inspector that looks at named streams from now on, until Close. A nil
// config is the default.
func New(config *Config) *Inspector {
	i := &Inspector{streams: make(map[uint64]*stream), names: make(map[string]*name)}
	if config != nil {
		i.config = *config
		i.config.Hosts = slices.Clone(config.Hosts)
	}
	if i.config.PerSecond <= 0 {
		i.config.PerSecond = DefaultPerSecond
	}
	i.timer = time.AfterFunc(WatchTime, func() { i.watched.Store(false) })
	i.timer.Stop()
	i.restore = operators.WatchNamed(i.open)
	return i
}

// Close ends the watching and forgets all of it. The Inspector answers each request with
// 404 from then on. Closing again does nothing.
func (i *Inspector) Close() {
	if i == nil {
		return
	}
	i.mu.Lock()
	closed := i.closed
	i.closed = true
	i.timer.Stop()
	i.streams, i.names, i.over, i.ended, i.parts = nil, nil, nil, nil, nil
	i.mu.Unlock()
	if closed {
		return
	}
	i.watched.Store(false)
	i.restore()
	i.sockets.Clear()
}

// Add shows the String of a part, under a name, until remove is called: of a hub, a
// Server, a Subject, a session. A part that can end, as an [observable.Ender], is removed
// at its end. The socket of a session.Session is shown with the session's position; a
// server's handler removes the session when it returns:
//
//	defer inspector.Add("session of "+s.Key(), s)()
func (i *Inspector) Add(name string, of fmt.Stringer) (remove func()) {
	if i == nil || of == nil {
		return func() {}
	}
	p := &part{name, of}
	i.mu.Lock()
	if !i.closed {
		i.parts = append(i.parts, p)
	}
	i.mu.Unlock()
	remove = func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.parts = slices.DeleteFunc(i.parts, func(other *part) bool { return other == p })
	}
	if ender, ok := of.(observable.Ender); ok {
		stop := ender.OnEnd(remove)
		forget := remove
		remove = func() { stop(); forget() }
	}
	return remove
}

// watch starts the looking at values, for WatchTime.
func (i *Inspector) watch() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.closed {
		i.watched.Store(true)
		i.timer.Reset(WatchTime)
	}
}

// isClosed reports whether Close was called.
func (i *Inspector) isClosed() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.closed
}

// positioned is a part that knows its socket and its position, such as a session.Session.
type positioned interface {
	Socket() *wsource.Socket
	Position() session.Position
}

// positions returns the positions of the parts that have one, by their sockets.
func (i *Inspector) positions() map[*wsource.Socket]session.Position {
	i.mu.Lock()
	parts := slices.Clone(i.parts)
	i.mu.Unlock()
	all := make(map[*wsource.Socket]session.Position)
	for _, p := range parts {
		if of, ok := p.of.(positioned); ok {
			guarded(func() string { // a position that panics is not shown
				if socket := of.Socket(); socket != nil {
					all[socket] = of.Position()
				}
				return ""
			})
		}
	}
	return all
}

// tell returns the parts with their texts.
func (i *Inspector) tell() []Part {
	i.mu.Lock()
	parts := slices.Clone(limit(i.parts, MaxShown))
	i.mu.Unlock()
	told := make([]Part, len(parts))
	for n, p := range parts {
		told[n] = Part{p.name, bounded(guarded(p.of.String))}
	}
	slices.SortStableFunc(told, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
	return told
}

// guarded calls a function of the program, and returns a note in place of a panic.
func guarded(f func() string) (text string) {
	defer func() {
		if v := recover(); v != nil {
			text = "(a panic)"
		}
	}()
	return f()
}

// limit returns the first n of a list.
func limit[T any](list []T, n int) []T { return list[:min(n, len(list))] }

// last keeps a list at n values, the latest ones.
func last[T any](list []T, n int, value T) []T {
	if len(list) >= n {
		list = slices.Delete(list, 0, len(list)-n+1)
	}
	return append(list, value)
}

// waiting is the time without progress, as far as answers have looked.
type waiting struct {
	mark  uint64 // the count that is progress when reached
	since time.Time
}

// look returns the time for which done has not reached its mark, the goal at an earlier
// look. It returns 0 once done has reached the goal.
func (w *waiting) look(now time.Time, done, goal uint64) time.Duration {
	if w.since.IsZero() || done >= w.mark {
		w.mark, w.since = goal, now
		if done >= goal {
			w.since = time.Time{}
			return 0
		}
	}
	return now.Sub(w.since)
}

// byWaiting orders the longest waiting first, and then the newest.
func byWaiting(a, b time.Duration, idA, idB uint64) int {
	return cmp.Or(cmp.Compare(b, a), cmp.Compare(idB, idA))
}
