package observabletest

import (
	"cmp"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// clock plays the marbles of a test. All steps stand in one queue, and one goroutine
// plays them, each in an instant of its own: timers due in one instant fire in random
// order and their effects run side by side, but time does not pass before everything is
// at rest.
//
// So the steps of a frame happen in the nanoseconds around it. Steps known in advance
// come early, in the order of the queue, and each time a little earlier than ever before:
// a timer that a marble has set comes later than a marble of the frame in which it fires,
// as in RxJS. Steps that become known in the frame itself come a little late, after
// everything else. No two steps have the same distance from their frames, and so no timer
// set in one of them meets another.
type clock struct {
	wake chan struct{} // something was added
	quit chan struct{} // closed when the test is over
	gone chan struct{} // closed when the goroutine has ended

	// These belong to the goroutine: the distances of steps from their frames, and the
	// last step.
	early, late time.Duration
	played      <-chan struct{} // closed when the last step has been played

	mu       sync.Mutex // guards the fields below
	sequence int
	tracks   []*track // tracks with steps left, in the order of their adding
}

const (
	// resolution is the unit to which times are rounded: a step that is early or late
	// counts as in its frame.
	resolution = 10 * time.Microsecond
	// farthest is the greatest distance of a step from its frame. When it is used up, the
	// clock begins again.
	farthest = resolution / 5
	// beforeAll is the time before a frame at which the first thing in it is done.
	beforeAll = resolution / 4
	// tick is the time between two steps of a frame.
	tick = time.Nanosecond
)

// nominal returns the time that counts for a time.
func nominal(t time.Time) time.Time { return t.Round(resolution) }

// elapsed returns the time since begun that counts.
func elapsed(begun time.Time) time.Duration { return time.Since(begun).Round(resolution) }

// finishFrame waits until the early steps of the present frame are played, and until all
// their effects have happened: one observer's notifications tell nothing of another's at
// the same moment.
func finishFrame() {
	now := time.Now()
	time.Sleep(nominal(now).Sub(now))
	rest()
}

// rest waits in a bubble until all events of this moment have happened. Outside a bubble
// it cannot know that moment, and returns at once.
func rest() {
	defer func() { _ = recover() }() // no bubble, or another goroutine waits for the same
	synctest.Wait()
}

// track holds the steps of one marble: for one subscription if it is cold, for all if it
// is hot.
type track struct {
	sequence int
	steps    []step          // the steps left, in the order of time
	played   <-chan struct{} // closed when the step before is played; the clock's
}

// step is an action of a frame.
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

// add puts steps into the queue, after the steps of the same frame that it has already.
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

// remove takes the remaining steps of a track out of the queue.
func (c *clock) remove(t *track) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(t)
}

// drop is remove with mu held.
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

// next returns the frame of the next steps and their number.
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

// plan is the clock's next work: a number of steps of a frame, from an instant on.
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

// play plays the first step, if it is in the frame given. It does not wait for the step,
// but each step waits for the one before in its track: a track whose observer blocks
// holds up nobody else.
func (c *clock) play(at time.Time) {
	t, do := c.take(at)
	if t == nil {
		return
	}
	select {
	case <-c.played: // played, unless it blocks; the race detector must know that
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
