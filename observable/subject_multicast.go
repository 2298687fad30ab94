package observable

import (
	"sync"
	"sync/atomic"
)

// multicast is what the subjects share: the list of subscribers, the gate that whoever emits
// holds, and the delivery. A subject with a memory sets the hooks.
type multicast[T any] struct {
	gate   gate
	roster roster[T]   // read without mu
	over   atomic.Bool // the subject has ended, as ended says, for those who do not hold mu

	queue   []notification[T] // what waits at the gate; guarded by the gate's mu
	current []notification[T] // what is being delivered of it; the gate holder's

	mu     sync.Mutex // guards what follows; never held while a subscriber is called
	ended  bool
	end    notification[T] // the terminal, once there was one
	memory memory[T]
	enders map[*func()]struct{} // functions to call when the subject ends
}

// memory is what a subject keeps of the past; its methods are called with mu held.
type memory[T any] interface {
	// store keeps what is emitted. It returns what is to be delivered before it, if
	// anything, and whether n itself is delivered now.
	store(n notification[T]) (before []notification[T], pass bool)
	// replay returns what a new subscriber is to get first.
	replay(end *notification[T]) []notification[T]
}

// subscriber is an emitter on a subject's list, with the scope that takes it off.
type subscriber[T any] struct {
	Emitter[T]
	subject *multicast[T]
	life    Scope
	listed  bool // guarded by the subject's mu
}

// emitValue emits value, and leaves the gate that the caller holds.
func (m *multicast[T]) emitValue(value T, me uintptr) {
	defer m.gate.leave(me) // also when a callback ends this goroutine
	if m.memory == nil {
		sendValue(value, m.roster.all(), nil, me) // none if the subject has ended
	} else {
		m.emit(notification[T]{value: value}, nil, me)
	}
}

// terminate emits a terminal.
func (m *multicast[T]) terminate(n notification[T]) {
	me := goroutine()
	if !m.gate.enter(me) {
		m.enqueue(n, me)
		return
	}
	defer m.gate.leave(me)
	m.emit(n, nil, me)
}

// enqueue queues n, as another goroutine emits, or a callback further up. A value waits for room
// if it must.
func (m *multicast[T]) enqueue(n notification[T], me uintptr) {
	g := &m.gate
	g.mu.Lock()
	if n.kind == isValue && !g.waitForRoom(me, m.live) {
		g.mu.Unlock()
		return
	}
	m.queue = append(m.queue, n)
	g.pushAndTell(me, m, 1)
	g.mu.Unlock()
	g.serve(me)
}

func (m *multicast[T]) live() bool { return !m.over.Load() }

// take moves the next n notifications into delivery; the gate's mu is held.
func (m *multicast[T]) take(n int) {
	m.current = m.queue[:n:n]
	if m.queue = m.queue[n:]; len(m.queue) == 0 {
		m.queue = nil
	}
}

// deliver emits what take has taken.
func (m *multicast[T]) deliver(me uintptr) {
	for i := 1; len(m.current) > 0 && !waits.isExcused(me); i++ {
		n := m.current[0]
		m.current = m.current[1:]
		m.emit(n, nil, me)
		if i%roomEvery == 0 {
			m.gate.makeRoom(len(m.current))
		}
	}
}

// settle puts back what deliver has not come to; the gate's mu is held.
func (m *multicast[T]) settle() (left int) {
	if left = len(m.current); left > 0 {
		m.queue = append(append(make([]notification[T], 0, left+len(m.queue)), m.current...), m.queue...)
	}
	m.current = nil
	return left
}

