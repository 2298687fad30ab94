package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
)

// memoryWorks measures n connections that stand idle. Their memory hardly differs from
// round to round. Unless heap is empty, a profile of rxsocket's memory is written to that
// file.
func memoryWorks(n int, heap string) []work {
	idle := work{name: idleWork(n), unit: "bytes", rounds: 3}
	for _, l := range libraries {
		idle.contenders = append(idle.contenders, contender{l.name, func() (figure, error) {
			bytes, err := idleMemory(l, n, heap)
			return figure{bytes, -1}, err
		}})
	}
	return []work{idle}
}

// idleMemory is a server's memory for each of n connections on which nothing happens.
func idleMemory(l library, n int, heap string) (float64, error) {
	before := memoryNow()
	f, err := l.fleet("idle", n, func(end, []byte) {})
	if err != nil {
		return 0, err
	}
	defer f.stop()
	took := memoryNow() - before
	if heap != "" && l.name == rxsocketLibrary.name {
		if err := writeHeap(heap); err != nil {
			return 0, err
		}
	}
	return float64(took) / float64(n), nil
}

func writeHeap(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
}

func memoryNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// fleet is a server of one library with many connections. Their other ends are another
// process, so that its memory and its processor time are no part of the server's.
type fleet struct {
	*clients
	stop func()
}

// spareFiles is how many files a process has open besides its connections, including
// those of the run before that are not yet closed.
const spareFiles = 1000

func (l library) fleet(job string, n int, received handler, args ...int) (*fleet, error) {
	if err := openFiles(n + spareFiles); err != nil {
		return nil, err
	}
	ends := make(chan end, n)
	opened := make(chan struct{}, n)
	address, stop, err := listen(l.serve(func(e end) {
		ends <- e
		opened <- struct{}{}
	}, received))
	if err != nil {
		return nil, err
	}
	// All at once: connections left to the peers' closing are still there when the next
	// run begins.
	closeAll := func() {
		for len(ends) > 0 {
			(<-ends).close()
		}
		stop()
	}
	c, err := startClients(job, address, n, args...)
	if err != nil {
		closeAll()
		return nil, err
	}
	f := &fleet{c, func() {
		closeAll()
		c.stop()
	}}
	if err := await(opened, n); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

// clients is a process with plain connections to a server.
type clients struct {
	process *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Reader
	cancel  context.CancelFunc
}

// startClients starts this program again as n clients of a server, and returns when all
// are connected. A process that takes longer than patience is ended.
func startClients(job, address string, n int, args ...int) (*clients, error) {
	words := []string{"clients", job, address, strconv.Itoa(n)}
	for _, a := range args {
		words = append(words, strconv.Itoa(a))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	c := &clients{process: exec.CommandContext(ctx, os.Args[0], words...), cancel: cancel}
	c.process.Stderr = os.Stderr
	stdin, err := c.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.stdin, c.stdout = stdin, bufio.NewReader(stdout)
	if err := c.process.Start(); err != nil {
		return nil, err
	}
	if err := c.expect("connected"); err != nil {
		c.stop()
		return nil, fmt.Errorf("the clients did not connect: %w", err)
	}
	return c, nil
}

// stop ends the clients by closing their input.
func (c *clients) stop() {
	defer c.cancel()
	_ = c.stdin.Close()
	_ = c.process.Wait()
}

// upgrade connects and shakes hands, with the connection alone, and, if it is to be
// compressed, the offer of that.
func upgrade(address, path string, compressed bool) (net.Conn, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	offer := ""
	if compressed {
		offer = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n", path, address, offer); err != nil {
		return nil, err
	}
	reader := bufio.NewReaderSize(c, 512)
	response, err := http.ReadResponse(reader, nil)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusSwitchingProtocols:
		return nil, fmt.Errorf("the server answered %s", response.Status)
	case reader.Buffered() > 0 && path != memberPath:
		return nil, fmt.Errorf("the server sent something at once")
	}
	return c, nil
}
