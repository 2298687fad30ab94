package observable_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// TestDeliver delivers to an observer, and to an operator that keeps the value.
func TestDeliver(t *testing.T) {
	var in *observable.Emitter[int]
	out, sub := record(t.Context(), filtered(inlet(&in), func(v int) bool { return v != 2 }))
	assert.True(t, in.Deliver(1))
	assert.True(t, in.Deliver(2), "the operator has it")
	assert.True(t, in.Deliver(3))
	assert.Equal(t, []string{"1", "3"}, out.Log())
	sub.Unsubscribe()
	assert.False(t, in.Deliver(4))
	assert.Equal(t, []string{"1", "3"}, out.Log())
}

// TestDeliverAfterTheEnd delivers when the emitter or the subscription has ended.
func TestDeliverAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(in *observable.Emitter[int], sub observable.Subscription, cancel func()){
		"completion":  func(in *observable.Emitter[int], _ observable.Subscription, _ func()) { in.Complete() },
		"error":       func(in *observable.Emitter[int], _ observable.Subscription, _ func()) { in.Error(errBoom) },
		"unsubscribe": func(_ *observable.Emitter[int], sub observable.Subscription, _ func()) { sub.Unsubscribe() },
		"context":     func(_ *observable.Emitter[int], _ observable.Subscription, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var in *observable.Emitter[int]
			out, sub := record(ctx, inlet(&in))
			end(in, sub, cancel)
			assert.False(t, in.Deliver(1))
			<-sub.Done()
			assert.Empty(t, out.Values())
		})
	}
}

// TestDeliverIsRefused ends the subscription in a stage that the value has reached,
// before its observer.
func TestDeliverIsRefused(t *testing.T) {
	for name, ctx := range map[string]context.Context{"with": t.Context(), "without": context.Background()} {
		t.Run(name+" a context", func(t *testing.T) {
			var in *observable.Emitter[int]
			var sub observable.Subscription
			var out *observabletest.Recorder[int]
			out, sub = record(ctx, before(inlet(&in), 1, func() { sub.Unsubscribe() }))
			assert.True(t, in.Deliver(0))
			assert.False(t, in.Deliver(1))
			assert.Equal(t, []string{"0"}, out.Log())
		})
	}
	t.Run("the context ends", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		var in *observable.Emitter[int]
		out, sub := record(ctx, before(inlet(&in), 1, func() { cancel(errBoom) }))
		assert.True(t, in.Deliver(0))
		assert.False(t, in.Deliver(1))
		<-sub.Done()
		assert.Equal(t, []string{"0", "error: boom"}, out.Log())
	})
}

// TestDeliverIsRefusedInPart refuses a value in a stage, in the observer, and where
// another part of the chain passes it on.
func TestDeliverIsRefusedInPart(t *testing.T) {
	refusing := func(in **observable.Emitter[int], sc **observable.Scope, refuses, passes bool) observable.Observable[int] {
		return observable.AttachFunc[int](func(s *observable.Scope, down observable.Stage[int]) {
			*sc = s
			*in = observable.NewEmitter(s, observable.Stage[int]{Terminal: down.Terminal, Next: func(v int) {
				if refuses {
					s.Refuse()
				}
				if passes {
					down.Next(v)
				}
				if refuses {
					s.Refuse()
				}
			}})
		})
	}
	for name, test := range map[string]struct {
		refuses, passes, observerRefuses, taken bool
	}{
		"the stage":                         {refuses: true},
		"a stage, while another passes":     {refuses: true, passes: true, taken: true},
		"the observer":                      {passes: true, observerRefuses: true},
		"the observer, as well as a stage":  {refuses: true, passes: true, observerRefuses: true},
		"nobody, and an operator keeps it":  {taken: true},
		"nobody, and the observer takes it": {passes: true, taken: true},
	} {
		t.Run(name, func(t *testing.T) {
			var in *observable.Emitter[int]
			var sc *observable.Scope
			out := observabletest.NewRecorder[int]().OnNext(func(int) {
				if test.observerRefuses {
					sc.Refuse()
				}
			})
			refusing(&in, &sc, test.refuses, test.passes).Subscribe(t.Context(), out)
			assert.Equal(t, test.taken, in.Deliver(1))
		})
	}
}

