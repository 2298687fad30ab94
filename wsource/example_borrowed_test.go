package wsource_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strconv"
	"strings"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
)

// A server sends each message back, and allocates nothing for it. The client sends each
// number from the same memory.
func ExampleSocket_Borrowed() {
	server := new(wsource.Server)
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) { s.Borrowed().Subscribe(context.Background(), s) },
	})
	h := httptest.NewServer(server)
	defer h.Close()
	defer func() { _ = server.Shutdown(context.Background()) }()
	socket, err := wsource.Dial(context.Background(), "ws"+strings.TrimPrefix(h.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var scratch []byte
	for i := range 3 {
		scratch = strconv.AppendInt(scratch[:0], int64(i), 10)
		socket.Next(wsource.BorrowedMessage(wsource.Text, scratch))
	}
	echoes, err := observable.Collect(context.Background(), operators.Take(socket, 3))
	fmt.Println(echoes, err)
	socket.Complete()
	// Output: [0 1 2] <nil>
}
