package operators_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
)

// TestUnhandledPanicOfProject has project panic, exit or fail after the stream has ended.
func TestUnhandledPanicOfProject(t *testing.T) {
	for name, test := range map[string]struct {
		fail  func() error
		heard []string
	}{
		"panic":  {func() error { panic(errBoom) }, []string{"boom"}},
		"Goexit": {func() error { runtime.Goexit(); return nil }, []string{observable.ErrGoexit.Error()}},
		"error":  {func() error { return errBoom }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			parallel(t, func(t *testing.T, op parallelMap) {
				for _, end := range []func(observable.Subscription, context.CancelFunc){
					func(sub observable.Subscription, _ context.CancelFunc) { sub.Unsubscribe() },
					func(_ observable.Subscription, cancel context.CancelFunc) { cancel() },
				} {
					unhandled := observabletest.Unhandled(t)
					ctx, cancel := context.WithCancel(t.Context())
					sub := op(observable.Of(1), 2, func(ctx context.Context, _ int) (int, error) {
						<-ctx.Done()
						return 0, test.fail()
					}).Subscribe(ctx, observable.ObserverFuncs[int]{
						OnError: func(err error) { assert.ErrorIs(t, err, context.Canceled) },
					})
					pass(ms)
					end(sub, cancel)
					pass(ms)
					unhandled.Expect(t, test.heard...)
					cancel()
				}
			})
		})
	}
}

// TestUnhandledSecondPanicOfProject has two calls panic: the stream ends with one panic,
// and the handler gets the other.
func TestUnhandledSecondPanicOfProject(t *testing.T) {
	parallel(t, func(t *testing.T, op parallelMap) {
		unhandled := observabletest.Unhandled(t)
		_, err := observable.Collect(t.Context(), op(observable.Of(1, 2), 2, func(context.Context, int) (int, error) {
			time.Sleep(ms)
			panic(errBoom)
		}))
		assert.ErrorIs(t, err, errBoom)
		pass(ms)
		unhandled.Expect(t, "boom")
	})
}

// TestUnhandledPanicOfASource has a source panic behind values that have not been dealt
// with, and then ends the stream: the panic never reaches its observer.
func TestUnhandledPanicOfASource(t *testing.T) {
	sleepy := func(ctx context.Context, v int) (int, error) {
		<-ctx.Done()
		return v, nil
	}
	for name, op := range map[string]func(ints) ints{
		"ParallelMap": func(src ints) ints { return operators.ParallelMap(src, 2, sleepy) },
		"OnBackpressureBuffer": func(src ints) ints {
			return operators.OnBackpressureBuffer(src, 9, observable.OverflowBlock, nil)
		},
		"ObserveOnDelay": func(src ints) ints { return operators.ObserveOnDelay(src, time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				src := operators.Map(observable.Of(1, 2, 3), func(v int) int {
					if v == 3 {
						panic(errBoom)
					}
					return v
				})
				sub := op(src).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) { time.Sleep(9 * ms) }})
				pass(ms)
				unhandled.Expect(t)
				sub.Unsubscribe()
				pass(9 * ms)
				unhandled.Expect(t, "boom")
			})
		})
	}
}

// TestUnhandledErrorOfAShare fails a shared source without a subscriber, and another with
// one. The first error goes unheard unless the next subscriber hears of it.
func TestUnhandledErrorOfAShare(t *testing.T) {
	never := operators.ShareConfig[int]{OnRefCountZero: operators.ResetNever(), OnError: operators.ResetNever()}
	for name, test := range map[string]struct {
		share func(ints) ints
		heard []string
	}{
		"ShareReplay": {func(src ints) ints { return operators.ShareReplay(src, operators.ShareReplayConfig{}) }, []string{"boom"}},
		"ShareWith":   {func(src ints) ints { return operators.ShareWith(src, never) }, nil},
	} {
		for kind, fail := range map[string]func(*observable.Subject[int]){
			"error": func(src *observable.Subject[int]) { src.Error(errBoom) },
			"panic": func(src *observable.Subject[int]) { src.Next(13) },
		} {
			t.Run(name+"/"+kind, func(t *testing.T) {
				unhandled := observabletest.Unhandled(t)
				for _, leaves := range []bool{false, true} {
					var src observable.Subject[int]
					shared := test.share(operators.Map(&src, func(v int) int {
						if v == 13 {
							panic(errBoom)
						}
						return v
					}))
					got := observabletest.NewRecorder[int]()
					sub := shared.Subscribe(t.Context(), got)
					if leaves {
						sub.Unsubscribe()
					}
					fail(&src)
					if leaves {
						unhandled.Expect(t, test.heard...)
					} else {
						assert.Len(t, got.Events(), 1)
						unhandled.Expect(t)
					}
				}
			})
		}
	}
}

// TestUnhandledPanicOfADuration has the duration of a group panic: that is the group's
// error, which nobody hears if nobody is subscribed to the group.
func TestUnhandledPanicOfADuration(t *testing.T) {
	for name, test := range map[string]struct {
		observed bool
		heard    []string
	}{"nobody": {heard: []string{"boom"}}, "a subscriber": {observed: true}} {
		t.Run(name, func(t *testing.T) {
			unhandled := observabletest.Unhandled(t)
			var src, ending observable.Subject[int]
			out := observabletest.NewRecorder[int]()
			groups := operators.GroupByUntil(&src, parity, func(intGroup) ints {
				return operators.Map(&ending, func(int) int { panic(errBoom) })
			})
			defer groups.Subscribe(t.Context(), observable.ObserverFuncs[intGroup]{OnNext: func(g intGroup) {
				if test.observed {
					g.Subscribe(t.Context(), out)
				}
			}}).Unsubscribe()
			src.Next(1)
			ending.Next(1)
			unhandled.Expect(t, test.heard...)
		})
	}
}

