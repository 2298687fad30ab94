package wstest_test

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// The ends of a connection behave as those of TCP.
func ExampleConn() {
	var client, server *wstest.Conn = wstest.Pipe()
	fmt.Println(client.LocalAddr(), client.RemoteAddr(), client.PeerClosed())
	_ = client.SetWriteDeadline(time.Now().Add(time.Hour))
	_ = client.SetDeadline(time.Now().Add(-time.Second))
	_, err := client.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, os.ErrDeadlineExceeded))
	_ = client.SetDeadline(time.Time{})
	_ = server.Reset()
	_, err = client.Read(make([]byte, 1))
	fmt.Println(errors.Is(err, syscall.ECONNRESET), client.PeerClosed())
	_ = client.Close()
	fmt.Println(wstest.DefaultBuffer, wstest.DefaultBacklog)
	// Output:
	// client server false
	// true
	// true true
	// 65536 128
}

// Impossible faults are errors at once.
func ExampleFaultError() {
	network := new(wstest.Network)
	err := network.OnDial(1, wstest.Cut(wstest.ToServer, -1))
	var fault *wstest.FaultError
	fmt.Println(errors.As(err, &fault))
	err = network.OnDial(0, wstest.Refuse())
	var number *wstest.NumberError
	fmt.Println(errors.As(err, &number))
	// Output:
	// true
	// true
}
