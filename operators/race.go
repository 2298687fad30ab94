package operators

import "github.com/rxsocket/rxsocket/observable"

// Race subscribes to all sources and goes on with the one that emits first; the others are
// unsubscribed in that moment.
//
//	a:           ----1--2--|
//	b:           --8-----9---|
//	Race(a, b):  --8-----9---|
//
// A source that completes or fails before any has emitted ends the race likewise. Sources are
// subscribed to in order: one that emits inside its subscription wins, and those after it are
// not subscribed to. With no source nothing ever comes, as in RxJS. It starts no goroutine and
// buffers nothing. RxJS: race, raceWith. See also [Merge], [TimeoutWith].
func Race[T any](srcs ...observable.Observable[T]) observable.Observable[T] {
	return observable.AttachFunc[T](func(sc *observable.Scope, down observable.Stage[T]) {
		r := &race[T]{down: down, lanes: make([]racer[T], len(srcs))}
		for i := 0; i < len(srcs) && r.winner == nil; i++ {
			lane := &r.lanes[i]
			lane.race = r
			sc.Nest(&lane.scope)
			r.started++
			observable.Attach(srcs[i], &lane.scope, observable.Stage[T]{Next: lane.next, Terminal: lane})
		}
	})
}

// race is one subscription of a Race.
type race[T any] struct {
	down    observable.Stage[T]
	lanes   []racer[T]
	started int // how many of the lanes
	winner  *racer[T]
}

// racer is one of the sources and its terminal.
type racer[T any] struct {
	*race[T]
	scope observable.Scope
}

func (r *racer[T]) next(v T) {
	if r.winner == nil {
		r.winner = r
		for i := range r.lanes[:r.started] {
			if lane := &r.lanes[i]; lane != r {
				lane.scope.Close()
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
	}
}

func (r *racer[T]) Complete() {
	if r.ends() {
		r.down.Complete()
	}
}

// ends reports whether r is the one to end the stream. A race that ends before anything was emitted is
// won by that end; the others are torn down after it.
func (r *racer[T]) ends() bool {
	if r.winner == nil {
		r.winner = r
	}
	return r.winner == r
}
