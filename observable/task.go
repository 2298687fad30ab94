package observable

// Task calls a function inside a scope's gate, in turn with the values of others, and
// never inside [Task.Schedule]. A goroutine that exists only for that makes the call; if
// the caller of Schedule is inside the gate, it makes the call when it leaves. An
// operator with a buffer makes a task at subscription, to empty the buffer. The task
// stops when the scope closes.
type Task struct {
	scope *Scope
	step  func() (more bool)
	more  bool // step is to be called again; the gate holder's
}

// NewTask returns a task that is not scheduled yet. step does one thing, such as emitting
// a value, and reports whether there is more to do: it is then called again, after the
// values that others have emitted meanwhile.
func (s *Scope) NewTask(step func() (more bool)) *Task { return &Task{scope: s, step: step} }

// Schedule has step called until it reports false. It may be called from any goroutine,
// and not again before step has found that there is nothing more to do: step notes that
// in the state of the operator, under its lock, and then returns false. Code that adds
// work looks there.
func (t *Task) Schedule() {
	g, me := &t.scope.root.gate, goroutine()
	g.mu.Lock()
	g.push(me, t, 0)
	free := g.owner.Load() == 0
	if free {
		g.by.Store(others)
	}
	g.mu.Unlock()
	if free {
		g.handOn()
	}
}

func (t *Task) take(int)       {}
func (t *Task) within() *Scope { return t.scope }

// deliver calls step for as long as nothing else waits. The scope may have closed while
// the task was queued.
func (t *Task) deliver(me uintptr) {
	r := t.scope.root
	if t.more = false; !t.scope.Open() {
		return
	}
	returned := false
	defer r.settle(&returned, r.current)
	r.current = t.scope.handler
	more := t.step()
	for more && t.scope.Open() && r.gate.backlog.Load() == 0 && !detecting() && !waits.isMarked(me) {
		more = t.step()
	}
	t.more, returned = more, true
}

// settle queues the task again if there is more to do.
func (t *Task) settle() (left int) {
	if t.more && t.scope.Open() {
		g := &t.scope.root.gate
		g.enqueue(g.owner.Load(), t, 0)
	}
	return 0
}
