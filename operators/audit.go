package operators

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Audit emits the latest value when what duration makes of an earlier one emits.
//
//	src:               --1-2-3-----4-5-|
//	Audit(x => ---0|): -----2---3-----5|
//
// A value that comes while no duration runs begins one. At the end of it the latest value is emitted,
// and the next value begins another. If the source completes while a value waits, this and the
// completion come at the end of the duration. A duration that completes without a value emits nothing:
// its value stays until the end of the next. An error of the source or of a duration is the stream's,
// as is a panic in duration; what waits is dropped. Unsubscribing ends the source, then the duration.
//
// It keeps one value and starts no goroutine; a duration costs one allocation besides itself. RxJS:
// audit. See also [AuditTime], [Throttle], [Debounce], [Sample].
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

// AuditTime emits, at the time d after a value, the latest value at that moment; the next value begins
// anew.
//
//	src:            --1-2-3-----4-5-|
//	AuditTime(3ms): -----2---3-----5|
//
// If the source completes while a value waits, this and the completion come when the time is over; an
// error passes at once. Unsubscribing stops the timer. A negative d is an [observable.ArgumentError].
// There is one timer, set once for each value that is emitted; a value costs neither a look at the
// clock nor an allocation. RxJS: auditTime. See also [Audit], [ThrottleTime], [DebounceTime],
// [SampleTime].
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

// elapse is called at the end of a duration.
func (a *auditor[T]) elapse() {
	a.waiting = false
	if a.ended {
		return
	}
	if a.latest.emit(a.down.Next); a.completed {
		a.finish()
	}
}

// Complete is the completion of the source.
func (a *auditor[T]) Complete() { a.complete(a.latest.has && a.waiting) }
