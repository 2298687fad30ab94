package delivery

import (
	"container/heap"
	"slices"
	"time"
)

// schedule arranges for the end of a message's time to live; mu is held.
func (e *Engine) schedule(m *Message) {
	heap.Push(&e.expiring, m)
	if e.expiring[0] == m {
		e.setClock()
	}
}

// unschedule undoes schedule; mu is held.
func (e *Engine) unschedule(m *Message) {
	if m.deadline > 0 {
		heap.Remove(&e.expiring, m.deadline-1)
	}
}

// setClock lets the clock ring when the next message's time is over; mu is held.
func (e *Engine) setClock() {
	switch {
	case len(e.expiring) == 0:
	case e.clock == nil:
		e.clock = time.AfterFunc(time.Until(e.expiring[0].expires), e.expire)
	default:
		e.clock.Reset(time.Until(e.expiring[0].expires))
	}
}

// expire drops the messages whose time is over, except those that are being written.
func (e *Engine) expire() {
	var expired []*Message
	e.mu.Lock()
	for now := time.Now(); len(e.expiring) > 0 && !now.Before(e.expiring[0].expires); {
		m := e.expiring[0]
		heap.Pop(&e.expiring)
		switch m.place {
		case atSender:
			m.place = settled // its sender will find out
			e.changed.Broadcast()
		default:
			if e.withdraw(m) {
				expired = append(expired, m)
			}
		}
	}
	e.setClock()
	e.mu.Unlock()
	e.report(unsent(expired, ErrExpired))
}

// deadlines are the messages whose time to live runs, as a heap. Its first message
// expires next.
type deadlines []*Message

func (d *deadlines) Len() int           { return len(*d) }
func (d *deadlines) Less(i, j int) bool { return (*d)[i].expires.Before((*d)[j].expires) }

func (d *deadlines) Swap(i, j int) {
	all := *d
	all[i], all[j] = all[j], all[i]
	all[i].deadline, all[j].deadline = i+1, j+1
}

// Push implements heap.Interface.
func (d *deadlines) Push(v any) {
	*d = append(*d, v.(*Message)) //nolint:forcetypeassert // only schedule pushes
	(*d)[len(*d)-1].deadline = len(*d)
}

// Pop implements heap.Interface.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	m := (*d)[last]
	m.deadline = 0
	*d = slices.Delete(*d, last, last+1)
	return m
}
