package operators

import (
	"math/rand/v2"
	"time"

	"github.com/rxsocket/rxsocket/observable"
)

const (
	defaultBackoffBase = 100 * time.Millisecond
	defaultBackoffMax  = 30 * time.Second
)

// Backoff says how [RetryBackoff] retries. The zero value retries every error without end, after delays
// of up to 100 ms, 200 ms, 400 ms ... 30 s.
//
// Failures count in a row. The row ends with an attempt that was a success: one that emitted a value
// and lasted for ResetAfter at least. The failure that ends such an attempt is the first of
// a new row, with the counts and the delays at their beginning.
type Backoff struct {
	// Base bounds the delay after the first failure in a row; it doubles with each further one. 0
	// means 100 ms.
	Base time.Duration
	// Max bounds every delay; 0 means 30 s.
	Max time.Duration
	// Retries is how many retries in a row there are at most; 0 means no limit.
	Retries int
	// Elapsed is how long after the first failure in a row the last attempt may begin; 0 means no limit.
	Elapsed time.Duration
	// ResetAfter is how long an attempt that emitted a value must have lasted to end the row; 0 means
	// that the value is enough. A little more than the time in which a peer
	// that accepts and then drops connections does so keeps the delays growing against it.
	ResetAfter time.Duration
	// Retryable reports whether an error is worth another attempt; nil means that each is.
	Retryable func(err error) bool
}

// RetryBackoff subscribes to the source again when it fails, after a delay that is drawn at random from
// an interval which doubles from failure to failure: exponential backoff with full jitter, which
// spreads the clients that one failure has hit over the whole interval.
//
//	src:                                  -1-#
//	RetryBackoff(Base: 4ms, Retries: 2):  -1----1-------1-#
//
// When the limits of config are reached, or an error is not worth retrying, that error passes on as it
// is. Completion passes through. A failed attempt is torn down before the delay begins; unsubscribing
// and the end of the context end the delay at once. A panic in Retryable is the stream's error.
// One timer serves all delays, and there is no goroutine. See also [Retry], [RetryWith].
func RetryBackoff[T any](src observable.Observable[T], config Backoff) observable.Observable[T] {
	if field, value := config.negative(); field != "" {
		return invalid[T]("RetryBackoff", "config."+field, isNegative(value))
	}
	config.setDefaults()
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		b := &backoff{Backoff: config}
		r := &reruns{sc: sc}
		alarm := sc.NewAlarm(func() {
			b.begun, b.emitted = time.Now(), false
			r.start()
		})
		retry(src, r, down, b.value, func(err error) (again func()) {
			delay, ok := b.failed(err)
			if !ok {
				return nil
			}
			return func() { alarm.Reset(delay) }
		})
	})
}

func (b *Backoff) setDefaults() {
	if b.Base == 0 {
		b.Base = defaultBackoffBase
	}
	if b.Max == 0 {
		b.Max = defaultBackoffMax
	}
}

// negative returns the name and value of a setting that must not be negative and is, or "".
func (b *Backoff) negative() (field string, value any) {
	switch {
	case b.Base < 0:
		return "Base", b.Base
	case b.Max < 0:
		return "Max", b.Max
	case b.Retries < 0:
		return "Retries", b.Retries
	case b.Elapsed < 0:
		return "Elapsed", b.Elapsed
	case b.ResetAfter < 0:
		return "ResetAfter", b.ResetAfter
	}
	return "", nil
}

// backoff is where one subscription to a RetryBackoff stands.
type backoff struct {
	Backoff
	begun   time.Time     // when the attempt began, from the second one on
	emitted bool          // whether the attempt has emitted
	retries int           // in this row
	first   time.Time     // the first failure in this row
	bound   time.Duration // of the next delay
}

func (b *backoff) value() { b.emitted = true }

// failed returns the delay after which an attempt that ended with err is followed by another, or false
// if it is not.
func (b *backoff) failed(err error) (delay time.Duration, again bool) {
	if b.Retryable != nil && !b.Retryable(err) {
		return 0, false
	}
	now := time.Now()
	if b.retries == 0 || b.emitted && now.Sub(b.begun) >= b.ResetAfter {
		b.retries, b.first, b.bound = 0, now, min(b.Base, b.Max)
	}
	if b.Retries > 0 && b.retries == b.Retries {
		return 0, false
	}
	delay = rand.N(b.bound)
	if b.Elapsed > 0 && now.Add(delay).Sub(b.first) > b.Elapsed {
		return 0, false // and not sooner either, or the attempts would crowd before the limit
	}
	b.retries++
	if b.bound < b.Max/2 {
		b.bound *= 2
	} else {
		b.bound = b.Max
	}
	return delay, true
}
