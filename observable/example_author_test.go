package observable_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// door is an observer that can end by itself. A stream that is subscribed to it ends with
// it.
type door struct{ closed *observable.Subject[struct{}] }

func (d door) Next(v int)  { fmt.Println("in:", v) }
func (d door) Error(error) {}
func (d door) Complete()   {}
func (d door) OnEnd(f func()) (stop func()) {
	sub := d.closed.Subscribe(context.Background(), observable.ObserverFuncs[struct{}]{OnComplete: f})
	return sub.Unsubscribe
}

// ContextEnded makes it an observer that does not take the end of a context for a
// failure.
func (d door) ContextEnded(cause error) { fmt.Println("the context has ended:", cause) }

func ExampleEnder() {
	d := door{new(observable.Subject[struct{}])}
	var _ observable.Ender = d
	visitors := new(observable.Subject[int])
	visitors.Subscribe(context.Background(), d)
	visitors.Next(1)
	d.closed.Complete()
	visitors.Next(2)
	fmt.Println("observed:", visitors.Observed())
	// Output:
	// in: 1
	// observed: false
}

func ExampleContextObserver() {
	d := door{new(observable.Subject[struct{}])}
	var _ observable.ContextObserver = d
	ctx, cancel := context.WithCancelCause(context.Background())
	visitors := observable.Never[int]()
	sub := visitors.Subscribe(ctx, d)
	cancel(errors.New("closing time"))
	<-sub.Done()
	// Output: the context has ended: closing time
}

// A source that counts the chains that still work on its values.
func ExampleScope_Subscription() {
	var busy atomic.Int32
	source := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		busy.Add(1)
		observable.WhenDone(sc.Subscription(), func() { busy.Add(-1) })
		down.Next(1)
		down.Complete()
	})
	// An operator whose own values follow those of the source.
	longer := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		observable.Attach(source, sc, observable.Stage[int]{Next: down.Next, Terminal: &observable.TerminalFuncs{
			OnError:    down.Error,
			OnComplete: func() { observable.Attach(observable.Timer(time.Millisecond), sc, down) },
		}})
	})
	sub := longer.Subscribe(context.Background(), printer[int]("value"))
	fmt.Println("busy:", busy.Load())
	<-sub.Done()
	fmt.Println("busy:", busy.Load())
	// Output:
	// value 1
	// busy: 1
	// value 0
	// value done
	// busy: 0
}

func ExampleWhenDone() {
	timer := observable.Timer(time.Millisecond)
	done := make(chan struct{})
	observable.WhenDone(timer.Subscribe(context.Background(), printer[int]("timer")), func() { close(done) })
	<-done
	// Output:
	// timer 0
	// timer done
}

// A source that must not lose values: it keeps a value that was not taken.
func ExampleEmitter_Deliver() {
	mailbox := make(chan string, 2)
	mailbox <- "first"
	mailbox <- "second"
	src := observable.AttachFunc[string](func(sc *observable.Scope, down observable.Stage[string]) {
		in := observable.NewEmitter(sc, down)
		sc.Go(func() {
			for letter := range mailbox {
				if !in.Deliver(letter) {
					mailbox <- letter // for the next subscriber
					return
				}
				if len(mailbox) == 0 {
					in.Complete()
					return
				}
			}
		})
	})
	show[string](src)
	// Output: first second done
}

// An operator that makes observables of the values passing through it emits into them by
// feeds.
func ExampleFeed() {
	halves := func(src observable.Observable[int]) observable.Observable[observable.Observable[int]] {
		return observable.AttachFunc[observable.Observable[int]](func(sc *observable.Scope, down observable.Stage[observable.Observable[int]]) {
			var feed observable.Feed[int]
			n := 0
			observable.Attach(src, sc, observable.Stage[int]{
				Next: func(v int) {
					if n%2 == 0 {
						window := new(observable.Subject[int])
						feed = observable.NewFeed(window, sc)
						down.Next(window)
					}
					feed.Next(v)
					if n++; n%2 == 0 {
						feed.Complete()
					}
				},
				Terminal: down.Terminal,
			})
		})
	}
	windows := 0
	halves(observable.Range(1, 4)).Subscribe(context.Background(), observable.ObserverFuncs[observable.Observable[int]]{
		OnNext: func(window observable.Observable[int]) {
			windows++
			window.Subscribe(context.Background(), printer[int](fmt.Sprint("window ", windows, ":")))
		},
	})
	// Output:
	// window 1: 1
	// window 1: 2
	// window 1: done
	// window 2: 3
	// window 2: 4
	// window 2: done
}

// A scope carries the values and the deadline of the subscription's context, and ends
// with the subscription.
func ExampleScope_Values() {
	type key struct{}
	ctx, cancel := context.WithDeadline(context.WithValue(context.Background(), key{}, "ann"), time.Now().Add(time.Hour))
	defer cancel()
	src := observable.AttachFunc[string](func(sc *observable.Scope, down observable.Stage[string]) {
		_, bounded := sc.Deadline()
		fmt.Println(sc.Value(key{}), bounded, sc.Err())
		outlives := sc.Values() // has the values, and never ends
		sc.AfterFunc(func() { fmt.Println("closed:", sc.Err(), outlives.Err()) })
		down.Complete()
		<-sc.Done()
	})
	src.Subscribe(ctx, printer[string]("value"))
	// Output:
	// ann true <nil>
	// value done
	// closed: context canceled <nil>
}

