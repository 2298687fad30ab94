package natsbroker

import (
	"context"
	"fmt"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
)

// steps are the events of a feed, one after the other, whatever user code does in one: it
// may panic, or end the goroutine.
type steps struct {
	name  string                       // the stream's
	turns observable.Subject[struct{}] // has one for each step in the queue

	mu    sync.Mutex
	queue []func()
	work  observable.Subscription // runs a step at each turn; nil when the feed is closed
}

// start has steps run from now on.
func (s *steps) start(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.name = name
	s.begin()
}

// begin subscribes to the turns; mu is held.
func (s *steps) begin() {
	s.work = s.turns.Subscribe(context.Background(), observable.ObserverFuncs[struct{}]{
		OnNext: func(struct{}) {
			if run := s.next(); run != nil {
				run()
			}
		},
		OnError: func(err error) {
			defer unheard(fmt.Errorf("natsbroker: stream %s: %w", s.name, err))
			s.goOn()
		},
	})
}

// goOn begins anew after a step has panicked or ended its goroutine.
func (s *steps) goOn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work == nil {
		return
	}
	s.begin()
	if turns := len(s.queue); turns > 0 { // the earlier turns are lost
		go func() {
			for range turns {
				s.turns.Next(struct{}{})
			}
		}()
	}
}

// end has no more steps run.
func (s *steps) end() {
	s.mu.Lock()
	work := s.work
	s.work, s.queue = nil, nil
	s.mu.Unlock()
	if work != nil {
		work.Unsubscribe()
	}
}

// do adds a step. It returns when the step is over, or queued behind others. Steps that a
// step adds come after it.
func (s *steps) do(step func()) {
	s.mu.Lock()
	if s.work == nil {
		s.mu.Unlock()
		return
	}
	s.queue = append(s.queue, step)
	s.mu.Unlock()
	s.turns.Next(struct{}{})
}

// next takes the first step out of the queue, and returns nil if there is none.
func (s *steps) next() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 { // the step was run at a turn that seemed to be lost
		return nil
	}
	step := s.queue[0]
	s.queue[0] = nil
	if s.queue = s.queue[1:]; len(s.queue) == 0 {
		s.queue = nil
	}
	return step
}

// apart calls f on a goroutine that user code may end, and waits until that is over.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}
