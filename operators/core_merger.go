package operators

import "github.com/rxsocket/rxsocket/observable"

// merger is one subscription of an operator that runs several inner observables at a time, or one
// after the other: the mechanism of MergeMap, ConcatMap, Merge, Concat, MergeScan, Expand and
// OnErrorResumeNext. It is also the terminal of its source.
//
// A synchronous source calls these methods while start has not returned. Whatever follows an Attach looks at the state anew.
type merger[A, B any] struct {
	end        ending[B]
	project    func(A) (observable.Observable[B], error)
	concurrent int
	resume     bool // the error of an inner observable counts as its completion

	emit      func(B) // where the values of the inner observables go
	guarded   func(B) // emit as Intercept makes it, for resume; the same for all of them
	outer     observable.Scope
	active    int // inner observables that have not ended, those being made included
	waiting   queue[A]
	completed bool // the source
}

func newMerger[A, B any](
	sc *observable.Scope, down observable.Stage[B], concurrent int, project func(A) (observable.Observable[B], error),
) *merger[A, B] {
	return &merger[A, B]{end: ending[B]{sc: sc, down: down}, concurrent: concurrent, project: project}
}

// run subscribes to the source, giving its values to next and those of the inner observables to emit.
func (m *merger[A, B]) run(src observable.Observable[A], next func(A), emit func(B)) {
	m.emit = emit
	m.end.sc.Nest(&m.outer)
	observable.Attach(src, &m.outer, observable.Stage[A]{Next: next, Terminal: m})
}

// runAll subscribes to the inner observables made of values, without a source.
func (m *merger[A, B]) runAll(values []A) {
	m.emit = m.pass
	m.end.sc.Nest(&m.outer)
	for _, v := range values {
		m.waiting.push(v)
	}
	m.completed = true
	m.startWaiting()
}

// next starts on v, or lets it wait its turn.
func (m *merger[A, B]) next(v A) {
	switch {
	case m.end.ended:
	case m.active >= m.concurrent:
		m.waiting.push(v)
	default:
		m.active++
		m.start(v).started()
		m.startWaiting()
	}
}

// start subscribes to what project makes of v, which active counts already. The caller tells what it returns, unless
// that is nil, that it has been started.
func (m *merger[A, B]) start(v A) *mergedInner[A, B] {
	src, err := m.project(v)
	if err != nil {
		if m.open() {
			m.end.Error(err)
		}
		return nil
	}
	in := &mergedInner[A, B]{merger: m, starting: true}
	m.end.sc.Nest(&in.scope)
	stage := observable.Stage[B]{Next: m.emit, Terminal: in}
	switch {
	case !m.resume:
	case m.guarded == nil:
		stage = observable.Intercept(&in.scope, stage)
		m.guarded = stage.Next
	default:
		stage = observable.Stage[B]{Next: m.guarded, Terminal: observable.InterceptTerminal(&in.scope, in)}
	}
	observable.Attach(src, &in.scope, stage)
	return in
}

// startWaiting starts on the values that wait, as far as the limit allows. It is a loop, and an inner
// observable that completes while it is being started leaves those waiting to it: a thousand
// synchronous ones in a row do not call each other a thousand deep.
func (m *merger[A, B]) startWaiting() {
	for m.waiting.len() > 0 && m.active < m.concurrent && m.open() {
		m.active++
		m.start(m.waiting.pop()).started()
	}
	m.completeIfDone()
}

func (m *merger[A, B]) completeIfDone() {
	if m.completed && m.active == 0 && m.waiting.len() == 0 && m.open() {
		m.end.Complete()
	}
}

// open reports whether anything may still be emitted.
func (m *merger[A, B]) open() bool { return !m.end.ended && m.end.sc.Open() }

// pass emits a value of an inner observable.
func (m *merger[A, B]) pass(v B) {
	if !m.end.ended {
		m.end.down.Next(v)
	}
}

// Error ends everything with the source's error.
func (m *merger[A, B]) Error(err error) { m.end.Error(err) }

// Complete notes that the source has completed. The source is torn down after the completion that
// this may be of the whole, as in RxJS.
func (m *merger[A, B]) Complete() {
	m.completed = true
	m.completeIfDone()
	m.outer.Close()
}

// mergedInner is the subscription to one inner observable, in one allocation, and its terminal.
type mergedInner[A, B any] struct {
	*merger[A, B]
	scope    observable.Scope
	starting bool // it is being subscribed to
}

func (in *mergedInner[A, B]) started() {
	if in != nil {
		in.starting = false
	}
}

func (in *mergedInner[A, B]) Error(err error) {
	if in.resume {
		in.Complete()
	} else {
		in.end.Error(err)
	}
}

func (in *mergedInner[A, B]) Complete() {
	in.scope.Close()
	in.active--
	if in.starting && in.waiting.len() > 0 {
		return
	}
	in.startWaiting()
}
