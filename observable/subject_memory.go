package observable

import (
	"fmt"
	"slices"
	"time"
)

// BehaviorSubject is a [Subject] that has a current value: a new subscriber gets it at
// once, then the values that come (RxJS BehaviorSubject). [NewBehaviorSubject] makes one.
//
//	subject:      (0)-1--2--3|
//	subscriber A: 0---1--2--3|
//	subscriber B:      ^1-2-3|
type BehaviorSubject[T any] struct {
	Subject[T]
	current current[T]
}

// NewBehaviorSubject returns a subject whose current value is initial.
func NewBehaviorSubject[T any](initial T) *BehaviorSubject[T] {
	s := new(BehaviorSubject[T])
	s.current.last.value = initial
	s.memory = &s.current
	return s
}

// Value returns the current value, and the subject's error if it ended with one.
func (s *BehaviorSubject[T]) Value() (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended && s.end.kind == isError {
		var zero T
		return zero, s.end.err
	}
	return s.current.last.value, nil
}

type current[T any] struct{ last notification[T] }

func (c *current[T]) store(n notification[T]) ([]notification[T], bool) {
	if n.kind == isValue {
		c.last = n
	}
	return nil, true
}

func (c *current[T]) replay(end *notification[T]) []notification[T] {
	if end != nil {
		return []notification[T]{*end}
	}
	return []notification[T]{c.last}
}

// AsyncSubject is a [Subject] that emits only the last value it was given, when it
// completes, and then to every late subscriber too (RxJS AsyncSubject). An error replaces
// the value. The zero value is not usable; [NewAsyncSubject] makes one.
//
//	subject:    --1--2--3|
//	subscriber: ---------(3|)
type AsyncSubject[T any] struct{ Subject[T] }

// NewAsyncSubject returns a subject that has been given nothing yet.
func NewAsyncSubject[T any]() *AsyncSubject[T] {
	s := new(AsyncSubject[T])
	s.memory = new(last[T])
	return s
}

type last[T any] struct {
	value notification[T]
	any   bool
}

func (l *last[T]) store(n notification[T]) ([]notification[T], bool) {
	switch {
	case n.kind == isValue:
		l.value, l.any = n, true
		return nil, false
	case n.kind == isComplete && l.any:
		return []notification[T]{l.value}, true
	default:
		return nil, true
	}
}

func (l *last[T]) replay(end *notification[T]) []notification[T] {
	if end == nil {
		return nil
	}
	before, _ := l.store(*end)
	return append(before, *end)
}

// ReplayConfig says how much a [ReplaySubject] remembers. The zero value is RxJS's
// default: everything.
type ReplayConfig struct {
	// Buffer is the greatest number of values remembered; 0 means no limit. (RxJS
	// remembers one value where it is asked for none.)
	Buffer int
	// Window is the time for which a value is remembered; 0 means no limit. A value is
	// gone exactly Window after it was emitted.
	Window time.Duration
}

// ReplaySubject is a [Subject] that remembers: a new subscriber first gets the values
// remembered, then the terminal, if there was one, or the values that come (RxJS
// ReplaySubject). [NewReplaySubject] makes one.
//
//	subject:      --1--2--3|
//	subscriber A: --1--2--3|
//	subscriber B:       ^(12)-3|
type ReplaySubject[T any] struct{ Subject[T] }

// NewReplaySubject returns a subject that remembers as much as r says. With a negative
// setting, the subject has ended with an [*ArgumentError]. Without a limit the memory
// grows with each value.
func NewReplaySubject[T any](r ReplayConfig) *ReplaySubject[T] {
	s := new(ReplaySubject[T])
	s.memory = &replay[T]{limit: r}
	switch {
	case r.Buffer < 0:
		s.Error(&ArgumentError{"observable.NewReplaySubject", "r.Buffer", fmt.Sprintf("is negative: %d", r.Buffer)})
	case r.Window < 0:
		s.Error(&ArgumentError{"observable.NewReplaySubject", "r.Window", fmt.Sprintf("is negative: %v", r.Window)})
	}
	return s
}

type replay[T any] struct {
	limit  ReplayConfig
	values []notification[T]
	at     []time.Time // when each was emitted, if the window is limited
}

func (r *replay[T]) store(n notification[T]) ([]notification[T], bool) {
	if n.kind == isValue {
		r.values = append(r.values, n)
		if r.limit.Window > 0 {
			r.at = append(r.at, time.Now())
		}
	}
	r.trim()
	return nil, true
}

// trim forgets the values beyond the limits.
func (r *replay[T]) trim() {
	drop := 0
	if r.limit.Buffer > 0 {
		drop = max(0, len(r.values)-r.limit.Buffer)
	}
	if r.limit.Window > 0 {
		for now := time.Now(); drop < len(r.at) && now.Sub(r.at[drop]) >= r.limit.Window; {
			drop++
		}
		r.at = r.at[drop:]
	}
	clear(r.values[:drop])
	r.values = r.values[drop:]
}

func (r *replay[T]) replay(end *notification[T]) []notification[T] {
	r.trim()
	all := slices.Clone(r.values)
	if end != nil {
		all = append(all, *end)
	}
	return all
}
