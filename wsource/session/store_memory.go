package session

import (
	"context"
	"slices"
	"sync"
	"time"
)

// MemoryStore is a [Store] in memory, for several servers in one process and for tests.
// [NewMemoryStore] makes one.
type MemoryStore struct {
	limit int

	mu      sync.Mutex
	servers map[string]func(context.Context, Claim) error
	byToken map[string]*stored
	order   []*stored // the sessions in the order of Put
}

// stored is a session that is in the store, or was taken out of it.
type stored struct {
	record *Record       // the session; nil if it was taken
	server string        // the server that has taken it
	tokens []string      // the IDs of its tokens
	ttl    time.Duration // the time to live from Put
	until  time.Time
}

// NewMemoryStore returns a store of at most limit sessions. The oldest has to make room.
func NewMemoryStore(limit int) *MemoryStore {
	return &MemoryStore{
		limit: max(1, limit), byToken: make(map[string]*stored),
		servers: make(map[string]func(context.Context, Claim) error),
	}
}

// Join implements [Store].
func (m *MemoryStore) Join(
	_ context.Context, server string, yield func(ctx context.Context, claim Claim) error,
) (leave func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.servers[server] = yield
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.servers, server)
	}, nil
}

// Put implements [Store].
func (m *MemoryStore) Put(_ context.Context, record *Record, ttl time.Duration) error {
	if record == nil {
		return errNil("session.MemoryStore.Put", "record")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clean()
	if len(m.order) >= m.limit {
		m.forget(m.order[0])
	}
	s := &stored{record: record, tokens: record.TokenIDs, ttl: ttl, until: time.Now().Add(ttl)}
	for _, id := range s.tokens {
		if before := m.byToken[id]; before != nil {
			m.forget(before)
		}
	}
	m.order = append(m.order, s)
	for _, id := range s.tokens {
		m.byToken[id] = s
	}
	return nil
}

// Take implements [Store].
func (m *MemoryStore) Take(ctx context.Context, claim Claim) (*Record, error) {
	asked := []string{claim.Server}
	for {
		record, server, err := m.find(claim)
		if record != nil || err != nil || slices.Contains(asked, server) {
			return record, err
		}
		asked = append(asked, server)
		m.mu.Lock()
		yield := m.servers[server]
		m.mu.Unlock()
		if yield != nil {
			if err := yield(ctx, claim); err != nil {
				return nil, err
			}
		}
	}
}

// find takes out a session, or returns the server that may have it.
func (m *MemoryStore) find(claim Claim) (record *Record, server string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clean()
	s := m.byToken[claim.TokenID]
	switch {
	case s == nil:
		return nil, ServerOf(claim.TokenID), nil
	case s.record == nil:
		return nil, s.server, nil
	case s.record.Key != claim.Key:
		return nil, "", ErrForeign
	}
	record, s.record, s.server = s.record, nil, claim.Server
	// The token may be shown again until the client has confirmed the next one.
	s.until = time.Now().Add(2 * s.ttl)
	return record, "", nil
}

// clean forgets expired sessions; mu is held.
func (m *MemoryStore) clean() {
	now := time.Now()
	for _, s := range slices.Clone(m.order) {
		if !s.until.After(now) {
			m.forget(s)
		}
	}
}

// forget removes a session; mu is held.
func (m *MemoryStore) forget(s *stored) {
	for _, id := range s.tokens {
		if m.byToken[id] == s {
			delete(m.byToken, id)
		}
	}
	m.order = slices.DeleteFunc(m.order, func(other *stored) bool { return other == s })
}
