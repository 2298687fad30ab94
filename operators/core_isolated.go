package operators

import "github.com/rxsocket/rxsocket/observable"

// isolating gives the failures of project, and of the observables that it returns, to the
// values they were made for, if these answer for them: see [observable.Isolated]. It is
// called once for an operator.
func isolating[A, B any](project func(A) (observable.Observable[B], error)) func(A) (observable.Observable[B], error) {
	if !areIsolated[A]() {
		return project
	}
	return func(v A) (observable.Observable[B], error) {
		src := observable.Defer(func() observable.Observable[B] {
			src, err := project(v)
			if err != nil {
				return observable.Throw[B](err)
			}
			return src
		})
		return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
			up := sc.Child()
			observable.Attach(src, up, observable.Intercept(up, observable.Stage[B]{
				Next: down.Next,
				Terminal: &observable.TerminalFuncs{OnComplete: down.Complete, OnError: func(err error) {
					// The value hears of the failure when nothing is subscribed to it any
					// more: otherwise its own end would come on top.
					defer func() {
						switch {
						case !isolated(v, err):
							down.Error(err)
						case sc.Open():
							down.Complete()
						}
					}()
					up.Close()
				}},
			}))
		}), nil
	}
}

// failFor ends the stream with the failure of a callback for v, unless v answers for it.
func failFor[A any](v A, err error, end observable.Terminal) {
	if !isolated(v, err) {
		end.Error(err)
	}
}

// isolated gives v the failure of the work done for it, and reports whether v has taken
// it.
func isolated[A any](v A, err error) bool {
	if !areIsolated[A]() {
		return false
	}
	alone, ok := any(v).(observable.Isolated)
	return ok && alone.FailAlone(err)
}

// areIsolated reports whether values of the type answer for the work done for them.
func areIsolated[A any]() bool {
	_, are := any(*new(A)).(observable.Isolated)
	return are
}
