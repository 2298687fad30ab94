package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// MovingCount emits, with each value, what combine makes of the last count values: that one and
// those before it, fewer at the beginning.
//
//	src:                 --1--5--2--1--|
//	MovingCount(2, max): --1--5--5--2--|
//
// combine must be associative, and is given older values first: a sum, a minimum, a maximum, the
// merge of two sketches. It is called at most three times a value on average, whatever count is;
// values that leave are not subtracted, so that neither rounding errors nor infinities stay behind.
// For a moving mean see [Mean].
//
// Completion and errors pass through. It keeps count values. See also [MovingTime],
// [BufferCountEvery].
func MovingCount[T any](
	src observable.Observable[T], count int, combine func(older, newer T) T,
) observable.Observable[T] {
	switch {
	case count <= 0:
		return invalid[T]("MovingCount", "count", notPositive(count))
	case combine == nil:
		return invalid[T]("MovingCount", "combine", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		window := moving[T]{combine: combine}
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if window.len() == count {
					window.pop()
				}
				window.push(v)
				down.Next(window.total())
			},
			Terminal: down.Terminal,
		})
	})
}

// MovingTime emits, with each value, what combine makes of the values of the last span of time,
// that one included. A value is gone exactly span after it came. Nothing is emitted when one
// leaves.
//
//	src:                            --1--5--2--------1--|
//	MovingTime(6ms, (a, b) => a+b): --1--6--7--------1--|
//
// It keeps the values of a span, with their times. As for the rest it is like [MovingCount]. See
// also [RatePerSecond].
func MovingTime[T any](
	src observable.Observable[T], span time.Duration, combine func(older, newer T) T,
) observable.Observable[T] {
	switch {
	case span <= 0:
		return invalid[T]("MovingTime", "span", notPositive(span))
	case combine == nil:
		return invalid[T]("MovingTime", "combine", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		window := moving[T]{combine: combine}
		var oldest time.Time        // when the oldest value came
		var others queue[time.Time] // when the others did
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				now := time.Now()
				for window.len() > 0 && now.Sub(oldest) >= span {
					if window.pop(); others.len() > 0 {
						oldest = others.pop()
					}
				}
				if window.len() == 0 {
					oldest = now
				} else {
					others.push(now)
				}
				window.push(v)
				down.Next(window.total())
			},
			Terminal: down.Terminal,
		})
	})
}

// RatePerSecond counts the values and emits, at the end of each period, how many came per second.
//
//	src:                -1-2--3-------|
//	RatePerSecond(4ms): ----a---b---c-|
//
// Here a is 500, b 250 and c 0. The first period begins at subscription. On completion an
// unfinished period is not reported. There is one timer for it. For a rate over more than a period
// pass it on to [MovingCount]. See also [BufferTime].
func RatePerSecond[T any](src observable.Observable[T], period time.Duration) observable.Observable[float64] {
	if period <= 0 {
		return invalid[float64]("RatePerSecond", "period", notPositive(period))
	}
	return observable.AttachFunc[float64](func(sc *observable.Scope, down observable.Stage[float64]) {
		count, begun := 0, time.Now()
		ends := begun.Add(period)
		var alarm *observable.Alarm
		alarm = sc.NewAlarm(func() {
			now := time.Now()
			rate := float64(count) / now.Sub(begun).Seconds()
			count, begun, ends = 0, now, nextTick(ends, period, now)
			if down.Next(rate); sc.Open() {
				alarm.ResetAt(ends)
			}
		})
		alarm.ResetAt(ends)
		observable.Attach(src, sc, observable.Stage[T]{
			Next:     func(T) { count++ },
			Terminal: down.Terminal,
		})
	})
}

// Mean is the mean of some numbers, in a form that can be combined:
//
//	samples := operators.Map(prices, operators.MeanOf)
//	means := operators.MovingCount(samples, 20, operators.Mean.Plus)
//
// The zero value is the mean of nothing.
type Mean struct {
	Sum   float64
	Count int
}

// MeanOf returns the mean of v alone.
func MeanOf(v float64) Mean { return Mean{Sum: v, Count: 1} }

// Plus returns the mean of the numbers of both.
func (m Mean) Plus(other Mean) Mean {
	return Mean{Sum: m.Sum + other.Sum, Count: m.Count + other.Count}
}

// Value returns the mean, which of nothing is NaN.
func (m Mean) Value() float64 { return m.Sum / float64(m.Count) }

// moving is a queue that knows the combination of all its values. It is made of two stacks: values
// are pushed on one and popped from the other, which holds at each place the combination of its
// value and all newer ones of that stack; when it is empty it takes over the values of the first.
type moving[T any] struct {
	combine func(older, newer T) T
	newer   []T
	sum     T   // of newer, if it is not empty
	older   []T // the combinations, that of the oldest value last
}

func (m *moving[T]) len() int { return len(m.newer) + len(m.older) }

func (m *moving[T]) push(v T) {
	if len(m.newer) == 0 {
		m.sum = v
	} else {
		m.sum = m.combine(m.sum, v)
	}
	m.newer = append(m.newer, v)
}

// pop takes out the oldest value; there is one.
func (m *moving[T]) pop() {
	if len(m.older) == 0 {
		sum := m.newer[len(m.newer)-1]
		m.older = append(m.older, sum)
		for i := len(m.newer) - 2; i >= 0; i-- {
			sum = m.combine(m.newer[i], sum)
			m.older = append(m.older, sum)
		}
		clear(m.newer)
		m.newer = m.newer[:0]
	}
	last := len(m.older) - 1
	clear(m.older[last:])
	m.older = m.older[:last]
}

// total returns the combination of all values; there is one.
func (m *moving[T]) total() T {
	switch {
	case len(m.older) == 0:
		return m.sum
	case len(m.newer) == 0:
		return m.older[len(m.older)-1]
	default:
		return m.combine(m.older[len(m.older)-1], m.sum)
	}
}
