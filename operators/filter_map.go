package operators

import "github.com/rxsocket/rxsocket/observable"

// FilterMap emits the result of project for each value for which project also returns
// true.
//
//	src:                  --"1"--"x"--"3"--|
//	FilterMap(asNumber):  --1---------3----|
//
// It is a [Map] and a [Filter] in one step, for a project that finds out only on the way
// whether there is a result: a look into a map, a type switch. Completion and errors pass
// through. A panic in project is the stream's error; for a project that commonly fails
// there is [TryFilterMap]. It shares the scope of its downstream and keeps nothing
// between values. It has no counterpart in RxJS; Rust: filter_map. See also [OfType].
func FilterMap[A, B any](src observable.Observable[A], project func(A) (B, bool)) observable.Observable[B] {
	if project == nil {
		return invalid[B]("FilterMap", "project", isNil)
	}
	return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
		next := down.Next
		observable.Attach(src, sc, observable.Stage[A]{
			Next: func(v A) {
				if out, ok := project(v); ok {
					next(out)
				}
			},
			Terminal: down.Terminal,
		})
	})
}

// TryFilterMap is [FilterMap] with a project that may fail: its first error is the
// stream's, and the source is unsubscribed.
//
//	src:                 --"1"--""--"x"--"3"--|
//	TryFilterMap(parse): --1--------#
func TryFilterMap[A, B any](
	src observable.Observable[A], project func(A) (B, bool, error),
) observable.Observable[B] {
	if project == nil {
		return invalid[B]("TryFilterMap", "project", isNil)
	}
	return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
		end := &ending[B]{sc: sc, down: down}
		observable.Attach(src, sc, observable.Stage[A]{
			Next: func(v A) {
				if end.ended {
					return
				}
				if out, ok, err := project(v); err != nil {
					failFor(v, err, end)
				} else if ok {
					down.Next(out)
				}
			},
			Terminal: end,
		})
	})
}

// OfType emits the values of type B, as a type assertion finds them. B is the one type
// argument to give:
//
//	orders := operators.OfType[Order](events)
//
//	src:         --1--"a"--2--nil--|
//	OfType[int]: --1-------2-------|
//
// An interface type B selects the values that implement it; a nil is of no type.
// Completion and errors pass through. It shares the scope of its downstream. It has no
// counterpart in RxJS; RxJava: ofType. See also [FilterMap], [GroupBy].
func OfType[B, A any](src observable.Observable[A]) observable.Observable[B] {
	return FilterMap(src, func(v A) (B, bool) {
		typed, ok := any(v).(B)
		return typed, ok
	})
}
