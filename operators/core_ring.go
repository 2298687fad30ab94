package operators

// ring keeps the last size values. It grows as it fills, so that a large size costs
// nothing by itself, and allocates nothing once it is full.
type ring[T any] struct {
	size   int
	values []T
	oldest int // index of the oldest value once the ring is full
}

// push adds v. If the ring is full, v replaces the oldest value, and push returns that.
func (r *ring[T]) push(v T) (oldest T, full bool) {
	switch {
	case r.size == 0:
		return v, true
	case len(r.values) < r.size:
		r.values = append(r.values, v)
		return oldest, false
	}
	oldest, r.values[r.oldest] = r.values[r.oldest], v
	if r.oldest++; r.oldest == r.size {
		r.oldest = 0
	}
	return oldest, true
}
