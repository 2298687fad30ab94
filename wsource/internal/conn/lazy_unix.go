//go:build unix

package conn

import (
	"io"
	"net"
	"os"
	"syscall"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// lazyStream is a Stream that waits without memory: it tries to read, as package net
// does, and gives the memory back before it waits.
type lazyStream struct {
	*Stream
	raw    syscall.RawConn
	try    func(fd uintptr) (done bool) // tryRead; a method value is an allocation
	memory frame.Memory                 // the current read's
	n      int                          // the bytes that it has read
	err    error                        // the error of that read
}

// lazy returns the stream as one that waits without memory if it can, and otherwise as it
// is. Only the connection itself will do: a wrapper may have read from it before.
func lazy(s *Stream) io.Reader {
	if s.rwc != io.ReadWriteCloser(s.conn) {
		return s
	}
	var raw syscall.RawConn
	var err error
	switch conn := s.conn.(type) {
	case *net.TCPConn:
		raw, err = conn.SyscallConn()
	case *net.UnixConn:
		raw, err = conn.SyscallConn()
	default:
		return s
	}
	if err != nil {
		return s
	}
	l := &lazyStream{Stream: s, raw: raw}
	l.try = l.tryRead
	return l
}

// ReadLazy is that of [frame.Lazy].
func (l *lazyStream) ReadLazy(m frame.Memory) (int, error) {
	l.memory, l.n, l.err = m, 0, nil
	if err := l.raw.Read(l.try); err != nil {
		return 0, err
	}
	switch {
	case l.err != nil:
		local := l.conn.LocalAddr()
		return 0, &net.OpError{Op: "read", Net: local.Network(), Source: local, Addr: l.conn.RemoteAddr(), Err: l.err}
	case l.n == 0:
		return 0, io.EOF
	}
	return l.n, nil
}

// tryRead reads, and reports false if there is nothing to read yet.
func (l *lazyStream) tryRead(fd uintptr) (done bool) {
	p := l.memory.Take()
	for {
		n, err := syscall.Read(int(fd), p)
		switch err {
		case nil:
			l.n = n
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			l.memory.Return()
			return false
		default:
			l.memory.Return()
			l.err = os.NewSyscallError("read", err)
			return true
		}
	}
}
