package operators_test

import (
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// rerunWhen makes retryWhen and repeatWhen out of RetryAfter and RepeatAfter, for which
// RxJS deprecates them: the next value of one notifier, which hears of all ends of runs,
// begins each rerun. It serves one subscription at a time.
type rerunWhen struct {
	notifier func(ends O) O
	waits    bool // the notifier's completion waits for the run in progress: repeatWhen

	sc      *observable.Scope
	down    observable.Stage[any]
	ends    *observable.Subject[any]
	waiting *observable.Stage[any] // the delay in progress, until the notifier emits
	running bool
	done    bool // the notifier has completed
}

// observable returns reruns, the result of RetryAfter or RepeatAfter for run and delay,
// with a fresh notifier for each subscription.
func (w *rerunWhen) observable(reruns O) O {
	return observable.AttachFunc[any](func(sc *observable.Scope, down observable.Stage[any]) {
		*w = rerunWhen{notifier: w.notifier, waits: w.waits, sc: sc, down: down}
		observable.Attach(reruns, sc, down)
	})
}

// run returns the source of one run. The notifier may ask for a rerun that must wait for
// the start of the present run, and then complete at once: RxJS ends the stream and yet
// subscribes to the source a last time, as the recorded subscriptions show.
func (w *rerunWhen) run(src O) O {
	return observable.AttachFunc[any](func(sc *observable.Scope, down observable.Stage[any]) {
		w.running = true
		if !w.done {
			observable.Attach(src, sc, down)
			return
		}
		last := sc.Child()
		ignore := observable.TerminalFuncs{OnError: func(error) {}, OnComplete: func() {}}
		observable.Attach(src, last, observable.Stage[any]{Next: func(any) { last.Close() }, Terminal: &ignore})
		last.Close()
		down.Complete()
	})
}

// delay gives the notifier the end of the run, and returns an observable that emits when
// the notifier does.
func (w *rerunWhen) delay(end any) O {
	return observable.AttachFunc[any](func(_ *observable.Scope, down observable.Stage[any]) {
		w.running, w.waiting = false, &down
		if w.done {
			down.Complete()
			return
		}
		if w.ends == nil {
			w.ends = new(observable.Subject[any])
			observable.Attach(w.notifier(w.ends), w.sc.Child(), observable.Stage[any]{
				Next:     w.notified,
				Terminal: observable.WithComplete(w.down, w.completed),
			})
		}
		observable.NewFeed(w.ends, w.sc).Next(end)
	})
}

func (w *rerunWhen) notified(v any) {
	if delay := w.waiting; delay != nil {
		w.waiting = nil
		delay.Next(v)
	}
}

func (w *rerunWhen) completed() {
	w.done = true
	switch rerunDue := !w.running && w.waiting == nil; {
	case rerunDue: // run goes on
	case w.running && w.waits: // delay goes on
	default:
		w.down.Complete()
	}
}

// rerunNotifier returns the function that makes the notifier of a retryWhen or repeatWhen
// out of the stream of the runs' ends.
func (c *vcase) rerunNotifier() func(ends O) O {
	notifier := c.spec("notifier")
	return func(ends O) O {
		switch notifier.fn() {
		case "delayEach":
			ends = operators.ConcatMap(ends, func(any) O { return c.timer(notifier.int("d")) })
			if _, limited := notifier["n"]; !limited {
				return ends
			}
			return operators.Take(ends, notifier.int("n"))
		case "take":
			return operators.Take(ends, notifier.int("n"))
		case "failAfter":
			return indexed1(func(next func() int) O {
				return operators.TryMap(ends, func(v any) (any, error) {
					i := next()
					if i >= notifier.int("n") {
						return nil, v.(error)
					}
					return i, nil
				})
			})
		case "source":
			return c.source(notifier.int("source"))
		case "throw":
			panic(errBoom)
		default:
			panic(fmt.Sprintf("conformance: unknown notifier %q", notifier.fn()))
		}
	}
}
