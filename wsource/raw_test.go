package wsource_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// The opcodes of RFC 6455, section 5.2.
const (
	opContinuation byte = 0x0
	opText         byte = 0x1
	opBinary       byte = 0x2
	opClose        byte = 0x8
	opPing         byte = 0x9
	opPong         byte = 0xA
)

// frame is one frame on the wire.
type frame struct {
	fin     bool
	rsv     byte // the three reserved bits
	opcode  byte
	masked  bool
	payload []byte
}

func textFrame(text string) frame { return frame{fin: true, opcode: opText, payload: []byte(text)} }

func closeFrame(code uint16, reason string) frame {
	payload := append(binary.BigEndian.AppendUint16(nil, code), reason...)
	return frame{fin: true, opcode: opClose, payload: payload}
}

// bytes returns the frame's bytes.
func (f frame) bytes() []byte {
	first := f.opcode | f.rsv<<4
	if f.fin {
		first |= 0x80
	}
	b := []byte{first}
	switch n := len(f.payload); {
	case n < 126:
		b = append(b, byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	if !f.masked {
		return append(b, f.payload...)
	}
	b[1] |= 0x80
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, mask[:]...)
	for i, v := range f.payload {
		b = append(b, v^mask[i%4])
	}
	return b
}

// peer is the other side of a socket, played by hand.
type peer struct {
	t      *testing.T
	conn   net.Conn
	reader *bufio.Reader
	client bool
}

// rawClient connects to the site by hand and returns the site's socket too.
func (s *site) rawClient(header string) (*peer, *wsource.Socket) {
	s.t.Helper()
	conn, err := s.network.DialContext(s.t.Context(), "tcp", host)
	require.NoError(s.t, err)
	p := handshake(s.t, conn, header)
	return p, <-s.sockets
}

// handshake upgrades a connection by hand, from the client's side. The header's lines end
// with CR LF.
func handshake(t *testing.T, conn net.Conn, header string) *peer {
	t.Helper()
	t.Cleanup(func() { _ = conn.Close() })
	p := &peer{t: t, conn: conn, reader: bufio.NewReader(conn), client: true}
	p.raw([]byte("GET / HTTP/1.1\r\nHost: " + host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + header + "\r\n"))
	resp, err := http.ReadResponse(p.reader, nil)
	require.NoError(t, err)
	assert.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	return p
}

// rawServer dials a server that is played by hand.
func rawServer(t *testing.T, o *wsource.DialOptions) (*peer, *wsource.Socket) {
	t.Helper()
	network := new(wstest.Network)
	listener, err := network.Listen(host)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = listener.Close()
		settle()
		assert.Empty(t, network.Links(), "connections are left")
	})
	accepted := make(chan *peer, 1)
	go func() {
		conn, err := listener.Accept()
		if assert.NoError(t, err) {
			accepted <- upgrade(t, conn)
		}
	}()
	socket, err := wsource.Dial(t.Context(), "ws://"+host, on(network, o))
	require.NoError(t, err)
	p := <-accepted
	t.Cleanup(func() { _ = p.conn.Close() })
	return p, socket
}

// upgrade upgrades a connection by hand, from the server's side.
func upgrade(t *testing.T, conn net.Conn) *peer {
	t.Helper()
	p := &peer{t: t, conn: conn, reader: bufio.NewReader(conn)}
	req, err := http.ReadRequest(p.reader)
	if !assert.NoError(t, err) {
		return p
	}
	p.raw([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + acceptKey(req) + "\r\n\r\n"))
	return p
}

// acceptKey is a server's answer to the key of a request.
func acceptKey(req *http.Request) string {
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// raw writes bytes as they are.
func (p *peer) raw(b []byte) {
	p.t.Helper()
	_, err := p.conn.Write(b)
	require.NoError(p.t, err)
}

// write writes frames, masked as they should be from this side.
func (p *peer) write(frames ...frame) {
	p.t.Helper()
	for _, f := range frames {
		f.masked = p.client
		p.raw(f.bytes())
	}
}

// tryRead reads a frame.
func (p *peer) tryRead() (frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(p.reader, head[:]); err != nil {
		return frame{}, err
	}
	f := frame{fin: head[0]&0x80 != 0, rsv: head[0] >> 4 & 7, opcode: head[0] & 0xF, masked: head[1]&0x80 != 0}
	size, long := uint64(head[1]&0x7F), 0
	switch size {
	case 126:
		long = 2
	case 127:
		long = 8
	}
	if long > 0 {
		var b [8]byte
		if _, err := io.ReadFull(p.reader, b[8-long:]); err != nil {
			return f, err
		}
		size = binary.BigEndian.Uint64(b[:])
	}
	var mask [4]byte
	if f.masked {
		if _, err := io.ReadFull(p.reader, mask[:]); err != nil {
			return f, err
		}
	}
	f.payload = make([]byte, size)
	if _, err := io.ReadFull(p.reader, f.payload); err != nil {
		return f, err
	}
	for i := range f.payload {
		f.payload[i] ^= mask[i%4]
	}
	if f.masked == p.client {
		return f, fmt.Errorf("masked: %v", f.masked)
	}
	return f, nil
}

// read reads a frame that must come.
func (p *peer) read() frame {
	p.t.Helper()
	f, err := p.tryRead()
	require.NoError(p.t, err)
	return f
}

// readClose reads up to the close frame, which must come, and returns its code and
// reason; 1005 if it has none.
func (p *peer) readClose() (code wsource.StatusCode, reason string) {
	p.t.Helper()
	for {
		f := p.read()
		if f.opcode != opClose {
			continue
		}
		if len(f.payload) == 0 {
			return wsource.StatusNoStatusReceived, ""
		}
		require.GreaterOrEqual(p.t, len(f.payload), 2)
		return wsource.StatusCode(binary.BigEndian.Uint16(f.payload)), string(f.payload[2:])
	}
}

// readEnd requires that the stream ends now, as an orderly peer's does.
func (p *peer) readEnd() {
	p.t.Helper()
	_, err := p.tryRead()
	require.ErrorIs(p.t, err, io.EOF)
}
