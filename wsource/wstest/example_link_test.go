package wstest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Every program that speaks over a net.Conn runs on a network in memory: here, a server
// and a client of net/http.
func ExampleNetwork() {
	synctest.Test(new(testing.T), func(*testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen("server.test:80")
		if err != nil {
			fmt.Println(err)
			return
		}
		server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(
			func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "hello, %s", r.RemoteAddr) },
		)}
		go func() { _ = server.Serve(listener) }()
		defer server.Close()

		request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://server.test/", nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		response, err := network.HTTPClient().Do(request)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		fmt.Printf("%s %v\n", body, err)
	})
	// Output:
	// hello, client.test:1 <nil>
}

// Faults can come while a connection lives, and their offsets count from then on.
func ExampleLink_Inject() {
	client, server := wstest.Pipe()
	defer client.Close()
	_, _ = client.Write([]byte("whole "))
	if err := client.Link().Inject(wstest.Cut(wstest.ToServer, 3)); err != nil {
		fmt.Println(err)
	}
	_, _ = client.Write([]byte("broken"))
	text, err := io.ReadAll(server)
	fmt.Printf("%q %v\n", text, err)
	fmt.Println(client.Link().Passed(wstest.ToServer), "bytes have passed")
	_ = server.Close()

	fmt.Println(client.Link().Inject(wstest.Refuse()))
	// Output:
	// "whole bro" <nil>
	// 9 bytes have passed
	// wstest: refuse: the connection is made already
}

// A peer that stalls and comes back: nothing is lost, and nothing is out of order.
func ExampleLink_Resume() {
	synctest.Test(new(testing.T), func(*testing.T) {
		client, server := wstest.Pipe()
		link := client.Link()
		if err := link.Inject(wstest.Stall(wstest.ToServer, 2)); err != nil {
			fmt.Println(err)
		}
		start := time.Now()
		time.AfterFunc(time.Minute, func() { link.Resume(wstest.ToServer) })
		_, _ = client.Write([]byte("hello"))
		_ = client.Close()
		fmt.Println(link.Passed(wstest.ToServer), "bytes have passed")
		text, err := io.ReadAll(server)
		fmt.Printf("%s %v after %v\n", text, err, time.Since(start))
		_ = server.Close()
	})
	// Output:
	// 2 bytes have passed
	// hello <nil> after 1m0s
}

// An end that has nothing more to say can still listen.
func ExampleConn_CloseWrite() {
	client, server := wstest.Pipe()
	defer client.Close()
	defer server.Close()
	_, _ = client.Write([]byte("question"))
	_ = client.CloseWrite()
	question, _ := io.ReadAll(server) // to the end
	_, _ = fmt.Fprintf(server, "answer to the %s", question)
	_ = server.CloseWrite()
	answer, err := io.ReadAll(client)
	fmt.Printf("%s %v\n", answer, err)
	// Output:
	// answer to the question <nil>
}

// A server is out of reach for a while. The network counts the dials.
func ExampleNetwork_OnEveryDial() {
	network := new(wstest.Network)
	listener, err := network.Listen("server.test:80")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	if err := network.OnEveryDial(wstest.Refuse()); err != nil {
		fmt.Println(err)
	}
	for {
		conn, err := network.DialContext(context.Background(), "tcp", "server.test:80")
		if err == nil {
			_ = conn.Close()
			break
		}
		if network.Dials() == 3 {
			_ = network.OnEveryDial() // the outage is over
		}
	}
	fmt.Println(network.Dials(), "dials")
	// Output:
	// 4 dials
}
