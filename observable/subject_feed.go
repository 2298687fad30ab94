package observable

// Feed is a way into a [Subject] from inside a gate: see [NewFeed].
type Feed[T any] struct {
	subject *multicast[T]
	root    *root
}

// NewFeed returns a way into subject from inside the gate of sc, for operators that make
// observables of the values passing through them, as window, groupBy and connect do. It
// calls a subscriber in the same gate directly, as the next stage would be called, and
// any other as Next of the subject does. Nobody else may emit into the subject.
func NewFeed[T any](subject *Subject[T], sc *Scope) Feed[T] {
	return Feed[T]{&subject.multicast, sc.root}
}

// Next passes value on to the subject's subscribers.
func (f Feed[T]) Next(value T) { f.emit(notification[T]{value: value}) }

// Error ends the subject and its subscribers with err. Its caller passes err on to others
// too, or to [Scope.Drop], which reports a panic that no subscriber has got.
func (f Feed[T]) Error(err error) { f.emit(notification[T]{kind: isError, err: err}) }

// Complete ends the subject and its subscribers.
func (f Feed[T]) Complete() { f.emit(notification[T]{kind: isComplete}) }

// emit gives n to the subscribers. The caller holds the gate, so one notification comes
// after the other, except those that a callback emits back: they come in between, as in
// RxJS.
func (f Feed[T]) emit(n notification[T]) {
	m := f.subject
	if m.memory == nil && n.kind == isValue {
		f.send(n, m.roster.all()) // none if the subject has ended
		return
	}
	m.mu.Lock()
	before, pass := m.record(n)
	targets := m.roster.all()
	if pass && n.kind == isError {
		retain(n.err, len(targets))
	}
	if n.kind != isValue {
		m.roster.clear()
		defer m.tellEnders() // also when a callback ends this goroutine
	}
	m.mu.Unlock()
	for _, b := range before {
		f.send(b, targets)
	}
	if pass {
		f.send(n, targets)
	}
}

// send gives n to the targets, to all of them even if the callback of one ends this
// goroutine.
func (f Feed[T]) send(n notification[T], targets []*subscriber[T]) {
	sent := 0
	defer func() {
		if sent < len(targets) {
			f.send(n, targets[sent:])
		}
	}()
	for _, s := range targets {
		sent++
		switch {
		case s.scope.root == f.root:
			s.inline(n)
		case n.kind == isValue:
			if s.live() {
				f.root.offer = passed // it has reached a subscriber; others may have left
			}
			s.Next(numbered[T]{value: n.value})
		case n.kind == isError:
			s.Error(n.err)
		default:
			s.Complete()
		}
	}
}

// inline delivers n inside the gate, which the caller holds. A panic is dealt with here,
// before the next subscriber gets n: it may have ended that one too.
func (s *subscriber[T]) inline(n notification[T]) {
	r := s.scope.root
	if !s.live() {
		if n.kind == isError {
			r.drop(n.err)
		}
		return
	}
	returned := false
	defer r.settle(&returned, r.current)
	r.current = s.scope.handler
	n.deliver(s.down)
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
