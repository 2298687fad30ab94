package wsource

import (
	"context"

	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// Carrier is what carries the messages of a [Subject]: one WebSocket connection, or what stands
// for one over several, as package session makes it. Only this module can make one.
type Carrier = transport.Conn

// Carrier returns the connection below the socket. Whoever uses it takes what the socket
// receives away from the socket's subscribers.
func (s *Socket) Carrier() Carrier { return &s.conn }

// NewCarriedSubject is [NewSubject] over carriers that open makes, in place of Dial and Target: it
// is called for each attempt, as Target is. The end of a carrier is to the subject what that of
// a connection is. The sockets of its Status and of its Connections are nil.
func NewCarriedSubject[In, Out any](
	open func(ctx context.Context, attempt int) (Carrier, error), codec Codec[In, Out], config *SubjectConfig[Out],
) *Subject[In, Out] {
	const function = "NewCarriedSubject"
	s, _, engine := newSubject(function, codec, config)
	checkReconnect(function, &engine)
	if open == nil {
		engine.Invalid = argument(function, "open", isNil)
	}
	s.start(engine)
	s.host.dial = func(ctx context.Context, attempt int) (transport.Conn, *Socket, error) {
		carrier, err := open(ctx, attempt)
		return carrier, nil, err
	}
	return s
}

// WrapCarrier is [WrapSocket] of a carrier.
func WrapCarrier[In, Out any](carrier Carrier, codec Codec[In, Out], config *SubjectConfig[Out]) *Subject[In, Out] {
	s, _, engine := newSubject("WrapCarrier", codec, config)
	engine.Reconnect, engine.Wrapped = nil, true
	if carrier == nil {
		engine.Invalid = argument("WrapCarrier", "carrier", isNil)
		s.start(engine)
		return s
	}
	s.start(engine)
	s.host.dial = func(context.Context, int) (transport.Conn, *Socket, error) { return carrier, nil, nil }
	carrier.WhenOver(s.engine.Lose)
	return s
}