// A teardown may ask whether the work on its source's values has failed.
func ExampleScope_Failure() {
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		sc.OnClose(func() { fmt.Println("failed:", sc.Failure() != nil, "pending:", sc.Pending()) })
		down.Next(1)
	})
	src.Subscribe(context.Background(), observable.ObserverFuncs[int]{
		OnNext:  func(int) { panic("out of paper") },
		OnError: func(error) {},
	})
	// Output: failed: true pending: false
}

// An operator that connects to something foreign, which emits through an emitter, does so
// in Connect.
func ExampleScope_Connect() {
	listen := func(f func(int)) { f(1); f(2) } // of another library
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		in := observable.NewEmitter(sc, down)
		sc.Connect(func() { listen(in.Next) })
		in.Complete()
	})
	show[int](src)
	// Output: 1 2 done
}

// An inner subscription whose scope is a part of the operator's own struct saves an
// allocation.
func ExampleScope_Nest() {
	type attempt struct {
		observable.Scope
		number int
	}
	twice := func(src observable.Observable[int]) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			var run func(number int)
			run = func(number int) {
				a := &attempt{number: number}
				sc.Nest(&a.Scope)
				observable.Attach(src, &a.Scope, observable.Stage[int]{
					Next: down.Next,
					Terminal: observable.WithComplete(down, func() {
						a.Close()
						if a.number == 2 {
							down.Complete()
							return
						}
						run(a.number + 1)
					}),
				})
			}
			run(1)
		})
	}
	show(twice(observable.Of(1, 2)))
	// Output: 1 2 1 2 done
}

// A scope that is detached goes on when the subscriber has left: for a source that others
// still need.
func ExampleScope_Detach() {
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		own := sc.Detach()
		down.Next(1)
		down.Complete()
		fmt.Println("open:", sc.Open(), own.Open())
		own.Close()
	})
	src.Subscribe(context.Background(), printer[int]("value"))
	// Output:
	// value 1
	// value done
	// open: false true
}

// A failure whose subscribers may all have left goes to the handler of OnUnhandled.
func ExampleScope_Unhandled() {
	restore := observable.OnUnhandled(func(e *observable.UnhandledError) { fmt.Println("unhandled:", errors.Unwrap(e)) })
	defer restore()
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		sc.Unhandled(errors.New("the log is full"))
		down.Complete()
	})
	src.Subscribe(context.Background(), printer[int]("value"))
	// Output:
	// unhandled: the log is full
	// value done
}

// An error that comes after the operator's own end is dropped, but a panic goes to the
// handler of OnUnhandled.
func ExampleScope_Drop() {
	restore := observable.OnUnhandled(func(e *observable.UnhandledError) { fmt.Println("unhandled:", errors.Unwrap(e)) })
	defer restore()
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		down.Complete()
		sc.Drop(errors.New("the connection was reset"))
		sc.Drop(&observable.PanicError{Value: "index out of range"})
	})
	src.Subscribe(context.Background(), printer[int]("value"))
	// Output:
	// value done
	// unhandled: observable: a callback panicked: index out of range
}

// An operator that subscribes to something of its own has Done wait for that, too.
func ExampleScope_WaitFor() {
	var written atomic.Bool
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		log := observable.Go(func(context.Context, func(int)) error {
			written.Store(true)
			return nil
		})
		sc.WaitFor(log.Subscribe(context.Background(), observable.ObserverFuncs[int]{}))
		down.Complete()
	})
	<-src.Subscribe(context.Background(), printer[int]("value")).Done()
	fmt.Println(written.Load())
	// Output:
	// value done
	// true
}

// An operator that runs a source again asks whether a function of the run before still
// works.
func ExampleScope_OnIdle() {
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		working := make(chan struct{})
		sc.Go(func() { <-working })
		again := make(chan struct{})
		fmt.Println("working:", sc.OnIdle(func() { close(again) }))
		close(working)
		<-again
		fmt.Println("working:", sc.OnIdle(nil))
		down.Complete()
	})
	src.Subscribe(context.Background(), printer[int]("value"))
	// Output:
	// working: true
	// working: false
	// value done
}

// Spawn returns when the function has returned, or is about to wait.
func ExampleSpawn() {
	opened := make(chan struct{})
	finished := make(chan struct{})
	observable.Spawn(func() {
		defer close(finished)
		fmt.Println("subscribed")
		observable.Waiting()
		<-opened
	})
	fmt.Println("goes on")
	close(opened)
	<-finished
	waiting := make(chan struct{})
	observable.Watch(func() { fmt.Println("watched") }, waiting)
	<-waiting
	// Output:
	// subscribed
	// goes on
	// watched
}

// An alarm may be set to a moment, and stopped.
func ExampleAlarm_ResetAt() {
	src := observable.AttachFunc[string](func(sc *observable.Scope, down observable.Stage[string]) {
		late := sc.NewAlarm(func() { down.Next("too late") })
		late.Reset(time.Hour)
		sc.NewAlarm(func() {
			late.Stop()
			down.Next("in time")
			down.Complete()
		}).ResetAt(time.Now().Add(time.Millisecond))
	})
	show[string](src)
	// Output: in time done
}
