package hub

import (
	"slices"

	"github.com/rxsocket/rxsocket/observable"
)

// Members makes the list of a room's members from the events that a socket gets of it: on
// the other side of the socket, decoded. It emits the list, in the order of entering,
// after the welcome and after each change; each list is a copy.
//
//	events: --welcome [ann]--said--entered bob--left ann--
//	lists:  --[ann]----------------[ann bob]----[bob]-----
//
// The events may be those of one connection after the other, as of a wsource.Subject:
// each welcome names all members that are present. They are those of one room: a client
// in several rooms filters them by Event.Room first. Members completes and fails as
// events does.
func Members[K, M comparable, T any](
	events observable.Observable[Event[K, M, T]],
) observable.Observable[[]Member[M]] {
	return observable.AttachFunc[[]Member[M]](func(sc *observable.Scope, down observable.Stage[[]Member[M]]) {
		var present []Member[M]
		observable.Attach(events, sc, observable.Stage[Event[K, M, T]]{
			Terminal: down.Terminal,
			Next: func(e Event[K, M, T]) {
				i := slices.IndexFunc(present, func(m Member[M]) bool { return m.Key == e.Member })
				switch {
				case e.Kind == Welcome:
					present = slices.Clone(e.Members)
				case e.Kind == Entered && i < 0:
					present = append(present, Member[M]{e.Member, e.Meta})
				case e.Kind == Left && i >= 0:
					present = slices.Delete(present, i, i+1)
				case (e.Kind == Entered || e.Kind == Changed) && i >= 0:
					present[i].Meta = e.Meta
				default:
					return
				}
				down.Next(slices.Clone(present))
			},
		})
	})
}
