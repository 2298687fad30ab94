package conn

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// burstGap tells a burst of messages from lone ones. A message that comes later than this
// after the one before, and its write if its sender did that, is written by its sender, at
// once; within it, messages are queued for a goroutine that writes as many as there are with
// one system call. In a burst the next message comes in a small part of it; a round trip
// over loopback takes several times as long, even without anything to do, so that a request
// does not wait for a goroutine. Neither does its answer: see queue.answers.
const burstGap = 2 * time.Microsecond

// poolPatience is how long a write may keep a goroutine from other connections that have
// something to write, and at most twice that.
const poolPatience = time.Millisecond

// Pool is what some connections share, those of a server, or a single one: a watch on those that
// are held up, and the writers. It has as
// many goroutines as there are processors, and these only while there is something to write.
// A goroutine for each connection of the many that a value is sent to would be a large part
// of what there is to do apart from the system calls. The zero value is ready.
//
// A connection whose peer does not read keeps its goroutine; the Pool then goes on with
// another in its place, and that connection is written to by goroutines of its own until it
// is quick again.
type Pool struct {
	heldUp heldUp

	last atomic.Int64 // when something was last sent, or written by its sender, in nanoseconds of now

	mu          sync.Mutex
	busy        []*queue // that the Pool is writing; not those that it has left to their goroutine
	limit       int      // of busy
	first, tail *queue   // the list of those that wait, linked by their next
	watch       *time.Timer
	watching    bool
	round       uint64 // counts the times that watch has fired
}

// schedule is what a Pool notes in a queue.
type schedule struct {
	slow atomic.Bool // the Pool has left it to a goroutine of its own

	// Guarded by the Pool's mu.
	next  *queue // the one that waits after it
	since uint64 // the Pool's round when it began to write it
}

// quiet reports whether the last activity is longer ago than burstGap, and notes one. What
// is only queued counts, so that the sender of a value to many connections runs ahead of
// those who write, and they find several values to write together.
func (p *Pool) quiet() bool {
	now := nanoseconds()
	return now-p.last.Swap(now) > int64(burstGap)
}

// started is when the program was, for nanoseconds.
var started = time.Now() //nolint:gochecknoglobals // it is a point on the clock, and never changes

// nanoseconds returns a time that a clock which is set does not change.
func nanoseconds() int64 { return int64(time.Since(started)) }

// noteActivity is called when a sender has written something.
func (p *Pool) noteActivity() { p.last.Store(nanoseconds()) }

// write has q drained, whose writer the Pool has become.
func (p *Pool) write(q *queue) {
	if q.schedule.slow.Load() {
		go p.alone(q)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.busy) == 0 {
		p.limit = runtime.GOMAXPROCS(0)
	}
	if len(p.busy) < p.limit {
		p.start(q)
		return
	}
	if p.first == nil {
		p.first = q
	} else {
		p.tail.schedule.next = q
	}
	p.tail = q
	if !p.watching {
		p.watching = true
		if p.watch == nil {
			p.watch = time.AfterFunc(poolPatience, p.look)
		} else {
			p.watch.Reset(poolPatience)
		}
	}
}

// start begins to write q on a new goroutine; mu is held.
func (p *Pool) start(q *queue) {
	p.take(q)
	go p.work(q)
}

func (p *Pool) take(q *queue) {
	q.schedule.since = p.round
	p.busy = append(p.busy, q)
}

// work drains q, and then one after another of those that wait.
func (p *Pool) work(q *queue) {
	defer func() {
		if q != nil { // somebody who was told an outcome ended this goroutine
			if next := p.after(q); next != nil {
				go p.work(next)
			}
		}
	}()
	for q != nil {
		q.drain()
		q = p.after(q)
	}
}

// after takes the next queue for the goroutine that has drained q, unless there is none or
// another has taken that goroutine's place.
func (p *Pool) after(q *queue) (next *queue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.busy, q)
	if i < 0 {
		return nil
	}
	p.busy = slices.Delete(p.busy, i, i+1)
	if next = p.pop(); next != nil {
		p.take(next)
	}
	return next
}

// pop takes out the queue that waits longest, or returns nil; mu is held.
func (p *Pool) pop() *queue {
	q := p.first
	if q != nil {
		p.first, q.schedule.next = q.schedule.next, nil
	}
	if p.first == nil {
		p.tail = nil // or it would keep a connection that is over
	}
	return q
}

// look leaves those that have been written since before it last looked to their goroutines,
// and starts others, as long as some wait.
func (p *Pool) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = slices.DeleteFunc(p.busy, func(q *queue) bool {
		slow := q.schedule.since != p.round
		if slow {
			q.schedule.slow.Store(true)
		}
		return slow
	})
	p.round++
	for len(p.busy) < p.limit && p.first != nil {
		p.start(p.pop())
	}
	if p.watching = p.first != nil; p.watching {
		p.watch.Reset(poolPatience)
	}
}

// alone drains a queue that was slow.
func (p *Pool) alone(q *queue) {
	began := time.Now()
	q.drain()
	if time.Since(began) < poolPatience {
		q.schedule.slow.Store(false)
	}
}
