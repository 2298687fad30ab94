package operators

import "github.com/rxsocket/rxsocket/observable"

// Race subscribes to all sources, in order, and passes on the source that emits first.
// The others are unsubscribed before that value passes.
//
//	a:           ----1--2--|
//	b:           --8-----9---|
//	Race(a, b):  --8-----9---|
//
// A source that emits inside its subscription wins, and the sources after it are not
// subscribed to. A source that completes or fails before any other has emitted wins too,
// and ends the stream. Without sources the stream neither emits nor ends, as in RxJS. It
// starts no goroutine and buffers nothing. RxJS: race, raceWith. See also [Merge],
// [TimeoutWith].
func Race[T any](srcs ...observable.Observable[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		r := &race[T]{down: down, sources: make([]racer[T], len(srcs))}
		for i := 0; i < len(srcs) && r.winner == nil; i++ {
			source := &r.sources[i]
			source.race = r
			sc.Nest(&source.scope)
			r.started++
			observable.Attach(srcs[i], &source.scope, observable.Stage[T]{
				Next: source.next, Terminal: source,
			})
		}
	})
}

// race is one subscription of a Race.
type race[T any] struct {
	down    observable.Stage[T]
	sources []racer[T]
	started int       // number of sources that were subscribed to
	winner  *racer[T] // the source that is passed on, or nil if none has emitted or ended
}

// racer is one of the sources and its terminal.
type racer[T any] struct {
	*race[T]
	scope observable.Scope
}

func (r *racer[T]) next(v T) {
	if r.winner == nil {
		r.winner = r
		for i := range r.sources[:r.started] {
			if source := &r.sources[i]; source != r {
				source.scope.Close()
			}
		}
	}
	if r.winner == r {
		r.down.Next(v)
	}
}

func (r *racer[T]) Error(err error) {
	if r.ends() {
		r.down.Error(err)
	} else {
		r.scope.Drop(err)
	}
}

func (r *racer[T]) Complete() {
	if r.ends() {
		r.down.Complete()
	}
}

// ends reports whether the end of r ends the stream. An end that comes before any value
// wins the race; the other sources are torn down after it.
func (r *racer[T]) ends() bool {
	if r.winner == nil {
		r.winner = r
	}
	return r.winner == r
}
