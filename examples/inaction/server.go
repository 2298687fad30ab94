package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// note is the value that both sides send.
type note struct {
	Msg string `json:"msg"`
}

// encode makes the message of a note.
func encode(n note) (wsource.Message, error) { return wsource.JSON[note, note]().Encode(n) }

// decode reads a note. Another message is a *CloseError, which tells the peer.
func decode(m wsource.Message) (note, error) {
	n, err := wsource.DecodeFunc(wsource.StrictJSON[note, note]())(m)
	if err != nil {
		return n, &wsource.CloseError{Code: wsource.StatusInvalidPayload, Reason: "not a note", Err: err}
	}
	return n, nil
}

// serve turns the stream of requests into one of sockets, and each socket into a
// conversation. It is listing 8.2 of the book, which only greets, with the other
// direction added.
//
//	Requests ── FilterMap ── sockets ──► socket ── decode ── reply ── StartWith ── encode ──► socket
func serve(ctx context.Context, server *wsource.Server, j *journal) error {
	sockets := operators.FilterMap(server.Requests(), func(q *wsource.Request) (*wsource.Socket, bool) {
		if q.HTTP.URL.Path != "/" {
			j.tell("server", "refusal", q.HTTP.URL.Path)
			// The client may have gone.
			_ = q.Refuse(&wsource.RefusalError{Status: http.StatusNotFound})
			return nil, false
		}
		socket, err := q.Accept(nil, wsource.Admission{})
		return socket, err == nil
	})
	var count atomic.Int64
	return observable.ForEach(ctx, sockets, func(socket *wsource.Socket) {
		who := fmt.Sprint("server ", count.Add(1))
		j.follow(who, socket)
		heard := operators.Tap(socket, func(m wsource.Message) { j.tell(who, "message", m) })
		replies := operators.Map(operators.TryMap(heard, decode), reply)
		greeted := operators.StartWith(replies, note{"Hello Socket"})
		// An error here closes the socket.
		operators.TryMap(greeted, encode).Subscribe(ctx, socket)
	})
}

// reply answers a note.
func reply(n note) note { return note{"You said " + n.Msg} }
