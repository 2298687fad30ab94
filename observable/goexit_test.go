package observable_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// The tests of this file end goroutines inside callbacks, as a test's FailNow does.
// Nothing may stay locked, and nobody may wait for ever.

var goexit = "error: " + observable.ErrGoexit.Error()

// TestGoexitInCallback ends the goroutine in a stage and in each method of the observer,
// with values that come in every way.
func TestGoexitInCallback(t *testing.T) {
	for name, src := range sources() {
		t.Run(name, func(t *testing.T) {
			subscribe := func(src observable.Observable[int], observer observable.Observer[int]) observable.Subscription {
				subscribed := make(chan observable.Subscription, 1)
				onOwnGoroutine(func() {
					// Subscribe does not return when the source is synchronous.
					wrapped := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
						subscribed <- scopeSubscription{sc}
						observable.Attach(src, sc, down)
					})
					wrapped.Subscribe(context.Background(), observer)
				})
				return <-subscribed
			}
			t.Run("stage", func(t *testing.T) {
				out := observabletest.NewRecorder[int]()
				stage := mapped(src, func(v int) int {
					if v == 2 {
						runtime.Goexit()
					}
					return v
				})
				<-subscribe(stage, out).Done()
				assert.Equal(t, []string{"1", goexit}, out.Log())
			})
			t.Run("Next", func(t *testing.T) {
				out := observabletest.NewRecorder[int]().OnNext(func(int) { runtime.Goexit() })
				<-subscribe(src, out).Done()
				assert.Equal(t, []string{"1", goexit}, out.Log())
			})
			t.Run("Complete", func(t *testing.T) {
				<-subscribe(src, observable.ObserverFuncs[int]{OnComplete: runtime.Goexit}).Done()
			})
			t.Run("Error", func(t *testing.T) {
				failing := mapped(src, func(int) int { panic("to make it fail") })
				<-subscribe(failing, observable.ObserverFuncs[int]{OnError: func(error) { runtime.Goexit() }}).Done()
			})
			t.Run("handler", func(t *testing.T) {
				out := observabletest.NewRecorder[int]()
				failing := mapped(src, func(int) int { panic("to make it fail") })
				handled := caught(failing, func(error) observable.Observable[int] {
					runtime.Goexit()
					return nil
				})
				<-subscribe(handled, out).Done()
				assert.Equal(t, []string{goexit}, out.Log())
			})
		})
	}
}

// scopeSubscription is a subscription known only by its scope.
type scopeSubscription struct{ *observable.Scope }

func (s scopeSubscription) Unsubscribe() { s.Close() }

// TestGoexitInSubscribe ends the goroutine in the function of New and in a foreign
// Subscribe.
func TestGoexitInSubscribe(t *testing.T) {
	for name, src := range map[string]observable.Observable[int]{
		"New": observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			o.Next(1)
			runtime.Goexit()
			return nil
		}),
		"foreign": foreign[int](func(_ context.Context, o observable.Observer[int]) observable.Subscription {
			o.Next(1)
			runtime.Goexit()
			return nil
		}),
	} {
		t.Run(name, func(t *testing.T) {
			subject := new(observable.Subject[int])
			out, sub := record(t.Context(), merged[int](subject, func(int) observable.Observable[int] { return src }))
			onOwnGoroutine(func() { subject.Next(0) })
			<-sub.Done()
			assert.Equal(t, []string{"1", goexit}, out.Log())
			assert.False(t, subject.Observed())
		})
	}
}

