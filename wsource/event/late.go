package event

// maxLate is how many questions are remembered after they were given up. It is more than
// the questions that this side gives up within the time that a cancel and the values
// ahead of it are on their way: for a forgotten one, the peer would be blamed.
const maxLate = 4096

// late is the questions that were given up lately: events about them may be on their way,
// and are no fault of the peer. It is guarded by the Conn's mu.
type late struct {
	questions map[string]lateQuestion
	order     []string // a ring of the questions, the oldest at next
	next      int
}

// lateQuestion is a question that was given up.
type lateQuestion struct {
	left int  // how many events about it may still come
	seen bool // one has come
}

// note remembers a question about which so many events may come.
func (t *late) note(id string, events int) {
	if len(t.order) < maxLate {
		t.order = append(t.order, id)
	} else {
		delete(t.questions, t.order[t.next])
		t.order[t.next] = id
		t.next = (t.next + 1) % maxLate
	}
	if t.questions == nil {
		t.questions = make(map[string]lateQuestion)
	}
	t.questions[id] = lateQuestion{left: events}
}

// take reports whether an event about a question may have been on its way, and whether it
// is the first one, and counts it. After the last one, and after an end, no further event
// is accepted.
func (t *late) take(id string, end bool) (late, first bool) {
	q, ok := t.questions[id]
	if !ok {
		return false, false
	}
	first = !q.seen
	q.left, q.seen = q.left-1, true
	if t.questions[id] = q; end || q.left == 0 {
		delete(t.questions, id)
	}
	return true, first
}
