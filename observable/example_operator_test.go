package observable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// An operator that only transforms: it shares the scope of its downstream and passes
// terminals on.
func ExampleAttachFunc() {
	double := func(src observable.Observable[int]) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			observable.Attach(src, sc, observable.Stage[int]{
				Next:     func(v int) { down.Next(2 * v) },
				Terminal: down.Terminal,
			})
		})
	}
	show(double(observable.Of(1, 2, 3)))
	// Output: 2 4 6 done
}

// An operator that adds to the completion: it checks that the subscription is open before
// it emits more.
func ExampleWithComplete() {
	endWith := func(src observable.Observable[string], last string) observable.Observable[string] {
		return observable.AttachFunc[string](func(sc *observable.Scope, down observable.Stage[string]) {
			observable.Attach(src, sc, observable.Stage[string]{
				Next: down.Next,
				Terminal: observable.WithComplete(down, func() {
					if down.Next(last); sc.Open() {
						down.Complete()
					}
				}),
			})
		})
	}
	show(endWith(observable.Of("a", "b"), "end"))
	// Output: a b end done
}

// An operator that handles errors: its source has a scope of its own, which the operator
// closes before it goes on.
func ExampleIntercept() {
	orElse := func(src observable.Observable[int], fallback observable.Observable[int]) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			up := sc.Child()
			observable.Attach(src, up, observable.Intercept(up, observable.Stage[int]{
				Next: down.Next,
				Terminal: &observable.TerminalFuncs{
					OnError: func(err error) {
						fmt.Println("after", err)
						up.Close()
						observable.Attach(fallback, sc, down)
					},
					OnComplete: down.Complete,
				},
			}))
		})
	}
	show(orElse(observable.Throw[int](errors.New("failure")), observable.Of(1, 2)))
	// Output:
	// after failure
	// 1 2 done
}

// An operator that keeps time: one alarm, which fires inside the gate.
func ExampleAlarm() {
	endAfter := func(src observable.Observable[int], d time.Duration) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			sc.NewAlarm(down.Complete).Reset(d)
			observable.Attach(src, sc, down)
		})
	}
	show(endAfter(observable.Never[int](), time.Millisecond))
	// Output: done
}

// A boundary without a bound: the source's values wait in a buffer, which a task empties.
// The operators of package operators do it with a bound, and with a gate of its own for
// the source.
func ExampleTask() {
	apart := func(src observable.Observable[int]) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			var waiting []int
			ended := false
			task := sc.NewTask(func() (more bool) {
				if len(waiting) == 0 {
					down.Complete()
					return false
				}
				v := waiting[0]
				waiting = waiting[1:]
				down.Next(v)
				return len(waiting) > 0 || ended
			})
			observable.Attach(src, sc, observable.Stage[int]{
				Next: func(v int) { waiting = append(waiting, v) },
				Terminal: observable.WithComplete(down.Terminal, func() {
					ended = true
					fmt.Println("the source has ended")
					task.Schedule()
				}),
			})
		})
	}
	<-apart(observable.Of(1, 2)).Subscribe(context.Background(), printer[int]("value")).Done()
	// Output:
	// the source has ended
	// value 1
	// value 2
	// value done
}

// A source that other goroutines emit into, with a teardown.
func ExampleEmitter() {
	var in *observable.Emitter[int]
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		in = observable.NewEmitter(sc, down)
		sc.OnClose(func() { fmt.Println("torn down") })
	})
	sub := src.Subscribe(context.Background(), printer[int]("value"))
	go func() {
		in.Next(1)
		in.Next(2)
		in.Complete()
	}()
	<-sub.Done()
	// Output:
	// value 1
	// value 2
	// value done
	// torn down
}

// A scope is the context of all work for the subscription.
func ExampleScope() {
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		request, cancel := context.WithTimeout(sc, time.Hour) // the subscription ends it too
		sc.OnClose(cancel)
		context.AfterFunc(request, func() {})
		down.Next(1)
		fmt.Println("open:", sc.Open(), "error:", request.Err())
		child := sc.Child()
		child.Finally(func() { fmt.Println("child torn down") })
		down.Complete()
		fmt.Println("open:", child.Open(), "error:", request.Err())
	})
	src.Subscribe(context.Background(), printer[int]("value"))
	// Output:
	// value 1
	// open: true error: <nil>
	// value done
	// child torn down
	// open: false error: context canceled
}

// counter is an observable of one's own: it implements Attach, and Subscribe with it.
type counter struct{ limit int }

func (c counter) AttachTo(sc *observable.Scope, down observable.Stage[int]) {
	for i := 0; i < c.limit && sc.Open(); i++ {
		down.Next(i)
	}
	if sc.Open() {
		down.Complete()
	}
}

func (c counter) Subscribe(ctx context.Context, observer observable.Observer[int]) observable.Subscription {
	return observable.Subscribe(ctx, c, observer)
}

func ExampleAttacher() {
	show[int](counter{3})
	// Output: 0 1 2 done
}

// An operator that counts how deep it is nested in others of its kind, by their terminals
// downstream.
func ExampleScope_Interceptors() {
	type depth struct{ observable.Terminal }
	nested := func(src observable.Observable[int]) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			n := 0
			for t := range sc.Interceptors() {
				if _, ok := t.(depth); ok {
					n++
				}
			}
			fmt.Println("inside", n, "others")
			up := sc.Child()
			observable.Attach(src, up, observable.Intercept(up, observable.Stage[int]{
				Next: down.Next, Terminal: depth{down.Terminal},
			}))
		})
	}
	show(nested(nested(observable.Of(1))))
	// Output:
	// inside 0 others
	// inside 1 others
	// 1 done
}

// An operator that ends before its source does: the value that it does not pass on stays
// in the channel.
func ExampleScope_Refuse() {
	first := func(src observable.Observable[int], n int) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			passed := 0
			observable.Attach(src, sc, observable.Stage[int]{
				Next: func(v int) {
					if passed++; passed > n {
						sc.Refuse()
						down.Complete()
						return
					}
					down.Next(v)
				},
				Terminal: down.Terminal,
			})
		})
	}
	values := make(chan int, 3)
	values <- 1
	values <- 2
	values <- 3
	close(values)
	all := observable.FromChan(values)
	show(first(all, 2))
	show(all)
	// Output:
	// 1 2 done
	// 3 done
}

// upload answers alone for the work done for it.
type upload struct {
	name string
	err  error
}

func (u *upload) FailAlone(err error) bool {
	u.err = err
	return true
}

// An operator of one's own gives a failure to the value that answers for it, and goes on.
func ExampleIsolated() {
	try := func(src observable.Observable[*upload], do func(u *upload) error) observable.Observable[string] {
		return observable.AttachFunc[string](func(sc *observable.Scope, down observable.Stage[string]) {
			observable.Attach(src, sc, observable.Stage[*upload]{
				Next: func(u *upload) {
					var alone observable.Isolated = u
					if err := do(u); err == nil {
						down.Next(u.name)
					} else if !alone.FailAlone(err) {
						down.Error(err)
					}
				},
				Terminal: down.Terminal,
			})
		})
	}
	uploads := []*upload{{name: "a"}, {name: "b"}, {name: "c"}}
	show(try(observable.FromSlice(uploads), func(u *upload) error {
		if u.name == "b" {
			return errors.New("disk is full")
		}
		return nil
	}))
	fmt.Println("b:", uploads[1].err)
	// Output:
	// a c done
	// b: disk is full
}