// TestGoexitInTeardown ends the goroutine in each kind of teardown: the others run all
// the same.
func TestGoexitInTeardown(t *testing.T) {
	for name, end := range map[string]func(sub observable.Subscription, cancel func(), in *observable.Emitter[int]){
		"unsubscribe": func(sub observable.Subscription, _ func(), _ *observable.Emitter[int]) { sub.Unsubscribe() },
		"context":     func(_ observable.Subscription, cancel func(), _ *observable.Emitter[int]) { cancel() },
		"completion":  func(_ observable.Subscription, _ func(), in *observable.Emitter[int]) { in.Complete() },
		"in callback": func(_ observable.Subscription, cancel func(), in *observable.Emitter[int]) {
			cancel()
			in.Next(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var in *observable.Emitter[int]
			out := observabletest.NewRecorder[int]()
			src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
				teardown := func(name string) func() {
					return func() {
						out.Notef("%s", name)
						runtime.Goexit()
					}
				}
				context.AfterFunc(sc, teardown("after func"))
				sc.OnClose(teardown("first"))
				child := sc.Child()
				child.Finally(teardown("child"))
				child.OnClose(teardown("nested"))
				sc.OnClose(teardown("last"))
				in = observable.NewEmitter(child, down)
			})
			sub := src.Subscribe(ctx, observable.ObserverFuncs[int]{})
			onOwnGoroutine(func() { end(sub, cancel, in) })
			<-sub.Done()
			synchronous := out.Log()
			require.Subset(t, synchronous, []string{"first", "nested", "child", "last"})
			in.Next(2) // it would block if the gate were still held
		})
	}
}

// TestGoexitIsHeard ends the goroutine where no observer hears of it: in the observer's
// own terminals, and in a teardown.
func TestGoexitIsHeard(t *testing.T) {
	leaving := observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
		sc.OnClose(runtime.Goexit)
	})
	tornDown := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		sc.OnClose(runtime.Goexit)
		down.Complete()
	})
	for name, test := range map[string]struct {
		src      observable.Observable[int]
		observer observable.Observer[int]
	}{
		"Unsubscribe": {leaving, observable.ObserverFuncs[int]{}},
		"Complete":    {observable.Empty[int](), observable.ObserverFuncs[int]{OnComplete: runtime.Goexit}},
		"Error":       {observable.Throw[int](errBoom), observable.ObserverFuncs[int]{OnError: func(error) { runtime.Goexit() }}},
		"teardown":    {tornDown, observable.ObserverFuncs[int]{}},
	} {
		t.Run(name, func(t *testing.T) {
			unhandled := observabletest.Unhandled(t)
			var scope *observable.Scope
			src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
				scope = sc
				observable.Attach(test.src, sc, down)
			})
			onOwnGoroutine(func() { src.Subscribe(t.Context(), test.observer).Unsubscribe() })
			require.ErrorIs(t, scope.Failure(), observable.ErrGoexit)
			unhandled.Expect(t, observable.ErrGoexit.Error())
		})
	}
}

// TestGoexitInDrain ends the goroutine of a producer in the callback for a value that
// another producer queued.
func TestGoexitInDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var in, other *observable.Emitter[int]
		src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			observable.Attach(inlet(&in), sc.Child(), down)
			observable.Attach(inlet(&other), sc.Child(), observable.Stage[int]{Next: func(int) {}, Terminal: down.Terminal})
		})
		out := observabletest.NewRecorder[int]()
		out.OnNext(func(v int) {
			switch v {
			case 1:
				time.Sleep(time.Second)
			case 2:
				runtime.Goexit()
			}
		})
		sub := src.Subscribe(t.Context(), out)
		go in.Next(1)
		synctest.Wait()
		for i := range 256 {
			in.Next(2 + i)
		}
		<-sub.Done()
		assert.Equal(t, []string{"1", "2", goexit}, out.Log())
		other.Next(1)
	})
}

// TestGoexitWhileLeaving ends the goroutine in the callback for a value that is delivered
// as the gate is left.
func TestGoexitWhileLeaving(t *testing.T) {
	var in *observable.Emitter[int]
	src := merged(inlet(&in), func(v int) observable.Observable[int] {
		if v != 0 {
			return observable.Of(v)
		}
		in.Next(1)
		return observable.Empty[int]()
	})
	out := observabletest.NewRecorder[int]().OnNext(func(int) { runtime.Goexit() })
	sub := src.Subscribe(t.Context(), out)
	onOwnGoroutine(func() { in.Next(0) })
	<-sub.Done()
	assert.Equal(t, []string{"1", goexit}, out.Log())
	in.Next(2)
	assert.Len(t, out.Log(), 2)
}

// TestGoexitInAlarm ends the goroutine of a timer.
func TestGoexitInAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := observabletest.NewRecorder[int]().OnNext(func(int) { runtime.Goexit() })
		sub := observable.Interval(time.Second).Subscribe(t.Context(), out)
		<-sub.Done()
		assert.Equal(t, []string{"0", goexit}, out.Log())
	})
}

