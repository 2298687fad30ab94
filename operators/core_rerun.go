package operators

import (
	"math"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// reruns starts the runs of one source after another: the mechanism of the retry and
// repeat operators. A run that ends inside its own start is followed by the next one in a
// loop, not by recursion, so a source that ends at once can be run any number of times.
type reruns struct {
	sc       *observable.Scope
	run      func(up *observable.Scope)    // subscribes to the source in the scope up
	apart    bool                          // a run waits for functions of the last one
	starting bool                          // a run is being started
	wanted   bool                          // another run is to follow
	last     *observable.Scope             // scope of the run started last, or nil
	resume   *observable.Emitter[struct{}] // calls start inside the gate; made when needed
}

// start begins the next run: at once, or when the run now being started has been started.
// If apart is set, it also waits until no function works for the last run any more. The
// next run therefore never overlaps the subscribe function of the run before nor, with
// apart, its function if it is an [observable.Go].
func (r *reruns) start() {
	r.wanted = true
	if r.starting {
		return
	}
	r.starting = true
	for r.wanted && r.sc.Open() && !r.lastWorks() {
		r.wanted = false
		r.last = r.sc.Child()
		r.run(r.last)
	}
	r.starting = false
}

// lastWorks reports whether functions still work for the last run. The next run then
// begins when they have returned.
func (r *reruns) lastWorks() bool {
	if !r.apart || r.last == nil || !r.last.OnIdle(nil) {
		return false
	}
	if r.resume == nil {
		r.resume = observable.NewEmitter(r.sc, observable.Stage[struct{}]{Next: func(struct{}) { r.start() }})
	}
	return r.last.OnIdle(func() { r.resume.Next(struct{}{}) })
}

// whenIdle calls f inside the gate of sc, at once or when the functions that still work
// for up have returned.
func whenIdle(up, sc *observable.Scope, f func()) {
	if up.OnIdle(nil) {
		resume := observable.NewEmitter(sc, observable.Stage[struct{}]{Next: func(struct{}) { f() }})
		if up.OnIdle(func() { resume.Next(struct{}{}) }) {
			return
		}
	}
	f()
}

// after returns a function that begins the next run after delay. All calls share one
// timer.
func (r *reruns) after(delay time.Duration) (again func()) {
	if delay == 0 {
		return r.start
	}
	alarm := r.sc.NewAlarm(r.start)
	return func() { alarm.Reset(delay) }
}

// startAfter begins the next run when notifier emits. If notifier completes without a
// value, so does the stream; its error is the stream's.
func startAfter[N any](notifier observable.Observable[N], r *reruns, down observable.Terminal) {
	wait := r.sc.Child()
	observable.Attach(notifier, wait, observable.Stage[N]{
		Next: func(N) {
			wait.Close()
			r.start()
		},
		Terminal: down,
	})
}

// limitOf returns the limit that a Count stands for: 0 is no limit.
func limitOf(count int) int {
	if count == 0 {
		return Unlimited
	}
	return count
}

// reached reports whether count, which stops at the greatest int, has reached the limit.
func reached(count, limit int) bool { return limit != Unlimited && count >= limit }

// following returns count+1, or the greatest int: where an int has 32 bits, a source that
// ends at once gets there within minutes.
func following(count int) int { return min(count, math.MaxInt-1) + 1 }

// checkRerun returns the first setting of RetryWith or RepeatWith that cannot be used,
// and its problem, or "".
func checkRerun(count int, delay time.Duration) (argument, problem string) {
	switch {
	case count < 0:
		return "config.Count", isNegative(count)
	case delay < 0:
		return "config.Delay", isNegative(delay)
	}
	return "", ""
}

// checkRerunAfter is checkRerun for the forms whose notifier stands in for Delay.
func checkRerunAfter(count int, delay time.Duration) (argument, problem string) {
	if delay > 0 {
		return "config.Delay", "is set beside a notifier"
	}
	return checkRerun(count, delay)
}
