package session_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/session"
)

// auditing is a store that counts the sessions handed on, and leaves the rest to another
// store.
type auditing struct {
	session.Store

	handed int
}

func (a *auditing) Put(ctx context.Context, record *session.Record, ttl time.Duration) error {
	a.handed++
	return a.Store.Put(ctx, record, ttl)
}

func (a *auditing) Take(ctx context.Context, claim session.Claim) (*session.Record, error) {
	return a.Store.Take(ctx, claim)
}

func (a *auditing) Join(
	ctx context.Context, server string, yield func(ctx context.Context, claim session.Claim) error,
) (leave func(), err error) {
	return a.Store.Join(ctx, server, yield)
}

// A store has three methods. A server puts its sessions in, and another one takes them
// out.
func ExampleStore() {
	ctx := context.Background()
	store := &auditing{Store: session.NewMemoryStore(10)}
	leave, err := store.Join(ctx, "a", func(context.Context, session.Claim) error { return nil })
	if err != nil {
		fmt.Println(err)
		return
	}
	defer leave()
	record := &session.Record{
		TokenIDs: []string{"t1"}, ID: "s1", Key: "ann", First: 1, Handed: 1,
		Messages: []session.RecordMessage{{Data: []byte("hello")}},
	}
	fmt.Println(store.Put(ctx, record, time.Minute), store.handed)
	_, err = store.Take(ctx, session.Claim{TokenID: "t1", Key: "bob", Server: "b"})
	fmt.Println(errors.Is(err, session.ErrForeign))
	taken, err := store.Take(ctx, session.Claim{TokenID: "t1", Key: "ann", Server: "b"})
	fmt.Println(taken != nil && string(taken.Messages[0].Data) == "hello", err)
	fmt.Printf("%q\n", session.ServerOf("t1")) // no server has given a token with that ID
	// Output:
	// <nil> 1
	// true
	// true <nil>
	// ""
}

// A token that a server does not take tells its program why; the client hears that its
// session has expired.
func ExampleTokenProblem() {
	for _, problem := range []session.TokenProblem{
		session.TokenUnknown, session.TokenForeign, session.TokenPosition, session.TokenUnchecked,
	} {
		fmt.Println(problem)
	}
	fmt.Println(session.DefaultTTL, session.DefaultMaxSessions)
	// Output:
	// the token is unknown
	// the token was given to another key
	// the client's count of messages cannot be
	// the session cannot be looked up
	// 2m0s 10000
}

// The program decides what the end of a session means: here, an expired one ends the
// stream.
func ExampleCloseAction() {
	config := session.Config[string]{Subject: wsource.SubjectConfig[string]{
		OnEnd: func(err error) wsource.Action {
			if _, ok := errors.AsType[*session.ExpiredError](err); ok {
				return wsource.FailStream
			}
			return session.CloseAction(err)
		},
	}}
	fmt.Println(config.Subject.OnEnd(&session.ExpiredError{}), session.CloseAction(&session.ExpiredError{}))
	fmt.Println(session.CloseAction(nil) == wsource.CompleteStream)
	// Output:
	// fail retry
	// true
}

// Some connections of a server may have sessions, and others none.
func ExampleServer_Accept() {
	sessions := session.NewServer(wsource.TextCodec(), nil)
	begin := func(s *session.Session[string, string]) {
		fmt.Println(s.Peer() != nil, s.Socket() != nil)
	}
	handle := func(_ context.Context, socket *wsource.Socket) error {
		if socket.Subprotocol() == session.Subprotocol {
			sessions.Accept(socket, begin)
			<-socket.Done()
			return nil
		}
		return socket.Close(wsource.StatusPolicyViolation, "sessions only")
	}
	server := new(wsource.Server)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	fmt.Println(server.Handle(ctx, handle), sessions.Len())
	// Output: context canceled 0
}
