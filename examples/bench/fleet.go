package main

import (
	"io"
	"net"
	"net/http"
)

// fleetSize is the length of a fleet's messages, in bytes.
const fleetSize = 128

// inRow is how many messages a connection of a fleet sends at once, where they are not
// echoed one by one.
const inRow = 16

// fleetCost is the processor time that a server spends on a message. Each of n sockets
// has a burst of messages on their way at once; the server sends back the last of them,
// and then the next burst comes. With a burst of one it echoes all. The clients are
// another process, so that a size is not charged with their cost.
func fleetCost(l library, n, burst, messages int) (float64, error) {
	f, err := l.fleet("echo", n, func(e end, p []byte) {
		if p[0] == wantsEcho {
			e.send(p)
		}
	}, fleetSize, burst)
	if err != nil {
		return 0, err
	}
	defer f.stop()
	const warming = 3
	if err := f.command("echoed", "%d", warming); err != nil {
		return 0, err
	}
	turns := max(1, messages/(n*burst))
	before, err := processorTime()
	if err != nil {
		return 0, err
	}
	if err := f.command("echoed", "%d", turns); err != nil {
		return 0, err
	}
	after, err := processorTime()
	return float64(after-before) / float64(n*burst*turns), err
}

// bareLibrary is no library: a loop that reads a fleet's messages, a burst of them with
// one system call, looks at none, and writes one.
func bareLibrary(burst int) library {
	return library{
		name: "bare TCP",
		serve: func(opened func(end), _ handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
				opened(bareEnd{c})
				go bareEnd{c}.answer(burst)
			})
		},
	}
}

type bareEnd struct{ net.Conn }

func (e bareEnd) send(p []byte) { _, _ = e.Write(p) }
func (e bareEnd) close()        { _ = e.Close() }

func (e bareEnd) answer(burst int) {
	defer e.close()
	in, out := make([]byte, burst*len(maskedFrame(fleetSize))), make([]byte, header(fleetSize)+fleetSize)
	for readFull(e.Conn, in) == nil {
		e.send(out)
	}
}
