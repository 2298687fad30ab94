package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Audit emits the latest value when the observable that duration returned for an earlier
// value emits.
//
//	src:               --1-2-3-----4-5-|
//	Audit(x => ---0|): -----2---3-----5|
//
// A value that comes while no duration runs begins one. At the end of the duration Audit
// emits the latest value, and the next value begins another duration. If a duration
// completes without a value, nothing is emitted, and the waiting value stays until the
// end of the next duration. If the source completes while a value waits, that value and
// the completion come at the end of the duration.
//
// An error of the source or of a duration is the stream's error, and so is a panic in
// duration; the waiting value is dropped. Unsubscribing ends the source, then the
// duration. Audit keeps one value and starts no goroutine. Each duration costs one
// allocation besides its own. RxJS: audit. See also [AuditTime], [Throttle], [Debounce],
// [Sample].
func Audit[T, N any](
	src observable.Observable[T], duration func(T) observable.Observable[N],
) observable.Observable[T] {
	if duration == nil {
		return invalid[T]("Audit", "duration", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		a := &auditor[T]{rated[T]{sc: sc, down: down}}
		selected(&a.rated, duration, a.elapse)
		a.run(src, a.next, a)
	})
}

// AuditTime emits the latest value at the time d after a value; the next value begins
// anew.
//
//	src:            --1-2-3-----4-5-|
//	AuditTime(3ms): -----2---3-----5|
//
// If the source completes while a value waits, that value and the completion come when
// the time is over. An error passes through at once and drops the value. Unsubscribing
// stops the timer. A negative d is an [observable.ArgumentError].
//
// AuditTime has one timer, set once for each emitted value. A value costs neither a look
// at the clock nor an allocation. RxJS: auditTime. See also [Audit], [ThrottleTime],
// [DebounceTime], [SampleTime].
func AuditTime[T any](src observable.Observable[T], d time.Duration) observable.Observable[T] {
	if d < 0 {
		return invalid[T]("AuditTime", "d", isNegative(d))
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		a := &auditor[T]{rated[T]{sc: sc, down: down}}
		a.timed(d, a.elapse)
		a.run(src, a.next, a)
	})
}

// auditor is one subscription of Audit, and the terminal of its source.
type auditor[T any] struct{ rated[T] }

func (a *auditor[T]) next(v T) {
	if a.ended {
		return
	}
	if a.latest.put(v); !a.waiting {
		a.wait(v)
	}
}

// elapse ends a duration.
func (a *auditor[T]) elapse() {
	a.waiting = false
	if a.ended {
		return
	}
	if a.latest.emit(a.down.Next); a.completed {
		a.finish()
	}
}

// Complete notes the completion of the source.
func (a *auditor[T]) Complete() { a.complete(a.latest.has && a.waiting) }
