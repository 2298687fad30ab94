package operators

import "github.com/rxsocket/rxsocket/observable"

// DelayWhen emits each value when what duration makes of it emits.
//
//	src:               --1--2-----|
//	delays(1):           ----0
//	delays(2):              0
//	DelayWhen(delays): -----21----|
//
// A value may so overtake others. If its duration completes without a value, it is dropped. It
// completes when the source has and no duration runs. The first error, of the source, of a duration or
// a panic in duration, is the stream's; what waits is dropped. Unsubscribing ends the source, then the
// durations in the order in which they were subscribed to.
//
// It starts no goroutine. Values wait without a bound, each in two allocations besides its duration.
// RxJS: delayWhen; its second argument is [DelaySubscription]. See also [Delay].
func DelayWhen[T, N any](
	src observable.Observable[T], duration func(T) observable.Observable[N],
) observable.Observable[T] {
	if duration == nil {
		return invalid[T]("DelayWhen", "duration", isNil)
	}
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		d := &delayWhen[T, N]{ending: ending[T]{sc: sc, down: down}, duration: duration}
		sc.Nest(&d.up)
		observable.Attach(src, &d.up, observable.Stage[T]{Next: d.next, Terminal: d})
	})
}

// delayWhen is one subscription of DelayWhen, and the terminal of its source.
type delayWhen[T, N any] struct {
	ending[T]
	duration  func(T) observable.Observable[N]
	up        observable.Scope // the source's
	running   int              // durations
	completed bool             // the source
}

func (d *delayWhen[T, N]) next(v T) {
	if d.ended {
		return
	}
	src := d.duration(v)
	w := &waiting[T, N]{delayWhen: d, value: v}
	d.running++
	d.sc.Nest(&w.scope)
	observable.Attach(src, &w.scope, observable.Stage[N]{Next: w.next, Terminal: w})
}

// Complete notes that the source has completed.
func (d *delayWhen[T, N]) Complete() {
	d.completed = true
	d.completeIfDone()
	d.up.Close()
}

func (d *delayWhen[T, N]) completeIfDone() {
	if d.completed && d.running == 0 && d.sc.Open() {
		d.ending.Complete()
	}
}

// waiting is a value whose duration runs, and the terminal of that.
type waiting[T, N any] struct {
	*delayWhen[T, N]
	scope observable.Scope
	value T
	fired bool
}

func (w *waiting[T, N]) next(N) {
	if w.fired || w.ended {
		return
	}
	w.fired = true
	if w.down.Next(w.value); w.sc.Open() {
		w.leave()
	}
}

// Complete is the completion of the duration.
func (w *waiting[T, N]) Complete() {
	if !w.fired {
		w.leave()
	}
}

func (w *waiting[T, N]) leave() {
	w.scope.Close()
	w.running--
	w.completeIfDone()
}

// DelaySubscription subscribes to the source when until emits or completes.
//
//	src:                      --1--2--|
//	until:                    ---x
//	DelaySubscription(until): -----1--2--|
//
// until is unsubscribed before that. Its error is the stream's, and the source is then not subscribed
// to. What a hot source emits meanwhile is missed. RxJS: the second argument of delayWhen. See also
// [SubscribeOn], which waits for a time.
func DelaySubscription[T, N any](
	src observable.Observable[T], until observable.Observable[N],
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		notice := sc.Child()
		begin := func() {
			if notice.Open() {
				notice.Close()
				observable.Attach(src, sc, down)
			}
		}
		observable.Attach(until, notice, observable.Stage[N]{
			Next:     func(N) { begin() },
			Terminal: observable.WithComplete(down.Terminal, begin),
		})
	})
}