// TestUnhandledPanicAsAllLeave has a source, or the duration of a group, panic while the
// only subscriber of a part is at work, and the subscriber then leaves: the panic is on
// its way to it, and reaches nobody.
func TestUnhandledPanicAsAllLeave(t *testing.T) {
	failing := func(v int) int {
		if v == 2 {
			panic(errBoom)
		}
		return v
	}
	asInts := func(g intGroup) ints { return g }
	for name, parts := range map[string]func(src *observable.Subject[int]) observable.Observable[ints]{
		"GroupBy": func(src *observable.Subject[int]) observable.Observable[ints] {
			return operators.Map(operators.GroupBy(operators.Map(src, failing), func(int) int { return 0 }), asInts)
		},
		"GroupByUntil": func(src *observable.Subject[int]) observable.Observable[ints] {
			return operators.Map(operators.GroupByUntil(src, func(int) int { return 0 }, func(intGroup) ints {
				return operators.Filter(operators.Map(src, failing), func(int) bool { return false })
			}), asInts)
		},
		"Share": func(src *observable.Subject[int]) observable.Observable[ints] {
			return observable.Of(operators.Share(operators.Map(src, failing)))
		},
		"Connectable": func(src *observable.Subject[int]) observable.Observable[ints] {
			c := observable.NewConnectable(operators.Map(src, failing), observable.ConnectableConfig[int]{})
			c.Connect(context.Background())
			return observable.Of[ints](c)
		},
		"Subject": func(src *observable.Subject[int]) observable.Observable[ints] {
			var s observable.Subject[int]
			operators.Map(src, failing).Subscribe(context.Background(), &s)
			return observable.Of[ints](&s)
		},
	} {
		for how, stays := range map[string]bool{"one leaves": true, "all leave": false} {
			t.Run(name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					unhandled := observabletest.Unhandled(t)
					var src, busy observable.Subject[int]
					var leaving observable.Subscription
					release := make(chan struct{})
					stayed := observabletest.NewRecorder[int]()
					sub := parts(&src).Subscribe(t.Context(), observable.ObserverFuncs[ints]{OnNext: func(part ints) {
						leaving = operators.Merge(part, &busy).Subscribe(t.Context(), observable.ObserverFuncs[int]{
							OnNext: func(v int) {
								if v == 3 {
									<-release
								}
							},
							OnError: func(err error) { t.Error(err) },
						})
						if stays {
							part.Subscribe(t.Context(), stayed)
						}
					}})
					src.Next(1)
					go busy.Next(3)
					synctest.Wait()
					sub.Unsubscribe()
					src.Next(2)
					synctest.Wait()
					unhandled.Expect(t)
					leaving.Unsubscribe()
					close(release)
					synctest.Wait()
					if stays {
						assert.ErrorIs(t, stayed.Err(), errBoom)
						unhandled.Expect(t)
					} else {
						unhandled.Expect(t, "boom")
					}
					src.Complete()
				})
			})
		}
	}
}

// endedContext is a context whose Err says that it has ended, though its Done is still
// open.
type endedContext struct {
	context.Context
	ended atomic.Bool
}

func (c *endedContext) Err() error {
	if c.ended.Load() {
		return context.Canceled
	}
	return nil
}

// TestUnhandledPanicOfPartsOfOneChain has the context end while a panic goes to several
// parts of one chain. The first part ends the operator that joins them: no observer hears
// of the panic.
func TestUnhandledPanicOfPartsOfOneChain(t *testing.T) {
	identity := func(v int) int { return v }
	type wrap = func(ints) ints
	for name, op := range map[string]func(src ints, part wrap) ints{
		"GroupBy": func(src ints, part wrap) ints {
			return operators.MergeMap(operators.GroupBy(src, identity), func(g intGroup) ints { return part(g) })
		},
		"Window": func(src ints, part wrap) ints {
			return operators.MergeMap(operators.WindowCountEvery(src, 9, 1), part)
		},
		"Connect": func(src ints, part wrap) ints {
			return operators.Connect(src, func(s ints) ints { return operators.Race(part(s), part(s)) })
		},
		"Audit": func(src ints, part wrap) ints {
			return operators.Connect(src, func(s ints) ints { return operators.Audit(part(s), func(int) ints { return part(s) }) })
		},
		"Materialize": func(src ints, part wrap) ints {
			return operators.Map(operators.Materialize(operators.MergeMap(operators.GroupBy(src, identity),
				func(g intGroup) ints { return part(g) })), func(operators.Notification[int]) int { return 0 })
		},
	} {
		t.Run(name, func(t *testing.T) {
			unhandled := observabletest.Unhandled(t)
			var src observable.Subject[int]
			base, cancel := context.WithCancel(t.Context())
			defer cancel()
			ctx := &endedContext{Context: base}
			ending := operators.TapConfig[int]{Error: func(error) { ctx.ended.Store(true) }}
			sub := op(operators.Map(&src, func(v int) int {
				if v == 2 {
					panic(errBoom)
				}
				return v
			}), func(part ints) ints {
				return operators.TapWith(operators.Filter(part, func(int) bool { return name == "Audit" }), ending)
			}).Subscribe(ctx, observable.ObserverFuncs[int]{})
			src.Next(0)
			src.Next(1)
			src.Next(2)
			sub.Unsubscribe()
			unhandled.Expect(t, "boom")
		})
	}
}
