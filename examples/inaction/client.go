package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// play plays three clients, one after the other: the first says its words and goes, the
// second sends a message that is no note, and the third asks for a path that does not
// exist.
func play(ctx context.Context, url string, j *journal) error {
	words := []wsource.Message{
		wsource.TextMessage(`{"msg":"one"}`), wsource.TextMessage(`{"msg":"two"}`), wsource.TextMessage(`{"msg":"three"}`),
	}
	if err := talk(ctx, "client 1", url, words, j); err != nil {
		return err
	}
	// This one cannot end well, and its end is printed.
	err := talk(ctx, "client 2", url, []wsource.Message{wsource.TextMessage("hello?")}, j)
	if code := wsource.CloseStatus(err); code != wsource.StatusInvalidPayload {
		return fmt.Errorf("client 2 did not end with 1007: %w", err)
	}
	err = talk(ctx, "client 3", url+"/nowhere", nil, j)
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
//	Connect ── SwitchMap ── socket ── Take ── Tap
//	              └── messages ──► socket
func talk(ctx context.Context, who, url string, messages []wsource.Message, j *journal) error {
	var ended <-chan struct{}
	heard := operators.SwitchMap(wsource.Connect(url, nil), func(socket *wsource.Socket) observable.Observable[wsource.Message] {
		ended = j.follow(who, socket)
		// Never keeps the socket open: the completion of FromSlice would close it before
		// the answers come.
		said := operators.Concat(observable.FromSlice(messages), observable.Never[wsource.Message]())
		said.Subscribe(ctx, socket)
		return socket
	})
	enough := operators.Take(heard, 1+len(messages)) // which unsubscribes, and so closes the socket
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
