package delivery

import (
	"slices"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// State is where an [Engine] is with its connection.
type State uint8

// The states.
const (
	Idle       State = iota // there was no subscriber yet
	Connecting              // an attempt at a connection is made
	Open                    // messages go both ways
	Closing                 // this side has begun to close
	Backoff                 // the next attempt is waited for
	Closed                  // the stream has ended, or its last subscriber has left
)

// Status is a state and its details.
type Status struct {
	State   State
	Attempt int            // the number of the connection's attempt
	NextTry time.Time      // Backoff: when the next attempt begins
	Face    any            // Open: the connection's
	End     *transport.End // Closing: the end
	// Closed: a connection or an attempt has ended, with Err; otherwise the last
	// subscriber has left.
	Over bool
	Err  error // the error that has ended the connection; nil after a normal closure
}

// setStatus adds to the host's news, unless a later generation has begun; mu is held. The
// caller publishes when mu is free.
func (e *Engine) setStatus(g *Generation, status Status) {
	if e.shown == g {
		e.news = append(e.news, status)
	}
}

// publish tells the host the news. If another goroutine is at it already, that one goes
// on instead: so the news comes in the order in which things happened. It is a queue and
// not a subject of package observable, as this package knows the transport only.
func (e *Engine) publish() {
	e.mu.Lock()
	mine := !e.telling && len(e.news) > 0
	if mine {
		e.telling = true
	}
	e.mu.Unlock()
	if mine {
		e.call(e.publishAll)
	}
}

// publishAll tells the host all news.
func (e *Engine) publishAll() {
	defer func() { // also when an observer ends the goroutine
		e.mu.Lock()
		e.telling = false
		e.mu.Unlock()
		e.publish()
	}()
	for {
		e.mu.Lock()
		if len(e.news) == 0 {
			e.mu.Unlock()
			return
		}
		next := e.news[0]
		e.news = e.news[1:]
		e.mu.Unlock()
		e.config.Host.StatusTold(next)
	}
}

// call calls f, which runs user code, on a goroutine of its own. It returns when f has
// returned or a goroutine is about to wait for room or for a connection. That goroutine
// may be f's, and it may wait for something that call's caller is about to do.
func (e *Engine) call(f func()) {
	waits := make(chan struct{})
	e.mu.Lock()
	e.callers = append(e.callers, waits)
	e.mu.Unlock()
	go func() {
		defer func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			if i := slices.Index(e.callers, waits); i >= 0 {
				e.callers = slices.Delete(e.callers, i, i+1)
				close(waits)
			}
		}()
		f()
	}()
	<-waits
}

// openingGrace is how long a callback may hold up the opening of a connection that it may
// itself wait for.
const openingGrace = 100 * time.Millisecond

// AwaitOpening waits, on the way of opening a connection, until done closes, and reports
// whether it has. While a goroutine waits for the connection, AwaitOpening goes on after
// a moment: done may wait for that goroutine.
func (e *Engine) AwaitOpening(done <-chan struct{}) bool {
	timer := time.NewTimer(openingGrace)
	defer timer.Stop()
	for {
		select {
		case <-done:
			return true
		case <-timer.C:
		}
		e.mu.Lock()
		waiting := e.waiting
		e.mu.Unlock()
		if waiting > 0 {
			return false
		}
		timer.Reset(openingGrace)
	}
}

// beginWait notes that the caller waits for room or for a connection; mu is held. It lets
// goroutines go on that wait in call, or for the caller's goroutine. The end is endWait.
func (e *Engine) beginWait() {
	e.waiting++
	observable.Waiting()
	e.releaseCallers()
}

// endWait ends beginWait; mu is held.
func (e *Engine) endWait() { e.waiting-- }

// releaseCallers lets the goroutines go on that wait in call; mu is held.
func (e *Engine) releaseCallers() {
	for _, waits := range e.callers {
		close(waits)
	}
	e.callers = nil
}