// emit gives n, on the goroutine me, to the subscribers: directly to those in the gate of from,
// which the caller holds, if it is not nil.
func (m *multicast[T]) emit(n notification[T], from *root, me uintptr) {
	if m.memory == nil && n.kind == isValue {
		send(n, m.roster.all(), from, me) // none if the subject has ended
		return
	}
	m.mu.Lock()
	if m.ended {
		m.mu.Unlock()
		return
	}
	if n.kind != isValue {
		m.ended, m.end = true, n
		m.over.Store(true)
	}
	var before []notification[T]
	pass := true
	if m.memory != nil {
		before, pass = m.memory.store(n)
	}
	targets := m.roster.all()
	if n.kind != isValue {
		m.roster.clear()
	}
	m.mu.Unlock()
	for _, n := range before {
		send(n, targets, from, me)
	}
	if n.kind != isValue {
		defer m.tellEnders() // also when a callback ends this goroutine
	}
	if pass {
		send(n, targets, from, me)
	}
}

// OnEnd has f called when the subject ends, as [Ender] says.
func (m *multicast[T]) OnEnd(f func()) (stop func()) {
	key := &f
	m.mu.Lock()
	ended := m.ended
	if !ended {
		if m.enders == nil {
			m.enders = make(map[*func()]struct{})
		}
		m.enders[key] = struct{}{}
	}
	m.mu.Unlock()
	if ended {
		f()
	}
	return func() {
		m.mu.Lock()
		delete(m.enders, key)
		m.mu.Unlock()
	}
}

// tellEnders calls what was given to OnEnd, and lets producers go that wait for room.
func (m *multicast[T]) tellEnders() {
	m.mu.Lock()
	enders := m.enders
	m.enders = nil
	m.mu.Unlock()
	m.gate.wake()
	for f := range enders {
		(*f)()
	}
}

// send gives n to the targets, to all of them even if the callback of one ends this goroutine.
func send[T any](n notification[T], targets []*subscriber[T], from *root, me uintptr) {
	if n.kind == isValue {
		sendValue(n.value, targets, from, me)
		return
	}
	sent := 0
	defer func() {
		if sent < len(targets) {
			send(n, targets[sent:], from, me)
		}
	}()
	for _, s := range targets {
		sent++
		switch {
		case from != nil && s.scope.root == from:
			s.inline(n)
		case n.kind == isError:
			s.Error(n.err)
		default:
			s.Complete()
		}
	}
}

// sendValue is send for a value, the case whose cost counts: it recovers from panics once for all targets.
func sendValue[T any](v T, targets []*subscriber[T], from *root, me uintptr) {
	sent := 0
	var inside *root // whose gate is held
	defer func() {
		if sent == len(targets) && inside == nil {
			return
		}
		defer func() { sendValue(v, targets[sent:], from, me) }()
		if inside != nil {
			defer inside.leave() // what fail calls may end this goroutine
			inside.fail(failure(recover()))
		}
	}()
	for _, s := range targets {
		sent++
		r := s.scope.root
		switch {
		case r == from && from != nil:
			s.inline(notification[T]{value: v})
		case !s.live():
		case !r.gate.enter(me):
			s.enqueue(me, v)
		default:
			inside, r.current = r, s.scope.handler
			if s.scope.Open() { // it may have closed on the way into the gate
				s.pass(r, v)
			}
			inside, r.current = nil, nil
			r.gate.leave(me)
		}
	}
}

// inline delivers n inside the gate, which the caller holds. A panic is dealt with here, before the
// next subscriber gets n: it may have ended that one too.
func (s *subscriber[T]) inline(n notification[T]) {
	if !s.live() {
		return
	}
	r := s.scope.root
	returned := false
	defer r.settle(&returned, r.current)
	r.current = s.scope.handler
	n.deliver(s.stage)
	returned = true
}

func (n *notification[T]) deliver(stage Stage[T]) {
	switch n.kind {
	case isValue:
		stage.Next(n.value)
	case isError:
		stage.Error(n.err)
	case isComplete:
		stage.Complete()
	}
}

// attach adds a subscriber, and first gives it what the subject remembers.
func (m *multicast[T]) attach(sc *Scope, down Stage[T]) {
	s := &subscriber[T]{Emitter: Emitter[T]{scope: sc, stage: down}, subject: m}
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
