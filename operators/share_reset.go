package operators

import (
	"context"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

// Reset says when a shared stream is reset, that is, from when on the next subscriber starts it
// anew; see [ShareConfig]. The zero value is at once.
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

// ResetNever is never to reset.
func ResetNever() Reset { return Reset{kind: resetNever} }

// ResetAfter is to reset after a time. Where it is the last subscriber that left, another one that
// comes meanwhile keeps the stream from being reset.
func ResetAfter(d time.Duration) Reset {
	timer := observable.Timer(d)
	return ResetWhen(func(error) observable.Observable[int] { return timer })
}

// ResetWhen is to reset when the observable that notifier returns emits; never, if it completes or
// fails without having done so. notifier is given the source's error, or nil if there is none. The
// observable is unsubscribed when it has emitted, or when what it waits for is void: a subscriber
// came back, or the source ended.
func ResetWhen[N any](notifier func(err error) observable.Observable[N]) Reset {
	r := Reset{kind: resetWhen}
	if notifier != nil {
		r.start = func(from context.Context, l *link, err error, reset func()) {
			src := observable.Defer(func() observable.Observable[N] { return notifier(err) })
			connect(l, from, src, observable.ObserverFuncs[N]{OnNext: func(N) {
				l.cut()
				reset()
			}})
		}
	}
	return r
}
