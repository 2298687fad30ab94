package observable_test

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
)

// subject is the common interface of the four subjects.
type subject interface {
	observable.Processor[int]
	Observed() bool
}

func subjects() map[string]func() subject {
	return map[string]func() subject{
		"Subject":         func() subject { return new(observable.Subject[int]) },
		"BehaviorSubject": func() subject { return observable.NewBehaviorSubject(0) },
		"ReplaySubject":   func() subject { return observable.NewReplaySubject[int](observable.ReplayConfig{}) },
		"AsyncSubject":    func() subject { return observable.NewAsyncSubject[int]() },
	}
}

// TestSubjects gives each subject values and a terminal, with subscribers that come and
// go.
func TestSubjects(t *testing.T) {
	for name, want := range map[string]struct{ early, middle, late, failed []string }{
		"Subject": {
			early:  []string{"1", "2", "complete"},
			middle: []string{"2", "complete"},
			late:   []string{"complete"},
			failed: []string{"error: boom"},
		},
		"BehaviorSubject": {
			early:  []string{"0", "1", "2", "complete"},
			middle: []string{"1", "2", "complete"},
			late:   []string{"complete"},
			failed: []string{"error: boom"},
		},
		"ReplaySubject": {
			early:  []string{"1", "2", "complete"},
			middle: []string{"1", "2", "complete"},
			late:   []string{"1", "2", "complete"},
			failed: []string{"1", "error: boom"},
		},
		"AsyncSubject": {
			early:  []string{"2", "complete"},
			middle: []string{"2", "complete"},
			late:   []string{"2", "complete"},
			failed: []string{"error: boom"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := subjects()[name]()
			assert.False(t, s.Observed())
			early, _ := record[int](t.Context(), s)
			gone, sub := record[int](t.Context(), s)
			sub.Unsubscribe()
			<-sub.Done()
			before := len(gone.Log())
			assert.True(t, s.Observed())
			s.Next(1)
			middle, _ := record[int](t.Context(), s)
			s.Next(2)
			s.Complete()
			s.Next(3)
			s.Error(errBoom)
			late, _ := record[int](t.Context(), s)
			assert.Equal(t, want.early, early.Log())
			assert.Equal(t, want.middle, middle.Log())
			assert.Equal(t, want.late, late.Log())
			assert.Len(t, gone.Log(), before)
			assert.False(t, s.Observed())

			s = subjects()[name]()
			s.Next(1)
			s.Error(errBoom)
			failed, sub := record[int](t.Context(), s)
			assert.Equal(t, want.failed, failed.Log())
			require.ErrorIs(t, sub.Err(), errBoom)
		})
	}
}

// TestSubjectReentrant has a callback emit into its subject: each subscriber gets the new
// value after the present one, in the same order.
func TestSubjectReentrant(t *testing.T) {
	for name, make := range subjects() {
		if name == "AsyncSubject" {
			continue // it emits but once
		}
		t.Run(name, func(t *testing.T) {
			s := make()
			first := observabletest.NewRecorder[int]().OnNext(func(v int) {
				if v == 1 {
					s.Next(2)
					s.Next(3)
				}
				if v == 3 {
					s.Complete()
					s.Next(4)
				}
			})
			s.Subscribe(t.Context(), first)
			second, _ := record[int](t.Context(), s)
			s.Next(1)
			for _, out := range []*observabletest.Recorder[int]{first, second} {
				log := out.Log()
				assert.Equal(t, []string{"1", "2", "3", "complete"}, log[len(log)-4:])
			}
		})
	}
}

// TestSubjectSubscribeInCallback adds a subscriber, and removes another, while a value is
// delivered.
func TestSubjectSubscribeInCallback(t *testing.T) {
	s := new(observable.Subject[int])
	added, removed := observabletest.NewRecorder[int](), observabletest.NewRecorder[int]()
	var sub observable.Subscription
	s.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
		if v == 1 {
			s.Subscribe(t.Context(), added)
			sub.Unsubscribe()
		}
	}})
	sub = s.Subscribe(t.Context(), removed)
	s.Next(1)
	s.Next(2)
	assert.Equal(t, []string{"2"}, added.Log(), "it comes too late for the value being delivered")
	assert.Empty(t, removed.Log(), "nothing starts after Unsubscribe")
}

