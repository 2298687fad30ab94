package frame_test

import (
	"bufio"
	"compress/flate"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// The protocol suite can test any implementation that echoes messages.
//
//	go test ./wsource/internal/frame -run TestProtocol -args -server ws://127.0.0.1:8080
//	go test ./wsource/internal/frame -run TestProtocol -args -listen 127.0.0.1:9001
//
// A client connects to the latter again and again, until it is refused.
var (
	serverFlag = flag.String("server", "", "the URL of an echoing server to test, ws://...")
	listenFlag = flag.String("listen", "", "the address at which echoing clients are tested")
)

// echo is an endpoint made of this package that echoes messages.
type echo struct {
	conn    net.Conn
	reader  *frame.Reader
	keys    *frame.Keys
	deflate *frame.Deflater
	out     []byte
}

// errClosed ends an echo whose peer has closed.
var errClosed = errors.New("closed")

func newEcho(conn net.Conn, client bool, p frame.Params) *echo {
	e := &echo{conn: conn, reader: frame.NewReader(conn, frame.Config{Client: client, Params: p})}
	if client {
		e.keys = new(frame.Keys)
	}
	if p.Enabled {
		e.deflate, _ = frame.NewDeflater(p.Outgoing(client), flate.BestSpeed)
	}
	return e
}

func (e *echo) run() {
	var err error
	for err == nil {
		err = e.message()
	}
	if bad, ok := errors.AsType[*frame.Error](err); ok {
		_ = e.write(frame.Close, frame.AppendClose(nil, bad.Code, bad.Problem))
	}
	if e.deflate != nil {
		e.deflate.Release()
	}
	_ = e.conn.Close()
}

func (e *echo) message() error {
	h, err := e.reader.Next()
	if err != nil {
		return err
	}
	const limit = 32 << 20
	var payload []byte
	switch {
	case h.Opcode.Control() || h.Lone() && h.Length <= frame.MaxPayload:
		payload, err = e.reader.Payload(h)
	default:
		payload, err = e.reader.Message(h, limit, e.control).ReadAll(nil)
	}
	switch {
	case err != nil:
		return err
	case h.Opcode.Control():
		return e.control(h, payload)
	}
	return e.write(h.Opcode, payload)
}

func (e *echo) control(h frame.Header, payload []byte) error {
	switch h.Opcode {
	case frame.Ping:
		return e.write(frame.Pong, payload)
	case frame.Close:
		code, reason, err := frame.ParseClose(payload)
		if err == nil {
			_ = e.write(frame.Close, frame.AppendClose(nil, code, reason))
			err = errClosed
		}
		return err
	default:
		return nil
	}
}

func (e *echo) write(opcode frame.Opcode, payload []byte) error {
	h := frame.Header{Opcode: opcode, Final: true}
	if e.deflate != nil && !opcode.Control() {
		payload, h.Compressed = e.deflate.Append(nil, payload, true), true
	}
	e.out = frame.AppendFrame(e.out[:0], h, payload, e.keys)
	_, err := e.conn.Write(e.out)
	return err
}

// score counts verdicts.
type score [3]atomic.Int64

// localScale is the divisor of sizes and counts in the cases of this package and of
// sockets. Long messages remain longer than 64 KiB.
const localScale = 32

// local runs cases, several at a time: a bubble keeps one core busy at most. All of them
// have to be strict.
func (s *score) local(t *testing.T, what string, cases func(t *testing.T)) {
	t.Helper()
	defer s.print(what)
	t.Run("of", cases)
	assert.Zero(t, s[acceptable].Load(), "these are strict")
}

// play plays a case over a connection to an implementation whose Params are known.
func (s *score) play(t *testing.T, p *tester, c protocolCase, negotiated frame.Params, scale int) {
	b := &builder{client: p.client, scale: scale}
	p.t, p.events = t, make(chan event, 1<<12/scale)
	if negotiated.Enabled {
		b.packer = newPacker(negotiated.Outgoing(p.client))
		defer b.packer.release()
		p.unpack = &unpacker{direction: negotiated.Outgoing(!p.client)}
	}
	c.build(b)
	if b.skipped {
		_ = p.conn.Close()
		return
	}
	b.finish()
	result, got := p.judge(b)
	s[result].Add(1)
	if result != strict {
		t.Logf("%s: %s: got %q, want %q", c.id, []string{"strict", "acceptable", "failed"}[result], got, b.want)
	}
	if result == failed {
		t.Fail()
	}
}

func (s *score) print(what string) {
	fmt.Printf("%s: %d strict, %d acceptable, %d failed\n", what, s[strict].Load(), s[acceptable].Load(), s[failed].Load())
}

// TestProtocol has the cases of RFC 6455 and RFC 7692, numbered as in the public Autobahn
// suite.
func TestProtocol(t *testing.T) {
	total := new(score)
	switch {
	case *serverFlag != "":
		defer total.print("protocol")
		total.testServer(t, *serverFlag)
	case *listenFlag != "":
		defer total.print("protocol")
		total.testClients(t, *listenFlag)
	default:
		total.local(t, "protocol", total.allInMemory)
	}
}

// allInMemory plays all cases against echoes.
func (s *score) allInMemory(t *testing.T) {
	for _, client := range []bool{true, false} {
		for name, p := range map[string]frame.Params{
			"uncompressed": {}, "without takeover": frame.WithTakeover(false), "with takeover": frame.WithTakeover(true),
		} {
			for _, c := range localCases(p) {
				s.inMemory(t, fmt.Sprintf("%s %s client=%v", c.id, name, client), c, client, p)
			}
		}
		for i, p := range wishes() {
			for _, c := range localWishes(i) {
				s.inMemory(t, fmt.Sprintf("%s client=%v", c.id, client), c, client, p)
			}
		}
	}
}

// inMemory plays a case against an echo.
func (s *score) inMemory(t *testing.T, name string, c protocolCase, client bool, p frame.Params) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				newEcho(far, client, p).run()
			}()
			s.play(t, &tester{conn: near, reader: near, client: !client}, c, p, localScale)
			<-done
		})
	})
}

