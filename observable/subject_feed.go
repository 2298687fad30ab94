package observable

// Feed is a way into a [Subject] from inside a gate: see [NewFeed].
type Feed[T any] struct {
	subject *multicast[T]
	root    *root
}

// NewFeed returns a way into subject from inside the gate of sc, for operators that make
// observables of what passes through them, as window, groupBy and connect do. A subscriber in
// the same gate is called directly, as the next stage would be; another one as by Next of the
// subject. Nobody else emits into the subject.
func NewFeed[T any](subject *Subject[T], sc *Scope) Feed[T] {
	return Feed[T]{&subject.multicast, sc.root}
}

// Next passes value on to the subject's subscribers.
func (f Feed[T]) Next(value T) { f.emit(notification[T]{value: value}) }

// Error ends the subject and its subscribers with err.
func (f Feed[T]) Error(err error) { f.emit(notification[T]{kind: isError, err: err}) }

// Complete ends the subject and its subscribers.
func (f Feed[T]) Complete() { f.emit(notification[T]{kind: isComplete}) }

func (f Feed[T]) emit(n notification[T]) { f.subject.emit(n, f.root, f.root.gate.owner.Load()) }
