package observabletest

import (
	"cmp"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// clock plays what the marbles of a test say. Everything stands in one queue, and one goroutine plays it,
// each step in an instant of its own: timers that are due in one instant fire in random order and what they
// start runs side by side, but time does not pass before everything is at rest.
//
// So what belongs to a frame happens in the nanoseconds around it. What is known in advance comes early, in
// the order of the queue, and each time a little earlier than ever before: a timer that was set by a marble
// comes later than a marble of the frame in which it fires, as in RxJS. What becomes known in the frame itself
// comes a little late, after everything else. No two steps have the same distance from their frames, and so no
// timer that was set in one of them meets another.
type clock struct {
	wake chan struct{} // something was added
	quit chan struct{} // closed when the test is over
	gone chan struct{} // closed when the goroutine has ended

	// These belong to the goroutine: how far steps have been from their frames, and the last step.
	early, late time.Duration
	played      <-chan struct{} // closed when it has been played

	mu       sync.Mutex // guards what follows
	sequence int
	tracks   []*track // those with steps left, in the order in which they were added
}

const (
	// resolution is to what times are rounded: a step that is early or late counts as in its frame.
	resolution = 10 * time.Microsecond
	// farthest is how far from its frame a step is. When that is used up, the clock begins again.
	farthest = resolution / 5
	// beforeAll is how long before a frame something is done that is to come first in it.
	beforeAll = resolution / 4
	// tick is the time between two steps of a frame.
	tick = time.Nanosecond
)

// nominal returns the time that counts for a time.
func nominal(t time.Time) time.Time { return t.Round(resolution) }

// elapsed returns the time since begun that counts.
func elapsed(begun time.Time) time.Duration { return time.Since(begun).Round(resolution) }

// finishFrame waits until the steps are played that come early in the present frame, and
// until all that follows from them has happened: what one observer has heard tells nothing
// of what another one hears at the same moment.
func finishFrame() {
	now := time.Now()
	time.Sleep(nominal(now).Sub(now))
	rest()
}

// rest waits in a bubble until all that happens at this moment has happened. Elsewhere
// nothing says when that is, and it returns at once.
func rest() {
	defer func() { _ = recover() }() // no bubble, or another goroutine waits for the same
	synctest.Wait()
}

// track is what one marble has to say: to a subscription if it is cold, to all of them if it is hot.
type track struct {
	sequence int
	steps    []step          // those left, in the order of time
	played   <-chan struct{} // closed when the step before has been played; belongs to the clock
}

// step is what is to be done in a frame.
type step struct {
	at time.Time
	do func()
}

func newClock() *clock {
	c := &clock{
		wake: make(chan struct{}, 1),
		quit: make(chan struct{}),
		gone: make(chan struct{}),
	}
	go c.run()
	return c
}

// stop ends the clock's goroutine.
func (c *clock) stop() {
	close(c.quit)
	<-c.gone
}

// add puts steps into the queue, after those of the same frame that are in it already.
func (c *clock) add(steps []step) *track {
	t := &track{steps: steps}
	if len(steps) == 0 {
		return t
	}
	c.mu.Lock()
	c.sequence++
	t.sequence = c.sequence
	c.tracks = append(c.tracks, t)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return t
}

// remove takes the steps of a track that are left out of the queue.
func (c *clock) remove(t *track) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(t)
}

// drop does what remove does; mu is held.
func (c *clock) drop(t *track) {
	if i := slices.Index(c.tracks, t); i >= 0 {
		c.tracks = slices.Delete(c.tracks, i, i+1)
	}
}

// last returns the time of the last step in the queue, or the present time.
func (c *clock) last() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := time.Now()
	for _, t := range c.tracks {
		if at := t.steps[len(t.steps)-1].at; at.After(last) {
			last = at
		}
	}
	return last
}

// next returns the frame of the next steps and how many there are.
func (c *clock) next() (at time.Time, steps int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.tracks {
		switch d := t.steps[0].at.Compare(at); {
		case steps == 0 || d < 0:
			at, steps = t.steps[0].at, 1
		case d == 0:
			steps++
		}
	}
	return at, steps
}

// take removes the first step from the queue, if it is in the frame given.
func (c *clock) take(at time.Time) (*track, func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.tracks) == 0 {
		return nil, nil
	}
	t := slices.MinFunc(c.tracks, func(a, b *track) int {
		return cmp.Or(a.steps[0].at.Compare(b.steps[0].at), cmp.Compare(a.sequence, b.sequence))
	})
	if t.steps[0].at.After(at) {
		return nil, nil
	}
	do := t.steps[0].do
	if t.steps = t.steps[1:]; len(t.steps) == 0 {
		c.drop(t)
	}
	return t, do
}

func (c *clock) run() {
	defer close(c.gone)
	for {
		var due <-chan time.Time
		p, ok := c.plan()
		if ok {
			due = time.After(time.Until(p.begin))
		}
		select {
		case <-c.quit:
			return
		case <-c.wake:
			continue
		case <-due:
		}
		c.early, c.late = p.early, p.late
		for i := range p.steps {
			if i > 0 {
				time.Sleep(tick)
			}
			c.play(p.at)
		}
	}
}

// plan says what the clock does next: so many steps of a frame, from an instant on.
type plan struct {
	at          time.Time
	begin       time.Time
	steps       int
	early, late time.Duration // the clock's, when this is done
}

// plan returns the plan for the next steps, if there are any.
func (c *clock) plan() (plan, bool) {
	at, steps := c.next()
	if steps == 0 {
		return plan{}, false
	}
	steps = min(steps, int(farthest/tick))
	block := time.Duration(steps) * tick
	early := c.early + block
	if early > farthest {
		early = block
	}
	now := time.Now()
	if begin := at.Add(-early); begin.After(now) {
		return plan{at, begin, steps, early, c.late}, true
	}
	late := c.late%farthest + tick
	begin := at.Add(late)
	if !begin.After(now) {
		begin = now.Add(tick)
	}
	return plan{at, begin, 1, c.early, late}, true
}

// play plays the first step, if it is in the frame given. It does not wait for that, but each step does for the
// one before in its track: a track whose observer blocks holds up nobody else.
func (c *clock) play(at time.Time) {
	t, do := c.take(at)
	if t == nil {
		return
	}
	select {
	case <-c.played: // as it has been, unless it blocks; the race detector is to know that
	default:
	}
	before, played := t.played, make(chan struct{})
	t.played, c.played = played, played
	go func() {
		defer close(played)
		if before != nil {
			<-before
		}
		do()
	}()
}
