package observable_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
)

var (
	stressSeed = flag.Uint64("stress.seed", 0, "the one seed to run the stress test with, or 0 for several")
	stressRuns = flag.Int("stress.runs", 60, "how many seeds the stress test runs with")
)

// TestStress runs random subscriptions: several inlets in nested scopes of one gate, with
// producers on several goroutines, callbacks that emit, leave the gate, subscribe, panic
// and end things, and an end at a random moment. In all of them, notifications are
// serial, each inlet's values keep the order of each producer, nothing follows an end,
// all teardown runs once and nobody is left waiting.
func TestStress(t *testing.T) {
	if *stressSeed != 0 {
		stress(t, *stressSeed)
		return
	}
	for seed := range uint64(*stressRuns) {
		t.Run(fmt.Sprint("seed ", seed+1), func(t *testing.T) { stress(t, seed+1) })
	}
}

// token is a value that names its origin.
type token struct{ inlet, producer, number int }

// stressed is one run of the stress test.
type stressed struct {
	t    *testing.T
	mu   sync.Mutex // guards rand, which callbacks and producers share
	rand *rand.Rand

	inlets    []*observable.Emitter[token]
	opened    atomic.Int32 // scopes with a teardown
	torn      atomic.Int32
	busy      atomic.Bool // in a notification of the observer
	ended     atomic.Bool // the observer had its terminal
	seen      map[[2]int]int
	reentrant int
	panics    bool
}

func (s *stressed) chance(n int) bool { return s.number(n) == 0 }

func (s *stressed) number(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

func stress(t *testing.T, seed uint64) {
	s := &stressed{t: t, rand: rand.New(rand.NewPCG(seed, 7)), seen: map[[2]int]int{}}
	s.panics = s.chance(3)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	inlets := 1 + s.number(3)
	src := merged(observable.Range(0, inlets), func(int) observable.Observable[token] { return s.branch() })
	sub := src.Subscribe(ctx, observable.ObserverFuncs[token]{OnNext: s.next, OnError: s.end, OnComplete: func() { s.end(nil) }})

	var producers sync.WaitGroup
	for p := range 2 + s.number(6) {
		count := 1 + s.number(600)
		producers.Go(func() { s.produce(p, count) })
	}
	moment := time.Duration(s.number(2000)) * time.Microsecond
	switch s.number(4) {
	case 0:
		time.AfterFunc(moment, sub.Unsubscribe)
	case 1:
		time.AfterFunc(moment, cancel)
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		producers.Wait()
		for _, in := range s.inlets {
			in.Complete()
		}
		<-sub.Done()
	}()
	select {
	case <-finished:
	case <-time.After(time.Minute):
		var stacks [1 << 16]byte
		t.Fatalf("somebody is left waiting\n%s", stacks[:runtime.Stack(stacks[:], true)])
	}
	assert.Equal(t, s.opened.Load(), s.torn.Load(), "all teardown has run, once")
}

// branch returns the stages of one inlet: a few, with random behaviour.
func (s *stressed) branch() observable.Observable[token] {
	src := observable.AttachFunc[token](func(sc *observable.Scope, down observable.Stage[token]) {
		s.opened.Add(1)
		sc.OnClose(func() { s.torn.Add(1) })
		s.inlets = append(s.inlets, observable.NewEmitter(sc, down))
	})
	out := merged(mapped(src, s.ordered), s.inner)
	if s.chance(2) {
		out = finalized(out, func() { s.torn.Add(1) })
		s.opened.Add(1)
	}
	if s.chance(2) {
		out = caught(out, func(error) observable.Observable[token] { return observable.Empty[token]() })
	}
	return out
}

// ordered checks the order in which an inlet passes on its producers' values.
func (s *stressed) ordered(v token) token {
	key := [2]int{v.inlet, v.producer}
	assert.Less(s.t, s.seen[key], v.number, "inlet %d, producer %d", v.inlet, v.producer)
	s.seen[key] = v.number
	return v
}

// inner returns the inner observable for one value.
func (s *stressed) inner(v token) observable.Observable[token] {
	switch s.number(8) {
	case 0:
		return observable.New(func(ctx context.Context, o observable.Observer[token]) func() {
			if s.chance(4) {
				runtime.Gosched()
			}
			o.Next(v)
			if s.panics && s.chance(300) {
				panic("in the function")
			}
			o.Complete()
			return nil
		})
	case 1:
		return observable.New(func(_ context.Context, o observable.Observer[token]) func() {
			s.opened.Add(1)
			go func() {
				o.Next(v)
				o.Complete()
			}()
			return func() { s.torn.Add(1) }
		})
	case 2:
		return foreign[token](func(_ context.Context, o observable.Observer[token]) observable.Subscription {
			o.Next(v)
			o.Complete()
			return nil
		})
	default:
		return observable.Of(v)
	}
}

func (s *stressed) next(token) {
	assert.False(s.t, s.busy.Swap(true), "two notifications at once")
	assert.False(s.t, s.ended.Load(), "a value after the terminal")
	switch {
	case s.reentrant < 500 && s.chance(5):
		for range s.number(4) {
			s.reentrant++
			i := s.number(len(s.inlets))
			s.inlets[i].Next(token{i, -1, s.reentrant})
		}
	case s.chance(50):
		runtime.Gosched()
	case s.panics && s.chance(500):
		s.busy.Store(false)
		panic("in the observer")
	}
	s.busy.Store(false)
}

func (s *stressed) end(error) {
	assert.False(s.t, s.busy.Load(), "a terminal inside a notification")
	assert.False(s.t, s.ended.Swap(true), "a second terminal")
}

// produce emits to random inlets, and may end an inlet.
func (s *stressed) produce(p, count int) {
	for i := range count {
		to := s.number(len(s.inlets))
		s.inlets[to].Next(token{to, p, i + 1})
		if s.chance(2000) {
			if s.chance(2) {
				s.inlets[to].Error(errBoom)
			} else {
				s.inlets[to].Complete()
			}
		}
	}
}
