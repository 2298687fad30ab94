package main

import (
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// refresh is the least time between two writes to the terminal. Events meanwhile are
// shown together.
const refresh = 250 * time.Millisecond

// event is a reply to show, or the loss of the connection.
type event struct {
	reply
	lost error
}

// watch connects to the server at url, sends it the command and emits events to show, in
// batches. When the connection is lost it tells so and makes a new one, for as long as it
// is subscribed to.
//
//	Connect ── SwitchMap ── decode ── Filter ── Catch ── RetryBackoff ── DistinctUntilChanged ── BufferTime
func watch(url string, options *wsource.DialOptions, wish wsource.Message) observable.Observable[[]event] {
	sockets := operators.Tap(wsource.Connect(url, options), func(s *wsource.Socket) { s.Next(wish) })
	messages := operators.SwitchMap(sockets, func(s *wsource.Socket) observable.Observable[wsource.Message] { return s })
	replies := operators.TryMap(messages, wsource.DecodeFunc(clientSide))
	events := operators.Map(replies, func(r reply) event { return event{reply: r} })
	known := operators.Filter(events, event.known)
	told := operators.Catch(known, func(err error) observable.Observable[event] {
		return operators.Concat(observable.Of(event{lost: err}), observable.Throw[event](err))
	})
	lasting := operators.RetryBackoff(told, backoff.Config{Max: 5 * time.Second, ResetAfter: time.Second})
	fresh := operators.DistinctUntilChangedFunc(lasting, event.repeats)
	batches := operators.BufferTime(fresh, refresh)
	return operators.Filter(batches, func(batch []event) bool { return len(batch) > 0 })
}

// known reports whether this client can show something of the event; a later server may
// send more.
func (e event) known() bool { return e.Settings != nil || e.Sample != nil || e.Error != "" }

// repeats reports whether next is the same failure once more, as when attempt after
// attempt is refused.
func (e event) repeats(next event) bool {
	return e.lost != nil && next.lost != nil && e.lost.Error() == next.lost.Error()
}
