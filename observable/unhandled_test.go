package observable_test

import (
	"context"
	"log"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestUnhandledPanicOfGo has the function of Go panic, exit or fail after the stream has
// ended. An error goes unheard, as the end of the function's context causes it.
func TestUnhandledPanicOfGo(t *testing.T) {
	for name, test := range map[string]struct {
		fail  func() error
		heard []string
	}{
		"panic":  {func() error { panic(errBoom) }, []string{"boom"}},
		"Goexit": {func() error { runtime.Goexit(); return nil }, []string{observable.ErrGoexit.Error()}},
		"error":  {func() error { return errBoom }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				sub := observable.Go(func(ctx context.Context, _ func(int)) error {
					<-ctx.Done()
					return test.fail()
				}).Subscribe(t.Context(), observable.ObserverFuncs[int]{})
				synctest.Wait()
				sub.Unsubscribe()
				<-sub.Done()
				unhandled.Expect(t, test.heard...)
			})
		})
	}
}

// TestUnhandledPanicInQueue has a panic wait at a gate when the value that is being
// delivered ends the stream.
func TestUnhandledPanicInQueue(t *testing.T) {
	for name, canceled := range map[string]bool{"unsubscribed": false, "canceled": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var in *observable.Emitter[int]
				var sub observable.Subscription
				sub = inlet(&in).Subscribe(ctx, observable.ObserverFuncs[int]{
					OnNext: func(int) {
						in.Error(&observable.PanicError{Value: errBoom})
						if canceled {
							cancel()
						} else {
							sub.Unsubscribe()
						}
					},
					OnError: func(err error) { assert.ErrorIs(t, err, context.Canceled) },
				})
				in.Next(1)
				<-sub.Done()
				unhandled.Expect(t, "boom")
				in.Error(&observable.PanicError{Value: errBoom}) // again, and too late
				unhandled.Expect(t, "boom", "boom")
			})
		})
	}
}

// TestUnhandledPanicIsHeardOnce sends a panic to the subscribers of a subject. One of
// them leaves at the moment before.
func TestUnhandledPanicIsHeardOnce(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	subject := new(observable.Subject[int])
	first, _ := record[int](t.Context(), subject)
	var second observable.Subscription
	second = subject.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
		subject.Error(&observable.PanicError{Value: errBoom})
		second.Unsubscribe()
	}})
	subject.Next(1)
	assert.Len(t, first.Log(), 2)
	unhandled.Expect(t)
}

// failingLog is a handler of log/slog that fails.
type failingLog struct {
	slog.Handler
	fail func()
}

func (l failingLog) Enabled(context.Context, slog.Level) bool { return true }

func (l failingLog) Handle(context.Context, slog.Record) error {
	l.fail()
	return nil
}

// TestUnhandledWhenTheLogFails has the handler of the log fail, with and without a
// handler of unhandled errors that fails first: the callers go on.
func TestUnhandledWhenTheLogFails(t *testing.T) {
	former, writer, flags := slog.Default(), log.Writer(), log.Flags()
	defer func() {
		slog.SetDefault(former)
		log.SetOutput(writer) // SetDefault has changed it
		log.SetFlags(flags)
	}()
	boom := func() { panic(errBoom) }
	for name, fail := range map[string]func(){"panic": boom, "Goexit": runtime.Goexit} {
		for handled, handler := range map[string]func(*observable.UnhandledError){
			"the log alone": nil, "the handler too": func(*observable.UnhandledError) { fail() },
		} {
			t.Run(name+" in "+handled, func(t *testing.T) {
				slog.SetDefault(slog.New(failingLog{slog.DiscardHandler, fail}))
				defer observable.OnUnhandled(handler)()
				subject := new(observable.Subject[int])
				listening := observable.ObserverFuncs[int]{OnError: func(error) { boom() }}
				var subs []observable.Subscription
				for _, src := range []observable.Observable[int]{subject, finalized[int](subject, boom)} {
					for _, o := range []observable.Observer[int]{observable.ObserverFuncs[int]{}, listening} {
						subs = append(subs, src.Subscribe(t.Context(), o))
					}
				}
				var group sync.WaitGroup
				group.Go(func() { subject.Error(errBoom) })
				group.Wait()
				for _, sub := range subs {
					<-sub.Done()
					require.ErrorIs(t, sub.Err(), errBoom)
				}
			})
		}
	}
}

// TestUnhandledPanicWithAHandlerThatExits has a callback panic when its stream has ended,
// and the handler end the goroutine.
func TestUnhandledPanicWithAHandlerThatExits(t *testing.T) {
	told := 0
	defer observable.OnUnhandled(func(*observable.UnhandledError) {
		told++
		runtime.Goexit()
	})()
	subject := new(observable.Subject[int])
	var sub observable.Subscription
	sub = subject.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
		sub.Unsubscribe()
		panic(errBoom)
	}})
	out, other := record[int](t.Context(), subject)
	var group sync.WaitGroup
	group.Go(func() { subject.Next(1) })
	group.Wait()
	<-sub.Done()
	assert.Equal(t, []string{"1"}, out.Log())
	assert.Equal(t, 2, told, "of the panic, and of the goroutine's end")
	other.Unsubscribe()
}

