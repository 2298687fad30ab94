package observable

import "github.com/rxsocket/rxsocket/observable/interleave"

// multicast is the common part of the subjects: the list of subscribers and the delivery.
// A subject with a memory sets the hooks.
//
// All subscribers see one order. The goroutine that emits delivers to one subscriber
// after the other, directly into their gates. Another goroutine that emits meanwhile does
// not wait for the callbacks of the first: it queues the first value at all gates, its
// own value behind that, and then has these gates served. The values are numbered, and a
// subscriber that has got the first one already passes over it. So a slow subscriber
// holds up nobody else until its queue is full. mu is held while something is queued at
// several gates, and never while a subscriber is called.
type multicast[T any] struct {
	roster roster[T] // read without mu

	mu      interleave.Mutex // guards the fields below
	ended   bool
	end     notification[T] // the terminal, once there was one
	memory  memory[T]
	enders  map[*func()]struct{} // functions to call when the subject ends
	numbers int64                // the last number given to a value
	current emission[T]
	later   []notification[T] // emitted by callbacks on the goroutine of current
}

// emission is the value that a goroutine delivers directly. That goroutine changes it
// with mu held, and reads it without.
type emission[T any] struct {
	owner   interleave.Uintptr // the goroutine, or 0
	value   numbered[T]
	targets []*subscriber[T]
	queued  bool // another goroutine has queued the value at the gates; guarded by mu
	at      int  // the target at hand; belongs to the goroutine
}

// numbered is a value with its place in the order of the subject's values, or 0 if it
// went to a sole subscriber.
type numbered[T any] struct {
	value  T
	number int64
}

// memory is a subject's record of the past; its methods are called with mu held.
type memory[T any] interface {
	// store keeps n. It returns the notifications to deliver before it, if any, and
	// whether n itself is delivered now.
	store(n notification[T]) (before []notification[T], pass bool)
	// replay returns the notifications that a new subscriber gets first.
	replay(end *notification[T]) []notification[T]
}

// subscriber is an emitter on a subject's list, with the scope that takes it off.
type subscriber[T any] struct {
	Emitter[numbered[T]]
	subject *multicast[T]
	down    Stage[T]
	got     int64 // the highest number of a value that has come here; guarded by the gate
	life    Scope
	listed  bool // guarded by the subject's mu

	// The list of this subscriber alone. It is part of it, so that it costs no allocation
	// and a subject keeps no subscriber that has left.
	alone []*subscriber[T]
	sole  [1]*subscriber[T]
}

// receive gives v to the stage, unless it has come already. The gate is held.
func (s *subscriber[T]) receive(v numbered[T]) {
	if v.number == 0 {
		s.down.Next(v.value)
	} else if v.number > s.got {
		s.got = v.number
		s.down.Next(v.value)
	}
}

// next emits value.
func (m *multicast[T]) next(value T) {
	targets := m.roster.all()
	switch {
	case m.memory != nil || len(targets) > 1 || m.current.owner.Load() != 0:
		m.submit(notification[T]{value: value}, goroutine())
	case len(targets) == 1: // the usual case; the order is that of its gate
		targets[0].Next(numbered[T]{value: value})
	}
}

// submit emits n: at once, or after the notification that this goroutine is emitting
// already.
func (m *multicast[T]) submit(n notification[T], me uintptr) {
	m.mu.Lock()
	switch {
	case m.current.owner.Load() == me:
		m.later = append(m.later, n)
		m.mu.Unlock()
	case m.current.owner.Load() == 0 && n.kind == isValue:
		m.begin(n)
		m.current.owner.Store(me)
		m.mu.Unlock()
		m.deliver(me)
	default:
		m.mu.Unlock()
		m.enqueue(n, me)
	}
}

// begin makes n the current emission; mu is held.
func (m *multicast[T]) begin(n notification[T]) {
	m.current.targets, m.current.queued, m.current.at = nil, false, 0
	if _, pass := m.record(n); pass {
		m.current.value, m.current.targets = m.number(n.value), m.roster.all()
	}
}

