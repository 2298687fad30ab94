package observable

// Terminal receives the end of a stream, as the last two methods of [Observer].
type Terminal interface {
	Error(err error) // the end, by a failure
	Complete()       // the end, as it should be
}

// Stage is the receiving end of one step of a chain: an operator gets one as its
// downstream and hands one to its source. It is an observer taken apart, so that the path
// of a value is a plain function call and an operator that only transforms passes the
// terminals on as they are:
//
//	observable.Stage[A]{Next: func(v A) { down.Next(f(v)) }, Terminal: down.Terminal}
//
// A stage is called inside its scope's gate, by one goroutine at a time, and needs no
// lock. Code that emits into a stage checks [Scope.Open] before each notification, and
// emits nothing after a terminal. A stage that receives a terminal closes the scope it
// gave to its source, or passes the terminal on to a stage that does; the stage at the
// end of every chain does.
type Stage[T any] struct {
	Next     func(value T) // receives each value
	Terminal               // receives the end
}

// TerminalFuncs is a [Terminal] made of two functions; neither may be nil.
type TerminalFuncs struct {
	OnError    func(err error) // receives the end by a failure
	OnComplete func()          // receives the end as it should be
}

// Error calls OnError.
func (t *TerminalFuncs) Error(err error) { t.OnError(err) }

// Complete calls OnComplete.
func (t *TerminalFuncs) Complete() { t.OnComplete() }

// WithComplete returns a terminal that passes errors on to down and calls complete
// in place of down's Complete.
func WithComplete(down Terminal, complete func()) Terminal {
	return &completion{Terminal: down, complete: complete}
}

type completion struct {
	Terminal
	complete func()
}

func (c *completion) Complete() { c.complete() }

// handler receives the panics of a scope's callbacks: it is the next stage down that
// intercepts errors, or the end of the chain. It is also the terminal which that stage
// hands to its source. While it runs, panics belong to the stages below it.
type handler struct {
	Terminal
	scope *Scope // the scope whose panics go here
	below *handler
}

// Error gives err to the stage. If the context has ended, err goes to the end of the
// chain, and the stage hears nothing.
func (h *handler) Error(err error) {
	r := h.scope.root
	if h.below != nil && r.canceled() {
		r.end.Error(err)
		return
	}
	prev := r.current
	r.current = h.below
	h.Terminal.Error(err)
	r.current = prev
}

func (h *handler) Complete() {
	r := h.scope.root
	prev := r.current
	r.current = h.below
	h.Terminal.Complete()
	r.current = prev
}

// Intercept has stage receive the panics of callbacks in the scope up, as it receives the
// errors of the source attached there, and returns the stage to attach. Operators that do
// something on Error besides passing it on (catch, retry, tap, materialize) use it, with
// a fresh scope of their own: nothing is nested in it yet. A panic inside stage itself
// goes further down.
func Intercept[T any](up *Scope, stage Stage[T]) Stage[T] {
	root, below := up.root, up.handler
	return Stage[T]{
		Next: func(value T) {
			prev := root.current
			root.current = below
			stage.Next(value)
			root.current = prev
		},
		Terminal: InterceptTerminal(up, stage.Terminal),
	}
}

// InterceptTerminal is [Intercept] for the terminal alone. It is for an operator that
// attaches many sources in scopes of one parent, one after the other, and uses for all of
// them the Next that Intercept has returned for the first.
func InterceptTerminal(up *Scope, terminal Terminal) Terminal {
	h := &handler{Terminal: terminal, scope: up, below: up.handler}
	up.handler = h
	return h
}
