package operators

import "github.com/rxsocket/rxsocket/observable"

// kept is the latest value of a source, until it is emitted.
type kept[T any] struct {
	value T
	has   bool
}

func (k *kept[T]) put(v T) { k.value, k.has = v, true }

// emit passes the value on, if there is one. It is forgotten before that.
func (k *kept[T]) emit(next func(T)) {
	if !k.has {
		return
	}
	v := k.value
	*k = kept[T]{}
	next(v)
}

// trigger waits for the first notification of an observable that a selector makes of a value: the
// duration of Debounce, Throttle and Audit. At most one is being waited for, so all of them are
// received by one function, and each costs one allocation besides itself.
type trigger[T, N any] struct {
	sc       *observable.Scope
	selector func(T) observable.Observable[N]
	fired    func()      // it emitted, and is torn down by then
	lapsed   func()      // it completed without a value, and is torn down by then
	failed   func(error) // it failed

	// late makes current known only when the subscription has been made, as RxJS's throttle does: what
	// is emitted inside it then leaves it standing.
	late bool

	next    func(N)           // what all of these observables emit to
	current *observable.Scope // that of the observable being waited for, or nil
}

// start waits for what the selector makes of v. Nothing else is being waited for.
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

// awaited is the subscription to an observable that is being waited for, and its terminal.
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
