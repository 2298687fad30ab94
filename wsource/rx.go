package wsource

import (
	"github.com/reactivex/rxgo/v2"
	"github.com/rxsocket/rxsocket/observable"
)

// Observable returns the socket's messages as an RxGo observable of items whose values
// are [Message]: see [observable.ToRx]. Each Observe subscribes anew, and
// rxgo.WithContext ends that subscription.
func (s *Socket) Observable(options ...rxgo.Option) rxgo.Observable {
	return observable.ToRx[Message](s, options...)
}
