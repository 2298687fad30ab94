package wsource

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
)

// Messages is [Connect] for those who only receive: it returns an observable that dials at each
// subscription and emits the messages that arrive. It completes after a normal closure and fails
// with the socket's [*CloseError] otherwise, or with Dial's error. Unsubscribing, or the
// context's end, stops a dial that is under way and closes the socket normally. So
// operators.Retry and operators.RetryBackoff on it redial:
//
//	lasting := operators.RetryBackoff(wsource.Messages(url, nil), backoff.Config{})
//
// A slow observer slows the peer. Each subscription has a connection of its own;
// operators.Share lets several subscribers have one.
func Messages(rawURL string, options *DialOptions) observable.Observable[Message] {
	return operators.SwitchMap(Connect(rawURL, options), func(s *Socket) observable.Observable[Message] { return s })
}
