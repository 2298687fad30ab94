package natsbroker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rxsocket/rxsocket/wsource/session"
)

// ErrAbsent says that the server which has a session has not answered for a short time.
// It may be dead, or have lost its connection.
var ErrAbsent = errors.New("the session's server does not answer")

// The bounds of asking servers for sessions.
const (
	yieldsAtOnce = 256  // the sessions that a server yields at a time
	maxAbsent    = 1024 // the servers that are known not to be there
)

// yielded is a server's answer when another one has asked it for a session.
type yielded struct {
	Foreign bool   `json:"foreign,omitzero"`
	Problem string `json:"problem,omitempty"`
}

// Join implements session.Store.
func (s *Sessions) Join(
	ctx context.Context, server string, yield func(ctx context.Context, claim session.Claim) error,
) (leave func(), err error) {
	var running sync.WaitGroup
	places := make(chan struct{}, yieldsAtOnce)
	running.Add(1) // until leave
	sub, err := s.link.conn.Subscribe(s.asks(server), func(m *nats.Msg) {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			s.answer(m, yield)
		})
	})
	if err == nil {
		err = s.link.do(ctx, func(ctx context.Context) error { return s.link.conn.FlushWithContext(ctx) })
	}
	leave = func() {
		if sub != nil {
			_ = sub.Unsubscribe() // otherwise it is over with the connection
		}
		running.Done()
		running.Wait()
	}
	if err != nil {
		leave()
		return nil, fmt.Errorf("natsbroker: %w", err)
	}
	return leave, nil
}

// asks returns the subject under which a server is asked for sessions.
func (s *Sessions) asks(server string) string { return s.config.Name + ".session." + server }

// answer answers another server that asks for a session.
func (s *Sessions) answer(m *nats.Msg, yield func(ctx context.Context, claim session.Claim) error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Timeout)
	defer cancel()
	var claim session.Claim
	err := json.Unmarshal(m.Data, &claim)
	if err == nil {
		err = yield(ctx, claim)
	}
	answer := yielded{Foreign: errors.Is(err, session.ErrForeign)}
	if err != nil {
		answer.Problem = err.Error()
	}
	data, err := json.Marshal(answer)
	if err == nil {
		err = m.Respond(data)
	}
	if err != nil && !s.link.conn.IsClosed() {
		unheard(err)
	}
}

// ask has a server yield a session, if it has it. A server that is not there may have
// lost its connection: only after a time is it taken for dead.
func (s *Sessions) ask(ctx context.Context, server string, claim session.Claim) error {
	if !s.link.conn.IsConnected() {
		return ErrDisconnected
	}
	data, err := json.Marshal(claim)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	m, err := s.link.conn.RequestWithContext(ctx, s.asks(server), data)
	if errors.Is(err, nats.ErrNoResponders) {
		return s.absence(server)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.absent, server)
	s.mu.Unlock()
	var answer yielded
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return err
	}
	switch {
	case answer.Foreign:
		return session.ErrForeign
	case answer.Problem != "":
		return errors.New(answer.Problem)
	}
	return nil
}

// absence notes that a server is not there. It returns nil if the server has not been
// there for long enough.
func (s *Sessions) absence(server string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	// A server's absence a minute ago says nothing of now.
	for other, since := range s.absent {
		if len(s.absent) >= maxAbsent || now.Sub(since) >= time.Minute {
			delete(s.absent, other)
		}
	}
	since, known := s.absent[server]
	switch {
	case !known:
		s.absent[server] = now
	case now.Sub(since) >= deadAfter:
		return nil
	}
	return ErrAbsent
}
