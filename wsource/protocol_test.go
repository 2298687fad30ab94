package wsource_test

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestPeerThatBreaksTheProtocol sends bytes that RFC 6455 forbids. The peer gets a close
// frame, the stream fails, and none of the bytes arrive.
func TestPeerThatBreaksTheProtocol(t *testing.T) {
	final := func(opcode byte, size int) frame {
		return frame{fin: true, opcode: opcode, payload: make([]byte, size)}
	}
	for name, test := range map[string]struct {
		frames []frame
		code   wsource.StatusCode
	}{
		"reserved bit 1":          {[]frame{{fin: true, rsv: 4, opcode: opText, payload: []byte("x")}}, wsource.StatusProtocolError},
		"reserved bit 2":          {[]frame{{fin: true, rsv: 2, opcode: opText, payload: []byte("x")}}, wsource.StatusProtocolError},
		"reserved bit 3":          {[]frame{{fin: true, rsv: 1, opcode: opPing}}, wsource.StatusProtocolError},
		"reserved opcode":         {[]frame{final(0x3, 4)}, wsource.StatusProtocolError},
		"reserved control opcode": {[]frame{final(0xB, 4)}, wsource.StatusProtocolError},
		"fragmented ping":         {[]frame{{opcode: opPing, payload: []byte("x")}}, wsource.StatusProtocolError},
		"fragmented close":        {[]frame{{opcode: opClose}}, wsource.StatusProtocolError},
		"oversized ping":          {[]frame{final(opPing, 126)}, wsource.StatusProtocolError},
		"oversized close":         {[]frame{final(opClose, 126)}, wsource.StatusProtocolError},
		"close with one byte":     {[]frame{final(opClose, 1)}, wsource.StatusProtocolError},
		"continuation of nothing": {[]frame{final(opContinuation, 4)}, wsource.StatusProtocolError},
		"new message in another": {
			[]frame{{opcode: opText, payload: []byte("x")}, textFrame("y")}, wsource.StatusProtocolError,
		},
		"text that is not UTF-8": {[]frame{textFrame("caf\xE9")}, wsource.StatusInvalidPayload},
		"rune that is cut": {
			[]frame{{opcode: opText, payload: []byte("x")}, {fin: true, opcode: opContinuation, payload: []byte("\xC3")}},
			wsource.StatusInvalidPayload,
		},
		"surrogate half": {[]frame{textFrame("\xED\xA0\x80")}, wsource.StatusInvalidPayload},
	} {
		for _, client := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s client %v", name, client), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, socket := rawPeer(t, client)
					got := record[wsource.Message](t, socket)
					started := time.Now()
					p.write(test.frames...)
					p.write(textFrame("more")) // on its way already
					code, _ := p.readClose()
					assert.Equal(t, test.code, code)
					p.write(closeFrame(uint16(code), ""))
					p.readEnd()
					require.NoError(t, p.conn.Close())
					err := requireClose(t, got.ExpectEnd(t), test.code)
					require.Error(t, err.Err, "the cause is told")
					assert.Equal(t, code == wsource.StatusInvalidPayload, errors.Is(err, wsource.ErrInvalidUTF8))
					assert.Empty(t, got.Values())
					assert.Zero(t, time.Since(started))
				})
			})
		}
	}
}

func TestFramesThatAreNoFrames(t *testing.T) {
	masked := textFrame("x")
	masked.masked = true
	for name, test := range map[string]struct {
		raw    []byte
		client bool // the client sends it
		reason string
	}{
		"not masked":            {textFrame("x").bytes(), true, "a frame of the client is not masked"},
		"masked":                {masked.bytes(), false, "a frame of the server is masked"},
		"masked control":        {[]byte{0x89, 0x80, 1, 2, 3, 4}, false, "a frame of the server is masked"},
		"negative length":       {[]byte{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, false, "the length of a frame is negative"},
		"length in 2 bytes":     {[]byte{0x82, 126, 0, 125}, false, "the length of a frame is not in its shortest form"},
		"length in 8 bytes":     {[]byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, false, "the length of a frame is not in its shortest form"},
		"from a client, masked": {[]byte{0x82, 254, 0, 1, 0, 0, 0, 0}, true, "the length of a frame is not in its shortest form"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, socket := rawPeer(t, test.client)
				got := record[wsource.Message](t, socket)
				first := textFrame("first")
				first.masked = test.client
				// In one write, and so in one read.
				p.raw(append(first.bytes(), test.raw...))
				code, reason := p.readClose()
				assert.Equal(t, wsource.StatusProtocolError, code)
				assert.Equal(t, test.reason, reason)
				p.readEnd()
				require.NoError(t, p.conn.Close())
				assert.Equal(t, test.reason, requireClose(t, got.ExpectEnd(t), wsource.StatusProtocolError).Reason)
				assert.Equal(t, []string{"first"}, texts(got.Values()))
			})
		})
	}
}

func TestPeerThatBreaksTheProtocolAndStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, socket := rawPeer(t, true)
		got := record[wsource.Message](t, socket)
		started := time.Now()
		p.write(frame{fin: true, opcode: 0x3})
		requireClose(t, got.ExpectEnd(t), wsource.StatusProtocolError)
		assert.Equal(t, wsource.DefaultCloseTimeout, time.Since(started))
	})
}

func TestCorruptCompression(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
		p, server := newSite(t, wsource.AcceptOptions{Compression: wsource.CompressMessages, Heartbeat: noBeat}).rawClient(extension)
		got := record[wsource.Message](t, server)
		p.write(frame{fin: true, rsv: 4, opcode: opText, payload: []byte{0xFF, 0xFF, 0xFF}})
		code, _ := p.readClose()
		assert.Equal(t, wsource.StatusInvalidPayload, code)
		require.NoError(t, p.conn.Close())
		requireClose(t, got.ExpectEnd(t), wsource.StatusInvalidPayload)
	})
}

// TestControlFrameWhoseRestIsLate has the end of a control frame, between two messages or
// in one, come a minute after its beginning.
func TestControlFrameWhoseRestIsLate(t *testing.T) {
	late := func(p *peer, opcode byte, payload string) {
		whole := frame{fin: true, opcode: opcode, payload: []byte(payload), masked: p.client}.bytes()
		last := len(whole) - 1
		p.raw(whole[:last])
		time.Sleep(time.Minute)
		p.raw(whole[last:])
	}
	for _, client := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			p, socket := rawPeer(t, client)
			got := record[wsource.Message](t, socket)
			for _, opcode := range []byte{opPing, opPong} {
				late(p, opcode, "alone")
				p.write(frame{opcode: opText, payload: []byte("af")})
				late(p, opcode, "between")
				p.write(frame{fin: true, opcode: opContinuation, payload: []byte("ter")})
			}
			synctest.Wait()
			assert.Equal(t, []string{"after", "after"}, texts(got.Values()))
			for _, want := range []string{"alone", "between"} {
				pong := p.read()
				assert.Equal(t, opPong, pong.opcode)
				assert.Equal(t, want, string(pong.payload))
			}
			late(p, opClose, "\x03\xE9bye")
			requireClose(t, got.ExpectEnd(t), wsource.StatusGoingAway)
			code, reason := p.readClose()
			assert.Equal(t, wsource.StatusGoingAway, code)
			assert.Equal(t, "bye", reason)
		})
	}
}

// TestCloseFrameWhoseRestDoesNotCome: the heartbeat judges a peer that has begun a close
// frame as any other.
func TestCloseFrameWhoseRestDoesNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, socket := newSite(t, wsource.AcceptOptions{Heartbeat: beat}).rawClient("")
		got := record[wsource.Message](t, socket)
		p.raw(frame{fin: true, opcode: opClose, payload: []byte("\x03\xE8payload"), masked: true}.bytes()[:9])
		start := time.Now()
		require.ErrorIs(t, requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure), wsource.ErrHeartbeat)
		assert.Equal(t, beat.Interval+beat.Timeout, time.Since(start))
	})
}

