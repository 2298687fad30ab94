package operators

import "github.com/rxsocket/rxsocket/observable"

// reruns starts the runs of one source after another: the mechanism of the retry and repeat
// operators. A run that ends inside its own start is followed by the next one in a loop, not
// by recursion, so that a source which ends at once can be run any number of times.
type reruns struct {
	sc       *observable.Scope
	run      func(up *observable.Scope) // subscribes to the source in a scope of its own
	starting bool
	wanted   bool
}

// start begins the next run: at once, or as soon as a run that is being started has been. So the
// next one never overlaps the subscribe function of the one before.
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

// startAfter begins the next run when notifier has emitted. If notifier completes without a value, so
// does the stream; its error is the stream's.
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