// number gives value the next number; mu is held.
func (m *multicast[T]) number(value T) numbered[T] {
	m.numbers++
	return numbered[T]{value, m.numbers}
}

// record notes n in the subject's memory, and returns the notifications to deliver before
// it, and whether n itself is delivered; mu is held.
func (m *multicast[T]) record(n notification[T]) (before []notification[T], pass bool) {
	if m.ended {
		return nil, false
	}
	if n.kind != isValue {
		m.ended, m.end = true, n
	}
	if m.memory == nil {
		return nil, true
	}
	return m.memory.store(n)
}

// deliver delivers the current emission and then the notifications that its callbacks
// have emitted, also when a callback ends this goroutine.
func (m *multicast[T]) deliver(me uintptr) {
	returned := false
	defer func() {
		if !returned && m.proceed(me) {
			m.deliver(me)
		}
	}()
	for more := true; more; more = m.proceed(me) {
		deliverTo(&m.current, me)
	}
	returned = true
}

// proceed goes on with the notifications that callbacks have emitted, and reports whether
// the next one is a value to deliver directly.
func (m *multicast[T]) proceed(me uintptr) bool {
	for {
		m.mu.Lock()
		if len(m.later) == 0 {
			m.current.value, m.current.targets = numbered[T]{}, nil
			m.current.owner.Store(0)
			m.later = nil
			m.mu.Unlock()
			return false
		}
		n := m.later[0]
		m.later[0] = notification[T]{}
		m.later = m.later[1:]
		if n.kind == isValue {
			m.begin(n)
			m.mu.Unlock()
			return true
		}
		m.mu.Unlock()
		m.enqueue(n, me)
	}
}

// deliverTo delivers an emission to its targets. Panics are dealt with at the gate of the
// subscriber whose callback panics.
func deliverTo[T any](e *emission[T], me uintptr) {
	var inside *root // the root whose gate is held
	returned := false
	defer func() {
		if returned {
			return
		}
		defer deliverTo(e, me) // the rest
		if inside != nil {
			defer inside.leave() // a callback of fail may end this goroutine
			inside.fail(failure(recover()))
		}
	}()
	for _, s := range e.targets[e.at:] {
		e.at++
		r := s.scope.root
		switch {
		case !s.live():
		case !r.gate.seize(me) || !r.gate.plain() && !r.gate.entered(me): // enter, without a call
			s.subject.queueOne(s, me)
		default:
			inside, r.current = r, s.scope.handler
			if s.scope.Open() && e.value.number > s.got { // it may have closed meanwhile
				s.got, s.busy = e.value.number, true
				s.down.Next(e.value.value)
				s.busy = false
			}
			inside, r.current = nil, nil
			if r.gate.release(me); r.gate.backlog.Load() != 0 { // leave, without a call
				r.gate.serve(me)
			}
		}
	}
	returned = true
}

// queueOne queues the current value at the gate of s, which is taken.
func (m *multicast[T]) queueOne(s *subscriber[T], me uintptr) {
	if s.isConnecting(me) {
		s.nest(m.current.value)
		return
	}
	if s.isFull(m.current.targets, me, false) {
		s.waitForRoom(me)
	}
	m.mu.Lock()
	if !m.current.queued {
		s.queue(m.current.value, me)
	} else {
		s.leaveRoom()
	}
	m.mu.Unlock()
	s.scope.root.gate.serve(me)
}

// enqueue queues n at the gates of all subscribers, behind the rest of the current
// emission, and has them served.
func (m *multicast[T]) enqueue(n notification[T], me uintptr) {
	var waitedFor []*subscriber[T]
	if all := m.roster.all(); n.kind == isValue && waitForRoom(all, me) {
		waitedFor = all
	}
	m.mu.Lock()
	var served []*subscriber[T]
	if !m.current.queued {
		m.current.queued, served = true, m.current.targets
		queueAt(served, m.current.value, me)
	}
	before, pass := m.record(n)
	targets := m.roster.all()
	if n.kind == isError {
		retain(n.err, len(targets))
		defer m.passedOn(n.err, pass, targets)
	}
	for _, b := range before {
		m.queueAll(targets, b, me)
	}
	if pass {
		m.queueAll(targets, n, me)
	}
	if n.kind != isValue {
		m.roster.clear()
		defer m.tellEnders() // also when a callback ends this goroutine
	}
	m.mu.Unlock()
	for _, s := range waitedFor {
		s.leaveRoom() // it may have left, and then nothing is queued there
	}
	serve(served, me)
	serve(targets, me)
}

