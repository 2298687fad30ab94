package hub

// BrokerOf returns the broker of a hub.
func BrokerOf[K, M comparable, T any](h *Hub[K, M, T]) Broker[K, M, T] { return h.broker }

// ComingOf returns the number of keys with changes of a state under way.
func ComingOf[K comparable, V any](s *State[K, V]) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.coming) + s.fresh
}

// PeersOf returns the number of sockets that a hub knows.
func PeersOf[K, M comparable, T any](h *Hub[K, M, T]) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.peers)
}
