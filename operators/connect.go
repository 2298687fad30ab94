package operators

import "github.com/rxsocket/rxsocket/observable"

// Connect lets several parts of one stream share one subscription to the source: selector is given
// an observable that multicasts the source, and returns the stream.
//
//	src:                                      --1--2--3--|
//	Connect(s => Merge(s, Map(s, x => 10x))): --(1 10)--(2 20)--(3 30)--|
//
// The source is subscribed to when the stream has been; so nothing is missed by what subscribes to
// the shared observable at once. The stream ends as what selector returned does: completion and
// errors of the source, panics in it too, reach it through the shared observable only. A panic in
// selector is the stream's error. The source is unsubscribed with the stream. RxJS: connect. See
// also [ConnectWith], [Share].
func Connect[T, R any](
	src observable.Observable[T], selector func(shared observable.Observable[T]) observable.Observable[R],
) observable.Observable[R] {
	if selector == nil {
		return invalid[R]("Connect", "selector", isNil)
	}
	subject := func() observable.Processor[T] { return new(observable.Subject[T]) }
	return connectWith(src, subject, selector)
}

// ConnectWith is [Connect] with a processor of your choice, made by connector for each
// subscription: a replay subject, so that parts of the stream that subscribe late get what they
// missed.
//
//	src:                                                            --1--2--3--|
//	ConnectWith(replay, s => Concat(Take(s, 2), Map(s, x => 10x))): --1--(2 10 20)--30--|
func ConnectWith[T, R any](
	src observable.Observable[T],
	connector func() observable.Processor[T],
	selector func(shared observable.Observable[T]) observable.Observable[R],
) observable.Observable[R] {
	switch {
	case connector == nil:
		return invalid[R]("ConnectWith", "connector", isNil)
	case selector == nil:
		return invalid[R]("ConnectWith", "selector", isNil)
	}
	return connectWith(src, connector, selector)
}

func connectWith[T, R any](
	src observable.Observable[T],
	connector func() observable.Processor[T],
	selector func(shared observable.Observable[T]) observable.Observable[R],
) observable.Observable[R] {
	return observable.AttachFunc[R](func(sc *observable.Scope, down observable.Stage[R]) {
		processor := connector()
		observable.Attach(selector(processor), sc, down)
		feed(processor, src, sc)
	})
}

// feed attaches src, to emit into processor.
func feed[T any](processor observable.Processor[T], src observable.Observable[T], sc *observable.Scope) {
	up := sc.Child()
	in := into(processor, up)
	observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{
		Next: in.Next,
		Terminal: &observable.TerminalFuncs{
			OnError: func(err error) {
				in.Error(err)
				up.Close()
			},
			OnComplete: func() {
				in.Complete()
				up.Close()
			},
		},
	}))
}

// into returns a stage that emits into processor from inside the gate of sc: directly if it is one
// of the toolkit's subjects, and else so that what it emits into the same gate is delivered at
// once.
func into[T any](processor observable.Processor[T], sc *observable.Scope) observable.Stage[T] {
	var subject *observable.Subject[T]
	switch p := processor.(type) {
	case *observable.Subject[T]:
		subject = p
	case *observable.BehaviorSubject[T]:
		subject = &p.Subject
	case *observable.ReplaySubject[T]:
		subject = &p.Subject
	case *observable.AsyncSubject[T]:
		subject = &p.Subject
	}
	if subject != nil {
		feed := observable.NewFeed(subject, sc)
		return observable.Stage[T]{Next: feed.Next, Terminal: feed}
	}
	return observable.Stage[T]{
		Next: func(v T) { sc.ConnectAll(func() { processor.Next(v) }) },
		Terminal: &observable.TerminalFuncs{
			OnError:    func(err error) { sc.ConnectAll(func() { processor.Error(err) }) },
			OnComplete: func() { sc.ConnectAll(processor.Complete) },
		},
	}
}
