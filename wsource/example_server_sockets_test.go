package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// The sockets of a server can be listed. It is an http.Handler as any other.
func ExampleServer_Sockets() {
	server := &wsource.Server{Options: wsource.AcceptOptions{Compression: wsource.CompressStream}}
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) { s.Next(wsource.TextMessage("welcome")) },
	})
	h := httptest.NewServer(http.HandlerFunc(server.ServeHTTP))
	defer h.Close()
	subject := wsource.NewSubject(h.URL, wsource.TextCodec(), nil)
	// For a gauge.
	subject.RoundTrips().Subscribe(context.Background(), observable.ObserverFuncs[time.Duration]{})
	fmt.Println(observable.FirstValue(context.Background(), subject))
	for _, s := range server.Sockets() {
		s.CloseNow()
	}
	for server.Len() > 0 {
		runtime.Gosched()
	}
	fmt.Println(len(server.Sockets()))
	// Output:
	// welcome <nil>
	// 0
}

// A subscriber of Readers has a socket to itself.
func ExampleErrSubscribed() {
	url, stop := echo()
	defer stop()
	socket, err := wsource.Dial(context.Background(), url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer socket.CloseNow()
	messages := socket.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{})
	defer messages.Unsubscribe()
	_, err = observable.FirstValue(context.Background(), socket.Readers())
	var onlyInABrowser *wsource.BrowserError
	fmt.Println(errors.Is(err, wsource.ErrSubscribed), errors.As(err, &onlyInABrowser))
	// Output: true false
}
