package hub

import (
	"container/heap"
	"time"
)

// expiry is the keys that expire, the next one first.
type expiry[K comparable] struct {
	keys  []expiring[K]
	index map[K]int // index of each key in keys
}

type expiring[K comparable] struct {
	key K
	at  time.Time
}

func (e *expiry[K]) add(key K, at time.Time) { heap.Push(e, expiring[K]{key, at}) }

func (e *expiry[K]) remove(key K) {
	if i, ok := e.index[key]; ok {
		heap.Remove(e, i)
	}
}

func (e *expiry[K]) next() (at time.Time, ok bool) {
	if len(e.keys) == 0 {
		return time.Time{}, false
	}
	return e.keys[0].at, true
}

// Len is for container/heap, as the methods below are.
func (e *expiry[K]) Len() int           { return len(e.keys) }
func (e *expiry[K]) Less(i, j int) bool { return e.keys[i].at.Before(e.keys[j].at) }

func (e *expiry[K]) Swap(i, j int) {
	e.keys[i], e.keys[j] = e.keys[j], e.keys[i]
	e.index[e.keys[i].key], e.index[e.keys[j].key] = i, j
}

func (e *expiry[K]) Push(x any) {
	last := x.(expiring[K]) //nolint:forcetypeassert // add pushes nothing else
	e.index[last.key] = len(e.keys)
	e.keys = append(e.keys, last)
}

func (e *expiry[K]) Pop() any {
	last := e.keys[len(e.keys)-1]
	delete(e.index, last.key)
	e.keys = e.keys[:len(e.keys)-1]
	return last
}
