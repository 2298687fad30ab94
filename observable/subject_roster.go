package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// roster is the list of a subject's subscribers, in the order in which they came. It is
// changed with the subject's mu held, and read without: a slice that has been shown is
// never changed, save behind its end. Subscribers that leave are dropped from the list
// when they are half of it, so that many departures one by one do not copy it each time.
type roster[T any] struct {
	shown interleave.Pointer[[]*subscriber[T]] // nil if it is empty
	gone  int                                  // number of those in shown that have left
}

// fewSubscribers is the number of subscribers that can be copied whenever one leaves.
const fewSubscribers = 8

// all returns the subscribers, and some that have left.
func (r *roster[T]) all() []*subscriber[T] {
	if shown := r.shown.Load(); shown != nil {
		return *shown
	}
	return nil
}

// size returns the number of subscribers.
func (r *roster[T]) size() int { return len(r.all()) - r.gone }

func (r *roster[T]) add(s *subscriber[T]) {
	s.listed = true
	if all := r.all(); len(all) > 0 {
		r.shown.Store(new(append(all, s)))
		return
	}
	s.sole[0] = s
	s.alone = s.sole[:]
	r.shown.Store(&s.alone)
}

func (r *roster[T]) remove(s *subscriber[T]) {
	if !s.listed {
		return
	}
	s.listed = false
	r.gone++
	switch all := r.all(); {
	case r.gone == len(all):
		r.clear()
	case len(all) <= fewSubscribers || 2*r.gone >= len(all):
		list := make([]*subscriber[T], 0, len(all)-r.gone)
		for _, s := range all {
			if s.listed {
				list = append(list, s)
			}
		}
		r.gone = 0
		r.shown.Store(&list)
	}
}

func (r *roster[T]) clear() {
	for _, s := range r.all() {
		s.listed = false
	}
	r.gone = 0
	r.shown.Store(nil)
}