// TestGoexitInSubject ends the goroutine in the callback of one subscriber of several:
// the others get the value, and all get the values that the callbacks emitted.
func TestGoexitInSubject(t *testing.T) {
	subject := new(observable.Subject[int])
	first, _ := record[int](t.Context(), subject)
	bad := observabletest.NewRecorder[int]().OnNext(func(v int) {
		subject.Next(v + 1)
		runtime.Goexit()
	})
	subject.Subscribe(t.Context(), bad)
	last, _ := record[int](t.Context(), subject)
	onOwnGoroutine(func() { subject.Next(1) })
	subject.Next(5)
	subject.Complete()
	assert.Equal(t, []string{"1", goexit}, bad.Log())
	assert.Equal(t, []string{"1", "2", "5", "complete"}, first.Log())
	assert.Equal(t, []string{"1", "2", "5", "complete"}, last.Log())
}

// TestUnhandledApart has functions that the toolkit calls apart from the callbacks of a
// stream panic, or end their goroutine: the handler of unhandled errors hears of it, and
// the other functions are still called.
func TestUnhandledApart(t *testing.T) {
	ends := map[string]struct {
		fail  func()
		heard string
	}{
		"panic":  {func() { panic(errBoom) }, "boom"},
		"Goexit": {runtime.Goexit, observable.ErrGoexit.Error()},
	}
	for name, call := range map[string]func(fail, other func()){
		"OnEnd": func(fail, other func()) {
			var s observable.Subject[int]
			for range 3 {
				s.OnEnd(fail)
				s.OnEnd(other)
			}
			s.Complete()
		},
		"OnEnd of one that has ended": func(fail, other func()) {
			var s observable.Subject[int]
			s.Complete()
			defer func() { s.OnEnd(other) }()
			s.OnEnd(fail)
		},
		"WhenDone": func(fail, other func()) {
			sub := observable.Never[int]().Subscribe(context.Background(), observable.ObserverFuncs[int]{})
			observable.WhenDone(sub, fail)
			observable.WhenDone(sub, other)
			sub.Unsubscribe()
		},
		"WhenDone of one that is over": func(fail, other func()) {
			sub := observable.Empty[int]().Subscribe(context.Background(), observable.ObserverFuncs[int]{})
			defer observable.WhenDone(sub, other)
			observable.WhenDone(sub, fail)
		},
		"WhenDone of a foreign one": func(fail, other func()) {
			foreign := foreignSubscription{make(chan struct{})}
			observable.WhenDone(foreign, fail)
			observable.WhenDone(foreign, other)
			close(foreign.done)
		},
		"AfterFunc": func(fail, other func()) {
			observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
				sc.Close()
				sc.AfterFunc(fail)
				sc.AfterFunc(other)
			}).Subscribe(context.Background(), observable.ObserverFuncs[int]{})
		},
	} {
		for how, end := range ends {
			t.Run(name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					unhandled := observabletest.Unhandled(t)
					others := 0
					go call(end.fail, func() { others++ })
					synctest.Wait()
					assert.NotZero(t, others)
					all := unhandled.All()
					require.NotEmpty(t, all)
					unhandled.Expect(t, slices.Repeat([]string{end.heard}, len(all))...)
				})
			})
		}
	}
}

// TestUnhandledPanicOfAFunction has functions that an operator has called on goroutines
// of their own panic.
func TestUnhandledPanicOfAFunction(t *testing.T) {
	fail := func() { panic(errBoom) }
	for name, call := range map[string]func(sc *observable.Scope){
		"Scope.Spawn": func(sc *observable.Scope) { sc.Spawn(fail) },
		"Scope.Go":    func(sc *observable.Scope) { sc.Go(fail) },
		"Spawn":       func(*observable.Scope) { observable.Spawn(fail) },
	} {
		t.Run(name, func(t *testing.T) {
			unhandled := observabletest.Unhandled(t)
			sub := observable.AttachFunc[int](func(sc *observable.Scope, _ observable.Stage[int]) {
				call(sc)
			}).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
			sub.Unsubscribe()
			<-sub.Done()
			unhandled.Expect(t, "boom")
		})
	}
}
