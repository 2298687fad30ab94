package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// checkSpans returns the field that is wrong and what is wrong with it.
func checkSpans(span, every time.Duration, most int) (argument, problem string) {
	switch {
	case span <= 0:
		return "Span", notPositive(span)
	case every < 0:
		return "Every", isNegative(every)
	case most < 0:
		return "Max", isNegative(most)
	default:
		return "", ""
	}
}

// spans opens and closes things by time: the clock of the time-based buffers and windows. One alarm
// serves all that are open. Since all spans are equal, the oldest closes first.
type spans struct {
	sc          *observable.Scope
	span, every time.Duration
	open        func() // opens one
	close       func() // closes the oldest, and calls renew

	alarm *observable.Alarm
	due   []time.Time // when each of those open closes, the oldest first
	next  time.Time   // when the next opens, if every is set
}

// start opens the first.
func (s *spans) start() {
	s.alarm = s.sc.NewAlarm(s.tick)
	if s.every > 0 {
		s.next = time.Now().Add(s.every)
	}
	s.begin()
	s.arm()
}

// stop leaves open what is open.
func (s *spans) stop() { s.alarm.Stop() }

// cut closes the oldest ahead of its time.
func (s *spans) cut() {
	s.end()
	s.arm()
}

// renew opens the next if that is when one closes.
func (s *spans) renew() {
	if s.every == 0 {
		s.begin()
	}
}

func (s *spans) begin() {
	s.due = append(s.due, time.Now().Add(s.span))
	s.open()
}

func (s *spans) end() {
	s.due = s.due[1:]
	s.close()
}

// tick does what is due, in order of time.
func (s *spans) tick() {
	for s.sc.Open() {
		now := time.Now()
		opens := s.every > 0 && !s.next.After(now)
		closes := len(s.due) > 0 && !s.due[0].After(now)
		if opens && closes { // of two due at once, that which was set first
			order := s.due[0].Compare(s.next)
			closes = order < 0 || order == 0 && s.span > s.every
		}
		switch {
		case closes:
			s.end()
		case opens:
			s.next = nextTick(s.next, s.every, now)
			s.begin()
		default:
			s.arm()
			return
		}
	}
}

// arm sets the alarm to the next thing to do.
func (s *spans) arm() {
	if len(s.due) > 0 && (s.every == 0 || s.due[0].Before(s.next)) {
		s.alarm.ResetAt(s.due[0])
	} else {
		s.alarm.ResetAt(s.next)
	}
}

// nextTick returns the time of the first tick after now, of which there is one each period and
// there was one at tick. Those that a slow subscriber left no time for are skipped.
func nextTick(tick time.Time, period time.Duration, now time.Time) time.Time {
	return tick.Add(now.Sub(tick).Truncate(period) + period)
}
