package hub

import "sync"

// ring is a queue, out of which any element can be taken.
type ring[T any] struct {
	pool  *sync.Pool // of *[]T, the memory of rings with more than one element
	more  *[]T       // memory from the pool, or nil
	slots []T        // as many as a power of two, or none
	head  int
	n     int // number of elements
	lone  [1]T
}

// at returns the element at a place, from 0.
func (r *ring[T]) at(i int) *T { return &r.slots[(r.head+i)&(len(r.slots)-1)] }

func (r *ring[T]) push(v T) {
	if r.n == len(r.slots) {
		r.grow()
	}
	r.n++
	*r.at(r.n - 1) = v
}

// minSlots is the least number of slots that a ring has from the pool.
const minSlots = 16

// grow gives the ring more slots.
func (r *ring[T]) grow() {
	if r.n == 0 {
		r.slots = r.lone[:]
		return
	}
	before := *r
	if r.more == nil {
		if r.more, _ = r.pool.Get().(*[]T); r.more == nil {
			r.more = new([]T)
		}
	}
	if len(*r.more) <= r.n {
		*r.more = make([]T, max(minSlots, 2*r.n))
	}
	r.slots, r.head = *r.more, 0
	for i := range r.n {
		*r.at(i) = *before.at(i)
	}
	r.lone = [1]T{}
}

// remove takes out the element at a place.
func (r *ring[T]) remove(i int) {
	var none T
	if i < r.n/2 {
		for ; i > 0; i-- {
			*r.at(i) = *r.at(i - 1)
		}
		*r.at(0) = none
		r.head = (r.head + 1) & (len(r.slots) - 1)
	} else {
		for ; i < r.n-1; i++ {
			*r.at(i) = *r.at(i + 1)
		}
		*r.at(i) = none
	}
	if r.n--; r.n == 0 {
		if r.more != nil {
			r.pool.Put(r.more)
		}
		r.more, r.slots, r.head = nil, nil, 0
	}
}
