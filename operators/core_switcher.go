package operators

import "github.com/rxsocket/rxsocket/observable"

func switchMap[A, B any](
	src observable.Observable[A], project func(A) (observable.Observable[B], error),
) observable.Observable[B] {
	project = isolating(project)
	return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
		s := newSwitcher(sc, down, project)
		s.run(src, s.pass)
	})
}

func exhaustMap[A, B any](
	src observable.Observable[A], project func(A) (observable.Observable[B], error),
) observable.Observable[B] {
	project = isolating(project)
	return observable.AttachFunc[B](func(sc *observable.Scope, down observable.Stage[B]) {
		s := newSwitcher(sc, down, project)
		s.exhaust = true
		s.run(src, s.pass)
	})
}

// switcher is one subscription of an operator that runs one inner observable at a time
// and queues no value: a value that comes while one runs replaces it, or is dropped. It
// is the mechanism of SwitchMap, SwitchScan and ExhaustMap, and the terminal of its
// source.
type switcher[A, B any] struct {
	end     ending[B]
	project func(A) (observable.Observable[B], error)
	exhaust bool // whether a new value is dropped while an inner observable runs

	emit      func(B) // receiver of the values of the inner observables
	outer     observable.Scope
	current   *switchedInner[A, B]
	completed bool // whether the source has completed
}

func newSwitcher[A, B any](
	sc *observable.Scope, down observable.Stage[B], project func(A) (observable.Observable[B], error),
) *switcher[A, B] {
	return &switcher[A, B]{end: ending[B]{sc: sc, down: down}, project: project}
}

func (s *switcher[A, B]) run(src observable.Observable[A], emit func(B)) {
	s.emit = emit
	s.end.sc.Nest(&s.outer)
	observable.Attach(src, &s.outer, observable.Stage[A]{Next: s.next, Terminal: s})
}

func (s *switcher[A, B]) next(v A) {
	if s.end.ended || s.exhaust && s.current != nil {
		return
	}
	if s.current != nil {
		s.current.scope.Close()
		s.current = nil
	}
	src, err := s.project(v)
	if err != nil {
		if s.end.sc.Open() {
			s.end.Error(err)
		}
		return
	}
	in := &switchedInner[A, B]{switcher: s}
	returned := false
	// After a panic downstream, a source that goes on must not find an inner observable
	// that never ends.
	defer func() {
		if !returned && s.current == in {
			s.current = nil
			in.scope.Close()
		}
	}()
	s.current = in
	s.end.sc.Nest(&in.scope)
	observable.Attach(src, &in.scope, observable.Stage[B]{Next: s.emit, Terminal: in})
	returned = true
}

// pass emits a value of an inner observable.
func (s *switcher[A, B]) pass(v B) {
	if !s.end.ended {
		s.end.down.Next(v)
	}
}

// Error ends everything with the source's error.
func (s *switcher[A, B]) Error(err error) { s.end.Error(err) }

// Complete notes that the source has completed. If this completes the stream, the source
// is torn down after that, as in RxJS.
func (s *switcher[A, B]) Complete() {
	s.completed = true
	s.completeIfDone()
	s.outer.Close()
}

func (s *switcher[A, B]) completeIfDone() {
	if s.completed && s.current == nil {
		s.end.Complete()
	}
}

// switchedInner is the subscription to one inner observable, and its terminal, in one
// allocation.
type switchedInner[A, B any] struct {
	*switcher[A, B]
	scope observable.Scope
}

func (in *switchedInner[A, B]) Error(err error) { in.end.Error(err) }

func (in *switchedInner[A, B]) Complete() {
	in.current = nil
	in.completeIfDone()
	in.scope.Close()
}
