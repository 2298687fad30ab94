package operators

// queue is a first-in, first-out list without a bound, in a ring. The zero value is empty
// and ready to use. It keeps no reference to a value that was taken out, and an empty
// queue gives the memory of a burst back.
type queue[T any] struct {
	ring       []T // places; their number is 0 or a power of two
	head, size int
}

// keptRoom is the limit of places that an empty queue keeps.
const keptRoom = 64

func (q *queue[T]) len() int { return q.size }

func (q *queue[T]) push(v T) {
	if q.size == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.size)&(len(q.ring)-1)] = v
	q.size++
}

// front returns a pointer to the oldest value; the queue is not empty.
func (q *queue[T]) front() *T { return &q.ring[q.head] }

// at returns a pointer to value i, counted from the oldest; there are more than i.
func (q *queue[T]) at(i int) *T { return &q.ring[(q.head+i)&(len(q.ring)-1)] }

// pop takes the oldest value out; the queue is not empty.
func (q *queue[T]) pop() T {
	var zero T
	v := q.ring[q.head]
	q.ring[q.head] = zero
	q.head = (q.head + 1) & (len(q.ring) - 1)
	if q.size--; q.size == 0 && len(q.ring) > keptRoom {
		q.ring, q.head = nil, 0
	}
	return v
}

func (q *queue[T]) grow() {
	ring := make([]T, max(4, 2*len(q.ring)))
	n := copy(ring, q.ring[q.head:])
	copy(ring[n:], q.ring[:q.head])
	q.ring, q.head = ring, 0
}
