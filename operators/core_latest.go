package operators

import "github.com/rxsocket/rxsocket/observable"

// latest holds the latest value of each of several sources, in one subscription. It is
// the mechanism of CombineLatest, ForkJoin and WithLatestFrom for any number and types of
// sources.
type latest[R any] struct {
	end     ending[R]
	emits   emission
	combine func() R // makes a value of the inputs' values
	missing int      // number of inputs without a value yet
	active  int      // number of inputs that have not completed
}

// emission is the time at which a latest emits.
type emission int

const (
	elsewhere emission = iota // with another source; the inputs only keep their values
	onEach                    // at each value once all inputs have one; ends with the last
	atEnd                     // when all inputs have completed; one without a value ends it
)

// latestInput is one of the sources and its terminal. All inputs are made before the
// first is subscribed to.
type latestInput[T, R any] struct {
	*latest[R]
	scope observable.Scope
	value T
	has   bool
}

func newLatest[R any](sc *observable.Scope, down observable.Stage[R], emits emission) *latest[R] {
	return &latest[R]{end: ending[R]{sc: sc, down: down}, emits: emits}
}

// inputOf returns a new input of l.
func inputOf[T, R any](l *latest[R]) *latestInput[T, R] { return &inputsOf[T](l, 1)[0] }

// inputsOf returns n new inputs of l.
func inputsOf[T, R any](l *latest[R], n int) []latestInput[T, R] {
	inputs := make([]latestInput[T, R], n)
	for i := range inputs {
		inputs[i].latest = l
	}
	l.missing += n
	l.active += n
	return inputs
}

// valuesOf returns the inputs' values, in a fresh slice.
func valuesOf[T, R any](inputs []latestInput[T, R]) []T {
	values := make([]T, len(inputs))
	for i := range inputs {
		values[i] = inputs[i].value
	}
	return values
}

func (in *latestInput[T, R]) subscribe(src observable.Observable[T]) {
	in.end.sc.Nest(&in.scope)
	observable.Attach(src, &in.scope, observable.Stage[T]{Next: in.next, Terminal: in})
}

func (in *latestInput[T, R]) next(v T) {
	in.value = v
	if !in.has {
		in.has = true
		in.missing--
	}
	if in.emits == onEach && in.missing == 0 && !in.end.ended {
		in.end.down.Next(in.combine())
	}
}

func (in *latestInput[T, R]) Error(err error) { in.end.Error(err) }

// Complete keeps the order of RxJS: the input that completes a CombineLatest is torn down
// after the completion, the input that completes a ForkJoin before it.
func (in *latestInput[T, R]) Complete() {
	in.active--
	if in.emits == onEach && in.active == 0 {
		in.end.Complete()
	}
	in.scope.Close()
	switch {
	case in.emits != atEnd, !in.end.sc.Open(): // a teardown may have unsubscribed
	case !in.has:
		in.end.Complete()
	case in.active == 0:
		in.end.finish(in.combine())
	}
}

// joinAll joins any number of sources of one type.
func joinAll[T any](emits emission, srcs []observable.Observable[T]) observable.Observable[[]T] {
	if len(srcs) == 0 {
		return observable.Empty[[]T]()
	}
	return observable.AttachFunc[[]T](func(sc *observable.Scope, down observable.Stage[[]T]) {
		l := newLatest(sc, down, emits)
		inputs := inputsOf[T](l, len(srcs))
		l.combine = func() []T { return valuesOf(inputs) }
		for i := range inputs {
			inputs[i].subscribe(srcs[i])
		}
	})
}

// join2 is the operator fn for two sources.
func join2[A, B, R any](
	fn string, emits emission, a observable.Observable[A], b observable.Observable[B], project func(A, B) R,
) observable.Observable[R] {
	if project == nil {
		return invalid[R](fn, "project", isNil)
	}
	return observable.AttachFunc[R](func(sc *observable.Scope, down observable.Stage[R]) {
		l := newLatest(sc, down, emits)
		ia, ib := inputOf[A](l), inputOf[B](l)
		l.combine = func() R { return project(ia.value, ib.value) }
		ia.subscribe(a)
		ib.subscribe(b)
	})
}

// join3 is the operator fn for three sources.
func join3[A, B, C, R any](
	fn string, emits emission, a observable.Observable[A], b observable.Observable[B], c observable.Observable[C],
	project func(A, B, C) R,
) observable.Observable[R] {
	if project == nil {
		return invalid[R](fn, "project", isNil)
	}
	return observable.AttachFunc[R](func(sc *observable.Scope, down observable.Stage[R]) {
		l := newLatest(sc, down, emits)
		ia, ib, ic := inputOf[A](l), inputOf[B](l), inputOf[C](l)
		l.combine = func() R { return project(ia.value, ib.value, ic.value) }
		ia.subscribe(a)
		ib.subscribe(b)
		ic.subscribe(c)
	})
}
