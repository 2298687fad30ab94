package wsource

import (
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// patience is how long something may hold up the end of a connection: a connection that
// cannot be written to any more is read on for that long, for the close frame that says why; a
// subscriber that is busy with one message for that long while the socket is closing does not get the rest.
const patience = time.Second

// Close starts the close handshake (RFC 6455, section 7.1.2). It returns when the close frame was
// handed to the operating system, or after a quarter of a second if the connection takes no more.
// Messages sent before are written first; messages that arrive before the peer's close frame are
// still delivered, except without a subscriber, or to one that is busy with a message for over a second.
// If all that is not done within the CloseTimeout of the options, the connection is broken off and
// the stream ends with [StatusAbnormalClosure] and [ErrCloseTimeout]. [Socket.Done] tells when it is over.
//
// The socket ends with the code of the peer's close frame. An answer without a code agrees
// to this side's.
//
// The error is an [*InvalidCloseError], and the socket stays as it is, for a code that may not be
// sent or a reason that is not UTF-8 or over [MaxReason] bytes; it is ErrClosed if the socket is closing
// or closed.
func (s *Socket) Close(code StatusCode, reason string) error {
	if err := checkClose(code, reason); err != nil {
		return err
	}
	sent := s.startClose(&CloseError{Code: code, Reason: reason})
	if sent == nil {
		return ErrClosed
	}
	awaitClose(sent)
	return nil
}

// closeFrameWait is how long whoever closes a socket waits until the close frame is on its way.
const closeFrameWait = 250 * time.Millisecond

// startClose starts the close handshake as end says, and returns a channel that closes when the
// close frame was handed to the operating system, or will not be. It returns nil if the socket is
// closing or closed.
func (s *Socket) startClose(end *CloseError) (sent <-chan struct{}) {
	if !s.beginClose(end) {
		return nil
	}
	go s.shakeHands(end.Code, end.Reason)
	return s.closeSent
}

// awaitClose waits for one that startClose returned, for closeFrameWait at most.
func awaitClose(sent <-chan struct{}) {
	if sent == nil {
		return
	}
	timer := time.NewTimer(closeFrameWait)
	defer timer.Stop()
	select {
	case <-sent:
	case <-timer.C:
	}
}

// CloseNow breaks the connection off without a handshake. The stream ends with
// [StatusAbnormalClosure]; messages still queued are undelivered.
func (s *Socket) CloseNow() { s.finish(&CloseError{Code: StatusAbnormalClosure, Err: ErrClosed}) }

// finishWith closes the socket with a code and reason that may be sent, as Close does.
func (s *Socket) finishWith(end *CloseError) { awaitClose(s.startClose(end)) }

// closeFor returns the close frame for the error of a stream that is sent, and keeps that as the
// cause.
func closeFor(err error) *CloseError {
	var ce *CloseError
	switch {
	case errors.As(err, &ce) && checkClose(ce.Code, ce.Reason) == nil:
		return &CloseError{Code: ce.Code, Reason: ce.Reason, Err: ce.Err}
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return goingAway(err)
	}
	return &CloseError{Code: StatusInternalError, Reason: "internal error", Err: err}
}

// goingAway is the close frame for a stream whose context has ended.
func goingAway(cause error) *CloseError { return &CloseError{Code: StatusGoingAway, Err: cause} }

// beginClose makes an open socket a closing one, and reports whether it was open.
func (s *Socket) beginClose(sent *CloseError) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Open {
		return false
	}
	s.state, s.sent, s.closeSent = Closing, sent, make(chan struct{})
	return true
}

// shakeHands runs the close handshake that this side begins. The reader goes on, and ends the socket when
// it finds the peer's close frame.
func (s *Socket) shakeHands(code StatusCode, reason string) {
	turn := s.turn.Load()
	s.audience.notify() // a message that waits for a subscriber waits no longer
	timeout := time.AfterFunc(s.closeTimeout, func() {
		s.finish(&CloseError{Code: StatusAbnormalClosure, Err: ErrCloseTimeout})
	})
	defer timeout.Stop()
	err := s.sendClose(code, reason, s.closeTimeout/2)
	close(s.closeSent)
	if err != nil {
		s.writeFailed(err)
	}
	tick := time.NewTicker(patience)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		// A subscriber may be waiting for this end itself, so somebody else has to find it.
		if delivering(turn) && s.turn.CompareAndSwap(turn, turn+1) {
			s.deaf.Store(true)
			s.wire.Detach() // the message may be in its memory
			s.readOn()
			return
		}
		turn = s.turn.Load()
	}
}

// sendClose writes what is queued and then a close frame. Streams have so much time for it.
func (s *Socket) sendClose(code StatusCode, reason string, streams time.Duration) error {
	if s.out.seal(streams) && code == StatusNormalClosure {
		// The peer could take what it got for all that there was.
		code, reason = StatusInternalError, reasonCutOff
		s.mu.Lock()
		s.sent = &CloseError{Code: code, Reason: reason, Err: ErrClosed}
		s.mu.Unlock()
	}
	if ping := s.heart.lastPing(); ping != nil {
		_ = s.wire.Control(wire.Ping, ping) // what keeps it from being sent keeps the close frame, too
	}
	return s.wire.CloseFrame(uint16(code), reason)
}

