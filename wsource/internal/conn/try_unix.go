//go:build unix

package conn

import (
	"net"
	"os"
	"sync"
	"syscall"
)

// canTry says that writeNow can be used.
const canTry = true

// attempt is one write that does not wait.
type attempt struct {
	write func(fd uintptr) (done bool) // the method; a method value is an allocation
	p     []byte                       // the data to be written
	n     int                          // the bytes that were written
	err   error                        // the error of that write
}

// attempts holds their memory, so that an idle connection has none.
var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.write = a.writeTo
	return a
}}

// writeNow writes the part of p that the operating system takes at once, which may be
// nothing.
func writeNow(conn net.Conn, of syscall.Conn, p []byte) (int, error) {
	raw, err := of.SyscallConn()
	if err != nil {
		return 0, err
	}
	a, _ := attempts.Get().(*attempt)
	a.p, a.n, a.err = p, 0, nil
	err = raw.Write(a.write)
	n, failed := a.n, a.err
	a.p, a.err = nil, nil
	attempts.Put(a)
	if failed != nil {
		local := conn.LocalAddr()
		err = &net.OpError{Op: "write", Net: local.Network(), Source: local, Addr: conn.RemoteAddr(), Err: failed}
	}
	return n, err
}

// writeTo writes once. It is always done, or package net would wait until it can write.
func (a *attempt) writeTo(fd uintptr) (done bool) {
	for {
		n, err := syscall.Write(int(fd), a.p)
		switch err {
		case nil:
			a.n = n
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			a.err = os.NewSyscallError("write", err)
		}
		return true
	}
}
