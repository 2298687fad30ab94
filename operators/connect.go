package operators

import "github.com/rxsocket/rxsocket/observable"

// Connect shares one subscription to the source between several parts of one stream:
// selector gets an observable that multicasts the source, and returns the stream.
//
//	src:                                      --1-------2-------3-------|
//	Connect(s => Merge(s, Map(s, x => 10x))): --(1 10)--(2 20)--(3 30)--|
//
// The source is subscribed to after the stream, so a part that subscribes to the shared
// observable at once misses nothing. The stream ends as the observable from selector
// does: completion, errors and panics of the source reach it through the shared
// observable only. A panic of the source that reaches no part goes to the handler of
// [observable.OnUnhandled]. A panic in selector is the stream's error. Unsubscribing from
// the stream unsubscribes from the source. RxJS: connect. See also [ConnectWith],
// [Share].
func Connect[T, R any](
	src observable.Observable[T], selector func(shared observable.Observable[T]) observable.Observable[R],
) observable.Observable[R] {
	if selector == nil {
		return invalid[R]("Connect", "selector", isNil)
	}
	subject := func() observable.Processor[T] { return new(observable.Subject[T]) }
	return connectWith(src, subject, selector)
}

// ConnectWith is [Connect] with a processor from connector, which is called for each
// subscription. A replay subject, for example, gives late parts of the stream the values
// that they missed.
//
//	src:                                                            --1--2----------3---|
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

// feed attaches src and emits its notifications into processor.
func feed[T any](processor observable.Processor[T], src observable.Observable[T], sc *observable.Scope) {
	up := sc.Child()
	in := into(processor, up)
	observable.Attach(src, up, observable.Intercept(up, observable.Stage[T]{
		Next: in.Next,
		Terminal: &observable.TerminalFuncs{
			OnError: func(err error) {
				if subjectOf(processor) != nil {
					defer sc.Drop(err) // its subscribers may have left
				}
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

// into returns a stage that emits into processor from inside the gate of sc. It emits
// directly into a subject of the toolkit. Around another processor, values that come back
// into the same gate are delivered at once.
func into[T any](processor observable.Processor[T], sc *observable.Scope) observable.Stage[T] {
	if subject := subjectOf(processor); subject != nil {
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

// subjectOf returns processor as a subject of the toolkit, or nil if it is none.
func subjectOf[T any](processor observable.Processor[T]) *observable.Subject[T] {
	switch p := processor.(type) {
	case *observable.Subject[T]:
		return p
	case *observable.BehaviorSubject[T]:
		return &p.Subject
	case *observable.ReplaySubject[T]:
		return &p.Subject
	case *observable.AsyncSubject[T]:
		return &p.Subject
	}
	return nil
}
