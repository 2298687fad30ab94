package conn

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// burstGap tells a burst of messages from lone ones. A message that comes later than this
// after the one before (and after its write, if its sender did that) is written by its
// sender, at once. Within the gap, messages are queued for a goroutine that writes all of
// them with one system call. In a burst the next message comes in a small part of the
// gap. A round trip over loopback takes several times as long, even without anything to
// do, so that a request does not wait for a goroutine. Neither does its answer: see
// queue.answers.
const burstGap = 2 * time.Microsecond

// poolPatience is how long a write may keep a goroutine from other connections that have
// something to write. The most is twice that.
const poolPatience = time.Millisecond

// Pool is shared by the connections of a server, or belongs to a single one. It watches
// those that are held up, and has the writers: as many goroutines as there are
// processors, and these only while there is something to write. A goroutine for each
// connection that a value is sent to would be a large part of the work beside the system
// calls. The zero value is ready.
//
// A connection whose peer does not read keeps its goroutine; the Pool then goes on with
// another in its place, and that connection is written to by goroutines of its own until
// it is quick again.
type Pool struct {
	heldUp heldUp

	// The time when a message was last sent, or written by its sender, in nanoseconds of
	// now.
	last atomic.Int64

	mu sync.Mutex
	// The queues that the Pool is writing; not those that it has left to their goroutine.
	busy        []*queue
	limit       int    // the most queues in busy
	first, tail *queue // the list of the queues that wait, linked by next
	watch       *time.Timer
	watching    bool
	round       uint64 // the times that watch has fired
}

// schedule is a Pool's note in a queue.
type schedule struct {
	slow atomic.Bool // the Pool has left the queue to its own goroutine

	// Guarded by the Pool's mu.
	next  *queue // the queue that waits after it
	since uint64 // the Pool's round when it began to write the queue
}

// quiet reports whether the last activity is longer ago than burstGap, and notes one. A
// message that is only queued counts. So the sender of a value to many connections runs
// ahead of the goroutines that write, and they find several values to write together.
func (p *Pool) quiet() bool {
	now := nanoseconds()
	return now-p.last.Swap(now) > int64(burstGap)
}

// started is the program's start, for nanoseconds.
var started = time.Now() //nolint:gochecknoglobals // it is a point on the clock, and never changes

// nanoseconds returns a time that does not change when the clock is set.
func nanoseconds() int64 { return int64(time.Since(started)) }

// noteActivity is called when a sender has written its message.
func (p *Pool) noteActivity() { p.last.Store(nanoseconds()) }

// write has q drained. The Pool has become its writer.
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

// work drains q, and then one after another of the queues that wait.
func (p *Pool) work(q *queue) {
	defer func() {
		if q != nil { // a callback told an outcome has ended this goroutine
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

// after takes the next queue for the goroutine that has drained q, unless there is none
// or another has taken that goroutine's place.
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

// pop takes out the queue that has waited longest, or returns nil; mu is held.
func (p *Pool) pop() *queue {
	q := p.first
	if q != nil {
		p.first, q.schedule.next = q.schedule.next, nil
	}
	if p.first == nil {
		p.tail = nil // otherwise it would keep a connection that is over
	}
	return q
}

// look leaves the queues that have been written since before its last call to their
// goroutines, and starts others, as long as some wait.
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
