package operators

import "github.com/rxsocket/rxsocket/observable"

// Map emits the result of project for each value.
//
//	src:           --1--2--3--|
//	Map(x => 10x): --10-20-30-|
//
// Completion and errors pass through. A panic in project is the stream's error; a project
// that commonly fails belongs into a [TryMap]. It shares the scope of its downstream and
// keeps nothing between values. RxJS: map; mapTo is a project that ignores its argument.
// See also [ParallelMap], [MergeMap].
func Map[A, B any](src observable.Observable[A], project func(A) B) observable.Observable[B] {
	if project == nil {
		return invalid[B]("Map", "project", isNil)
	}
	if same, ok := any(project).(func(B) B); ok {
		src, _ := any(src).(observable.Observable[B]) // nil stays nil: Attach reports it
		return fuse(src, steps[B]{first: same})
	}
	return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
		next := down.Next
		observable.Attach(src, sc, observable.Stage[A]{
			Next:     func(v A) { next(project(v)) },
			Terminal: down.Terminal,
		})
	})
}

// TryMap is [Map] with a project that may fail: its first error is the stream's, and the
// source is unsubscribed.
//
//	src:                --1--2--x--4--|
//	TryMap(parse):      --1--2--#
func TryMap[A, B any](src observable.Observable[A], project func(A) (B, error)) observable.Observable[B] {
	if project == nil {
		return invalid[B]("TryMap", "project", isNil)
	}
	return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
		end := &ending[B]{sc: sc, down: down}
		observable.Attach(src, sc, observable.Stage[A]{
			Next: func(v A) {
				if end.ended {
					return
				}
				if out, err := project(v); err != nil {
					failFor(v, err, end)
				} else {
					down.Next(out)
				}
			},
			Terminal: end,
		})
	})
}
