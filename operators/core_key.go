package operators

// isFound reports whether a map finds the entry of key. A map neither finds nor deletes a
// key that is not equal to itself, such as NaN.
func isFound[K comparable](key K) bool {
	again := key
	return key == again
}
