//go:build linux && !386

package conn

import (
	"encoding/binary"
	"syscall"
	"unsafe"
)

// canTell says that tcpTaken can be used.
const canTell = true

// The places of these fields in the system's struct tcp_info (linux/tcp.h).
const (
	tcpInfoUnacked = 24  // unacked, of 4 bytes: segments
	tcpInfoAcked   = 120 // bytes_acked, of 8 bytes; since Linux 4.1
	tcpInfoNotSent = 144 // notsent_bytes, of 4 bytes; since Linux 4.6
	tcpInfoSize    = 148
)

// tcpTaken returns how much of the written data the peer of a TCP connection has taken.
// It reports false if the system does not tell.
func tcpTaken(raw syscall.RawConn) (t taken, ok bool) {
	// The error is that this side has closed the connection.
	_ = raw.Control(func(fd uintptr) {
		var info [tcpInfoSize]byte
		size := uint32(len(info))
		//nolint:gosec // package syscall has no function for it
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if ok = errno == 0 && size == tcpInfoSize; ok {
			t.bytes = int64(binary.NativeEndian.Uint64(info[tcpInfoAcked:])) //nolint:gosec // it counts bytes
			t.waits = binary.NativeEndian.Uint32(info[tcpInfoNotSent:]) > 0
			t.all = !t.waits && binary.NativeEndian.Uint32(info[tcpInfoUnacked:]) == 0
		}
	})
	return t, ok
}