// passedOn gives up the caller's own reference to an error that it has retained for the
// targets.
func (m *multicast[T]) passedOn(err error, pass bool, targets []*subscriber[T]) {
	switch {
	case pass && len(targets) == 0: // it is kept for late subscribers and not reported
		retain(err, -1)
	case !release(err):
	case pass: // all of them have left
		targets[0].scope.root.unhandled(err)
	default: // the subject had ended before
		ReportUnhandled(err, (*Subject[T])(nil))
	}
}

// serve has the gates of the subscribers deliver their queues, all of them even if a
// callback ends this goroutine.
func serve[T any](targets []*subscriber[T], me uintptr) {
	served := 0
	defer func() {
		if served < len(targets) {
			serve(targets[served:], me)
		}
	}()
	for _, s := range targets {
		if served++; s.isConnecting(me) {
			s.flush(nil)
		} else {
			s.scope.root.gate.serve(me)
		}
	}
}

// queueAll adds n to the queues of the targets' gates; mu is held.
func (m *multicast[T]) queueAll(targets []*subscriber[T], n notification[T], me uintptr) {
	if n.kind == isValue {
		queueAt(targets, m.number(n.value), me)
		return
	}
	for _, s := range targets {
		s.queueEnd(n, me)
	}
}

// queueAt adds v to the queues of the targets' gates; the subject's mu is held.
func queueAt[T any](targets []*subscriber[T], v numbered[T], me uintptr) {
	for _, s := range targets {
		s.queue(v, me)
	}
}

// queue adds v to the queue of the subscriber's gate; the subject's mu is held.
func (s *subscriber[T]) queue(v numbered[T], me uintptr) {
	g := &s.scope.root.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.live() {
		s.add(v)
		g.push(me, &s.Emitter, 1)
	}
	g.tellRoom()
	if g.values >= g.limit() && g.blocked.Load() > 0 && g.owner.Load() == 0 {
		g.handOn() // the caller may stay in the callbacks of earlier subscribers
	}
}

// queueEnd adds the terminal n to the queue of the subscriber's gate; the subject's mu is
// held.
func (s *subscriber[T]) queueEnd(n notification[T], me uintptr) {
	g := &s.scope.root.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if !s.live() || s.ended.Swap(true) {
		release(n.err) // not the last reference: the caller has its own
		return
	}
	if s.terminal = n.err; n.kind == isComplete {
		s.terminal = errComplete
	}
	g.push(me, &s.Emitter, 0)
}

// attach adds a subscriber, and first gives it the values that the subject remembers.
func (m *multicast[T]) attach(sc *Scope, down Stage[T]) {
	s := &subscriber[T]{subject: m, down: down}
	s.Emitter = Emitter[numbered[T]]{scope: sc, stage: Stage[numbered[T]]{Next: s.receive, Terminal: down.Terminal}}
	s.life.finally = s
	sc.Nest(&s.life)

	m.mu.Lock()
	var first []notification[T]
	if m.memory != nil {
		first = m.memory.replay(m.terminal())
	} else if m.ended {
		first = []notification[T]{m.end}
	}
	if !m.ended && s.life.Open() {
		m.roster.add(s)
	}
	m.mu.Unlock()

	for i := range first {
		if !sc.Open() {
			return
		}
		if first[i].kind == isError {
			retain(first[i].err, 1)
		}
		first[i].deliver(down)
	}
}

// terminal returns the subject's terminal, or nil; mu is held.
func (m *multicast[T]) terminal() *notification[T] {
	if !m.ended {
		return nil
	}
	return &m.end
}

// finalize takes the subscriber off the list.
func (s *subscriber[T]) finalize() {
	s.subject.mu.Lock()
	defer s.subject.mu.Unlock()
	s.subject.roster.remove(s)
}
