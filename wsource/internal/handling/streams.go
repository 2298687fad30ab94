// Package handling tells when the context of a handler may end: after the streams in
// which received values may still wait.
package handling

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Streams is the streams of one connection's messages that its handler has subscribed to
// and that have not ended. A stream may outlive its connection, since values wait in a
// buffer or are worked on. The end of the handler's context would drop these.
type Streams struct {
	of []any // the connection, in each form in which others know it

	mu    sync.Mutex
	open  map[observable.Subscription]struct{}
	end   func()      // ends the context; nil before the end of the connection, and after
	timer *time.Timer // bounds the wait for the streams
}

// New returns the streams of a connection, in each form in which [Hold] gets it. The
// forms can be compared.
func New(of ...any) *Streams { return &Streams{of: of} }

// key is the key of the Streams in a context.
type key struct{}

// In returns a context with the values of ctx that has s, too: for [Hold].
func (s *Streams) In(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, s) }

// Hold adds the subscription of sc, which subscribes to the messages of a connection, to
// the Streams of that connection, if the subscription's context has them.
func Hold(sc *observable.Scope, of any) {
	s, _ := sc.Value(key{}).(*Streams)
	if s == nil || !slices.Contains(s.of, of) {
		return
	}
	sub := sc.Subscription()
	s.mu.Lock()
	_, held := s.open[sub]
	if !held {
		if s.open == nil {
			s.open = make(map[observable.Subscription]struct{})
		}
		s.open[sub] = struct{}{}
	}
	s.mu.Unlock()
	if !held {
		observable.WhenDone(sub, func() { s.ended(sub) })
	}
}

// ended takes out a stream that has ended.
func (s *Streams) ended(sub observable.Subscription) {
	s.mu.Lock()
	delete(s.open, sub)
	if len(s.open) > 0 {
		s.mu.Unlock()
		return
	}
	s.unlock()
}

// Drain calls end once all streams have ended, or when patience is over. The connection
// is over, so no other streams begin that get values.
func (s *Streams) Drain(patience time.Duration, end func()) {
	s.mu.Lock()
	s.end = end
	if len(s.open) == 0 {
		s.unlock()
		return
	}
	s.timer = time.AfterFunc(patience, func() {
		s.mu.Lock()
		s.unlock()
	})
	s.mu.Unlock()
}

// Stop says that the handler has returned: end is not called any more.
func (s *Streams) Stop() {
	s.mu.Lock()
	s.end = nil
	s.unlock()
}

// unlock unlocks mu, and ends the context if that is due.
func (s *Streams) unlock() {
	end := s.end
	s.end = nil
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	if end != nil {
		end()
	}
}
