package observable

// What a callback emits into a subject comes after the value that it handles, for every subscriber. So a goroutine that
// emits is marked, and what it emits meanwhile waits with it: busy marks the first, others those besides. A goroutine whose
// value goes straight into the gate of an only subscriber is marked when it emits again, when it leaves that gate in between, or
// when it delivers what was queued there.

// submit emits n, after what this goroutine is emitting already.
func (m *multicast[T]) submit(n notification[T]) {
	me := goroutine()
	if targets := m.roster.all(); len(targets) > 0 {
		if r := targets[0].scope.root; r.gate.owner.Load() == me && r.direct == marker(m) {
			m.mark(me)
		}
	}
	queue := &m.queued
	switch {
	case m.besides.Load() != 0 && m.append(me, n): // whether the first is still at it or not
		return
	case m.busy.CompareAndSwap(0, me):
		defer m.busy.Store(0)
	case m.busy.Load() == me:
		m.queued = append(m.queued, n)
		return
	default:
		queue = new([]notification[T])
		m.mu.Lock()
		m.enter(me, queue)
		m.mu.Unlock()
		defer m.leave(me)
	}
	defer m.flush(queue, 0, me) // also when a callback ends this goroutine
	m.deliver(n, nil, me)
}

// direct emits value if there is one subscriber, as most have, whose gate is free; otherwise it reports false. It is
// submit with the mark made only when somebody may look for it.
func (m *multicast[T]) direct(value T) bool {
	targets := m.roster.all()
	if len(targets) != 1 || m.memory != nil || m.busy.Load() != 0 || m.besides.Load() != 0 {
		return false
	}
	s, me := targets[0], goroutine()
	r := s.scope.root
	if !s.live() || !r.gate.enter(me) {
		return false
	}
	defer m.catchUp(me) // also when a callback ends this goroutine
	r.direct = m
	s.emit(value)
	return true
}

// mark notes that the goroutine, which is emitting, is.
func (m *multicast[T]) mark(me uintptr) {
	if m.busy.Load() == me || m.busy.CompareAndSwap(0, me) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.others[me] == nil {
		m.enter(me, new([]notification[T]))
	}
}

// catchUp emits what the goroutine has emitted since mark, if that was called, and takes the mark away.
func (m *multicast[T]) catchUp(me uintptr) {
	switch {
	case m.busy.Load() == me:
		defer m.busy.Store(0)
		m.flush(&m.queued, 0, me)
	case m.besides.Load() != 0:
		m.mu.Lock()
		queue := m.others[me]
		m.mu.Unlock()
		if queue != nil {
			defer m.leave(me)
			m.flush(queue, 0, me)
		}
	}
}

// append queues n if the goroutine is marked as one of the others, and reports whether it is.
func (m *multicast[T]) append(me uintptr, n notification[T]) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	queue := m.others[me]
	if queue != nil {
		*queue = append(*queue, n)
	}
	return queue != nil
}

// enter marks the goroutine as one of the others, with a queue for what it emits meanwhile; mu is held.
func (m *multicast[T]) enter(me uintptr, queue *[]notification[T]) {
	if m.others == nil {
		m.others = make(map[uintptr]*[]notification[T])
	}
	m.others[me] = queue
	m.besides.Add(1)
}

func (m *multicast[T]) leave(me uintptr) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.others, me)
	m.besides.Add(-1)
}

// flush delivers what is in a queue from i on, and what is added to it meanwhile.
func (m *multicast[T]) flush(queue *[]notification[T], i int, me uintptr) {
	if i == len(*queue) {
		return
	}
	defer func() {
		m.flush(queue, i, me) // for what is left when a callback ended this goroutine
	}()
	for i < len(*queue) {
		n := (*queue)[i]
		(*queue)[i] = notification[T]{}
		if i++; i == len(*queue) {
			*queue, i = (*queue)[:0], 0
		}
		m.deliver(n, nil, me)
	}
}
