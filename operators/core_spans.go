package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// checkSpans returns the name of a wrong setting and its problem, or two empty strings.
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

// spans is the clock of the timed buffers and windows: it opens and closes them. One
// alarm serves all that are open. As all spans are equal, the oldest closes first.
type spans struct {
	sc          *observable.Scope
	span, every time.Duration
	open        func() // opens a buffer or window
	close       func() // closes the oldest one, and calls renew

	alarm *observable.Alarm
	due   []time.Time // closing times of the open ones, the oldest first
	next  time.Time   // opening time of the next one, if every is set
}

// start opens the first buffer or window.
func (s *spans) start() {
	s.alarm = s.sc.NewAlarm(s.tick)
	if s.every > 0 {
		s.next = time.Now().Add(s.every)
	}
	s.begin()
	s.arm()
}

// stop stops the clock and leaves open buffers or windows open.
func (s *spans) stop() { s.alarm.Stop() }

// cut closes the oldest buffer or window ahead of its time.
func (s *spans) cut() {
	s.end()
	s.arm()
}

// renew opens the next buffer or window, if it opens when one closes.
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

// tick opens and closes all buffers or windows due when it begins, in order of time.
// Those that become due meanwhile, as downstream is slow, have their turn after the
// values that wait.
func (s *spans) tick() {
	for now := time.Now(); s.sc.Open(); {
		opens := s.every > 0 && !s.next.After(now)
		closes := len(s.due) > 0 && !s.due[0].After(now)
		if opens && closes { // of two due at once, the one set first goes first
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

// arm sets the alarm to the next opening or closing.
func (s *spans) arm() {
	if len(s.due) > 0 && (s.every == 0 || s.due[0].Before(s.next)) {
		s.alarm.ResetAt(s.due[0])
	} else {
		s.alarm.ResetAt(s.next)
	}
}

// nextTick returns the time of the first tick after now, with one tick each period and
// one at tick. Ticks for which a slow subscriber left no time are skipped.
func nextTick(tick time.Time, period time.Duration, now time.Time) time.Time {
	return tick.Add(now.Sub(tick).Truncate(period) + period)
}
