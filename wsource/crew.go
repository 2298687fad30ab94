package wsource

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// burstGap tells a burst of messages from lone ones. A message that comes later than
// this after the one before, and its write if its sender did that, is written by its sender, at once; within it,
// messages are queued for a goroutine that writes as many as there are with one system call. In a burst the next
// message comes in a small part of it; a round trip over loopback takes several times as long, even without
// anything to do, so that a request does not wait for a goroutine. Neither does its answer: see outbox.answers.
const burstGap = 2 * time.Microsecond

// crewPatience is how long a write may keep a goroutine from other sockets that have something to write, and at most
// twice that.
const crewPatience = time.Millisecond

// crew writes what is queued at its sockets: those of a server, or a single one. It has as many goroutines as there
// are processors, and these only while there is something to write. A goroutine for each socket of the
// many that a value is sent to would be a large part of what there is to do apart from the system calls.
//
// A socket whose peer does not read keeps its goroutine; the crew then goes on with another in its place, and that
// socket is written to by goroutines of its own until it is quick again.
type crew struct {
	last atomic.Int64 // when something was last sent, or written by its sender, in nanoseconds of now

	mu          sync.Mutex
	busy        []*outbox // that the crew is writing; not those that it has left to their goroutine
	limit       int       // of busy
	first, tail *outbox   // the list of those that wait, linked by their next
	watch       *time.Timer
	watching    bool
	turn        uint64 // counts the times that watch has fired
}

// shift is what a crew notes in an outbox.
type shift struct {
	slow atomic.Bool // the crew has left it to a goroutine of its own

	// Guarded by the crew's mu.
	next  *outbox // the one that waits after it
	since uint64  // the crew's turn when it began to write it
}

// quiet reports whether the last beat is longer ago than burstGap, and beats. What is only queued counts, so that the
// sender of a value to many sockets runs ahead of those who write, and they find several values to write together.
func (c *crew) quiet() bool {
	now := nanoseconds()
	return now-c.last.Swap(now) > int64(burstGap)
}

// started is when the program was, for nanoseconds.
var started = time.Now() //nolint:gochecknoglobals // it is a point on the clock, and never changes

// nanoseconds returns a time that a clock which is set does not change.
func nanoseconds() int64 { return int64(time.Since(started)) }

// beat is called when a sender has written something.
func (c *crew) beat() { c.last.Store(nanoseconds()) }

// write has o drained, which has become o's writer.
func (c *crew) write(o *outbox) {
	if o.shift.slow.Load() {
		go c.alone(o)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.busy) == 0 {
		c.limit = runtime.GOMAXPROCS(0)
	}
	if len(c.busy) < c.limit {
		c.start(o)
		return
	}
	if c.first == nil {
		c.first = o
	} else {
		c.tail.shift.next = o
	}
	c.tail = o
	if !c.watching {
		c.watching = true
		if c.watch == nil {
			c.watch = time.AfterFunc(crewPatience, c.look)
		} else {
			c.watch.Reset(crewPatience)
		}
	}
}

// start begins to write o on a new goroutine; mu is held.
func (c *crew) start(o *outbox) {
	c.take(o)
	go c.work(o)
}

func (c *crew) take(o *outbox) {
	o.shift.since = c.turn
	c.busy = append(c.busy, o)
}

// work drains o, and then one after another of those that wait.
func (c *crew) work(o *outbox) {
	defer func() {
		if o != nil { // somebody who was told an outcome ended this goroutine
			if next := c.after(o); next != nil {
				go c.work(next)
			}
		}
	}()
	for o != nil {
		o.drain()
		o = c.after(o)
	}
}

// after takes the next outbox for the goroutine that has drained o, unless there is none or another has taken that
// goroutine's place.
func (c *crew) after(o *outbox) (next *outbox) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.busy, o)
	if i < 0 {
		return nil
	}
	c.busy = slices.Delete(c.busy, i, i+1)
	if next = c.pop(); next != nil {
		c.take(next)
	}
	return next
}

// pop takes out the outbox that waits longest, or returns nil; mu is held.
func (c *crew) pop() *outbox {
	o := c.first
	if o != nil {
		c.first, o.shift.next = o.shift.next, nil
	}
	if c.first == nil {
		c.tail = nil // or it would keep a socket that is over
	}
	return o
}

// look leaves those that have been written since before it last looked to their goroutines, and starts others, as long
// as some wait.
func (c *crew) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = slices.DeleteFunc(c.busy, func(o *outbox) bool {
		slow := o.shift.since != c.turn
		if slow {
			o.shift.slow.Store(true)
		}
		return slow
	})
	c.turn++
	for len(c.busy) < c.limit && c.first != nil {
		c.start(c.pop())
	}
	if c.watching = c.first != nil; c.watching {
		c.watch.Reset(crewPatience)
	}
}

// alone drains an outbox that was slow.
func (c *crew) alone(o *outbox) {
	began := time.Now()
	o.drain()
	if time.Since(began) < crewPatience {
		o.shift.slow.Store(false)
	}
}
