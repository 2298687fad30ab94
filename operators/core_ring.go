package operators

// ring keeps the last size values that were pushed. It grows as it fills, so that a large size
// costs nothing by itself, and allocates nothing once it is full.
type ring[T any] struct {
	size   int
	values []T
	oldest int // where the oldest value is once the ring is full
}

// push adds v. If the ring was full, it returns the oldest value, whose place v takes.
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
