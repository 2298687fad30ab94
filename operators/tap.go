package operators

import (
	"log/slog"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/interleave"
)

// Tap calls next with each value before it passes on, to look at a stream without
// changing it.
//
//	src:       --1--2--|
//	Tap(show): --1--2--|
//
// A panic in next is the stream's error, in place of the value. Completion and errors
// pass through. If next unsubscribes, the value does not pass on. It shares the scope of
// its downstream and keeps nothing between values. RxJS: tap. See also [TapWith], [Log],
// [Finalize].
func Tap[T any](src observable.Observable[T], next func(T)) observable.Observable[T] {
	if next == nil {
		return invalid[T]("Tap", "next", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		pass := down.Next
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if next(v); sc.Open() {
					pass(v)
				}
			},
			Terminal: down.Terminal,
		})
	})
}

// TapConfig has the functions that [TapWith] calls. A nil function is left out.
type TapConfig[T any] struct {
	Subscribe   func()          // called before the source is subscribed to
	Next        func(value T)   // called before a value passes on
	Error       func(err error) // called before an error, or a panic upstream, passes on
	Complete    func()          // called before the completion passes on
	Unsubscribe func()          // called after an end other than that of the source
	Finalize    func()          // called after every end, last of all
}

// TapWith calls the functions of config at the moments of a subscription that their names
// say, to look at all of a stream without changing it.
//
//	src:             --1--2--|
//	TapWith(config): --1--2--|
//
// Unsubscribe and Finalize run after the teardown of the source, on the goroutine that
// ends the subscription. That is after the terminal of downstream, but before it if the
// context ends. Unsubscribe stands for the ends by unsubscribing, by the context, and by
// a panic downstream.
//
// A panic in Subscribe, Next, Error or Complete is the stream's error, in place of the
// notification; after one in Next, Unsubscribe is called too. A panic in Unsubscribe or
// Finalize is part of the subscription's Err. It starts no goroutine and buffers nothing.
// RxJS: tap with a TapObserver. See also [Tap], which costs less, [Log] and [Finalize].
func TapWith[T any](src observable.Observable[T], config TapConfig[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		if config.Subscribe != nil {
			config.Subscribe()
		}
		up := sc.Child()
		t := &tap[T]{TapConfig: config, up: up, down: down}
		up.Finally(t.finally)
		observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{Next: t.next, Terminal: t}))
	})
}

// Log writes the life of each subscription to logger, without changing the stream. A nil
// logger stands for slog.Default.
//
//	src:                   --1--2--|
//	Log(nil, "prices"):    --1--2--|
//	level=INFO  msg=subscribe stream=prices after=0s
//	level=DEBUG msg=next      stream=prices after=2ms value=1
//	level=DEBUG msg=next      stream=prices after=5ms value=2
//	level=INFO  msg=complete  stream=prices after=8ms
//
// Log writes values whole. A type with secrets in it must implement slog.LogValuer, or be
// mapped before. There is a line, with the name and the time since the subscription, for
// each of
//
//   - subscribe, before the source is subscribed to: level info
//   - next, before a value passes on: level debug, as there may be many
//   - error, of the source or of a panic upstream: level warn, as a [Catch] or [Retry]
//     may follow, and an error that no observer hears is reported at level error besides
//   - complete: level info
//   - unsubscribe, after the end by unsubscribing, by the context or by a panic
//     downstream: level info
//
// The logger gets the subscription's context, so a handler finds the values that it
// carries. Log shows the events that [TapWith] sees, in its order; a panic in a handler
// of the logger is the stream's error. It starts no goroutine and buffers nothing. A
// value that the logger does not want costs no allocation. It has no counterpart in RxJS.
// See also [Tap], [Named].
func Log[T any](src observable.Observable[T], logger *slog.Logger, name string) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		l := &lifeLog{logger: logger, sc: sc, begun: time.Now()}
		if l.logger == nil {
			l.logger = slog.Default()
		}
		l.logger = l.logger.With("stream", name)
		observable.Attach(TapWith(src, TapConfig[T]{
			Subscribe: func() { l.log(slog.LevelInfo, "subscribe") },
			Next: func(v T) {
				if l.logger.Enabled(sc, slog.LevelDebug) { // else v is boxed for nothing
					l.log(slog.LevelDebug, "next", slog.Any("value", v))
				}
			},
			Error:       func(err error) { l.log(slog.LevelWarn, "error", slog.Any("error", err)) },
			Complete:    func() { l.log(slog.LevelInfo, "complete") },
			Unsubscribe: func() { l.log(slog.LevelInfo, "unsubscribe") },
		}), sc, down)
	})
}

// lifeLog is one subscription to a Log.
type lifeLog struct {
	logger *slog.Logger
	sc     *observable.Scope
	begun  time.Time
}

// log writes a line with the time since the subscription.
func (l *lifeLog) log(level slog.Level, message string, attributes ...slog.Attr) {
	attributes = append([]slog.Attr{slog.Duration("after", time.Since(l.begun))}, attributes...)
	l.logger.LogAttrs(l.sc, level, message, attributes...)
}

// tap is one subscription to a TapWith, and the terminal of its source.
type tap[T any] struct {
	TapConfig[T]
	up    *observable.Scope
	down  observable.Stage[T]
	ended interleave.Bool // the source has ended; the goroutine that tears down reads it
}

func (t *tap[T]) next(v T) {
	if t.TapConfig.Next != nil {
		if t.TapConfig.Next(v); !t.up.Open() {
			return
		}
	}
	t.down.Next(v)
}

// Error passes the error of the source on.
func (t *tap[T]) Error(err error) {
	t.ended.Store(true)
	if t.TapConfig.Error != nil {
		if t.TapConfig.Error(err); !t.up.Open() {
			return
		}
	}
	t.down.Error(err)
}

// Complete passes the completion of the source on.
func (t *tap[T]) Complete() {
	t.ended.Store(true)
	if t.TapConfig.Complete != nil {
		if t.TapConfig.Complete(); !t.up.Open() {
			return
		}
	}
	t.down.Complete()
}

// finally calls the functions that come after the teardown of the source.
func (t *tap[T]) finally() {
	if !t.ended.Load() && t.Unsubscribe != nil {
		t.Unsubscribe()
	}
	if t.Finalize != nil {
		t.Finalize()
	}
}
