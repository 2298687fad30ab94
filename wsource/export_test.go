package wsource

// TopicsLen returns the number of topics at the moment, for the tests.
func TopicsLen[K comparable, In, Out any](t *Topics[K, In, Out]) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.topics)
}