// TestSubjectConcurrent has several goroutines emit while others subscribe and leave:
// each subscriber gets the values of each goroutine in order.
func TestSubjectConcurrent(t *testing.T) {
	const producers, each = 4, 500
	s := new(observable.Subject[[2]int])
	var group sync.WaitGroup
	stop := make(chan struct{})
	subscriber := func() (sub observable.Subscription, count func() int) {
		n, next := 0, [producers]int{}
		sub = s.Subscribe(t.Context(), observable.ObserverFuncs[[2]int]{OnNext: func(v [2]int) {
			assert.GreaterOrEqual(t, v[1], next[v[0]])
			next[v[0]] = v[1] + 1
			n++
		}})
		return sub, func() int { return n }
	}
	stay, count := subscriber()
	for range 2 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					sub, _ := subscriber()
					runtime.Gosched()
					sub.Unsubscribe()
				}
			}
		})
	}
	var emitting sync.WaitGroup
	for p := range producers {
		emitting.Go(func() {
			for i := range each {
				s.Next([2]int{p, i})
			}
		})
	}
	emitting.Wait()
	s.Complete()
	close(stop)
	group.Wait()
	<-stay.Done()
	assert.Equal(t, producers*each, count())
	assert.False(t, s.Observed())
}

// TestSubjectEndsOnce has many goroutines end a subject.
func TestSubjectEndsOnce(t *testing.T) {
	for name, make := range subjects() {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				s := make()
				out, sub := record[int](t.Context(), s)
				var group sync.WaitGroup
				for i := range 4 {
					group.Go(func() {
						s.Next(i)
						if i%2 == 0 {
							s.Complete()
						} else {
							s.Error(errBoom)
						}
					})
				}
				group.Wait()
				<-sub.Done()
				terminals := 0
				for _, event := range out.Log() {
					if _, err := strconv.Atoi(event); err != nil {
						terminals++
					}
				}
				require.Equal(t, 1, terminals)
			}
		})
	}
}

// TestSubjectSlowSubscriber has one subscriber block: the caller waits when that
// subscriber's queue is full, and others get their values meanwhile.
func TestSubjectSlowSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(observable.Subject[int])
		fast, _ := record[int](t.Context(), s)
		release := make(chan struct{})
		slow := observabletest.NewRecorder[int]().OnNext(func(int) { <-release })
		ctx, cancel := context.WithCancel(t.Context())
		sub := s.Subscribe(ctx, slow)
		go s.Next(0)
		synctest.Wait()
		sent := 0
		go func() {
			for i := range 1000 {
				s.Next(i)
				sent++
			}
			s.Complete()
		}()
		synctest.Wait()
		assert.Equal(t, 255, sent, "so many wait at the slow one, beside the one being delivered, whose place is taken as well")
		assert.Len(t, fast.Log(), 256)
		cancel()
		synctest.Wait()
		close(release)
		<-sub.Done()
		synctest.Wait()
		assert.Equal(t, 1000, sent)
		assert.Len(t, fast.Log(), 1002)
		assert.Equal(t, []string{"0", "error: context canceled"}, slow.Log())
	})
}

// TestSubjectFeedback has each value emit the next: one value waits, however many there
// have been.
func TestSubjectFeedback(t *testing.T) {
	before, after := liveHeap(), uint64(0)
	s := new(observable.Subject[int])
	sub := s.Subscribe(t.Context(), observable.ObserverFuncs[int]{OnNext: func(v int) {
		if v < 50_000 {
			s.Next(v + 1)
		} else {
			after = liveHeap()
		}
	}})
	s.Next(0)
	sub.Unsubscribe()
	assert.Less(t, after, before+100_000)
}

