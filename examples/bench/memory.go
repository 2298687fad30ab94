package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// idleConnections is how many connections stand idle; a process may need leave to open as many
// files: see the README.
const idleConnections = 10_000

func memoryWorks() []work {
	idle := work{
		name: fmt.Sprintf("server memory per idle connection, %d of them, heap and stack", idleConnections), unit: "bytes",
		target: "rxsocket at most 8192",
	}
	for _, l := range libraries {
		idle.contenders = append(idle.contenders, contender{l.name, func() (figure, error) {
			bytes, err := idleMemory(l, idleConnections)
			return figure{bytes, -1}, err
		}})
	}
	return []work{idle}
}

// idleMemory is what a server needs for each of n connections on which nothing happens. The clients are
// another process.
func idleMemory(l library, n int) (float64, error) {
	opened := make(chan struct{}, n) // or handlers would wait in it, with their stacks
	address, stop, err := listen(l.serve(func(end) { opened <- struct{}{} }, func(end, []byte) {}))
	if err != nil {
		return 0, err
	}
	defer stop()
	before := memoryNow()
	clients, err := startClients("idle", address, n)
	if err != nil {
		return 0, err
	}
	defer clients.stop()
	for range n {
		<-opened
	}
	after := memoryNow()
	return float64(after-before) / float64(n), nil
}

func memoryNow() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// clients is a process with plain connections to a server.
type clients struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	stdout  *bufio.Reader
}

// startClients starts this program again as n clients of a server, and returns when all are
// connected.
func startClients(job, address string, n int) (*clients, error) {
	c := &clients{command: exec.Command(os.Args[0], "clients", job, address, strconv.Itoa(n))}
	c.command.Stderr = os.Stderr
	stdin, err := c.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := c.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.stdin, c.stdout = stdin, bufio.NewReader(stdout)
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	if line, err := c.line(); err != nil || line != "connected" {
		c.stop()
		return nil, fmt.Errorf("the clients did not connect: %s", line)
	}
	return c, nil
}

// line waits for the next line that the clients print.
func (c *clients) line() (string, error) {
	line, err := c.stdout.ReadString('\n')
	return strings.TrimSpace(line), err
}

// stop ends the clients by closing their input.
func (c *clients) stop() {
	_ = c.stdin.Close()
	_ = c.command.Wait()
}

// runClients is what the other process does: it connects, tells so and, for the job "count", reads, see receiveAll. It ends when
// its input does.
func runClients(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("clients: want a job, an address and a number")
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	connections := make([]net.Conn, n)
	for i := range connections {
		if connections[i], err = upgrade(args[1]); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	fmt.Println("connected")
	if args[0] == "count" {
		receiveAll(connections, os.Stdin)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, c := range connections {
		_ = c.Close()
	}
	return nil
}

// upgrade connects and shakes hands, with nothing but the connection.
func upgrade(address string) (net.Conn, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", address); err != nil {
		return nil, err
	}
	reader := bufio.NewReaderSize(c, 512)
	response, err := http.ReadResponse(reader, nil)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusSwitchingProtocols:
		return nil, fmt.Errorf("the server answered %s", response.Status)
	case reader.Buffered() > 0:
		return nil, fmt.Errorf("the server sent something at once")
	}
	return c, nil
}
