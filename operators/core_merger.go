package operators

import "github.com/rxsocket/rxsocket/observable"

// merger is one subscription of an operator that runs several inner observables at a
// time, or one after the other. It is the mechanism of MergeMap, ConcatMap, Merge,
// Concat, MergeScan, Expand and OnErrorResumeNext. It is also the terminal of its source.
//
// A synchronous inner observable calls these methods before start returns. Code after an
// Attach therefore reads the state anew.
type merger[A, B any] struct {
	end        ending[B]
	project    func(A) (observable.Observable[B], error)
	concurrent int
	resume     bool // whether the error of an inner observable counts as its completion

	emit      func(B) // receiver of the values of the inner observables
	guarded   func(B) // emit wrapped by Intercept, for resume; the same for all
	outer     observable.Scope
	active    int // number of inner observables that go on or start
	waiting   queue[A]
	completed bool // whether the source has completed
}

func newMerger[A, B any](
	sc *observable.Scope, down observable.Stage[B], concurrent int, project func(A) (observable.Observable[B], error),
) *merger[A, B] {
	return &merger[A, B]{end: ending[B]{sc: sc, down: down}, concurrent: concurrent, project: project}
}

// run subscribes to the source. The source's values go to next, those of the inner
// observables to emit.
func (m *merger[A, B]) run(src observable.Observable[A], next func(A), emit func(B)) {
	m.emit = emit
	m.end.sc.Nest(&m.outer)
	observable.Attach(src, &m.outer, observable.Stage[A]{Next: next, Terminal: m})
}

// runAll subscribes to the inner observables of values, without a source.
func (m *merger[A, B]) runAll(values []A) {
	m.emit = m.pass
	m.end.sc.Nest(&m.outer)
	for _, v := range values {
		m.waiting.push(v)
	}
	m.completed = true
	m.startWaiting()
}

// next starts the inner observable of v, or queues v if the limit is reached.
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

// start subscribes to the inner observable of v, which active counts already. The caller
// calls started of the result, which may be nil.
func (m *merger[A, B]) start(v A) *mergedInner[A, B] {
	var in *mergedInner[A, B]
	returned := false
	defer func() {
		if !returned {
			m.interrupted(in)
		}
	}()
	src, err := m.project(v)
	if err != nil {
		if m.open() {
			m.end.Error(err)
		}
		returned = true
		return nil
	}
	in = &mergedInner[A, B]{merger: m, starting: true}
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
	returned = true
	return in
}

// interrupted ends an inner observable whose start has panicked; in may be nil. A source
// that goes on after a panic downstream of it, as a server's connections do, finds the
// place free.
func (m *merger[A, B]) interrupted(in *mergedInner[A, B]) {
	if in == nil || in.scope.Open() {
		m.active--
	}
	if in != nil {
		in.scope.Close()
	}
}

// startWaiting starts the inner observables of queued values, up to the limit. It is a
// loop: an inner observable that completes while it starts leaves the queued values to
// the loop. So a thousand synchronous ones in a row do not nest a thousand calls.
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

// Complete notes that the source has completed. If this completes the stream, the source
// is torn down after that, as in RxJS.
func (m *merger[A, B]) Complete() {
	m.completed = true
	m.completeIfDone()
	m.outer.Close()
}

// mergedInner is the subscription to one inner observable, and its terminal, in one
// allocation.
type mergedInner[A, B any] struct {
	*merger[A, B]
	scope    observable.Scope
	starting bool // whether its Attach has not returned yet
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
