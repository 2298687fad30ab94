package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
)

// job is the work of the clients when they are connected; args are numbers, and commands
// comes from the server's process.
type job func(connections []net.Conn, args []int, commands *bufio.Reader)

// jobs are all jobs, each with the number of its arguments.
var jobs = map[string]struct {
	args int
	do   job
}{
	"idle": {0, func([]net.Conn, []int, *bufio.Reader) {}},
	"read": {0, func(c []net.Conn, _ []int, _ *bufio.Reader) {
		for _, one := range c {
			go func() { _, _ = io.Copy(io.Discard, one) }()
		}
	}},
	// The last connections do not read.
	"stall": {1, func(c []net.Conn, args []int, commands *bufio.Reader) {
		receiveAll(c[:len(c)-args[0]], bytesOf, commands)
	}},
	"count": {0, func(c []net.Conn, _ []int, commands *bufio.Reader) { receiveAll(c, bytesOf, commands) }},
	"frames": {0, func(c []net.Conn, _ []int, commands *bufio.Reader) { // compressed ones
		receiveAll(c, framesOf, commands)
	}},
	"echo": {2, func(c []net.Conn, args []int, commands *bufio.Reader) { echoOnCommand(c, args[0], args[1], commands) }},
}

// echoOnCommand sends messages of size bytes on each connection, a burst with one system
// call. The last of a burst asks to be sent back; the next burst goes when it has come. A
// command is the number of bursts on each connection; the answer to it is "echoed".
func echoOnCommand(connections []net.Conn, size, burst int, commands *bufio.Reader) {
	one := maskedFrame(size)
	frames := bytes.Repeat(one, burst)
	frames[len(frames)-size] = wantsEcho
	for {
		var turns int
		if _, err := fmt.Fscanln(commands, &turns); err != nil {
			return
		}
		var all sync.WaitGroup
		for _, c := range connections {
			all.Go(func() {
				back := make([]byte, header(size)+size)
				for range turns {
					if _, err := c.Write(frames); err != nil {
						return
					}
					if err := readFull(c, back); err != nil {
						return
					}
				}
			})
		}
		all.Wait()
		fmt.Println("echoed")
	}
}

// wantsEcho is the first byte of a message that asks to be sent back.
const wantsEcho = 1

func readFull(c net.Conn, p []byte) error {
	_, err := io.ReadFull(c, p)
	return err
}

// command has the clients run a command, and waits until they have.
func (c *clients) command(want, format string, args ...any) error {
	if _, err := fmt.Fprintf(c.stdin, format+"\n", args...); err != nil {
		return err
	}
	return c.expect(want)
}

// expect waits for the text that the clients print after a step.
func (c *clients) expect(want string) error {
	line, err := c.line()
	if err == nil && line != want {
		err = fmt.Errorf("the clients answered %q", line)
	}
	return err
}

// line waits for the next line that the clients print.
func (c *clients) line() (string, error) {
	line, err := c.stdout.ReadString('\n')
	return strings.TrimSpace(line), err
}

// connectAll opens n connections, some at a time. The last ones say by their path that
// they stall.
func connectAll(task, address string, n, reading int) ([]net.Conn, error) {
	const atATime = 8
	connections, failures := make([]net.Conn, n), make([]error, atATime)
	var all sync.WaitGroup
	for worker := range atATime {
		all.Go(func() {
			for i := worker; i < n; i += atATime {
				path := "/"
				switch {
				case task == "read":
					path = memberPath
				case i >= reading:
					path = stalledPath
				}
				c, err := upgrade(address, path, task == "frames")
				if err != nil {
					failures[worker] = fmt.Errorf("connection %d: %w", i+1, err)
					return
				}
				connections[i] = c
			}
		})
	}
	all.Wait()
	return connections, errors.Join(failures...)
}

// runClients is the other process: it connects, tells so, and does its job. It ends when
// its input does.
func runClients(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("clients: want a job, an address and a number")
	}
	task, ok := jobs[args[0]]
	if !ok || len(args) != 3+task.args {
		return fmt.Errorf("clients: there is no job %q with %d arguments", args[0], len(args)-3)
	}
	numbers := make([]int, len(args)-2)
	for i, a := range args[2:] {
		if _, err := fmt.Sscan(a, &numbers[i]); err != nil {
			return fmt.Errorf("clients: %q is not a number: %w", a, err)
		}
	}
	if err := openFiles(numbers[0] + spareFiles); err != nil {
		return err
	}
	reading := numbers[0]
	if args[0] == "stall" {
		reading -= numbers[1]
	}
	connections, err := connectAll(args[0], args[1], numbers[0], reading)
	if err != nil {
		return err
	}
	fmt.Println("connected")
	commands := bufio.NewReader(os.Stdin)
	task.do(connections, numbers[1:], commands)
	_, _ = io.Copy(io.Discard, commands)
	for _, c := range connections {
		_ = c.Close()
	}
	return nil
}
