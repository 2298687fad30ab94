package operators

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Reset says when a shared stream is reset: from then on the next subscriber starts it
// anew; see [ShareConfig]. The zero value resets at once.
type Reset struct {
	kind  resetKind
	start func(from context.Context, l *link, err error, reset func())
}

type resetKind uint8

const (
	resetAtOnce resetKind = iota
	resetNever
	resetWhen
)

// ResetNever returns a policy that never resets.
func ResetNever() Reset { return Reset{kind: resetNever} }

// ResetAfter returns a policy that resets after d. As OnRefCountZero, it does not reset
// if a subscriber comes in that time. The timer ends with the reset or with its reason.
func ResetAfter(d time.Duration) Reset {
	timer := observable.Timer(d)
	return ResetWhen(func(error) observable.Observable[int] { return timer })
}

// ResetWhen returns a policy that resets when the observable of notifier emits. It never
// resets if that observable completes or fails without a value. notifier gets the
// source's error, or nil if there is none. The observable is unsubscribed after its first
// value, and when the reason for the reset is gone: a subscriber has come, or the source
// has ended.
func ResetWhen[N any](notifier func(err error) observable.Observable[N]) Reset {
	r := Reset{kind: resetWhen}
	if notifier != nil {
		r.start = func(from context.Context, l *link, err error, reset func()) {
			src := observable.Defer(func() observable.Observable[N] { return notifier(err) })
			connect(l, from, src, observable.ObserverFuncs[N]{OnNext: func(N) {
				defer reset() // also when a teardown ends this goroutine
				l.cut()
			}})
		}
	}
	return r
}