// TestDeliverOfWhatPanics delivers a value whose callback, in a part of the chain with a
// handler of its own, ends the subscription and panics: the callback had the value.
func TestDeliverOfWhatPanics(t *testing.T) {
	observabletest.Unhandled(t)
	var in *observable.Emitter[int]
	var sub observable.Subscription
	sub = observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		subject := new(observable.Subject[int])
		feed := observable.NewFeed(subject, sc)
		in = observable.NewEmitter(sc, observable.Stage[int]{Next: feed.Next, Terminal: feed})
		observable.Attach(subject, sc.Child(), down)
	}).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
		sub.Unsubscribe()
		panic(errBoom)
	}})
	assert.True(t, in.Deliver(1))
}

// busy is a source of two emitters: one for the value 0, whose callback lasts until
// release is closed, and one for the values delivered meanwhile.
func busy(first, in **observable.Emitter[int], release <-chan struct{}) observable.Observable[int] {
	return before(observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		*first, *in = observable.NewEmitter(sc, down), observable.NewEmitter(sc, down)
	}), 0, func() { <-release })
}

// deliver delivers on a goroutine of its own, and returns a channel of the outcome.
func deliver(in *observable.Emitter[int], value int) <-chan bool {
	taken := make(chan bool, 1)
	go func() { taken <- in.Deliver(value) }()
	return taken
}

// TestDeliverToABusyChain waits while another value is delivered.
func TestDeliverToABusyChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, in *observable.Emitter[int]
		release := make(chan struct{})
		out, sub := record(t.Context(), busy(&first, &in, release))
		go first.Next(0)
		synctest.Wait()
		taken := deliver(in, 1)
		synctest.Wait()
		assert.Empty(t, taken, "it waits")
		close(release)
		assert.True(t, <-taken)
		assert.Equal(t, []string{"0", "1"}, out.Log())
		sub.Unsubscribe()
	})
}

// TestDeliverToABusyChainThatEnds ends the subscription while a value waits: the value is
// given back at once, though the callback before it lasts.
func TestDeliverToABusyChainThatEnds(t *testing.T) {
	for name, end := range map[string]func(sub observable.Subscription, cancel func()){
		"unsubscribe": func(sub observable.Subscription, _ func()) { sub.Unsubscribe() },
		"context":     func(_ observable.Subscription, cancel func()) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var first, in *observable.Emitter[int]
				release := make(chan struct{})
				out, sub := record(ctx, busy(&first, &in, release))
				go first.Next(0)
				synctest.Wait()
				taken := deliver(in, 1)
				synctest.Wait()
				end(sub, cancel)
				assert.False(t, <-taken)
				close(release)
				<-sub.Done()
				synctest.Wait()
				assert.Empty(t, out.Values())
			})
		})
	}
}

// TestDeliverToAScopeThatCloses closes the emitter's scope alone, while its value waits:
// the value is given back, and the rest of the subscription goes on.
func TestDeliverToAScopeThatCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, in *observable.Emitter[int]
		var inner *observable.Scope
		release := make(chan struct{})
		out, sub := record(t.Context(), observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
			inner = sc.Child()
			first, in = observable.NewEmitter(sc, down), observable.NewEmitter(inner, down)
		}))
		out.OnNext(func(v int) {
			if v == 0 {
				<-release
			}
		})
		go first.Next(0)
		synctest.Wait()
		taken := deliver(in, 1)
		synctest.Wait()
		inner.Close()
		assert.False(t, <-taken)
		close(release)
		synctest.Wait()
		first.Next(2)
		assert.Equal(t, []string{"0", "2"}, out.Log())
		sub.Unsubscribe()
	})
}

// TestDeliverIsTakenWhileItEnds ends the subscription while the observer has the value:
// it was delivered.
func TestDeliverIsTakenWhileItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, in *observable.Emitter[int]
		release := make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		out := observabletest.NewRecorder[int]().OnNext(func(v int) {
			if v == 1 {
				time.Sleep(time.Second)
			}
		})
		sub := busy(&first, &in, release).Subscribe(ctx, out)
		go first.Next(0)
		synctest.Wait()
		taken := deliver(in, 1)
		synctest.Wait()
		close(release)
		synctest.Wait()
		cancel()
		synctest.Wait()
		assert.Empty(t, taken)
		assert.True(t, <-taken)
		<-sub.Done()
		assert.Equal(t, []string{"0", "1", "error: context canceled"}, out.Log())
	})
}

// TestDeliverKeepsItsPlace delivers after the values that the emitter has queued, and
// before later ones.
func TestDeliverKeepsItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, in *observable.Emitter[int]
		release := make(chan struct{})
		out, sub := record(t.Context(), busy(&first, &in, release))
		go first.Next(0)
		synctest.Wait()
		first.Next(1)
		taken := deliver(in, 2)
		synctest.Wait()
		first.Next(3)
		close(release)
		assert.True(t, <-taken)
		synctest.Wait()
		assert.Equal(t, []string{"0", "1", "2", "3"}, out.Log())
		sub.Unsubscribe()
	})
}

