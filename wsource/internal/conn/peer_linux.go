package conn

import (
	"encoding/binary"
	"syscall"
)

// The states of a TCP connection in which the peer may still send (linux/tcp.h).
const (
	tcpEstablished = 1
	tcpFinWait1    = 4
	tcpFinWait2    = 5
)

// tcpClosed reports whether the peer of a TCP connection has closed or reset it, whatever
// is still to be read.
func tcpClosed(raw syscall.RawConn) (closed bool) {
	// The error is that this side has closed the connection.
	_ = raw.Control(func(fd uintptr) {
		// The state is the first of these four bytes of the system's struct tcp_info.
		info, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_INFO)
		if err != nil {
			return
		}
		state := firstByte(info)
		closed = state != tcpEstablished && state != tcpFinWait1 && state != tcpFinWait2
	})
	return closed
}

// firstByte returns the first byte in memory of an int of 32 bits.
func firstByte(v int) byte {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		return byte(uint32(v) >> 24) //nolint:gosec // it has 32 bits
	}
	return byte(v & 0xff)
}
