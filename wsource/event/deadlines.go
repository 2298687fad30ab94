package event

import "time"

// deadlines are those of this side's questions on a link. They have one timer for all, as
// most questions are answered long before. They are guarded by the Conn's mu.
type deadlines struct {
	due   time.Time   // time when the timer fires; zero if it does not run
	alarm *time.Timer // nil before the first question
}

// watch has the timer fire at a deadline, unless that is zero or the timer fires before;
// mu is held.
func (l *link) watch(deadline time.Time) {
	d := &l.deadlines
	switch {
	case deadline.IsZero() || !d.due.IsZero() && !deadline.Before(d.due):
		return
	case d.alarm == nil:
		d.alarm = time.AfterFunc(time.Until(deadline), l.expire)
	default:
		d.alarm.Reset(time.Until(deadline))
	}
	d.due = deadline
}

// expire wakes the goroutines that wait for an answer whose time is over, and sets the
// timer to the next deadline.
func (l *link) expire() {
	mu := &l.conn.mu
	mu.Lock()
	defer mu.Unlock()
	now, next := time.Now(), time.Time{}
	for _, q := range l.questions {
		switch {
		case q.deadline.IsZero():
		case !q.deadline.After(now):
			q.changed.Broadcast()
		case next.IsZero() || q.deadline.Before(next):
			next = q.deadline
		}
	}
	l.due = time.Time{}
	l.watch(next)
}

// unwatch stops the timer, as no question comes any more; mu is held.
func (d *deadlines) unwatch() {
	if d.alarm != nil {
		d.alarm.Stop()
	}
}