// abort ends the socket because of what the peer sent: it fails the connection, in the words of RFC 6455,
// section 7.1.7. The peer is told; what it sends from now on is dropped unread, also its close frame. The
// end of its stream, which answers that of this side's, takes the place of it.
func (s *Socket) abort(end *CloseError) {
	s.beginClose(end)
	s.mu.Lock()
	s.verdict = end
	s.mu.Unlock()
	timeout := time.AfterFunc(s.closeTimeout, func() { s.finish(end) })
	defer timeout.Stop()
	go func() {
		// The peer may be sending, and read only when it has done, so this waits for the drain.
		err := s.sendClose(end.Code, end.Reason, 0)
		if err == nil {
			err = s.wire.CloseWrite()
		}
		if err != nil {
			s.writeFailed(err)
		}
	}()
	s.wire.Drain()
	s.finish(end)
}

// answerClose ends the socket because the peer has sent a close frame. What was sent before is written,
// and then the frame is answered, unless this side has sent its own. All that has the close timeout.
func (s *Socket) answerClose(end *CloseError) {
	s.mu.Lock()
	begun := s.closeSent
	if s.state == Open {
		s.state = Closing
	}
	s.mu.Unlock()
	timeout := time.AfterFunc(s.closeTimeout, func() { s.finish(end) })
	defer timeout.Stop()
	defer s.finish(end) // an outcome may be told on this goroutine, and end it
	if begun != nil {
		select {
		case <-begun:
		case <-s.done:
		}
		return
	}
	s.out.seal(s.closeTimeout / 2)
	_ = s.wire.Answer() // the peer has said what there is to say
}

// closeReceived returns the end that a peer's close frame means.
func (s *Socket) closeReceived(ce websocket.CloseError) *CloseError {
	if !utf8.ValidString(ce.Reason) {
		return &CloseError{Code: StatusInvalidPayload, Reason: "close reason is not UTF-8", Err: ErrInvalidUTF8}
	}
	end := &CloseError{Code: StatusCode(ce.Code), Reason: ce.Reason} //nolint:gosec // it came in two bytes
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent == nil {
		return end
	}
	switch *end {
	case CloseError{Code: StatusNoStatusReceived}, CloseError{Code: s.sent.Code},
		CloseError{Code: s.sent.Code, Reason: s.sent.Reason}:
		return s.sent // which knows the cause
	}
	return end
}

// writeFailed gives the reader a moment to find the close frame that tells why.
func (s *Socket) writeFailed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != Closed && s.grace == nil {
		s.grace = time.AfterFunc(patience, func() {
			s.finish(&CloseError{Code: StatusAbnormalClosure, Err: err})
		})
	}
}

// finish ends the socket; the first call counts.
func (s *Socket) finish(end *CloseError) {
	s.mu.Lock()
	if s.state == Closed {
		s.mu.Unlock()
		return
	}
	s.state = Closed
	if s.grace != nil {
		s.grace.Stop()
	}
	if s.verdict != nil {
		end = s.verdict
	}
	cause := ErrClosed
	if end.Code != StatusNormalClosure {
		s.err, cause = end, end
	}
	err, over, fed := s.err, s.over, s.fed
	s.over, s.fed, s.end = nil, nil, end
	s.mu.Unlock()

	s.heart.stop()
	s.wire.Sever() // so that whoever is reading or writing stops
	// The library lets go of its own when its reader has left, on whose goroutine this may be.
	go func() { _ = s.conn.CloseNow() }()
	s.endContext()
	close(s.done)

	// Deferred, in reverse, since what is called may end the goroutine.
	for _, f := range slices.Backward(over) {
		defer f()
	}
	for f := range fed {
		defer (*f)()
	}
	defer s.audience.end(err)
	if s.hook != nil {
		defer s.hook.Handle(Event{Kind: EventClosed, Socket: s, Code: end.Code, Err: err})
	}
	s.out.end(cause)
}

// whenOver calls f after the socket's end.
func (s *Socket) whenOver(f func()) {
	s.mu.Lock()
	closed := s.state == Closed
	if !closed {
		s.over = append(s.over, f)
	}
	s.mu.Unlock()
	if closed {
		f()
	}
}

// OnEnd has f called when the socket is over, as [observable.Ender] says: a stream that is
// subscribed to a socket ends with it.
func (s *Socket) OnEnd(f func()) (stop func()) {
	key := &f
	s.mu.Lock()
	closed := s.state == Closed
	if !closed {
		if s.fed == nil {
			s.fed = make(map[*func()]struct{})
		}
		s.fed[key] = struct{}{}
	}
	s.mu.Unlock()
	if closed {
		f()
	}
	return func() {
		s.mu.Lock()
		delete(s.fed, key)
		s.mu.Unlock()
	}
}

// pingReceived answers a ping by way of the outbox, so that the reader does not wait
// behind a write that is stalled. It tells the library not to answer.
func (s *Socket) pingReceived(_ context.Context, payload []byte) bool {
	s.out.pingReceived(payload)
	return false
}
