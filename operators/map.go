package operators

import "github.com/rxsocket/rxsocket/observable"

// Map emits what project makes of each value.
//
//	src:           --1--2--3--|
//	Map(x => 10x): --10-20-30-|
//
// Completion and errors pass through. A panic in project is the stream's error;
// for a projection that commonly fails there is [TryMap]. It shares the scope of
// its downstream and keeps nothing between values. RxJS: map.
func Map[A, B any](src observable.Observable[A], project func(A) B) observable.Observable[B] {
	if project == nil {
		return invalid[B]("Map", "project", isNil)
	}
	if same, ok := any(project).(func(B) B); ok {
		src, _ := any(src).(observable.Observable[B]) // or nil, of which Attach tells
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

// TryMap emits what project makes of each value, until project returns an error; that
// is then the stream's, and the source is unsubscribed.
//
//	src:                --1--2--x--4--|
//	TryMap(parse):      --1--2--#
//
// Otherwise it is [Map].
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
					end.Error(err)
				} else {
					down.Next(out)
				}
			},
			Terminal: end,
		})
	})
}
