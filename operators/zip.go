package operators

import "github.com/rxsocket/rxsocket/observable"

// Zip emits the first values of all sources together, in the order of the sources, then
// the second values, and so on.
//
//	a:          --1-----2--3--|
//	b:          ----8-9------|
//	Zip(a, b):  ----A---B----|  A = [1 8], B = [2 9]
//
// The values of a source that is ahead wait in a queue without a bound, as in RxJS. A
// source that emits inside its subscription emits all of its values into that queue
// before the next source is subscribed to.
//
// Zip completes when a source has completed and none of its values waits, and
// unsubscribes the other sources; without sources it completes at once. The first error
// is the stream's, ends all sources, and drops the values that wait. Sources may emit on
// goroutines of their own. It starts no goroutine.
//
// The receiver may keep the slices. A slice is one allocation; [Zip2] and [Zip3], for
// sources of different types, do without it. RxJS: zip, zipWith; their projection is a
// [Map]. See also [ZipAll], [CombineLatest], [ForkJoin].
func Zip[T any](srcs ...observable.Observable[T]) observable.Observable[[]T] {
	if len(srcs) == 0 {
		return observable.Empty[[]T]()
	}
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		z := newZipper(sc, down, len(srcs))
		inputs := make([]zipInput[T, []T], len(srcs))
		for i := range inputs {
			inputs[i].zipper = z
		}
		z.combine = func() []T {
			values := make([]T, len(inputs))
			for i := range inputs {
				values[i] = inputs[i].take()
			}
			return values
		}
		for i := range inputs {
			inputs[i].subscribe(srcs[i])
		}
	})
}

// Zip2 emits the result of project for the first values of a and b, then for the second
// ones, and so on.
//
//	a:                       --1-----2--3--|
//	b:                       ----x-y------|
//	Zip2(a, b, (n,s) => ns): ----1x--2y---|
//
// A panic in project is the stream's error. In all else it is [Zip], without an
// allocation for each value.
func Zip2[A, B, R any](
	a observable.Observable[A], b observable.Observable[B], project func(A, B) R,
) observable.Observable[R] {
	if project == nil {
		return invalid[R]("Zip2", "project", isNil)
	}
	return observable.AttachFunc[R](func(sc *observable.Scope, down observable.Stage[R]) {
		z := newZipper(sc, down, 2)
		ia, ib := &zipInput[A, R]{zipper: z}, &zipInput[B, R]{zipper: z}
		z.combine = func() R { return project(ia.take(), ib.take()) }
		ia.subscribe(a)
		ib.subscribe(b)
	})
}

// Zip3 is [Zip2] for three sources.
//
//	a:                --1-----2---|
//	b:                ---3-4------|
//	c:                -5--------7-|
//	Zip3(a, b, c, +): ---A------B-|  A = 9, B = 13
func Zip3[A, B, C, R any](
	a observable.Observable[A], b observable.Observable[B], c observable.Observable[C],
	project func(A, B, C) R,
) observable.Observable[R] {
	if project == nil {
		return invalid[R]("Zip3", "project", isNil)
	}
	return observable.AttachFunc[R](func(sc *observable.Scope, down observable.Stage[R]) {
		z := newZipper(sc, down, 3)
		ia, ib, ic := &zipInput[A, R]{zipper: z}, &zipInput[B, R]{zipper: z}, &zipInput[C, R]{zipper: z}
		z.combine = func() R { return project(ia.take(), ib.take(), ic.take()) }
		ia.subscribe(a)
		ib.subscribe(b)
		ic.subscribe(c)
	})
}

// ZipAll collects the observables that the source emits, and joins their values as [Zip]
// does when the source has completed.
//
//	src:     --A--B--|
//	A:               1----2--|
//	B:               --8-----9|
//	ZipAll:  ----------x-----(y|)  x = [1 8], y = [2 9]
//
// No inner observable is subscribed to before that. If the source emits none, the stream
// completes with the source. Errors of the source pass through. RxJS: zipAll.
func ZipAll[T any](src observable.Observable[observable.Observable[T]]) observable.Observable[[]T] {
	return MergeMap(ToSlice(src), func(srcs []observable.Observable[T]) observable.Observable[[]T] {
		return Zip(srcs...)
	})
}

// zipper is the common part of the inputs of a Zip, for any number and types.
type zipper[R any] struct {
	end       ending[R]
	combine   func() R // takes a value from each input and joins them
	lacking   int      // inputs without a waiting value
	exhausted bool     // one of these inputs has completed
}

func newZipper[R any](sc *observable.Scope, down observable.Stage[R], inputs int) *zipper[R] {
	return &zipper[R]{end: ending[R]{sc: sc, down: down}, lacking: inputs}
}

// zipInput is one of the sources of a Zip, and its terminal.
type zipInput[T, R any] struct {
	*zipper[R]
	scope     observable.Scope
	waiting   queue[T]
	completed bool
}

func (in *zipInput[T, R]) subscribe(src observable.Observable[T]) {
	in.end.sc.Nest(&in.scope)
	observable.Attach(src, &in.scope, observable.Stage[T]{Next: in.next, Terminal: in})
}

func (in *zipInput[T, R]) next(v T) {
	if in.waiting.len() == 0 {
		in.lacking--
	}
	in.waiting.push(v)
	if in.lacking > 0 || in.end.ended {
		return
	}
	if joined := in.combine(); in.exhausted {
		in.end.finish(joined)
	} else {
		in.end.down.Next(joined)
	}
}

func (in *zipInput[T, R]) take() T {
	v := in.waiting.pop()
	if in.waiting.len() == 0 {
		in.lacking++
		in.exhausted = in.exhausted || in.completed
	}
	return v
}

func (in *zipInput[T, R]) Error(err error) { in.end.Error(err) }

func (in *zipInput[T, R]) Complete() {
	in.completed = true
	if in.waiting.len() == 0 {
		in.end.Complete()
	}
	in.scope.Close()
}