// remoteCases are the cases against other implementations, with the offer or the answer
// of each.
func remoteCases() (cases []protocolCase, offers []frame.Params) {
	cases = slices.Concat(framing(), fragmentation(), unicodeCases(), closing(), bulk())
	offers = slices.Repeat([]frame.Params{{}}, len(cases))
	add := func(all []protocolCase, p frame.Params) {
		cases, offers = append(cases, all...), append(offers, slices.Repeat([]frame.Params{p}, len(all))...)
	}
	add(compressed("12", 128<<10), frame.WithTakeover(true))
	for i, p := range wishes() {
		add(compressed(fmt.Sprint("13.", i+1), 128<<10), p)
	}
	return cases, offers
}

// testServer tests a server.
func (s *score) testServer(t *testing.T, address string) {
	u, err := url.Parse(address)
	require.NoError(t, err)
	cases, offers := remoteCases()
	for i, c := range cases {
		t.Run(c.id, func(t *testing.T) {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", u.Host)
			require.NoError(t, err)
			reader, p := shakeHands(t, conn, u, offers[i])
			s.play(t, &tester{conn: conn, reader: reader, client: true}, c, p, 1)
		})
	}
}

// testClients tests a client that connects once for each case.
func (s *score) testClients(t *testing.T, address string) {
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	defer listener.Close()
	cases, wishes := remoteCases()
	for i, c := range cases {
		t.Run(c.id, func(t *testing.T) {
			conn, err := listener.Accept()
			require.NoError(t, err)
			reader, p := answerHandshake(t, conn, wishes[i])
			s.play(t, &tester{conn: conn, reader: reader}, c, p, 1)
		})
	}
}

// shakeHands makes the handshake with a server, and returns the negotiated compression.
func shakeHands(t *testing.T, conn net.Conn, u *url.URL, offer frame.Params) (*bufio.Reader, frame.Params) {
	t.Helper()
	request := "GET " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	if offer.Enabled {
		request += frame.ExtensionsHeader + ": " + offer.Offer() + "\r\n"
	}
	_, err := conn.Write([]byte(request + "\r\n"))
	require.NoError(t, err)
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	p, err := offer.Check(response.Header.Values(frame.ExtensionsHeader))
	require.NoError(t, err)
	return reader, p
}

// answerHandshake makes the handshake with a client, and returns the negotiated
// compression.
func answerHandshake(t *testing.T, conn net.Conn, wish frame.Params) (*bufio.Reader, frame.Params) {
	t.Helper()
	reader := bufio.NewReader(conn)
	request, err := http.ReadRequest(reader)
	require.NoError(t, err)
	p, answer := wish.Answer(request.Header.Values(frame.ExtensionsHeader))
	lines := []string{
		"HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Accept: " + acceptKey(request),
	}
	if p.Enabled {
		lines = append(lines, frame.ExtensionsHeader+": "+answer)
	}
	_, err = conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
	require.NoError(t, err)
	return reader, p
}

// acceptKey returns a server's answer to the key of a request.
func acceptKey(r *http.Request) string {
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
