package wstest_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// echo is the server side: it accepts a WebSocket and sends each message back.
func echo(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer socket.CloseNow()
	for {
		kind, message, err := socket.Read(context.Background())
		if err != nil {
			return
		}
		if err = socket.Write(context.Background(), kind, message); err != nil {
			return
		}
	}
}

// A real WebSocket client and server, run for an hour of virtual time. A test gives
// synctest.Test its own t.
func Example() {
	began := time.Now()
	synctest.Test(new(testing.T), func(*testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen("server.test:80")
		if err != nil {
			fmt.Println(err)
			return
		}
		server := &http.Server{Handler: http.HandlerFunc(echo), ReadHeaderTimeout: time.Second}
		go func() { _ = server.Serve(listener) }()
		defer server.Close()

		ctx := context.Background()
		options := &websocket.DialOptions{HTTPClient: network.HTTPClient()}
		socket, _, err := websocket.Dial(ctx, "ws://server.test/", options)
		if err != nil {
			fmt.Println(err)
			return
		}
		go func() {
			// The client sees the pongs only while it reads.
			for {
				_, message, err := socket.Read(ctx)
				if err != nil {
					return
				}
				fmt.Printf("received %q\n", message)
			}
		}()

		start := time.Now()
		pongs := 0
		for range 60 {
			time.Sleep(time.Minute)
			if err := socket.Ping(ctx); err != nil {
				fmt.Println(err)
				return
			}
			pongs++
		}
		fmt.Printf("%d pongs in %v\n", pongs, time.Since(start))
		if err := socket.Write(ctx, websocket.MessageText, []byte("still there")); err != nil {
			fmt.Println(err)
		}
		synctest.Wait()

		if err := socket.Close(websocket.StatusNormalClosure, ""); err != nil {
			fmt.Println(err)
		}
		synctest.Wait()
		fmt.Println("connections left:", len(network.Links()))
	})
	fmt.Println("took less than a minute:", time.Since(began) < time.Minute)
	// Output:
	// 60 pongs in 1h0m0s
	// received "still there"
	// connections left: 0
	// took less than a minute: true
}
