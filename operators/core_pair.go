package operators

// Pair is two values that came together: successive values of one stream, or one value
// each of two streams.
type Pair[A, B any] struct {
	First  A // earlier value, or the first stream's
	Second B // later value, or the second stream's
}
