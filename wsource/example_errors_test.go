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
	"github.com/rxsocket/rxsocket/wsource"
)

// The codes of close frames have the names of their registry.
func ExampleStatusCode() {
	for _, code := range []wsource.StatusCode{
		wsource.StatusNormalClosure, wsource.StatusGoingAway, wsource.StatusProtocolError,
		wsource.StatusUnsupportedData, wsource.StatusNoStatusReceived, wsource.StatusAbnormalClosure,
		wsource.StatusInvalidPayload, wsource.StatusPolicyViolation, wsource.StatusMessageTooBig,
		wsource.StatusMandatoryExtension, wsource.StatusInternalError, wsource.StatusServiceRestart,
		wsource.StatusTryAgainLater, wsource.StatusBadGateway, wsource.StatusTLSHandshake,
		wsource.StatusAuthorizationExpired,
	} {
		fmt.Println(code)
	}
	// Output:
	// 1000 normal closure
	// 1001 going away
	// 1002 protocol error
	// 1003 unsupported data
	// 1005 no status received
	// 1006 abnormal closure
	// 1007 invalid payload
	// 1008 policy violation
	// 1009 message too big
	// 1010 mandatory extension
	// 1011 internal error
	// 1012 service restart
	// 1013 try again later
	// 1014 bad gateway
	// 1015 TLS handshake failed
	// 4401 authorization expired
}

// The defaults are constants, for a program that sets a bound in proportion to them.
func ExampleAcceptOptions_defaults() {
	fmt.Println("a message:", wsource.DefaultReadLimit, "bytes")
	fmt.Println("a handshake:", wsource.DefaultHandshakeTimeout)
	fmt.Println("a stalled write:", wsource.DefaultWriteTimeout)
	fmt.Println("a closing handshake:", wsource.DefaultCloseTimeout)
	fmt.Println("connections:", wsource.DefaultMaxConnections, "of one key:", wsource.DefaultMaxPerKey)
	fmt.Println("a refusal:", wsource.DefaultRefusalStatus)
	fmt.Println("a close reason:", wsource.MaxReason, "bytes")
	fmt.Println("requests:", wsource.DefaultMaxRequests, "each:", wsource.DefaultRequestTimeout)
	fmt.Println("the acknowledgement of a topic:", wsource.DefaultAckTimeout)
	// Output:
	// a message: 1048576 bytes
	// a handshake: 10s
	// a stalled write: 30s
	// a closing handshake: 5s
	// connections: 10000 of one key: 100
	// a refusal: 403
	// a close reason: 123 bytes
	// requests: 1024 each: 10s
	// the acknowledgement of a topic: 10s
}

// A subject without subscribers dials nothing, so it has no connection to send on.
func ExampleSendError() {
	subject := wsource.NewSubject("wss://feed.example", wsource.TextCodec(), nil)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := subject.Send(ctx, "hello")
	if lost, ok := errors.AsType[*wsource.SendError](err); ok {
		fmt.Println(lost.Value, lost.Outcome, lost.Outcome == wsource.Unsent)
	}
	fmt.Println(errors.Is(err, wsource.ErrNotSubscribed))
	// Output:
	// hello unsent true
	// true
}

// A refused client learns the status; the server's program learns the cause.
func ExampleServer_Refusals_origin() {
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{})
	refused := make(chan *wsource.HandshakeError, 1)
	server.Refusals().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.HandshakeError]{
		OnNext: func(e *wsource.HandshakeError) { refused <- e },
	})
	h := httptest.NewServer(server)
	defer h.Close()
	_, err := wsource.Dial(context.Background(), h.URL, &wsource.DialOptions{
		Header: http.Header{"Origin": {"https://elsewhere.example"}},
	})
	fmt.Println(err != nil)
	e := <-refused
	fmt.Println(e.Status, errors.Is(e, wsource.ErrOrigin), errors.Is(e, wsource.ErrTooManyConnections))
	// Output:
	// true
	// 403 true false
}

// Dial does not follow redirects to another host, unless the options say so.
func ExampleRedirects() {
	elsewhere := httptest.NewServer(http.RedirectHandler("wss://other.example", http.StatusFound))
	defer elsewhere.Close()
	for _, redirects := range []wsource.Redirects{wsource.RedirectsSameHost, wsource.RedirectsNone} {
		_, err := wsource.Dial(context.Background(), elsewhere.URL, &wsource.DialOptions{Redirects: redirects})
		fmt.Println(errors.Is(err, wsource.ErrRedirect), errors.Is(err, wsource.ErrTooManyRedirects), errors.Is(err, wsource.ErrProxy))
	}
	// Without the header at another host.
	trusting := wsource.DialOptions{Redirects: wsource.RedirectsAll}
	fmt.Println(trusting.Redirects != wsource.RedirectsSameHost)
	// Output:
	// true false false
	// true false false
	// true
}

// A response with too large a header fails the dial, and no other attempt is made.
func ExampleHandshakeError_header() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Debug", strings.Repeat("x", 1<<20))
	}))
	defer server.Close()
	_, err := wsource.Dial(context.Background(), server.URL, nil)
	fmt.Println(errors.Is(err, wsource.ErrHeaderTooBig), wsource.CloseAction(err))
	// Output: true fail
}

func ExampleInvalidCloseError() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.CloseNow()
	err = socket.Close(wsource.StatusAbnormalClosure, "") // it is for this side only
	var invalid *wsource.InvalidCloseError
	fmt.Println(errors.As(err, &invalid))
	// Output: true
}

// A socket has a name, and tells its end.
func ExampleSocket_Ended() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(socket.State() == wsource.Open, socket.RemoteAddr() != nil, socket.ResponseHeader().Get("Upgrade"), socket.RTT())
	// Ends with the socket.
	work, cancel := context.WithTimeout(socket.Context(), time.Hour)
	defer cancel()
	if err := socket.Close(wsource.StatusNormalClosure, "that is all"); err != nil {
		fmt.Println(err)
	}
	end, err := observable.FirstValue(context.Background(), socket.Ended())
	fmt.Println(uint16(end.Code), end.Reason, err)
	<-work.Done()
	switch socket.State() {
	case wsource.Open:
		fmt.Println("it is not closed")
	case wsource.Closing:
		fmt.Println("the peer has not answered yet")
	case wsource.Closed:
		fmt.Println("closed")
	}
	// Output:
	// true true websocket 0s
	// 1000 that is all <nil>
	// closed
}

// The states of a subject's connection.
func ExampleLinkState() {
	say := func(s wsource.Status) string {
		switch s.State {
		case wsource.LinkIdle:
			return "nobody has subscribed"
		case wsource.LinkConnecting:
			return "connecting"
		case wsource.LinkOpen:
			return "open"
		case wsource.LinkBackoff:
			return fmt.Sprint("trying again after ", s.Err)
		case wsource.LinkClosing, wsource.LinkClosed:
			return fmt.Sprint("over: ", s.Code)
		}
		return s.String()
	}
	fmt.Println(say(wsource.Status{State: wsource.LinkBackoff, Err: wsource.ErrHeartbeat}))
	fmt.Println(say(wsource.Status{State: wsource.LinkClosed, Code: wsource.StatusNormalClosure}))
	// Output:
	// trying again after the peer has been silent for too long
	// over: 1000 normal closure
}