func TestReadLimit(t *testing.T) {
	for name, test := range map[string]struct {
		limit   int64
		frames  []frame
		arrives bool
	}{
		"at the limit":     {100, []frame{{fin: true, opcode: opBinary, payload: make([]byte, 100)}}, true},
		"over the limit":   {100, []frame{{fin: true, opcode: opBinary, payload: make([]byte, 101)}}, false},
		"the default":      {0, []frame{{fin: true, opcode: opBinary, payload: make([]byte, wsource.DefaultReadLimit)}}, true},
		"over the default": {0, []frame{{fin: true, opcode: opBinary, payload: make([]byte, wsource.DefaultReadLimit+1)}}, false},
		"fragments, at the limit": {100, []frame{
			{opcode: opBinary, payload: make([]byte, 60)}, {fin: true, opcode: opContinuation, payload: make([]byte, 40)},
		}, true},
		"fragments, over the limit": {100, []frame{
			{opcode: opBinary, payload: make([]byte, 60)}, {fin: true, opcode: opContinuation, payload: make([]byte, 41)},
		}, false},
	} {
		for _, client := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s client %v", name, client), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var p *peer
					var socket *wsource.Socket
					if client {
						p, socket = newSite(t, wsource.AcceptOptions{ReadLimit: test.limit}).rawClient("")
					} else {
						p, socket = rawServer(t, &wsource.DialOptions{ReadLimit: test.limit})
					}
					got := record[wsource.Message](t, socket)
					p.write(test.frames...)
					p.write(textFrame("next"))
					if test.arrives {
						settle()
						require.Len(t, got.Values(), 2)
						p.write(closeFrame(1000, ""))
						require.NoError(t, got.ExpectEnd(t))
						return
					}
					code, reason := p.readClose()
					assert.Equal(t, wsource.StatusMessageTooBig, code)
					assert.Contains(t, reason, "bytes")
					p.write(closeFrame(1009, ""))
					p.readEnd()
					require.NoError(t, p.conn.Close())
					require.ErrorIs(t, requireClose(t, got.ExpectEnd(t), wsource.StatusMessageTooBig), wsource.ErrMessageTooBig)
					assert.Empty(t, got.Values())
				})
			})
		}
	}
}

// TestPeerSeesTheReadLimit has a peer send a message of many times the limit and read
// only after that, while this side is stuck in sending, too.
func TestPeerSeesTheReadLimit(t *testing.T) {
	large := frame{fin: true, opcode: opBinary, payload: make([]byte, 8<<20), masked: true}.bytes()
	check := func(t *testing.T, p *peer, server *wsource.Socket) {
		t.Helper()
		got := record[wsource.Message](t, server)
		go server.Next(wsource.BinaryMessage(make([]byte, 4<<20)))
		p.raw(large)
		var code wsource.StatusCode
		code, _ = p.readClose()
		assert.Equal(t, wsource.StatusMessageTooBig, code)
		p.write(closeFrame(uint16(code), ""))
		p.readEnd()
		require.NoError(t, p.conn.Close())
		requireClose(t, got.ExpectEnd(t), wsource.StatusMessageTooBig)
	}
	t.Run("in memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, server := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat}).rawClient("")
			check(t, p, server)
		})
	})
	t.Run("over TCP", func(t *testing.T) {
		server := new(wsource.Server)
		sockets := make(chan *wsource.Socket, 1)
		server.Connections().Subscribe(t.Context(), observable.ObserverFuncs[*wsource.Socket]{
			OnNext: func(s *wsource.Socket) { sockets <- s },
		})
		listener := loopback(t)
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		for range 3 {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", listener.Addr().String())
			require.NoError(t, err)
			p := handshake(t, conn, "")
			check(t, p, <-sockets)
		}
		require.NoError(t, server.Shutdown(context.Background()))
		require.ErrorIs(t, <-served, http.ErrServerClosed)
	})
}

// TestCompressedBomb sends a small message that unfolds to more than the limit.
func TestCompressedBomb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Compression: wsource.CompressMessages, ReadLimit: 10_000})
		p, server := s.rawClient("Sec-WebSocket-Extensions: permessage-deflate\r\n")
		got := record[wsource.Message](t, server)
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, flate.BestCompression)
		require.NoError(t, err)
		_, err = w.Write(make([]byte, 4<<20))
		require.NoError(t, err)
		require.NoError(t, w.Flush())
		payload := bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xFF, 0xFF})
		require.Less(t, len(payload), wstest.DefaultBuffer)
		p.write(frame{fin: true, rsv: 4, opcode: opBinary, payload: payload})
		code, _ := p.readClose()
		assert.Equal(t, wsource.StatusMessageTooBig, code)
		require.NoError(t, p.conn.Close())
		requireClose(t, got.ExpectEnd(t), wsource.StatusMessageTooBig)
		assert.Empty(t, got.Values())
	})
}
