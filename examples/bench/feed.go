package main

import (
	"encoding/binary"
	"net"
	"net/http"
	"testing"
	"time"
)

// feed sends n binary messages of 128 bytes to the server at address, and a close frame
// behind them if it is to close. It writes ready-made frames, many with one system call
// and without an allocation, so that only the server is measured.
func feed(b *testing.B, address string, n int, closing bool) net.Conn {
	b.Helper()
	c, err := upgrade(address, "/", false)
	if err != nil {
		b.Fatal(err)
	}
	const atOnce = 64
	one := maskedFrame(128)
	frames := make([]byte, 0, atOnce*len(one))
	for range atOnce {
		frames = append(frames, one...)
	}
	b.ResetTimer()
	go func() {
		for left := n; left > 0; left -= atOnce {
			if _, err := c.Write(frames[:min(left, atOnce)*len(one)]); err != nil {
				return
			}
		}
		if closing { // with the code 1000
			_, _ = c.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8})
		}
	}()
	return c
}

// maskedFrame is a binary message of zeros as a client sends it. Its mask is zero, which
// the protocol permits.
func maskedFrame(size int) []byte {
	frame := []byte{0x82}
	switch {
	case size <= 125:
		frame = append(frame, 0x80|byte(size))
	case size < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(size))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 0x80|127), uint64(size))
	}
	return append(frame, make([]byte, 4+size)...)
}

// header returns the length of the header of a message of size bytes from a server.
func header(size int) int {
	switch {
	case size <= 125:
		return 2
	case size < 1<<16:
		return 4
	default:
		return 10
	}
}

// patience is how long a run may take to connect, or to end, before it counts as failed.
const patience = 2 * time.Minute

// received measures the receiving of b.N messages by a server. prepare returns its
// handler, which calls arrived for each message.
func received(b *testing.B, prepare func(arrived func()) http.Handler) {
	done, n := make(chan struct{}), 0
	address, stop, err := listen(prepare(func() {
		if n++; n == b.N {
			close(done)
		}
	}))
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	c := feed(b, address, b.N, false)
	defer c.Close()
	select {
	case <-done:
	case <-time.After(patience):
		b.Fatal("not all messages have arrived")
	}
	b.StopTimer()
}
