package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// BufferTimeConfig says how [BufferTimeWith] collects.
type BufferTimeConfig struct {
	// Span is how long each slice is collected; it must be positive.
	Span time.Duration
	// Every is the time from the beginning of one slice to that of the next, which so may overlap
	// or leave values out. If it is 0, each slice begins where the one before ends.
	Every time.Duration
	// Max is how many values a slice has at most: it is emitted when it has them. 0 means no limit.
	Max int
}

// BufferTime collects the values of each span of time into a slice.
//
//	src:             --1--2--3-----------4|
//	BufferTime(6ms): ------[12]--[3]---[]-([4]|)
//
// The first span begins at subscription. A slice is emitted at the end of each, also when it is
// empty, and on completion. On an error what is collected is dropped. There is one timer for it.
// Each slice is a fresh one that belongs to the receiver. RxJS: bufferTime. See also
// [BufferTimeWith], [BufferCount], [WindowTime].
func BufferTime[T any](src observable.Observable[T], span time.Duration) observable.Observable[[]T] {
	if span <= 0 {
		return invalid[[]T]("BufferTime", "span", notPositive(span))
	}
	return bufferTime(src, BufferTimeConfig{Span: span})
}

// BufferTimeWith is [BufferTime] with further settings. On completion it emits the slices that have
// begun, the oldest first. Slices share no memory.
//
//	src:                                 --1-2-3-----4----5|
//	BufferTimeWith({Span: 9ms, Max: 2}): ----[12]----[34]--([5]|)
func BufferTimeWith[T any](src observable.Observable[T], config BufferTimeConfig) observable.Observable[[]T] {
	if argument, problem := checkSpans(config.Span, config.Every, config.Max); argument != "" {
		return invalid[[]T]("BufferTimeWith", argument, problem)
	}
	return bufferTime(src, config)
}

func bufferTime[T any](src observable.Observable[T], config BufferTimeConfig) observable.Observable[[]T] {
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		open := &buffers[T]{}
		clock := &spans{sc: sc, span: config.Span, every: config.Every, open: open.open}
		clock.close = func() {
			values := open.take(0)
			clock.renew() // first, so that a value which comes while these are emitted has its place
			down.Next(values)
		}
		end := &ending[[]T]{sc: sc, down: down, complete: func() {
			clock.stop()
			open.flush(sc, down)
		}}
		clock.start()
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if end.ended {
					return
				}
				open.add(v)
				for config.Max > 0 && open.oldest() >= config.Max && sc.Open() {
					clock.cut()
				}
			},
			Terminal: end,
		})
	})
}

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
