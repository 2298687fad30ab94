package event

import "time"

// idleTime is the least time for which a goroutine that has answered waits for the next
// question; the most is twice that.
const idleTime = time.Second

// goroutines are the answering goroutines of a link. One that is done waits a while for
// the next question, since the stack of a new one would have to grow each time. They are
// guarded by the Conn's mu.
type goroutines struct {
	idle   []chan func() // each waits for its next work, the latest at the end
	unused int           // how many of idle have had no work since the last look
	looks  bool          // the timer runs
	timer  *time.Timer   // nil before the first look
}

// do calls f on a goroutine of its own, or on an idle one of an earlier call.
func (l *link) do(f func()) {
	g, mu := &l.goroutines, &l.conn.mu
	mu.Lock()
	last := len(g.idle) - 1
	if last < 0 {
		mu.Unlock()
		go l.work(f)
		return
	}
	next := g.idle[last]
	g.idle = g.idle[:last]
	g.unused = min(g.unused, last)
	mu.Unlock()
	next <- f
}

// work calls f, and then the functions that come next.
func (l *link) work(f func()) {
	next := make(chan func(), 1)
	for f != nil {
		f()
		if !l.rest(next) {
			return
		}
		f = <-next
	}
}

// rest notes that a goroutine waits for its next work, and reports false if none will
// come.
func (l *link) rest(next chan func()) bool {
	g, mu := &l.goroutines, &l.conn.mu
	mu.Lock()
	defer mu.Unlock()
	if l.lost != nil {
		return false
	}
	g.idle = append(g.idle, next)
	if !g.looks {
		g.looks, g.unused = true, 0
		if g.timer == nil {
			g.timer = time.AfterFunc(idleTime, l.look)
		} else {
			g.timer.Reset(idleTime)
		}
	}
	return true
}

// look ends the goroutines that have had no work since the last look.
func (l *link) look() {
	g, mu := &l.goroutines, &l.conn.mu
	mu.Lock()
	defer mu.Unlock()
	g.end(g.unused)
	if g.unused, g.looks = len(g.idle), len(g.idle) > 0; g.looks {
		g.timer.Reset(idleTime)
	}
}

// end ends the n goroutines that have waited longest; mu is held.
func (g *goroutines) end(n int) {
	for _, next := range g.idle[:n] {
		close(next)
	}
	g.idle = append(g.idle[:0], g.idle[n:]...)
}

// endAll ends all that wait, as no work will come; mu is held.
func (g *goroutines) endAll() {
	g.end(len(g.idle))
	if g.timer != nil {
		g.timer.Stop()
	}
}
