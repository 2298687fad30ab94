package observable_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// A boundary with a bound: at most two values wait for a slow subscriber, then the source
// waits. The source has a gate of its own, and a value that waits there is one of the
// two.
func ExampleScope_Spawn() {
	const size = 2
	bounded := func(src observable.Observable[int]) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			var mu interleave.Mutex // guards the variables below
			room := interleave.Cond{L: &mu}
			var waiting []int
			running := false
			var end func() // ends downstream after them, if the source has ended

			task := sc.NewTask(func() (more bool) {
				mu.Lock()
				if len(waiting) == 0 {
					mu.Unlock()
					end()
					return false
				}
				v := waiting[0]
				waiting = waiting[1:]
				room.Signal()
				mu.Unlock()
				down.Next(v)
				mu.Lock()
				defer mu.Unlock()
				running = len(waiting) > 0 || end != nil
				return running
			})
			start := func() {
				if !running {
					running = true
					task.Schedule()
				}
			}
			finish := func(f func()) {
				mu.Lock()
				defer mu.Unlock()
				end = f
				start()
			}
			sc.OnClose(func() {
				mu.Lock()
				defer mu.Unlock()
				room.Broadcast() // nobody waits for room any more
			})

			sc.Spawn(func() {
				source := observable.AttachFunc[int](func(own *observable.Scope, buffer observable.Stage[int]) {
					own.LimitQueue(size)
					observable.Attach(src, own, observable.Stage[int]{
						Next: func(v int) {
							buffer.Next(v)
							mu.Lock()
							defer mu.Unlock()
							own.LimitQueue(size - len(waiting))
						},
						Terminal: buffer.Terminal,
					})
				})
				source.Subscribe(sc, observable.ObserverFuncs[int]{ // it ends with sc
					OnNext: func(v int) {
						mu.Lock()
						defer mu.Unlock()
						for len(waiting) >= size && sc.Open() {
							if !sc.Wait(&room) {
								break
							}
						}
						waiting = append(waiting, v)
						start()
					},
					OnError:    func(err error) { finish(func() { down.Error(err) }) },
					OnComplete: func() { finish(down.Complete) },
				})
			})
			mu.Lock()
			defer mu.Unlock()
			fmt.Println("subscribed, and full:", waiting)
		})
	}
	<-bounded(observable.Range(1, 4)).Subscribe(context.Background(), printer[int]("value")).Done()
	// Output:
	// subscribed, and full: [1 2]
	// value 1
	// value 2
	// value 3
	// value 4
	// value done
}

// An operator that goes through many sources uses the Next that Intercept has returned
// for all of them.
func ExampleInterceptTerminal() {
	resume := func(sources ...observable.Observable[int]) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			var next func(int)
			var run func(i int)
			run = func(i int) {
				if i == len(sources) {
					down.Complete()
					return
				}
				up := sc.Child()
				goOn := func() {
					up.Close()
					run(i + 1)
				}
				terminal := &observable.TerminalFuncs{
					OnError: func(err error) {
						fmt.Println("after", err)
						goOn()
					},
					OnComplete: goOn,
				}
				stage := observable.Stage[int]{Next: next}
				if next == nil {
					stage = observable.Intercept(up, observable.Stage[int]{Next: down.Next, Terminal: terminal})
					next = stage.Next
				} else {
					stage.Terminal = observable.InterceptTerminal(up, terminal)
				}
				observable.Attach(sources[i], up, stage)
			}
			run(0)
		})
	}
	show(resume(observable.Of(1, 2), observable.Throw[int](errors.New("failure")), observable.Of(3)))
	// Output:
	// 1 2 after failure
	// 3 done
}

// relay is a subject of another library.
type relay struct{ observers []observable.Observer[int] }

func (r *relay) Next(v int) {
	for _, o := range r.observers {
		o.Next(v)
	}
}

func (r *relay) Subscribe(ctx context.Context, o observable.Observer[int]) observable.Subscription {
	r.observers = append(r.observers, o)
	ctx, cancel := context.WithCancel(ctx)
	return left{ctx, cancel}
}

// left is a subscription that is over when its context is.
type left struct {
	context.Context

	cancel func()
}

func (l left) Unsubscribe() { l.cancel() }

// An operator that emits into a foreign object, which may also be its source, does so in
// ConnectAll: values that come back are emitted at once, not after all values of the
// source.
func ExampleScope_ConnectAll() {
	through := func(src observable.Observable[int], r *relay) observable.Observable[int] {
		return observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			observable.Attach[int](r, sc, down)
			observable.Attach(src, sc.Child(), observable.Stage[int]{
				Next: func(v int) {
					sc.ConnectAll(func() { r.Next(v) })
					fmt.Println("after", v)
				},
				Terminal: down.Terminal,
			})
		})
	}
	through(observable.Of(1, 2), new(relay)).Subscribe(context.Background(), printer[int]("value"))
	// Output:
	// value 1
	// after 1
	// value 2
	// after 2
	// value done
}
