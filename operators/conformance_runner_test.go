package operators_test

import (
	"context"
	"math/bits"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

const (
	frame     = time.Millisecond
	lastFrame = 1001
	lead      = 100 * time.Nanosecond // per frame: less than half a frame in all
	retries   = 3
)

// plan is the plan of a run. Each action of the case itself belongs to a group, and a
// group that is early comes a little earlier each frame: so it goes before timers of the
// operators due in the same frame, and before other groups. Groups that are not early
// come after such timers.
type plan struct {
	foreign bool
	early   uint // a bit for each group
}

// The groups, followed by one for each source.
const (
	groupSubscribers = iota // the test's subscribing and unsubscribing
	groupActions            // the actions scripted by the registrations
	groupTimers             // the timers of the named functions
	groupSources
)

// plans returns the runs to try in turn. Without ties there is one, exactly on time. With
// ties there are several, first with everything early, which is most like RxJS. Some are
// repeated, because timers of the operators due at once fire in random order.
func (v *vector) plans(foreign bool) []plan {
	if !v.Ties {
		return []plan{{foreign: foreign}}
	}
	var plans []plan
	all := uint(1)<<(groupSources+len(v.Sources)) - 1
	for early := range all + 1 {
		for range retries {
			plans = append(plans, plan{foreign, all - early})
		}
	}
	slices.SortStableFunc(plans, func(a, b plan) int {
		return bits.OnesCount(b.early) - bits.OnesCount(a.early)
	})
	return plans
}

// run is a case being run, in a bubble of virtual time. All actions of the case itself
// stand in one queue, and one goroutine does them: timers due at once would fire in
// random order.
type run struct {
	vector *vector
	plan   plan
	begun  time.Time
	wake   chan struct{} // something was queued

	mu       sync.Mutex // guards the fields below
	queue    []step     // in order
	sequence int
	sources  []*source
	log      []map[string]any
	count    int                       // notifications received by all subscribers
	held     []observable.Subscription // subscriptions to end at the end
	received []*receiver               // one for each subscriber of the test
}

// step is an action of a time.
type step struct {
	at       time.Time
	source   bool // goes after the test's actions
	sequence int
	do       func()
}

func newRun(v *vector, p plan) *run {
	r := &run{vector: v, plan: p, begun: time.Now(), wake: make(chan struct{}, 1)}
	for range v.spans() {
		r.received = append(r.received, &receiver{run: r})
	}
	for i, s := range v.Sources {
		r.sources = append(r.sources, &source{run: r, script: s, group: groupSources + i})
	}
	return r
}

// frameOf returns the frame of a time.
func (r *run) frameOf(t time.Time) int { return int(t.Sub(r.begun).Round(frame) / frame) }

// frame returns the present frame.
func (r *run) frame() int { return r.frameOf(time.Now()) }

// schedule queues do for a frame, after the actions queued for it already.
func (r *run) schedule(at, group int, do func()) {
	when := r.begun.Add(time.Duration(at) * frame)
	if r.plan.early>>group&1 == 1 {
		when = when.Add(-time.Duration(at) * lead)
	}
	r.mu.Lock()
	r.sequence++
	s := step{when, group >= groupTimers, r.sequence, do}
	i, _ := slices.BinarySearchFunc(r.queue, s, func(a, b step) int {
		switch c := a.at.Compare(b.at); {
		case c != 0:
			return c
		case a.source != b.source && b.source:
			return -1
		case a.source != b.source:
			return 1
		}
		return a.sequence - b.sequence
	})
	r.queue = slices.Insert(r.queue, i, s)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// play runs the case to its end.
func (r *run) play(build func(c *vcase) O) result {
	for _, s := range r.sources {
		s.start()
	}
	test := build(&vcase{run: r, arguments: r.vector.Args, inputs: r.inputs()})
	for i, s := range r.vector.spans() {
		r.schedule(s.At, groupSubscribers, func() { r.subscribe(i, test, s) })
	}
	r.work()
	got := r.result()
	for _, sub := range r.held {
		sub.Unsubscribe()
	}
	synctest.Wait()
	for _, sub := range r.held {
		select {
		case <-sub.Done():
		default:
			got.undone++
		}
	}
	return got
}

func (r *run) inputs() []O {
	inputs := make([]O, len(r.sources))
	for i, s := range r.sources {
		inputs[i] = s.observable()
	}
	return inputs
}

// subscribe adds the test's subscriber i.
func (r *run) subscribe(i int, test O, life span) {
	o := r.received[i]
	sub := test.Subscribe(context.Background(), o)
	r.hold(sub)
	if life.Until != nil {
		r.schedule(*life.Until, groupSubscribers, func() {
			sub.Unsubscribe()
			o.unsubscribeInner()
		})
	}
}

// hold keeps a subscription, to end it at the end of the run.
func (r *run) hold(sub observable.Subscription) {
	r.mu.Lock()
	r.held = append(r.held, sub)
	r.mu.Unlock()
}

// work does the queued steps, each when everything else is at rest, until the last frame.
func (r *run) work() {
	end := r.begun.Add(lastFrame * frame)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		synctest.Wait()
		do, next := r.take(end)
		if do != nil {
			do()
			continue
		}
		if !time.Now().Before(end) {
			return
		}
		timer.Reset(time.Until(next))
		select {
		case <-timer.C:
		case <-r.wake:
		}
	}
}

// take removes a step that is due, or returns the time of the next step, or the end.
func (r *run) take(end time.Time) (do func(), next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(r.queue) == 0 || r.queue[0].at.After(end):
		return nil, end
	case r.queue[0].at.After(time.Now()):
		return nil, r.queue[0].at
	}
	do = r.queue[0].do
	r.queue = r.queue[1:]
	return do, end
}

// result returns the record, before the run is cleaned up.
func (r *run) result() result {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := result{log: r.log}
	for _, o := range r.received {
		got.subscribers = append(got.subscribers, o.events)
	}
	for _, s := range r.sources {
		var spans []span
		for _, life := range s.lives {
			spans = append(spans, *life)
		}
		got.subscriptions = append(got.subscriptions, spans)
	}
	return got
}
