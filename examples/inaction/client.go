package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// patience is how long a client waits for the greeting, and for each answer.
const patience = 10 * time.Second

// play plays three clients, one after the other: the first says its words and goes, the
// second sends a message that is no note, and the third asks for a path that does not
// exist.
func play(ctx context.Context, url string, dial *wsource.DialOptions, j *journal) error {
	words := []wsource.Message{
		wsource.TextMessage(`{"msg":"one"}`), wsource.TextMessage(`{"msg":"two"}`), wsource.TextMessage(`{"msg":"three"}`),
	}
	if err := talk(ctx, "client 1", url, dial, words, j); err != nil {
		return fmt.Errorf("client 1: %w", err)
	}
	// This client cannot end well; its end is printed.
	err := talk(ctx, "client 2", url, dial, []wsource.Message{wsource.TextMessage("hello?")}, j)
	if code := wsource.CloseStatus(err); code != wsource.StatusInvalidPayload {
		return fmt.Errorf("client 2 did not end with 1007: %w", err)
	}
	err = talk(ctx, "client 3", url+"/nowhere", dial, nil, j)
	refused, ok := errors.AsType[*wsource.HandshakeError](err)
	if !ok || refused.Status == 0 {
		return fmt.Errorf("client 3 was not refused: %w", err)
	}
	j.tell("client 3", "error", refused.Status)
	return nil
}

// talk connects, sends messages, and ends the connection when it has the greeting and an
// answer to each. It is listing 8.3 of the book, which only listens, with the other
// direction added.
//
//	Connect ── SwitchMap ── socket ── Timeout ── Take
//	              └── messages ──► socket
func talk(ctx context.Context, who, url string, dial *wsource.DialOptions, messages []wsource.Message, j *journal) error {
	var ended <-chan struct{}
	heard := operators.SwitchMap(wsource.Connect(url, dial), func(socket *wsource.Socket) observable.Observable[wsource.Message] {
		ended = j.follow(who, socket)
		// Never keeps the socket open: the completion of FromSlice would close it before
		// the answers come.
		said := operators.Concat(observable.FromSlice(messages), observable.Never[wsource.Message]())
		said.Subscribe(ctx, socket)
		return socket
	})
	// After the last answer, Take unsubscribes, and so closes the socket.
	enough := operators.Take(operators.Timeout(heard, patience), 1+len(messages))
	err := observable.TryForEach(ctx, enough, func(m wsource.Message) error {
		n, err := decode(m)
		j.tell(who, "message", n.Msg)
		return err
	})
	if ended != nil {
		<-ended
	}
	return err
}