// TestUnhandledErrorOfAConnectable fails the source of a connectable: the error is
// reported if no subscriber gets the processor, now or later.
func TestUnhandledErrorOfAConnectable(t *testing.T) {
	for name, test := range map[string]struct {
		observed, keeps bool
		heard           []string
	}{
		"observed": {observed: true}, "kept": {keeps: true}, "lost": {heard: []string{"boom"}},
	} {
		t.Run(name, func(t *testing.T) {
			unhandled := observabletest.Unhandled(t)
			src := new(observable.Subject[int])
			c := observable.NewConnectable[int](src, observable.ConnectableConfig[int]{KeepOnDisconnect: test.keeps})
			if test.observed {
				record[int](t.Context(), c)
			}
			sub := c.Connect(t.Context())
			src.Error(errBoom)
			require.ErrorIs(t, sub.Err(), errBoom)
			unhandled.Expect(t, test.heard...)
		})
	}
}

// TestUnhandledPanicInConnect has a panic wait, inside Connect, behind a value that ends
// the stream.
func TestUnhandledPanicInConnect(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	var in *observable.Emitter[int]
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		in = observable.NewEmitter(sc, down)
		sc.Connect(func() { in.Next(1) })
	})
	ending := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		observable.Attach(src, sc, observable.Stage[int]{
			Next: func(v int) {
				if v == 1 {
					in.Next(2)
					in.Error(&observable.PanicError{Value: errBoom})
				} else {
					sc.Close()
				}
			},
			Terminal: down.Terminal,
		})
	})
	ending.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	unhandled.Expect(t, "boom")
}

// TestUnhandledPanicOnTheWay has a stage that handles a panic end the context, and pass
// the panic on.
func TestUnhandledPanicOnTheWay(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	ctx, cancel := context.WithCancel(t.Context())
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		up := sc.Child()
		failing := mapped(observable.Of(1), func(int) int { panic(errBoom) })
		observable.Attach(failing, up, observable.Intercept(up, observable.Stage[int]{
			Next: down.Next,
			Terminal: &observable.TerminalFuncs{OnComplete: down.Complete, OnError: func(err error) {
				cancel()
				down.Error(err)
			}},
		}))
	})
	out, sub := record(ctx, src)
	<-sub.Done()
	assert.Equal(t, []string{"error: context canceled"}, out.Log())
	unhandled.Expect(t, "boom")
}

// TestUnhandledPanicWithTheCause panics with the error of the context, after that has
// ended: a callback that panics is a failure, with any panic value.
func TestUnhandledPanicWithTheCause(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	ctx, cancel := context.WithCancel(t.Context())
	src := mapped(observable.Of(1), func(int) int {
		cancel()
		panic(ctx.Err())
	})
	_, sub := record(ctx, src)
	<-sub.Done()
	unhandled.Expect(t, "panicked")
}

// TestUnhandledPanicBehindADelivery has a panic wait at a busy gate behind a value of a
// channel. The producer of the value takes it back when the subscription ends.
func TestUnhandledPanicBehindADelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		src := observable.FromChan(filled(1))
		idle := make(chan struct{})
		var out observable.Observer[int]
		sub := observable.New(func(_ context.Context, o observable.Observer[int]) func() {
			out = o
			return nil
		}).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) { <-idle }})
		go out.Next(-1)
		synctest.Wait()
		inner := src.Subscribe(t.Context(), out)
		synctest.Wait()
		go out.Error(&observable.PanicError{Value: errBoom})
		synctest.Wait()
		sub.Unsubscribe()
		synctest.Wait() // the value is back
		close(idle)
		<-sub.Done()
		<-inner.Done()
		unhandled.Expect(t, "boom")
	})
}

// TestUnhandledPanicBehindAGoexit has the function of New fail with a panic while a value
// of another goroutine waits. The callback of that value ends the goroutine.
func TestUnhandledPanicBehindAGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unhandled := observabletest.Unhandled(t)
		got := observabletest.NewRecorder[int]().OnNext(func(int) { runtime.Goexit() })
		onOwnGoroutine(func() {
			observable.New(func(_ context.Context, out observable.Observer[int]) func() {
				go out.Next(1)
				synctest.Wait()
				out.Error(&observable.PanicError{Value: errBoom})
				return nil
			}).Subscribe(t.Context(), got)
		})
		assert.Equal(t, []string{"1", "error: " + observable.ErrGoexit.Error()}, got.Log())
		unhandled.Expect(t, "boom")
	})
}
