package wstest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// The connection breaks 17 bytes into the client's handshake, and a second attempt
// finds it whole.
func ExampleCut() {
	synctest.Test(new(testing.T), func(*testing.T) {
		network := new(wstest.Network)
		if err := network.OnDial(1, wstest.Cut(wstest.ToServer, 17)); err != nil {
			fmt.Println(err)
			return
		}
		listener, err := network.Listen("server.test:80")
		if err != nil {
			fmt.Println(err)
			return
		}
		server := &http.Server{Handler: http.HandlerFunc(echo), ReadHeaderTimeout: time.Second}
		go func() { _ = server.Serve(listener) }()
		defer server.Close()

		options := &websocket.DialOptions{HTTPClient: network.HTTPClient()}
		for attempt := 1; ; attempt++ {
			socket, _, err := websocket.Dial(context.Background(), "ws://server.test/", options)
			if err != nil {
				fmt.Printf("attempt %d: end of stream: %t\n", attempt, errors.Is(err, io.EOF))
				continue
			}
			fmt.Printf("attempt %d: open\n", attempt)
			_ = socket.Close(websocket.StatusNormalClosure, "")
			break
		}
		fmt.Println("the first server saw", network.Link(1).Passed(wstest.ToServer), "bytes")
	})
	// Output:
	// attempt 1: end of stream: true
	// attempt 2: open
	// the first server saw 17 bytes
}

// An abrupt end leaves no doubt that something went wrong.
func ExampleReset() {
	client, server := wstest.Pipe()
	defer client.Close()
	defer server.Close()
	if err := client.Link().Inject(wstest.Reset(wstest.ToServer, 5)); err != nil {
		fmt.Println(err)
	}
	n, err := client.Write([]byte("hello, world"))
	fmt.Println("client wrote", n, err)
	message, err := io.ReadAll(server)
	fmt.Printf("server read %q, reset: %t\n", message, errors.Is(err, syscall.ECONNRESET))
	_, err = client.Write([]byte("are you there?"))
	fmt.Println("client noticed:", errors.Is(err, syscall.ECONNRESET))
	// Output:
	// client wrote 12 <nil>
	// server read "hello", reset: true
	// client noticed: true
}

// A peer that vanishes is not noticed until someone sets a limit.
func ExampleStall() {
	synctest.Test(new(testing.T), func(*testing.T) {
		client, server := wstest.Pipe()
		defer client.Close()
		defer server.Close()
		start := time.Now()
		if err := client.Link().Inject(wstest.Stall(wstest.ToServer, 0)); err != nil {
			fmt.Println(err)
		}
		_, err := client.Write([]byte("ping"))
		fmt.Println("write:", err)
		if err = client.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
			fmt.Println(err)
		}
		_, err = client.Read(make([]byte, 4))
		fmt.Println("read:", err, "after", time.Since(start))

		client.Link().Resume(wstest.ToServer)
		message := make([]byte, 4)
		_, err = io.ReadFull(server, message)
		fmt.Printf("resumed: %q %v\n", message, err)
	})
	// Output:
	// write: <nil>
	// read: read wstest client->server: i/o timeout after 30s
	// resumed: "ping" <nil>
}

// Latency is exact in virtual time.
func ExampleDelay() {
	synctest.Test(new(testing.T), func(*testing.T) {
		client, server := wstest.Pipe()
		err := client.Link().Inject(
			wstest.Delay(wstest.ToServer, 30*time.Millisecond),
			wstest.Delay(wstest.ToClient, 40*time.Millisecond),
		)
		if err != nil {
			fmt.Println(err)
		}
		ended := make(chan time.Time)
		go func() {
			_, _ = io.Copy(server, server)
			_ = server.Close()
			ended <- time.Now()
		}()

		start := time.Now()
		_, _ = client.Write([]byte("x"))
		_, _ = client.Read(make([]byte, 1))
		fmt.Println("round trip:", time.Since(start))
		start = time.Now()
		_ = client.Close()
		fmt.Println("the server hears of the end:", (<-ended).Sub(start))
	})
	// Output:
	// round trip: 70ms
	// the server hears of the end: 30ms
}