// TestDeliverInACallback delivers into the chain that the callback is in: it does not
// wait, and the value comes after the present one.
func TestDeliverInACallback(t *testing.T) {
	var in *observable.Emitter[int]
	out := observabletest.NewRecorder[int]()
	out.OnNext(func(v int) {
		if v < 3 {
			assert.True(t, in.Deliver(v+1))
			out.Notef("after %d", v)
		}
	})
	sub := inlet(&in).Subscribe(t.Context(), out)
	require.True(t, in.Deliver(1))
	assert.Equal(t, []string{"1", "after 1", "2", "after 2", "3"}, out.Log())
	sub.Unsubscribe()
}

// TestDeliverIsRefusedAfterItHasWaited ends the subscription in a stage that a queued
// value has reached.
func TestDeliverIsRefusedAfterItHasWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, in *observable.Emitter[int]
		var sub observable.Subscription
		var out *observabletest.Recorder[int]
		release := make(chan struct{})
		out, sub = record(t.Context(), before(busy(&first, &in, release), 1, func() { sub.Unsubscribe() }))
		go first.Next(0)
		synctest.Wait()
		taken := deliver(in, 1)
		synctest.Wait()
		close(release)
		assert.False(t, <-taken)
		assert.Equal(t, []string{"0"}, out.Log())
	})
}

// TestDeliverInPart has an operator make two values of one. The second is refused; the
// first counts as taken.
func TestDeliverInPart(t *testing.T) {
	var in *observable.Emitter[int]
	var sub observable.Subscription
	out := observabletest.NewRecorder[int]().OnNext(func(int) { sub.Unsubscribe() })
	sub = observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		observable.Attach(inlet(&in), sc, observable.Stage[int]{
			Next: func(v int) {
				down.Next(v)
				down.Next(v)
			},
			Terminal: down.Terminal,
		})
	}).Subscribe(t.Context(), out)
	assert.True(t, in.Deliver(1))
	assert.Equal(t, []string{"1"}, out.Log())
}

// TestDeliverAfterAQueuedEnd delivers when the emitter's terminal waits.
func TestDeliverAfterAQueuedEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first, in *observable.Emitter[int]
		release := make(chan struct{})
		out, sub := record(t.Context(), busy(&first, &in, release))
		go first.Next(0)
		synctest.Wait()
		in.Complete()
		taken := deliver(in, 1)
		synctest.Wait()
		assert.Len(t, taken, 1, "it does not wait")
		assert.False(t, <-taken)
		close(release)
		<-sub.Done()
		assert.Equal(t, []string{"0", "complete"}, out.Log())
	})
}

// TestDeliverBehindOneThatWasExcused has a producer that holds a gate wait in Deliver for
// a callback that comes to wait for that gate. The producer is excused, and delivers the
// next value, which waits for its own turn: that value is refused if the subscription
// ends before.
func TestDeliverBehindOneThatWasExcused(t *testing.T) {
	for name, ends := range map[string]bool{"in time": false, "before": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var first, in, other, upstream *observable.Emitter[int]
				var upper *observable.Scope
				var sub observable.Subscription
				var taken []bool
				var mu interleave.Mutex
				room := interleave.Cond{L: &mu}
				observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
					upper, upstream = sc, observable.NewEmitter(sc, down)
				}).Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(int) {
					taken = append(taken, in.Deliver(1))
					mu.Lock()
					room.Broadcast()
					mu.Unlock()
					time.Sleep(time.Second) // the callback does not wait for it any more
					taken = append(taken, in.Deliver(2))
				}})
				out := observabletest.NewRecorder[int]().OnNext(func(v int) {
					switch {
					case v == 100:
						time.Sleep(time.Second)
						other.Next(50)
						mu.Lock()
						assert.True(t, upper.Wait(&room))
						mu.Unlock()
						time.Sleep(2 * time.Second)
					case v == 50 && ends:
						sub.Unsubscribe()
					}
				})
				sub = observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
					first, in, other = observable.NewEmitter(sc, down), observable.NewEmitter(sc, down), observable.NewEmitter(sc, down)
				}).Subscribe(t.Context(), out)
				go first.Next(100)
				synctest.Wait()
				upstream.Next(0)
				want := []int{100, 1, 50, 2}
				if ends {
					want = want[:3]
				}
				assert.Equal(t, want, out.Values())
				assert.Equal(t, []bool{true, !ends}, taken)
			})
		})
	}
}
