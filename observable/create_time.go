package observable

import (
	"fmt"
	"time"
)

// Interval returns an observable that emits 0, 1, 2 ... , one each period, the first
// after one period, and never ends by itself (RxJS interval). Ticks for which a slow
// subscriber left no time are skipped, as by a time.Ticker; no number is. After the
// greatest int comes the least one.
//
//	Interval(3ms): ---0--1--2--3-
func Interval(period time.Duration) Observable[int] {
	if period <= 0 {
		return Throw[int](&ArgumentError{"observable.Interval", "period", fmt.Sprintf("is not positive: %v", period)})
	}
	return ticks(period, period)
}

// Timer returns an observable that emits 0 once, after due, and completes (RxJS timer). A
// due that is not positive has passed already, as in RxJS and for a time.Timer: 0 comes
// as soon as it can, but not inside Subscribe.
//
//	Timer(3ms): ---(0|)
func Timer(due time.Duration) Observable[int] {
	return AttachFunc[int](func(sc *Scope, down Stage[int]) {
		sc.NewAlarm(func() {
			if down.Next(0); sc.Open() {
				down.Complete()
			}
		}).Reset(due)
	})
}

// TimerEvery returns an observable that emits 0 after due, as [Timer] does, and then 1,
// 2, 3 ... , one each period, as [Interval] does (RxJS timer with two arguments).
//
//	TimerEvery(1ms, 3ms): -0--1--2--3-
func TimerEvery(due, period time.Duration) Observable[int] {
	if period <= 0 {
		return Throw[int](&ArgumentError{"observable.TimerEvery", "period", fmt.Sprintf("is not positive: %v", period)})
	}
	return ticks(due, period)
}

// ticks emits 0 after due and then a number each period.
func ticks(due, period time.Duration) Observable[int] {
	return AttachFunc[int](func(sc *Scope, down Stage[int]) {
		n, next := 0, time.Now().Add(max(due, 0))
		var alarm *Alarm
		alarm = sc.NewAlarm(func() {
			down.Next(n)
			n++
			if !sc.Open() {
				return
			}
			next = next.Add(period)
			if late := time.Since(next); late > 0 {
				next = next.Add(late.Truncate(period) + period)
			}
			alarm.ResetAt(next)
		})
		alarm.ResetAt(next)
	})
}
