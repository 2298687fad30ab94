package wsource

import (
	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource/internal/delivery"
)

// Multiplex returns an observable of the values that filter lets pass, one of several streams that share
// the subject's connection (RxJS WebSocketSubject.multiplex). For each subscriber it sends what
// subscribe returns as soon as there is a connection, and again, made anew, at the head of each later one, before
// any other traffic; when the subscriber leaves, or its stream ends, it sends what
// unsubscribe returns, if the connection that was told of the subscription is still open. filter sees every value.
//
// A panic in subscribe or filter, or a message of subscribe's that cannot be encoded, is the error of that
// stream; either of unsubscribe's is told by [Subject.Undelivered]. The two messages do not wait in the outbox, nor for
// room; if one is lost with the connection that it is about, that is not reported.
//
// A slow subscriber slows all; operators.OnBackpressureBuffer gives it a buffer. Subscribers that
// should share one subscription of the server's use [Topics].
func (s *Subject[In, Out]) Multiplex(subscribe, unsubscribe func() Out, filter func(In) bool) observable.Observable[In] {
	for name, missing := range map[string]bool{
		"subscribe": subscribe == nil, "unsubscribe": unsubscribe == nil, "filter": filter == nil,
	} {
		if missing {
			return observable.Throw[In](argument("Subject.Multiplex", name, isNil))
		}
	}
	return observable.AttachFunc[In](func(sc *observable.Scope, down observable.Stage[In]) {
		up := sc.Child()
		r := &delivery.Registration{
			Payload: func() (delivery.Payload, error) { return s.payload(subscribe) },
			Fail:    observable.NewEmitter(up, down).Error,
		}
		up.OnClose(func() { // before the subscription to the subject ends
			s.unregister(r, unsubscribe)
		})
		matching := observable.Stage[In]{
			Next: func(v In) {
				if filter(v) && up.Open() {
					down.Next(v)
				}
			},
			Terminal: down.Terminal,
		}
		s.attach(up, matching, func(g *delivery.Generation) {
			if of := s.engine.Register(g, r); of != nil {
				of.Register(r)
			}
		})
	})
}

// payload encodes a value that f makes.
func (s *Subject[In, Out]) payload(f func() Out) (delivery.Payload, error) {
	m, err := s.encode(f())
	return payloadOf(m), err
}

// unregister takes a registration back. The farewell is made only if an open connection has got the
// registration. One that cannot be made is reported.
func (s *Subject[In, Out]) unregister(r *delivery.Registration, unsubscribe func() Out) {
	for !s.engine.IsSent(r) {
		if s.engine.Unregister(r, nil, false) {
			return
		}
	}
	var farewell delivery.Payload
	err := observable.ErrGoexit
	defer func() {
		if err == nil {
			s.engine.Unregister(r, &farewell, false)
			return
		}
		defer s.engine.Report(&delivery.Message{Payload: farewell}, err)
		s.engine.Unregister(r, nil, true)
	}()
	err = delivery.Guarded(func() (err error) {
		farewell, err = s.payload(unsubscribe)
		return err
	})
}
