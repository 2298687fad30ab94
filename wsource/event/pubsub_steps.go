package event

import (
	"context"
	"sync"

	"github.com/rxsocket/rxsocket/observable"
)

// steps runs functions one after the other, each to its end before the next one begins. A
// step that adds another has that run later. Callers that add steps wait while many
// others do.
type steps struct {
	run   func(step func())
	added observable.Subject[struct{}] // emits for each step; its bound is theirs

	mu      sync.Mutex
	waiting []func()
	closed  bool
}

// start has run called with each step.
func (s *steps) start(run func(step func())) {
	s.run = run
	s.listen()
}

// do adds a step, and returns when it is over, or queued behind others.
func (s *steps) do(step func()) {
	s.mu.Lock()
	s.waiting = append(s.waiting, step)
	s.mu.Unlock()
	s.added.Next(struct{}{})
}

// doOpen is do, until close. It reports false after that, and does nothing.
func (s *steps) doOpen(step func()) bool {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	s.waiting = append(s.waiting, step)
	s.mu.Unlock()
	s.added.Next(struct{}{})
	return true
}

// close adds a step behind all those of doOpen.
func (s *steps) close(step func()) {
	s.mu.Lock()
	s.closed = true
	s.waiting = append(s.waiting, step)
	s.mu.Unlock()
	s.added.Next(struct{}{})
}

// listen subscribes to added. A step that ends the goroutine ends the subscription too.
func (s *steps) listen() {
	s.added.Subscribe(context.Background(), observable.ObserverFuncs[struct{}]{
		OnNext: func(struct{}) { s.runAll() },
	})
}

// runAll runs the steps that wait. If a step ends the goroutine, another subscription
// runs the rest: their announcements may be lost with this one.
func (s *steps) runAll() {
	returned := false
	defer func() {
		if !returned {
			s.listen()
			s.added.Next(struct{}{})
		}
	}()
	for step := s.next(); step != nil; step = s.next() {
		s.run(step)
	}
	returned = true
}

// next takes out the step that has waited longest, or returns nil.
func (s *steps) next() (step func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.waiting = nil
		return nil
	}
	step = s.waiting[0]
	s.waiting[0] = nil
	s.waiting = s.waiting[1:]
	return step
}
