package conn

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// Stream is the byte stream under a WebSocket connection, after the handshake.
type Stream struct {
	rwc  io.ReadWriteCloser
	conn net.Conn // the connection that rwc is, or is a part of; nil if unknown
}

// NewStream returns the Stream over rwc. Conn is the connection that rwc is, or is a part
// of, as the body of an HTTP response is; nil if that is not known.
func NewStream(rwc io.ReadWriteCloser, conn net.Conn) Stream { return Stream{rwc, conn} }

// Read reads from the stream.
func (s Stream) Read(p []byte) (int, error) { return s.rwc.Read(p) }

// Write writes to the stream.
func (s Stream) Write(p []byte) (int, error) { return s.rwc.Write(p) }

// TryWriter is a connection in memory that can write without waiting.
type TryWriter interface {
	// TryWrite writes the part of p that is taken at once, which may be nothing.
	TryWrite(p []byte) (n int, err error)
}

// triable reports whether TryWrite can be used. Direct says that data written to rwc is
// written to the connection as it is.
func (s Stream) triable(direct bool) bool {
	if !direct && s.rwc != io.ReadWriteCloser(s.conn) {
		return false
	}
	switch s.conn.(type) {
	case TryWriter:
		return true
	case *net.TCPConn, *net.UnixConn:
		return canTry
	}
	return false
}

// TryWrite writes to a stream that is triable: the part of p that is taken at once.
func (s Stream) TryWrite(p []byte) (int, error) {
	switch conn := s.conn.(type) {
	case TryWriter:
		return conn.TryWrite(p)
	case syscall.Conn:
		return writeNow(s.conn, conn, p)
	}
	return 0, errors.ErrUnsupported
}

// Close closes the stream in an orderly way. With TLS that sends a goodbye, for which a
// peer that does not read makes it wait.
func (s Stream) Close() error { return s.rwc.Close() }

// CloseWrite ends the direction to the peer. The error is errors.ErrUnsupported if the
// connection cannot do that.
func (s Stream) CloseWrite() error {
	if conn, ok := s.conn.(interface{ CloseWrite() error }); ok {
		return conn.CloseWrite()
	}
	return errors.ErrUnsupported
}

// peerClosed reports whether the peer has closed or reset the connection, whatever is
// still to be read; false if that is not known. A connection in memory may have a
// PeerClosed method for it.
func (s Stream) peerClosed() bool {
	conn := s.innermost()
	if c, ok := conn.(interface{ PeerClosed() bool }); ok {
		return c.PeerClosed()
	}
	raw := rawOf(conn)
	return raw != nil && tcpClosed(raw)
}

// taken is the part of the written data that has come to the peer's system. How much of
// that the peer's program has read shows nowhere.
type taken struct {
	bytes int64 // the bytes, with those of a layer in between
	waits bool  // more waits here for room at the peer
	all   bool  // nothing is left here or on the way
}

// taken returns how much the peer has taken. It reports false if that is not known.
func (s Stream) taken() (t taken, ok bool) {
	raw := rawOf(s.innermost())
	if raw == nil {
		return taken{}, false
	}
	return tcpTaken(raw)
}

// tellsTaken reports whether taken most likely knows.
func (s Stream) tellsTaken() bool {
	_, ok := s.innermost().(*net.TCPConn)
	return ok && canTell
}

// innermost returns the connection below TLS, or nil.
func (s Stream) innermost() net.Conn {
	if wrapped, ok := s.conn.(interface{ NetConn() net.Conn }); ok {
		return wrapped.NetConn()
	}
	return s.conn
}

// rawOf returns the system's side of a TCP connection; nil if conn is none, or closed.
func rawOf(conn net.Conn) syscall.RawConn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// Sever closes the stream without waiting for anything.
func (s Stream) Sever() {
	// The errors say that something was closed before.
	if conn, ok := s.conn.(interface{ NetConn() net.Conn }); ok {
		_ = conn.NetConn().Close()
	}
	_ = s.rwc.Close()
}

// Drain reads the data that still comes and drops it, until the stream ends. Were the
// connection closed with data on its way here, TCP would answer that with a reset, which
// can destroy the close frame before the peer reads it.
func (s Stream) Drain() {
	// The error tells how the stream ended, which does not matter any more.
	_, _ = io.Copy(io.Discard, struct{ io.Reader }{s.rwc})
}
