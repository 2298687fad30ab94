package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

// receivers are the clients of a broadcast.
type receivers struct {
	target  atomic.Int64 // bytes, or frames, that each is to get
	missing atomic.Int64 // number of receivers that lack some
	// late has, by receiver, the microseconds on the way of the messages that reached a
	// target.
	late []spread
}

// receiveAll reads from all connections, until the input of this process ends. Each line
// of the input is a command. A number is a count of bytes or frames, as read counts: the
// answers are "ready", and "counted" when every connection has got so many in all.
// "forget" drops the times. "late" is answered with two times in microseconds of the last
// messages before a "counted": the most that 99 % of them took, and their median. The
// last eight bytes of a message are the time of its sending.
func receiveAll(connections []net.Conn, read func(net.Conn) reading, requests io.Reader) {
	r := &receivers{late: make([]spread, len(connections))}
	for i, c := range connections {
		go r.receive(i, read(c))
	}
	for lines := bufio.NewScanner(requests); lines.Scan(); {
		switch lines.Text() {
		case "forget":
			clear(r.late)
			fmt.Println("forgotten")
		case "late":
			all := slices.Concat(r.late...)
			fmt.Printf("%.2f %.2f\n", all.percentile(99), all.median())
		default:
			n, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				return
			}
			r.missing.Store(int64(len(connections)))
			r.target.Store(n)
			fmt.Println("ready")
		}
	}
}

// reading reads some more of a connection. It returns the count of the bytes or frames
// read, and their last bytes, if these can have a time in them.
type reading func() (n int64, last []byte, err error)

// bytesOf returns a function that reads, and counts bytes.
func bytesOf(c net.Conn) reading {
	buffer := make([]byte, 32<<10)
	return func() (int64, []byte, error) {
		n, err := c.Read(buffer)
		return int64(n), buffer[:n], err
	}
}

func (r *receivers) receive(i int, read reading) {
	for got, reached := int64(0), int64(0); ; {
		n, last, err := read()
		if err != nil {
			return
		}
		got += n
		if target := r.target.Load(); got >= target && reached < target {
			reached = target
			if len(last) >= 8 {
				r.late[i] = append(r.late[i], microseconds(time.Duration(time.Now().UnixNano()-int64(binary.BigEndian.Uint64(last[len(last)-8:])))))
			}
			if r.missing.Add(-1) == 0 {
				fmt.Println("counted")
			}
		}
	}
}