// A slow line: 64 KiB take a little over eight seconds at 64 kbit/s.
func ExampleThrottle() {
	synctest.Test(new(testing.T), func(*testing.T) {
		client, server := wstest.Pipe()
		defer server.Close()
		if err := client.Link().Inject(wstest.Throttle(wstest.ToServer, 8000)); err != nil {
			fmt.Println(err)
		}
		start := time.Now()
		_, _ = client.Write(make([]byte, 64<<10))
		_ = client.Close()
		n, err := io.Copy(io.Discard, server)
		fmt.Println(n, err, time.Since(start).Round(time.Millisecond))
	})
	// Output:
	// 65536 <nil> 8.192s
}

// The mask says which bits of the byte change.
func ExampleCorrupt() {
	client, server := wstest.Pipe()
	defer server.Close()
	if err := client.Link().Inject(wstest.Corrupt(wstest.ToServer, 2, 0x20)); err != nil {
		fmt.Println(err)
	}
	_, _ = client.Write([]byte("abcdef"))
	_ = client.Close()
	message, _ := io.ReadAll(server)
	fmt.Printf("%s\n", message)
	// Output:
	// abCdef
}

// An outage refuses every dial until it is over.
func ExampleRefuse() {
	network := new(wstest.Network)
	listener, err := network.Listen("server.test:80")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	dial := func() {
		conn, err := network.DialContext(context.Background(), "tcp", "server.test:80")
		if err != nil {
			fmt.Println("refused:", errors.Is(err, syscall.ECONNREFUSED))
			return
		}
		fmt.Println("connected to", conn.RemoteAddr())
		_ = conn.Close()
	}
	if err := network.OnEveryDial(wstest.Refuse()); err != nil {
		fmt.Println(err)
	}
	dial()
	dial()
	if err := network.OnEveryDial(); err != nil {
		fmt.Println(err)
	}
	dial()
	fmt.Println(network.Dials(), "dials")
	// Output:
	// refused: true
	// refused: true
	// connected to server.test:80
	// 3 dials
}

// The faults of each connection, set before it is dialled.
func ExampleNetwork_OnDial() {
	network := new(wstest.Network)
	listener, err := network.Listen("server.test:80")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	err = errors.Join(
		network.OnDial(1, wstest.Cut(wstest.ToServer, 5)),
		network.OnDial(2, wstest.Refuse()),
		network.OnDial(3, wstest.Corrupt(wstest.ToServer, 0, 0x20), wstest.Reset(wstest.ToServer, 8)),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for attempt := range 4 {
		client, err := network.DialContext(context.Background(), "tcp", "server.test:80")
		if err != nil {
			fmt.Println(attempt+1, "is not made")
			continue
		}
		server, err := listener.Accept()
		if err != nil {
			fmt.Println(err)
			return
		}
		_, _ = client.Write([]byte("hello, world"))
		_ = client.Close()
		message, err := io.ReadAll(server)
		_ = server.Close()
		fmt.Printf("%d %q reset: %t\n", attempt+1, message, errors.Is(err, syscall.ECONNRESET))
	}
	// Output:
	// 1 "hello" reset: false
	// 2 is not made
	// 3 "Hello, w" reset: true
	// 4 "hello, world" reset: false
}

// A test that ends with a connection still open says which.
func ExampleNetwork_Links() {
	network := new(wstest.Network)
	listener, err := network.Listen("server.test:80")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	for range 3 {
		client, err := network.DialContext(context.Background(), "tcp", "server.test:80")
		if err != nil {
			fmt.Println(err)
			return
		}
		server, err := listener.Accept()
		if err != nil {
			fmt.Println(err)
			return
		}
		_ = client.Close()
		if network.Dials() != 2 {
			_ = server.Close()
		}
	}
	fmt.Println(network.Links())
	// Output:
	// [connection 2, client.test:2 (closed) to server.test:80 (open)]
}

// Two ends without a network between them, for code that takes a net.Conn.
func ExamplePipe() {
	client, server := wstest.Pipe()
	greet := func(conn net.Conn, name string) {
		_, _ = fmt.Fprintf(conn, "hello, %s\n", name)
		_ = conn.Close()
	}
	greet(client, "world") // nobody reads yet, and nothing waits: there is a buffer
	text, err := io.ReadAll(server)
	fmt.Println(strings.TrimSpace(string(text)), err)
	_ = server.Close()
	// Output:
	// hello, world <nil>
}
