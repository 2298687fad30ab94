package operators

import "github.com/rxsocket/rxsocket/observable"

// kept is the latest value of a source, until it is emitted.
type kept[T any] struct {
	value T
	has   bool
}

func (k *kept[T]) put(v T) { k.value, k.has = v, true }

// emit forgets the value, if there is one, and passes it to next.
func (k *kept[T]) emit(next func(T)) {
	if !k.has {
		return
	}
	v := k.value
	*k = kept[T]{}
	next(v)
}

// trigger waits for the first notification of an observable that a selector returns for a
// value: the duration of Debounce, Throttle and Audit. It waits for at most one at a
// time. So one function receives from all of them, and each costs one allocation besides
// its own.
type trigger[T, N any] struct {
	sc       *observable.Scope
	selector func(T) observable.Observable[N]
	fired    func()      // called when the observable has emitted and is torn down
	lapsed   func()      // called when it has completed without a value and is torn down
	failed   func(error) // called when it has failed

	// late has current set only when the subscription is made, as in RxJS's throttle. A
	// notification inside the subscription then does not end the wait.
	late bool

	next    func(N)           // receiver of the values of all these observables
	current *observable.Scope // scope of the awaited observable, or nil
}

// start waits for the observable that the selector returns for v. No other wait goes on.
func (t *trigger[T, N]) start(v T) {
	if t.next == nil {
		t.next = func(N) {
			t.stop()
			t.fired()
		}
	}
	src := t.selector(v)
	w := &awaited[T, N]{trigger: t}
	t.sc.Nest(&w.scope)
	if !t.late {
		t.current = &w.scope
	}
	observable.Attach(src, &w.scope, observable.Stage[N]{Next: t.next, Terminal: w})
	if t.late && w.scope.Open() {
		t.current = &w.scope
	}
}

// stop ends the wait, if there is one.
func (t *trigger[T, N]) stop() {
	if current := t.current; current != nil {
		t.current = nil
		current.Close()
	}
}

// awaited is the subscription to the observable that a trigger waits for, and its
// terminal.
type awaited[T, N any] struct {
	*trigger[T, N]
	scope observable.Scope
}

func (w *awaited[T, N]) Error(err error) { w.failed(err) }

func (w *awaited[T, N]) Complete() {
	w.current = nil
	w.scope.Close()
	w.lapsed()
}
