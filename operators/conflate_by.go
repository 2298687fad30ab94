package operators

import "github.com/rxsocket/rxsocket/observable"

// ConflateBy keeps the latest value of each key while downstream is busy with another
// one: the quotes of a market by symbol, say. The keys come in the order in which they
// began to wait.
//
//	src:                     a1-b1-a2-c1-b2------|
//	downstream is busy with: a1a1a1a1a1a1b2b2a2a2c1c1
//	ConflateBy(letter):      a1----------b2--a2--c1--|
//
// A value that replaces a waiting one of its key takes its place; the older value is
// dropped. So the waiting values are at most as many as there are keys.
//
// key runs on the source's goroutine, once for each value. A panic in it is the stream's
// error, after the values before it. Otherwise it is like [OnBackpressureBuffer]. It has
// no counterpart in RxJS. See also [Conflate], [OnBackpressureLatest], [GroupBy].
func ConflateBy[T any, K comparable](src observable.Observable[T], key func(T) K) observable.Observable[T] {
	if key == nil {
		return invalid[T]("ConflateBy", "key", isNil)
	}
	withKeys := Map(src, func(v T) keyed[K, T] { return keyed[K, T]{key(v), v} })
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		w := &waitingKeys[K, T]{places: map[K]int{}}
		d := &decoupled[keyed[K, T]]{accept: w.accept, picked: w.forget}
		d.run(sc, withKeys, observable.Stage[keyed[K, T]]{
			Next:     func(v keyed[K, T]) { down.Next(v.value) },
			Terminal: down.Terminal,
		})
	})
}

// keyed is a value with its key.
type keyed[K comparable, T any] struct {
	key   K
	value T
}

// waitingKeys knows where in the queue of a decoupled the value of each key waits.
type waitingKeys[K comparable, T any] struct {
	places map[K]int // number of the value among all that ever waited; it may wrap
	gone   int       // number of values that do not wait any more
}

// accept puts v in the place of the waiting value of its key, or at the end.
//
//nolint:unparam // It has the form of every accept: this queue grows with its keys and loses nothing.
func (w *waitingKeys[K, T]) accept(d *decoupled[keyed[K, T]], v keyed[K, T]) (lost keyed[K, T], isLost bool) {
	if place, waits := w.places[v.key]; waits {
		observable.Waiting()
		*d.waiting.at(place - w.gone) = v
		return lost, false
	}
	if isFound(v.key) {
		w.places[v.key] = w.gone + d.waiting.len()
	}
	d.waiting.push(v)
	return lost, false
}

// forget notes that the first value waits no more.
func (w *waitingKeys[K, T]) forget(_ *decoupled[keyed[K, T]], v keyed[K, T]) {
	w.gone++
	delete(w.places, v.key)
}
