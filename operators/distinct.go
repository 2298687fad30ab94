package operators

import "github.com/rxsocket/rxsocket/observable"

// Distinct emits each value only the first time that it comes.
//
//	src:        --1--2--1--3--2--|
//	Distinct(): --1--2-----3-----|
//
// It remembers every distinct value for as long as the subscription lasts. For an endless
// stream choose a key of few values ([DistinctBy]), forget from time to time
// ([DistinctFlush]) or compare with the last value only ([DistinctUntilChanged]). Values
// are compared with ==, so that a NaN is always new, and not remembered. A value in an
// interface with a type that cannot be compared is the stream's error. Completion and
// errors pass through. RxJS: distinct.
func Distinct[T comparable](src observable.Observable[T]) observable.Observable[T] {
	return distinct(src, identity[T], nil)
}

// DistinctBy emits each value with a key that comes for the first time.
//
//	src:             --1--2--3--4--|
//	DistinctBy(x%2): --1--2--------|
//
// It remembers every distinct key. A panic in key is the stream's error. Otherwise it is
// [Distinct]. RxJS: distinct with a key selector. See also [DistinctUntilKeyChanged].
func DistinctBy[T any, K comparable](src observable.Observable[T], key func(T) K) observable.Observable[T] {
	if key == nil {
		return invalid[T]("DistinctBy", "key", isNil)
	}
	return distinct(src, key, nil)
}

// DistinctFlush is [DistinctBy] that forgets all keys whenever flushes emits.
//
//	src:                             --1--1-----1--1--|
//	flushes:                         --------x--------
//	DistinctFlush(identity,flushes): --1--------1-----|
//
// flushes is subscribed to after the source and unsubscribed when the source ends. Its
// completion changes nothing; its error is the stream's error. RxJS: distinct with
// flushes.
func DistinctFlush[T any, K comparable, N any](
	src observable.Observable[T], key func(T) K, flushes observable.Observable[N],
) observable.Observable[T] {
	if key == nil {
		return invalid[T]("DistinctFlush", "key", isNil)
	}
	return distinct(src, key, func(sc *observable.Scope, end observable.Terminal, flush func()) {
		life := sc.Child()
		observable.Attach(flushes, life, observable.Stage[N]{
			Next:     func(N) { flush() },
			Terminal: observable.WithComplete(end, life.Close),
		})
	})
}

// distinct emits each value with a new key. attachFlushes, if it is not nil, attaches an
// observable that calls flush.
func distinct[T any, K comparable](
	src observable.Observable[T], key func(T) K,
	attachFlushes func(sc *observable.Scope, end observable.Terminal, flush func()),
) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		seen := map[K]struct{}{}
		end := &ending[T]{sc: sc, down: down}
		observable.Attach(src, sc, observable.Stage[T]{
			Next: func(v T) {
				if end.ended {
					return
				}
				k := key(v)
				if _, old := seen[k]; old {
					return
				}
				if isFound(k) {
					seen[k] = struct{}{}
				}
				down.Next(v)
			},
			Terminal: end,
		})
		if attachFlushes != nil {
			attachFlushes(sc, end, func() { seen = map[K]struct{}{} })
		}
	})
}

// identity is the key of operators that compare the values themselves.
func identity[T any](v T) T { return v }
