package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// Each connection has a goroutine of its own, and is closed when the handler returns.
func ExampleServer_Handle() {
	server := new(wsource.Server)
	handled := make(chan error, 1)
	go func() {
		handled <- server.Handle(context.Background(), func(ctx context.Context, socket *wsource.Socket) error {
			for m, err := range observable.All(ctx, socket) {
				if err != nil {
					return err
				}
				if m.String() == "bye" {
					break
				}
				if err := socket.Send(ctx, wsource.TextMessage(strings.ToUpper(m.String()))); err != nil {
					return err
				}
			}
			return nil // the socket is closed with 1000
		})
	}()
	h := httptest.NewServer(server)
	defer h.Close()
	client, err := dialWhenServed(h.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Next(wsource.TextMessage("hello"))
	client.Next(wsource.TextMessage("bye"))
	fmt.Println(observable.Collect(context.Background(), client))
	fmt.Println(server.Shutdown(context.Background()), <-handled)

	// Output:
	// [HELLO] <nil>
	// <nil> <nil>
}

// Each socket gets the values of its own observable.
func ExampleServer_Answer() {
	server := new(wsource.Server)
	answered := make(chan error, 1)
	go func() {
		answered <- server.Answer(context.Background(), func(socket *wsource.Socket) observable.Observable[wsource.Message] {
			return operators.Map(socket, func(m wsource.Message) wsource.Message {
				return wsource.TextMessage("you said " + m.String())
			})
		})
	}()
	h := httptest.NewServer(server)
	defer h.Close()
	client, err := dialWhenServed(h.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Next(wsource.TextMessage("hello"))
	fmt.Println(observable.FirstValue(context.Background(), client))
	client.Complete()
	fmt.Println(server.Shutdown(context.Background()), <-answered)

	// Output:
	// you said hello <nil>
	// <nil> <nil>
}

// A handshake without a token is refused before the upgrade. With one, the socket is its
// user's.
func ExampleAdmission() {
	users := map[string]string{"Bearer 5ecret": "anna"}
	server := &wsource.Server{Options: wsource.AcceptOptions{
		Authorize: func(r *http.Request) (wsource.Admission, error) {
			user, ok := users[r.Header.Get("Authorization")]
			if !ok {
				return wsource.Admission{}, &wsource.RefusalError{
					Status: http.StatusUnauthorized, Header: http.Header{"Www-Authenticate": {"Bearer"}}, Body: "no token, or an old one",
				}
			}
			return wsource.Admission{Key: user, Until: time.Now().Add(time.Hour)}, nil
		},
	}}
	h := httptest.NewServer(server)
	defer h.Close()
	go func() {
		_ = server.Handle(context.Background(), func(ctx context.Context, socket *wsource.Socket) error {
			return socket.Send(ctx, wsource.TextMessage("hello "+socket.Key()))
		})
	}()
	dial := func(token string) {
		client, err := dialWhenServed(h.URL, http.Header{"Authorization": {token}})
		if refused, ok := errors.AsType[*wsource.HandshakeError](err); ok {
			fmt.Println(refused.Status, strings.TrimSpace(refused.Body))
			return
		}
		fmt.Println(observable.FirstValue(context.Background(), client))
	}
	dial("Bearer of news")
	dial("Bearer 5ecret")
	_ = server.Shutdown(context.Background())

	// Output:
	// 401 no token, or an old one
	// hello anna <nil>
}

// Handshakes are a stream. Each waits until a subscriber decides.
func ExampleServer_Requests() {
	server := new(wsource.Server)
	rooms := operators.Filter(server.Requests(), func(q *wsource.Request) bool {
		known := q.HTTP.URL.Path == "/rooms/go"
		if !known {
			_ = q.Refuse(&wsource.RefusalError{Status: http.StatusNotFound, Body: "no such room"})
		}
		return known
	})
	rooms.Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Request]{
		OnNext: func(q *wsource.Request) {
			socket, err := q.Accept(nil, wsource.Admission{})
			if err != nil {
				return // the client has gone
			}
			observable.Of(wsource.TextMessage("welcome")).Subscribe(context.Background(), socket)
		},
	})
	h := httptest.NewServer(server)
	defer h.Close()
	client, err := wsource.Dial(context.Background(), h.URL+"/rooms/go", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(observable.FirstValue(context.Background(), client))
	_, err = wsource.Dial(context.Background(), h.URL+"/rooms/c", nil)
	refused, _ := errors.AsType[*wsource.HandshakeError](err)
	fmt.Println(refused.Status, strings.TrimSpace(refused.Body))
	_ = server.Shutdown(context.Background())

	// Output:
	// welcome <nil>
	// 404 no such room
}

// dialWhenServed dials until somebody takes the server's connections.
func dialWhenServed(url string, header http.Header) (*wsource.Socket, error) {
	for {
		socket, err := wsource.Dial(context.Background(), url, &wsource.DialOptions{Header: header})
		if err == nil || !strings.Contains(err.Error(), "503") {
			return socket, err
		}
		time.Sleep(time.Millisecond)
	}
}

// A server for Requests works on each aside, answers with its ID, and gives it up when
// its client does not want the answer any more.
func ExampleServer_Answer_requests() {
	type request struct {
		ID       uint64
		Op, Text string // "search" for a text, or "cancel" the request with the ID
	}
	type reply struct {
		ID          uint64
		Text, Error string
	}
	begun := make(chan struct{})
	search := func(ctx context.Context, text string) (string, error) {
		if text != "gopher" {
			close(begun)
			<-ctx.Done()
			fmt.Println("nobody waits for", text)
			return "", context.Cause(ctx)
		}
		return "a rodent", nil
	}
	codec := wsource.JSON[request, reply]()
	decode := wsource.DecodeFunc(codec)
	server := new(wsource.Server)
	answered := make(chan error, 1)
	go func() {
		answered <- server.Answer(context.Background(), func(socket *wsource.Socket) observable.Observable[wsource.Message] {
			requests := operators.Share(operators.TryMap(socket, decode))
			searches := operators.Filter(requests, func(q request) bool { return q.Op == "search" })
			replies := operators.MergeMap(searches, func(q request) observable.Observable[reply] {
				work := observable.Go(func(ctx context.Context, emit func(reply)) error {
					text, err := search(ctx, q.Text)
					answer := reply{ID: q.ID, Text: text}
					if err != nil {
						// An error of the stream would end the socket.
						answer.Error = "the search has failed"
					}
					emit(answer)
					return nil
				})
				cancel := func(c request) bool { return c.Op == "cancel" && c.ID == q.ID }
				return operators.TakeUntil(work, operators.Filter(requests, cancel))
			})
			return operators.TryMap(replies, codec.Encode)
		})
	}()
	h := httptest.NewServer(server)
	defer h.Close()

	subject := wsource.NewSubject(h.URL, wsource.JSON[reply, request](), &wsource.SubjectConfig[request]{
		Reconnect: new(backoff.Config), Linger: time.Second,
	})
	client := wsource.NewRequests(subject, wsource.RequestsConfig[reply, request]{
		SetID:  func(q request, id uint64) request { q.ID = id; return q },
		ID:     func(r reply) (uint64, bool) { return r.ID, r.ID != 0 },
		Cancel: func(id uint64) request { return request{ID: id, Op: "cancel"} },
	})
	typed := observable.Go(func(_ context.Context, emit func(string)) error {
		emit("go")
		<-begun
		emit("gopher")
		return nil
	})
	answers := operators.SwitchMap(typed, func(text string) observable.Observable[reply] {
		return client.Call(request{Op: "search", Text: text})
	})
	err := observable.ForEach(context.Background(), answers, func(r reply) { fmt.Println(r.Text) })
	fmt.Println(err, server.Shutdown(context.Background()), <-answered)

	// Unordered output:
	// nobody waits for go
	// a rodent
	// <nil> <nil> <nil>
}

// Code that runs for a socket finds it by its context.
func ExampleSocketOf() {
	server := new(wsource.Server)
	served := make(chan error, 1)
	go func() {
		served <- server.Handle(context.Background(), func(ctx context.Context, _ *wsource.Socket) error {
			greet(ctx)
			return nil
		})
	}()
	h := httptest.NewServer(server)
	defer h.Close()
	client, err := dialWhenServed(h.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(observable.Collect(context.Background(), client))
	fmt.Println(server.Shutdown(context.Background()), <-served)
	// Output:
	// [hello] <nil>
	// <nil> <nil>
}

func greet(ctx context.Context) {
	if socket := wsource.SocketOf(ctx); socket != nil {
		socket.Next(wsource.TextMessage("hello"))
		if messages, _ := socket.Queued(); messages > 100 {
			fmt.Println("the client is slow")
		}
	}
}

// In an operator whose values are no sockets, FailAlone keeps a failure to its socket.
func ExampleSocket_FailAlone() {
	server := new(wsource.Server)
	greetings := operators.Map(server.Connections(), func(socket *wsource.Socket) observable.Observable[string] {
		named := operators.TryMap(socket, func(m wsource.Message) (string, error) {
			if m.String() == "" {
				return "", errors.New("a name is missing")
			}
			return "hello " + m.String(), nil
		})
		return operators.Catch(named, func(err error) observable.Observable[string] {
			// Closes it with 1011, unless err is the end of the socket itself.
			socket.FailAlone(err)
			return observable.Empty[string]()
		})
	})
	said := make(chan string)
	operators.MergeAll(greetings).Subscribe(context.Background(), observable.ObserverFuncs[string]{
		OnNext: func(text string) { said <- text },
	})
	h := httptest.NewServer(server)
	defer h.Close()
	for _, name := range []string{"", "ann"} {
		client, err := wsource.Dial(context.Background(), h.URL, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		client.Next(wsource.TextMessage(name))
		if name == "" {
			<-client.Done()
			fmt.Println(client.Err())
			continue
		}
		fmt.Println(<-said)
	}
	_ = server.Shutdown(context.Background())
	// Output:
	// wsource: connection closed: 1011 internal error ("internal error")
	// hello ann
}

// In an operator whose values are no requests, FailAlone refuses the request that failed.
func ExampleRequest_FailAlone() {
	server := new(wsource.Server)
	server.Requests().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Request]{
		OnNext: func(q *wsource.Request) {
			q.FailAlone(&wsource.RefusalError{Status: http.StatusForbidden, Body: "not today"})
		},
	})
	h := httptest.NewServer(server)
	defer h.Close()
	_, err := wsource.Dial(context.Background(), h.URL, nil)
	refused, _ := errors.AsType[*wsource.HandshakeError](err)
	fmt.Println(refused.Status, strings.TrimSpace(refused.Body))
	_ = server.Shutdown(context.Background())
	// Output: 403 not today
}
