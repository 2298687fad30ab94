package wsource

import "github.com/rxsocket/rxsocket/observable"

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
		g := &greeting{
			message: func() (Message, error) { return s.encode(subscribe()) },
			fail:    observable.NewEmitter(up, down).Error,
		}
		up.OnClose(func() { // before the subscription to the subject ends
			s.farewell(g, unsubscribe, func(m *Message, silent bool) bool { return s.line.part(g, m, silent) })
		})
		matching := observable.Stage[In]{
			Next: func(v In) {
				if filter(v) && up.Open() {
					down.Next(v)
				}
			},
			Terminal: down.Terminal,
		}
		s.attach(up, matching, func(l *link) {
			if ss := s.line.enlist(l, g); ss != nil {
				ss.send(g)
			}
		})
	})
}

// farewell takes a greeting back with part, which does what [line.part] does. The message is made only
// if an open connection has got the greeting. One that cannot be made is reported.
func (s *Subject[In, Out]) farewell(
	g *greeting, unsubscribe func() Out, part func(m *Message, silent bool) (parted bool),
) {
	for !s.line.knows(g) {
		if part(nil, false) {
			return
		}
	}
	var m Message
	err := observable.ErrGoexit
	defer func() {
		if err == nil {
			part(&m, false)
			return
		}
		defer s.line.deliver([]notice{{nil, &SendError{m, Unsent, err}}})
		part(nil, true)
	}()
	err = guarded(func() (err error) {
		m, err = s.encode(unsubscribe())
		return err
	})
}
