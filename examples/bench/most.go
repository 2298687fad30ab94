package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// perProcess is how many of the sockets of most one process of clients has, each process
// at a loopback address of its own: an address has ports for fewer than 64 Ki.
const perProcess = 3000

// most opens as many sockets to one server as the system lets, limit at most. It prints
// their number, the server's memory for each, and the limit that ended it.
func most(limit int, w io.Writer) error {
	opened := make(chan struct{}, perProcess)
	sockets := &wsource.Server{MaxConnections: limit + 1}
	sockets.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
		OnNext: func(s *wsource.Socket) {
			rxEnd{s}.receive(func(end, []byte) {})
			opened <- struct{}{}
		},
	})
	server := &http.Server{Handler: sockets}
	defer server.Close()
	defer func() {
		for _, s := range sockets.Sockets() {
			s.CloseNow()
		}
	}()
	before := memoryNow()
	total := 0
	bound := errors.New("the number that was asked for")
	for total < limit {
		n := min(perProcess, limit-total)
		stop, err := crowd(server, total, n, opened)
		if err != nil {
			bound = err
			break
		}
		defer stop()
		total += n
	}
	if total == 0 {
		return bound
	}
	fmt.Fprintf(w, "%d sockets at once, %s bytes of heap and stack each; the bound is: %v\n",
		total, number(float64(memoryNow()-before)/float64(total)), bound)
	return nil
}

// crowd opens n more sockets, in a process of their own.
func crowd(server *http.Server, total, n int, opened <-chan struct{}) (stop func(), err error) {
	if err := openFiles(total + n + spareFiles); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", 1+total/perProcess))
	if err != nil {
		return nil, err
	}
	go server.Serve(listener)
	c, err := startClients("idle", listener.Addr().String(), n)
	if err != nil {
		return nil, err
	}
	if err := await(opened, n); err != nil {
		c.stop()
		return nil, err
	}
	return c.stop, nil
}
