package operators

import "github.com/rxsocket/rxsocket/observable"

// reruns starts runs of one source, one after the other. It is the mechanism of the retry
// and repeat operators. A loop, not recursion, follows a run that ends inside its own
// start with the next run, so that a source that ends at once can run any number of
// times.
type reruns struct {
	sc       *observable.Scope
	run      func(up *observable.Scope) // subscribes to the source in a scope of its own
	starting bool                       // whether a run's Attach has not returned yet
	wanted   bool                       // whether another run is to begin
}

// start begins the next run at once, or as soon as the start of the run before it has
// returned. So a run never overlaps the subscribe function of the one before it.
func (r *reruns) start() {
	r.wanted = true
	if r.starting {
		return
	}
	r.starting = true
	for r.wanted && r.sc.Open() {
		r.wanted = false
		r.run(r.sc.Child())
	}
	r.starting = false
}

// startAfter begins the next run when notifier emits. If notifier completes without a
// value, the stream completes; the error of notifier is the stream's error.
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
