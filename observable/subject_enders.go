package observable

// OnEnd has f called when the subject ends, as [Ender] says.
func (m *multicast[T]) OnEnd(f func()) (stop func()) {
	key := &f
	m.mu.Lock()
	ended := m.ended
	if !ended {
		if m.enders == nil {
			m.enders = make(map[*func()]struct{})
		}
		m.enders[key] = struct{}{}
	}
	m.mu.Unlock()
	if ended {
		call(f)
	}
	return func() {
		m.mu.Lock()
		delete(m.enders, key)
		m.mu.Unlock()
	}
}

// tellEnders calls the functions given to OnEnd.
func (m *multicast[T]) tellEnders() {
	m.mu.Lock()
	enders := m.enders
	m.enders = nil
	m.mu.Unlock()
	tellAll(enders)
}

// tellAll calls functions and takes them out, all of them even if one ends this
// goroutine.
func tellAll(functions map[*func()]struct{}) {
	defer func() {
		if len(functions) > 0 {
			tellAll(functions)
		}
	}()
	for f := range functions {
		delete(functions, f)
		call(*f)
	}
}
