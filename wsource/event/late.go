package event

// maxLate is how many questions are remembered after they were given up.
const maxLate = 256

// late is the questions that were given up lately: events about them may be on their way, and
// are nobody's fault. It is guarded by the Conn's mu.
type late struct {
	left  map[string]int // how many events about a question may still come
	order []string       // a ring of the questions, the oldest at next
	next  int
}

// note remembers a question about which so many events may come.
func (t *late) note(id string, events int) {
	if len(t.order) < maxLate {
		t.order = append(t.order, id)
	} else {
		delete(t.left, t.order[t.next])
		t.order[t.next] = id
		t.next = (t.next + 1) % maxLate
	}
	if t.left == nil {
		t.left = make(map[string]int)
	}
	t.left[id] = events
}

// take reports whether an event about a question may have been on its way, and counts it. After
// the last one, and after an end, nothing may come.
func (t *late) take(id string, end bool) bool {
	left, ok := t.left[id]
	if left--; !ok {
		return false
	}
	if t.left[id] = left; end || left == 0 {
		delete(t.left, id)
	}
	return true
}
