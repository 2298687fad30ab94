package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/operators/backoff"
	"github.com/rxsocket/rxsocket/wsource"
)

// echo is a server on this machine that sends each message back, and says goodbye to
// "bye".
func echo() (url string, stop func()) {
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			talk := operators.TakeWhile(s, func(m wsource.Message) bool { return m.String() != "bye" })
			talk.Subscribe(context.Background(), s)
		},
	})
	h := httptest.NewServer(server)
	return "ws" + strings.TrimPrefix(h.URL, "http"), func() {
		_ = server.Shutdown(context.Background())
		h.Close()
	}
}

func ExampleDial() {
	url, stop := echo()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	socket, err := wsource.Dial(ctx, url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"one", "two", "three", "bye"} {
		socket.Next(wsource.TextMessage(text))
	}
	loud := operators.Map(socket, func(m wsource.Message) string { return strings.ToUpper(m.String()) })
	err = observable.ForEach(ctx, loud, func(text string) { fmt.Println(text) })
	fmt.Println("closed normally:", err == nil)

	// Output:
	// ONE
	// TWO
	// THREE
	// closed normally: true
}

func ExampleDial_refused() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "your token has expired", http.StatusUnauthorized)
	}))
	defer server.Close()

	_, err := wsource.Dial(context.Background(), server.URL+"/live?token=secret", nil)
	if refused, ok := errors.AsType[*wsource.HandshakeError](err); ok {
		fmt.Println(refused.Status, strings.TrimSpace(refused.Body))
	}

	// Output: 401 your token has expired
}

// Each connection begins with a subscription by the client.
func ExampleConnect() {
	url, stop := echo()
	defer stop()

	sockets := wsource.Connect(url, nil)
	messages := operators.SwitchMap(sockets, func(s *wsource.Socket) observable.Observable[wsource.Message] {
		s.Next(wsource.TextMessage("subscribe"))
		return s
	})
	fmt.Println(observable.FirstValue(context.Background(), messages))

	// Output:
	// subscribe <nil>
}

func ExampleMessages() {
	// A server that drops each connection after one message.
	count := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := wsource.Accept(w, r, nil)
		if err != nil {
			return
		}
		count++
		_ = socket.Send(context.Background(), wsource.TextMessage(fmt.Sprint("connection ", count)))
		socket.CloseNow()
	}))
	defer server.Close()

	lasting := operators.RetryBackoff(wsource.Messages(server.URL, nil), backoff.Config{Base: time.Millisecond})
	err := observable.ForEach(context.Background(), operators.Take(lasting, 3), func(m wsource.Message) { fmt.Println(m) })
	fmt.Println(err)

	// Output:
	// connection 1
	// connection 2
	// connection 3
	// <nil>
}

func ExampleAccept() {
	handler := func(w http.ResponseWriter, r *http.Request) {
		socket, err := wsource.Accept(w, r, &wsource.AcceptOptions{Subprotocols: []string{"clock"}})
		if err != nil {
			return // the client knows it
		}
		ticks := operators.Map(observable.Range(1, 3), func(i int) wsource.Message {
			return wsource.TextMessage(fmt.Sprint("tick ", i))
		})
		// Its completion closes the socket normally.
		ticks.Subscribe(context.Background(), socket)
	}
	server := httptest.NewServer(http.HandlerFunc(handler))
	defer server.Close()

	socket, err := wsource.Dial(context.Background(), server.URL, &wsource.DialOptions{Subprotocols: []string{"clock"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(socket.Subprotocol())
	for m, err := range observable.All(context.Background(), socket) {
		fmt.Println(m, err)
	}

	// Output:
	// clock
	// tick 1 <nil>
	// tick 2 <nil>
	// tick 3 <nil>
}

func ExampleServer() {
	// Each client's messages go to all clients.
	server := new(wsource.Server)
	said := new(observable.Subject[wsource.Message])
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			said.Subscribe(context.Background(), s)
			s.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{OnNext: said.Next})
			s.Next(wsource.TextMessage("welcome"))
		},
	})
	h := httptest.NewServer(server)
	defer h.Close()

	join := func() (*wsource.Socket, chan string) {
		socket, err := wsource.Dial(context.Background(), h.URL, nil)
		if err != nil {
			panic(err)
		}
		heard := make(chan string, 10)
		socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
			OnNext:  func(m wsource.Message) { heard <- m.String() },
			OnError: func(err error) { heard <- err.Error() },
		})
		fmt.Println(<-heard)
		return socket, heard
	}
	ann, annHears := join()
	_, benHears := join()
	ann.Next(wsource.TextMessage("Ann: hello"))
	fmt.Println(<-annHears)
	fmt.Println(<-benHears)
	_ = server.Shutdown(context.Background())
	fmt.Println(<-benHears)

	// Output:
	// welcome
	// welcome
	// Ann: hello
	// Ann: hello
	// wsource: connection closed: 1001 going away ("the server is shutting down")
}

func ExampleSocket_Send() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(socket.Send(context.Background(), wsource.TextMessage("hello")))

	socket.CloseNow()
	err = socket.Send(context.Background(), wsource.TextMessage("anybody?"))
	if unsent, ok := errors.AsType[*wsource.SendError](err); ok {
		fmt.Println(unsent.Outcome, unsent.Message)
	}

	// Output:
	// <nil>
	// unsent anybody?
}

func ExampleSocket_Undelivered() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	socket.Undelivered().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.SendError]{
		OnNext: func(lost *wsource.SendError) { fmt.Println(lost) },
	})
	socket.Next(wsource.TextMessage("caf\xE9")) // not UTF-8
	socket.Complete()
	<-socket.Done()

	// Output: wsource: text message of 4 bytes: outcome unsent: not valid UTF-8
}

func ExampleSocket_Close() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(socket.Close(1006, "gone"))
	fmt.Println(socket.Close(4000, "enough"))
	<-socket.Done()
	fmt.Println(socket.Err())

	// Output:
	// wsource: cannot close with 1006: the code may not be sent (allowed are 1000 to 1003, 1007 to 1014, 3000 to 4999)
	// <nil>
	// wsource: connection closed: 4000 ("enough")
}

func ExampleSocket_Observable() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"one", "two", "three", "bye"} {
		socket.Next(wsource.TextMessage(text))
	}
	long := socket.Observable().
		Map(func(_ context.Context, i any) (any, error) { return i.(wsource.Message).String(), nil }).
		Filter(func(i any) bool { return len(i.(string)) > 3 })
	for item := range long.Observe(rxgo.WithContext(context.Background())) {
		fmt.Println(item.V, item.E)
	}

	// Output: three <nil>
}

func ExampleCloseStatus() {
	retryable := func(err error) bool {
		switch wsource.CloseStatus(err) {
		case wsource.StatusServiceRestart, wsource.StatusTryAgainLater, wsource.StatusAbnormalClosure:
			return true
		default:
			return false
		}
	}
	fmt.Println(retryable(&wsource.CloseError{Code: wsource.StatusServiceRestart}))
	fmt.Println(retryable(&wsource.CloseError{Code: wsource.StatusPolicyViolation}))

	// Output:
	// true
	// false
}

func ExampleTrimReason() {
	err := errors.New("the reason for this is " + strings.Repeat("very, ", 30) + "long")
	reason := wsource.TrimReason(err.Error())
	fmt.Println(len(reason) <= wsource.MaxReason, reason[:29])

	// Output: true the reason for this is very,
}
