package session

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// errParked is the end here of a session that the Store keeps as the server stops.
var errParked = errors.New("session: the server stops, and the session waits in its store")

// errStopped is the end of a session if there is no Store.
var errStopped = errors.New("session: the server stops, and the session ends with it")

// errUnclaimed is the cause when a session was taken out of the Store for a connection
// that was then refused.
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

// yield puts a session into the Store as its client has come to another server.
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
			atMost := parkPatience
			if deadline, ok := ctx.Deadline(); ok { // the Store takes its time, too
				atMost = min(atMost, time.Until(deadline)/2)
			}
			patience, cancel := context.WithTimeout(ctx, atMost)
			defer cancel()
			return s.park(ctx, patience, s.leave(v, &TakenOverError{Err: errYielded}))
		case m == nil:
			return nil
		}
		if err := m.wait(ctx); err != nil {
			return err
		}
	}
}

// Parking, when the server stops, or a client comes to another one.
const (
	parkTimeout = 20 * time.Second // for all sessions
	parksAtOnce = 64
	// How long the callbacks that run may take to come to their end.
	parkPatience = 3 * time.Second
)

// parkAll ends all sessions here, and puts them into the Store, some at a time. It takes
// no longer than parkTimeout, so that it returns though the Store cannot be reached. One
// report is for all that were not taken.
func (s *Server[In, Out]) parkAll(ctx context.Context) {
	s.mu.Lock()
	s.stopped = true
	all := make([]*served[In, Out], 0, len(s.sessions))
	for _, v := range s.sessions {
		all = append(all, v)
	}
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, parkTimeout)
	defer cancel()
	cause := errParked
	if s.config.Store == nil {
		cause = errStopped
	}
	// All of them leave before any is waited for, so that they share the patience.
	leaving := make([]parking[In, Out], len(all))
	for i, v := range all {
		leaving[i] = s.leave(v, cause)
	}
	patience, enough := context.WithTimeout(ctx, parkPatience)
	defer enough()
	errs := make([]error, len(all))
	var parking sync.WaitGroup
	places := make(chan struct{}, parksAtOnce)
	for i, p := range leaving {
		places <- struct{}{}
		parking.Go(func() {
			defer func() { <-places }()
			errs[i] = observable.ErrGoexit // unless park returns
			errs[i] = s.park(ctx, patience, p)
		})
	}
	parking.Wait()
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) > 0 {
		observable.ReportUnhandled(fmt.Errorf(
			"session: the server stops, and the store has not taken %d of %d sessions: %w", len(errs), len(all), errs[0],
		), s)
	}
}

// move is the way of a session into the Store, or out of it. A connection that shows one
// of its tokens meanwhile waits.
type move struct {
	done chan struct{}
	err  error // the Store's error, once the move is done
}

// wait waits until the move is done, and returns the Store's error or the cause of the
// end of ctx.
func (m *move) wait(ctx context.Context) error {
	select {
	case <-m.done:
		return m.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// parking is a session on its way into the Store.
type parking[In, Out any] struct {
	v     *served[In, Out] // nil if the session is on its way, or over, already
	m     *move            // nil if the session is over
	l     *link            // the connection that it had, or nil
	ids   []digest         // the tokens under which connections wait for the move
	keep  bool             // the Store is to have it
	cause error            // the end of the session here
}

// leave begins to put a session into the Store, and to end it here with a cause.
func (s *Server[In, Out]) leave(v *served[In, Out], cause error) parking[In, Out] {
	c := v.c
	sent := newItems()
	defer sent.release()
	defer sent.tellSent()
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.parking != nil || s.sessions[c] != v {
		return parking[In, Out]{m: v.parking}
	}
	p := parking[In, Out]{v: v, m: &move{done: make(chan struct{})}, ids: []digest{v.current}, cause: cause}
	v.parking = p.m
	if v.next != v.current {
		p.ids = append(p.ids, v.next)
	}
	for _, id := range p.ids { // connections that show one wait
		delete(s.tokens, id)
		s.moves[id] = p.m
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p.l, c.link = c.link, nil
	// If it is closing, the client has all, and knows of the end.
	if p.keep = s.config.Store != nil && !c.over && !c.closing; p.keep {
		c.leave(sent)
	}
	return p
}

// park puts a session that leaves into the Store, and ends it here. Before, it waits for
// the end of a callback that runs, until the end of patience: the answer to a message
// that has been delivered goes into the Store with the session. The error is the Store's.
func (s *Server[In, Out]) park(ctx, patience context.Context, p parking[In, Out]) error {
	switch {
	case p.m == nil:
		return nil
	case p.v == nil:
		return p.m.wait(ctx)
	}
	c, m := p.v.c, p.m
	defer s.parked(p)
	if !p.keep {
		return nil
	}
	c.awaitQuiet(patience)
	record := c.seal()
	if record == nil {
		return nil
	}
	record.ID, record.Key, record.Fresh = p.v.session.id, p.v.key, p.v.fresh
	for _, id := range p.ids {
		record.TokenIDs = append(record.TokenIDs, id.id())
	}
	m.err = observable.ErrGoexit // unless the Store returns
	if m.err = s.put(ctx, record); m.err == nil {
		c.handedOn()
	}
	return m.err
}

// put has the Store keep a session. The error may be its panic.
func (s *Server[In, Out]) put(ctx context.Context, record *Record) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &observable.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return s.config.Store.Put(ctx, record, s.config.TTL)
}

// parked ends a session here with a cause, and its connection, when its move into the
// Store is over.
func (s *Server[In, Out]) parked(p parking[In, Out]) {
	c, l, m, cause := p.v.c, p.l, p.m, p.cause
	if m.err != nil && errors.Is(cause, errParked) {
		cause = fmt.Errorf("session: the server stops, and the store has not taken the session: %w", m.err)
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
	for _, id := range p.ids {
		delete(s.moves, id)
	}
	s.mu.Unlock()
	close(m.done)
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
	if v.ended = record.EndCode != 0; v.ended { // its incoming messages are nobody's
		c.ending, c.ended = &transport.End{Code: uint16(record.EndCode), Reason: record.EndReason}, make(chan struct{})
		c.deliver = func(bool, []byte) {}
	}
	if !s.add(v, shown) {
		if err := s.put(ctx, record); err != nil { // another server may have room
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
