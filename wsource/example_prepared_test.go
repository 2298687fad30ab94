package wsource_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// A message for many sockets is compressed once.
func ExamplePrepare() {
	server := &wsource.Server{Options: wsource.AcceptOptions{Compression: wsource.CompressMessages}}
	welcome := wsource.Prepare(wsource.TextMessage("welcome"))
	if err := welcome.Err(); err != nil { // for a text that is not UTF-8, for instance
		fmt.Println(err)
		return
	}
	server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			if err := s.SendPrepared(context.Background(), welcome); err == nil {
				s.Complete()
			}
		},
	})
	h := httptest.NewServer(server)
	defer h.Close()
	for range 2 {
		client, err := wsource.Dial(context.Background(), h.URL, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(observable.Collect(context.Background(), client))
	}

	// Output:
	// [welcome] <nil>
	// [welcome] <nil>
}

// A message that compresses well goes in its compressed form to the sockets that have
// agreed on compression.
func ExamplePrepared_Packed() {
	long := wsource.Prepare(wsource.TextMessage(strings.Repeat("news ", 1000)))
	fmt.Println(len(long.Packed()) < len(long.Message().Data)/10)
	fmt.Println(len(wsource.Prepare(wsource.TextMessage("hi")).Packed()))

	// Output:
	// true
	// 0
}
