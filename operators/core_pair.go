package operators

// Pair is two values that came together: successive ones of a stream, or one each of two streams.
type Pair[A, B any] struct {
	First  A
	Second B
}