// TestSubjectPanics has one subscriber panic: the others get the value, and the caller
// hears nothing of the panic.
func TestSubjectPanics(t *testing.T) {
	s := new(observable.Subject[int])
	bad := observabletest.NewRecorder[int]().OnNext(func(int) { panic("subscriber") })
	sub := s.Subscribe(t.Context(), bad)
	good, _ := record[int](t.Context(), s)
	s.Next(1)
	s.Next(2)
	isPanic(t, sub.Err(), "subscriber")
	assert.Len(t, bad.Log(), 2)
	assert.Equal(t, []string{"1", "2"}, good.Log())
}

// TestSubjectRemovesSubscribers checks that subscribers that left take no memory.
func TestSubjectRemovesSubscribers(t *testing.T) {
	s := new(observable.Subject[int])
	run := func(n int) uint64 {
		for range n {
			_, sub := record[int](t.Context(), s)
			s.Next(1)
			sub.Unsubscribe()
		}
		return liveHeap()
	}
	few := run(100)
	many := run(10_000)
	assert.Less(t, many, few+1<<20)
	assert.False(t, s.Observed())
}

// TestSubjectFeed feeds a subject from inside a gate: a subscriber in the same gate is
// called directly, any other through its own gate.
func TestSubjectFeed(t *testing.T) {
	s := new(observable.Subject[int])
	outside, _ := record[int](t.Context(), s)
	var order []string
	src := observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		observable.Attach(s, sc.Child(), observable.Stage[int]{
			Next: func(v int) {
				order = append(order, "inside")
				down.Next(v)
			},
			Terminal: down.Terminal,
		})
		stage := observable.NewFeed(s, sc)
		stage.Next(1)
		order = append(order, "returned")
		stage.Next(2)
		stage.Complete()
	})
	out, sub := record(t.Context(), src)
	<-sub.Done()
	assert.Equal(t, []string{"inside", "returned", "inside"}, order)
	assert.Equal(t, []string{"1", "2", "complete"}, out.Log())
	assert.Equal(t, []string{"1", "2", "complete"}, outside.Log())

	failing := new(observable.Subject[int])
	out, _ = record(t.Context(), observable.AttachFunc[int](func(sc *observable.Scope, down observable.Stage[int]) {
		observable.Attach(failing, sc.Child(), down)
		observable.NewFeed(failing, sc).Error(errBoom)
	}))
	assert.Equal(t, []string{"error: boom"}, out.Log())
}

// TestSubjectAsObserver has a subject subscribe to a source.
func TestSubjectAsObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(observable.Subject[int])
		a, _ := record[int](t.Context(), s)
		b, _ := record[int](t.Context(), s)
		sub := taken(observable.Interval(time.Second), 3).Subscribe(t.Context(), s)
		<-sub.Done()
		assert.Equal(t, []string{"0", "1", "2", "complete"}, a.Log())
		assert.Equal(t, a.Log(), b.Log())
	})
}

// TestPrintingASubject prints a subject that others emit into, for the race detector.
func TestPrintingASubject(t *testing.T) {
	var s observable.Subject[int]
	sub := s.Subscribe(t.Context(), observable.ObserverFuncs[int]{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for v := range 1000 {
			s.Next(v)
		}
	}()
	for range 100 {
		assert.Equal(t, "*observable.Subject[int] *observable.Subject[int]", fmt.Sprintf("%v %#v", &s, &s))
	}
	<-done
	sub.Unsubscribe()
}

// TestSubjectPanicAfterItsEnd gives a subject a panic when it has ended: only the handler
// of unhandled errors gets it.
func TestSubjectPanicAfterItsEnd(t *testing.T) {
	unhandled := observabletest.Unhandled(t)
	var s observable.Subject[int]
	s.Complete()
	s.Error(errBoom)
	unhandled.Expect(t)
	s.Error(&observable.PanicError{Value: errBoom})
	unhandled.Expect(t, "boom")
}
