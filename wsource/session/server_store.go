package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// errParked is how a session ends here that the Store keeps as the server stops.
var errParked = errors.New("session: the server stops, and the session waits in its store")

// errStopped is how it ends if there is no Store.
var errStopped = errors.New("session: the server stops, and the session ends with it")

// errUnclaimed is the cause when a session was taken out of the Store for a connection that was then refused.
var errUnclaimed = errors.New("no connection of its client was taken since it was restored")

// errYielded is the cause when another server has a session now.
var errYielded = errors.New("its client has come to another server")

// join makes the server known to the Store.
func (s *Server[In, Out]) join(ctx context.Context) (leave func(), err error) {
	if s.config.Store == nil {
		return func() {}, nil
	}
	return s.config.Store.Join(ctx, s.name, s.yield)
}

// yield puts a session into the Store whose client has come to another server.
func (s *Server[In, Out]) yield(ctx context.Context, claim Claim) error {
	shown, ok := digestOfID(claim.TokenID)
	if !ok {
		return nil
	}
	for {
		s.mu.Lock()
		v, m := s.tokens[shown], s.moves[shown]
		s.mu.Unlock()
		switch {
		case v != nil && v.key != claim.Key:
			return ErrForeign
		case v != nil:
			return s.park(ctx, v, &TakenOverError{Err: errYielded})
		case m == nil:
			return nil
		}
		if err := m.wait(ctx); err != nil {
			return err
		}
	}
}

// parkAll ends all sessions here, and puts them into the Store.
func (s *Server[In, Out]) parkAll(ctx context.Context) {
	s.mu.Lock()
	s.stopped = true
	all := make([]*served[In, Out], 0, len(s.sessions))
	for _, v := range s.sessions {
		all = append(all, v)
	}
	s.mu.Unlock()
	for _, v := range all {
		cause := errParked
		if s.config.Store == nil {
			cause = errStopped
		}
		observable.ReportUnhandled(s.park(ctx, v, cause), s)
	}
}

// move is that a session goes into the Store, or comes out of it. A connection that shows one of
// its tokens meanwhile waits.
type move struct {
	done chan struct{}
	err  error // of the Store, once it is done
}

// wait waits until the move is done, and returns the Store's error or the cause of the end of ctx.
func (m *move) wait(ctx context.Context) error {
	select {
	case <-m.done:
		return m.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// park puts a session into the Store and ends it here with a cause. The error is the Store's.
func (s *Server[In, Out]) park(ctx context.Context, v *served[In, Out], cause error) error {
	c := v.c
	s.mu.Lock()
	if v.parking == nil && s.sessions[c] != v {
		s.mu.Unlock()
		return nil // it is over
	}
	if m := v.parking; m != nil {
		s.mu.Unlock()
		return m.wait(ctx)
	}
	m := &move{done: make(chan struct{})}
	v.parking = m
	ids := []digest{v.current}
	if v.next != v.current {
		ids = append(ids, v.next)
	}
	for _, id := range ids { // whoever shows one waits
		delete(s.tokens, id)
		s.moves[id] = m
	}
	c.mu.Lock()
	l := c.link
	c.link = nil // nothing comes in or goes out any more
	record := recordOf(c)
	record.ID, record.Key, record.Fresh = v.session.id, v.key, v.fresh
	for _, id := range ids {
		record.TokenIDs = append(record.TokenIDs, id.id())
	}
	keep := s.config.Store != nil && !c.over && !c.closing // then the client has all, and knows of the end
	c.mu.Unlock()
	s.mu.Unlock()
	if keep {
		if m.err = s.config.Store.Put(ctx, record, s.config.TTL); m.err == nil {
			c.handedOn()
		} else if errors.Is(cause, errParked) {
			cause = fmt.Errorf("session: the server stops, and the store has not taken the session: %w", m.err)
		}
	}
	taken, yielded := errors.AsType[*TakenOverError](cause)
	if l != nil && yielded {
		l.close(StatusTakenOver, "another connection has taken the session over", nil)
	} else if l != nil {
		l.close(wsource.StatusGoingAway, "the server stops", nil)
	}
	if yielded {
		c.finishAs(TakenOver, taken)
	} else {
		c.finish(cause)
	}
	s.mu.Lock()
	for _, id := range ids {
		delete(s.moves, id)
	}
	s.mu.Unlock()
	close(m.done)
	return m.err
}

// recordOf returns a conversation as a store keeps it; mu is held.
func recordOf(c *conversation) *Record {
	k := &c.out
	r := &Record{Received: c.received, First: k.first, Handed: k.handed, Acked: k.acked, Connections: c.number}
	for p := k.first; p <= k.last(); p++ {
		r.Messages = append(r.Messages, RecordMessage{k.at(p).binary, k.at(p).data})
	}
	if c.ending != nil {
		r.EndCode, r.EndReason = wsource.StatusCode(c.ending.Code), c.ending.Reason
	}
	return r
}

// restore takes a session out of the Store.
func (s *Server[In, Out]) restore(ctx context.Context, shown digest, key string) (*served[In, Out], *TokenError) {
	record, err := s.config.Store.Take(ctx, Claim{TokenID: shown.id(), Key: key, Server: s.name})
	switch {
	case errors.Is(err, ErrForeign):
		return nil, &TokenError{Problem: TokenForeign}
	case err != nil:
		return nil, &TokenError{Problem: TokenUnchecked, Err: err}
	case record == nil:
		return nil, &TokenError{Problem: TokenUnknown}
	}
	c := newConversation(s.config.Outbox)
	c.received, c.told, c.number = record.Received, record.Received, record.Connections
	c.out.first, c.out.acked = record.First, record.Acked
	for _, m := range record.Messages {
		c.out.push(entry{data: m.Data, binary: m.Binary, item: new(transport.Item)})
		if c.out.last() <= record.Handed {
			c.out.flight += len(m.Data)
		}
	}
	c.out.handed, c.out.told = record.Handed, record.Handed
	v := s.newServed(record.ID, record.Key, c)
	v.fresh = record.Fresh
	if v.ended = record.EndCode != 0; v.ended { // what comes is nobody's
		c.ending, c.ended = &transport.End{Code: uint16(record.EndCode), Reason: record.EndReason}, make(chan struct{})
		c.deliver = func(bool, []byte) {}
	}
	if !s.add(v, shown) {
		if err := s.config.Store.Put(ctx, record, s.config.TTL); err != nil { // another server may have room
			observable.ReportUnhandled(err, s)
		}
		return nil, &TokenError{Problem: TokenUnchecked, Err: errors.New("there are too many sessions")}
	}
	c.mu.Lock()
	if c.link == nil { // the connection that has shown the token may be refused
		c.startExpiry(errUnclaimed)
	}
	c.mu.Unlock()
	return v, nil
}
