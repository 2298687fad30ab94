package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stream is a byte stream that counts the writes it gets, and fails when it is told to.
type stream struct {
	reads  []read
	writes [][]byte
	room   int // how many bytes it takes before it fails; less than 0 for all
	closed int
}

type read struct {
	text string
	err  error
}

var errBroken = errors.New("broken")

func (s *stream) Read(p []byte) (int, error) {
	if len(s.reads) == 0 {
		return 0, io.EOF
	}
	r := &s.reads[0]
	if n := copy(p, r.text); n < len(r.text) {
		r.text = r.text[n:]
		return n, nil
	}
	s.reads = s.reads[1:]
	return len(r.text), r.err
}

func (s *stream) Write(p []byte) (int, error) {
	n := len(p)
	if s.room >= 0 {
		n = min(n, s.room)
		s.room -= n
	}
	s.writes = append(s.writes, bytes.Clone(p[:n]))
	if n < len(p) {
		return n, errBroken
	}
	return n, nil
}

func (s *stream) Close() error {
	s.closed++
	return nil
}

func (s *stream) all() []byte { return bytes.Join(s.writes, nil) }

// message returns a frame as the library writes it.
func message(size int, masked bool) []byte {
	b := []byte{0x82}
	switch {
	case size < 126:
		b = append(b, byte(size))
	case size <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(size))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(size))
	}
	if masked {
		b[1] |= 0x80
		b = append(b, 1, 2, 3, 4)
	}
	return append(b, bytes.Repeat([]byte{byte(size)}, size)...)
}

// closing returns a close frame.
func closing(code uint16, reason string, masked bool) []byte {
	payload := append(binary.BigEndian.AppendUint16(nil, code), reason...)
	b := []byte{0x88, byte(len(payload))}
	if !masked {
		return append(b, payload...)
	}
	b[1] |= 0x80
	b = append(b, 1, 2, 3, 4)
	for i, v := range payload {
		b = append(b, v^byte(1+i%4))
	}
	return b
}

func write(t *testing.T, c *wire.Conn, p []byte) {
	t.Helper()
	n, err := c.Write(p)
	require.NoError(t, err)
	require.Len(t, p, n)
}

func TestFramesAreHeldBack(t *testing.T) {
	s := &stream{room: -1}
	c := wire.New(s, nil, false, nil)
	write(t, c, message(10, false))
	require.Len(t, s.writes, 1, "a lone frame leaves at once")
	c.Hold()
	write(t, c, message(20, false))
	require.NoError(t, c.Control(wire.Pong, []byte("p")))
	write(t, c, message(30, false))
	require.Len(t, s.writes, 1)
	assert.Equal(t, int64(12+22+3+32), c.Accepted())
	assert.Equal(t, int64(12), c.Written())
	require.NoError(t, c.Flush())
	require.Len(t, s.writes, 2, "and several together")
	assert.Equal(t, c.Accepted(), c.Written())
	require.NoError(t, c.Flush())
	write(t, c, message(40, false))
	require.Len(t, s.writes, 3)
	assert.Equal(t, bytes.Join([][]byte{
		message(10, false), message(20, false), {0x8A, 1, 'p'}, message(30, false), message(40, false),
	}, nil), s.all())
}

func TestWhatIsHeldBackIsBounded(t *testing.T) {
	s := &stream{room: -1}
	c := wire.New(s, nil, false, nil)
	c.Hold()
	var want []byte
	for range 100 {
		write(t, c, message(1000, false))
		want = append(want, message(1000, false)...)
		require.LessOrEqual(t, c.Accepted()-c.Written(), int64(32<<10))
	}
	write(t, c, message(100_000, false))
	want = append(want, message(100_000, false)...)
	assert.Equal(t, c.Accepted(), c.Written(), "what is over the bound by itself is not copied")
	require.NoError(t, c.Flush())
	assert.Equal(t, want, s.all())
	assert.Len(t, s.writes, 100/32+2)
	for _, w := range s.writes {
		assert.NotEmpty(t, w)
	}
}

func TestCloseFrameComesLast(t *testing.T) {
	for name, send := range map[string]func(t *testing.T, c *wire.Conn){
		"the library's": func(t *testing.T, c *wire.Conn) {
			t.Helper()
			write(t, c, closing(1001, "bye", false))
			require.NoError(t, c.Close(), "not yet")
			require.NoError(t, c.Answer())
		},
		"ours": func(t *testing.T, c *wire.Conn) { t.Helper(); require.NoError(t, c.CloseFrame(1001, "bye")) },
	} {
		t.Run(name, func(t *testing.T) {
			s := &stream{room: -1}
			c := wire.New(s, nil, false, nil)
			c.Hold()
			write(t, c, message(10, false))
			send(t, c)
			want := append(message(10, false), closing(1001, "bye", false)...)
			assert.Equal(t, [][]byte{want}, s.writes, "it leaves at once, with what was held back")
			write(t, c, closing(1002, "", false))
			require.NoError(t, c.CloseFrame(1002, ""))
			require.NoError(t, c.Control(wire.Pong, nil))
			_, err := c.Write(message(10, false))
			require.ErrorIs(t, err, net.ErrClosed, "nobody is to believe that it was sent")
			require.NoError(t, c.Flush())
			assert.Equal(t, want, s.all())
			assert.Equal(t, int64(12), c.Accepted())
			assert.Equal(t, int64(12), c.Written())
		})
	}
}

func TestClientMasks(t *testing.T) {
	s := &stream{room: -1}
	c := wire.New(s, nil, true, nil)
	require.NoError(t, c.Control(wire.Ping, []byte("hello")))
	require.NoError(t, c.CloseFrame(1000, "é"))
	for i, want := range []string{"hello", "\x03\xE8é"} {
		f := s.writes[i]
		require.Equal(t, byte(0x80|len(want)), f[1])
		for j := range len(want) {
			f[6+j] ^= f[2+j%4]
		}
		assert.Equal(t, want, string(f[6:]))
	}
}

func TestInvalidReasonIsNotEchoed(t *testing.T) {
	for _, masked := range []bool{false, true} {
		s := &stream{room: -1}
		c := wire.New(s, nil, masked, nil)
		write(t, c, closing(1000, "\xFF", masked))
		require.NoError(t, c.Answer())
		f := s.all()
		payload := f[2:]
		if masked {
			payload = f[6:]
			for j := range payload {
				payload[j] ^= f[2+j%4]
			}
		}
		assert.Equal(t, "\x03\xEFclose reason is not UTF-8", string(payload))
	}
}

func TestFailedWrite(t *testing.T) {
	for room := range 40 {
		s := &stream{room: room}
		c := wire.New(s, nil, false, nil)
		c.Hold()
		write(t, c, message(10, false))
		write(t, c, message(20, false))
		if room < 34 {
			require.ErrorIs(t, c.Flush(), errBroken)
			require.ErrorIs(t, c.Flush(), errBroken)
			_, err := c.Write(message(1, false))
			require.ErrorIs(t, err, errBroken, "the peer would take it for the rest of the frame before")
			require.ErrorIs(t, c.Control(wire.Ping, nil), errBroken)
			require.ErrorIs(t, c.CloseFrame(1000, ""), errBroken)
		} else {
			require.NoError(t, c.Flush())
		}
		assert.Equal(t, int64(min(room, 34)), c.Written())
		assert.Len(t, s.all(), min(room, 34))
	}
}

func TestEndOfTheStream(t *testing.T) {
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF} {
		// What comes with an error comes without, as then the library may have a whole message.
		s := &stream{reads: []read{{"abc", err}, {"", err}}}
		c := wire.New(s, nil, true, []byte("\x82\x10efix"))
		p := make([]byte, 4)
		for _, want := range []string{"\x82\x10ef", "ix", "abc"} {
			n, err := c.Read(p)
			require.NoError(t, err)
			require.Equal(t, want, string(p[:n]))
			require.NoError(t, c.ReadErr())
		}
		_, err := c.Read(p)
		require.ErrorIs(t, err, wire.ErrCut)
		require.NotErrorIs(t, err, io.EOF)
		require.NotErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorIs(t, c.ReadErr(), wire.ErrCut)
	}
	c := wire.New(&stream{reads: []read{{"", errBroken}}}, nil, false, nil)
	_, err := c.Read(make([]byte, 4))
	require.ErrorIs(t, err, errBroken)
	require.ErrorIs(t, c.ReadErr(), errBroken)
}

func TestDrainReadsToTheEnd(t *testing.T) {
	s := &stream{reads: []read{{"a", nil}, {"b", nil}, {"", errBroken}, {"not read", nil}}}
	wire.New(s, nil, false, nil).Drain()
	assert.Len(t, s.reads, 1)
}

func TestLastRead(t *testing.T) {
	c := wire.New(&stream{reads: []read{{"\x82", nil}}}, nil, false, nil)
	before := time.Now()
	_, err := c.Read(make([]byte, 1))
	require.NoError(t, err)
	assert.False(t, c.LastRead().Before(before.Round(0)))
}

// secure is a connection as one of TLS: its Close says goodbye first, and waits for that.
type secure struct {
	net.Conn
	under    net.Conn
	released chan struct{}
}

func (s *secure) NetConn() net.Conn { return s.under }

func (s *secure) Close() error {
	<-s.released
	return s.Conn.Close()
}

func (s *secure) CloseWrite() error { return errBroken }

// under is the connection beneath it.
type under struct {
	net.Conn
	released chan struct{}
}

func (u *under) Close() error {
	close(u.released)
	return nil
}

func TestSeverDoesNotWait(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	released := make(chan struct{})
	conn := &secure{near, &under{near, released}, released}
	c := wire.New(conn, conn, false, nil)
	require.ErrorIs(t, c.CloseWrite(), errBroken)
	c.Sever()
	_, err := near.Write([]byte("x"))
	require.ErrorIs(t, err, io.ErrClosedPipe)

	s := &stream{}
	plain := wire.New(s, nil, false, nil)
	require.ErrorIs(t, plain.CloseWrite(), errors.ErrUnsupported)
	plain.Sever()
	require.NoError(t, plain.Close())
	assert.Equal(t, 2, s.closed)
}

// FuzzWrite cuts frames into the pieces that data says, holds back and flushes in between, and checks
// that the stream gets the same bytes.
func FuzzWrite(f *testing.F) {
	f.Add([]byte{1, 2, 3}, true, []byte("reason"))
	f.Add([]byte{0, 200, 7, 31, 255}, false, []byte("\xFF"))
	f.Fuzz(func(t *testing.T, data []byte, masked bool, reason []byte) {
		s := &stream{room: -1}
		c := wire.New(s, nil, masked, nil)
		var want []byte
		for i, b := range data[:min(len(data), 50)] {
			switch b % 8 {
			case 0:
				c.Hold()
			case 1:
				require.NoError(t, c.Flush())
			}
			p := message(int(b)*int(b)*(1+i%3)/3, masked)
			want = append(want, p...)
			for step := 1 + int(b); len(p) > 0; {
				n := min(step, len(p))
				write(t, c, p[:n])
				p = p[n:]
			}
		}
		reason = reason[:min(len(reason), 123)]
		frame := closing(4000, string(reason), masked)
		write(t, c, frame)
		require.NoError(t, c.Answer())
		got := s.all()
		require.True(t, bytes.HasPrefix(got, want))
		got = got[len(want):]
		if utf8.Valid(reason) {
			require.Equal(t, frame, got)
		} else {
			require.Equal(t, byte(0x88), got[0])
			require.Len(t, got, len(closing(1007, "close reason is not UTF-8", masked)))
		}
		require.Equal(t, int64(len(want)), c.Accepted())
		require.Equal(t, int64(len(want)), c.Written())
	})
}

// TestFramesInOneWrite gives several frames to one Write.
func TestFramesInOneWrite(t *testing.T) {
	s := &stream{room: -1}
	c := wire.New(s, nil, false, nil)
	want := append(message(10, false), message(20, false)...)
	write(t, c, append(slices.Clone(want), closing(1000, "\xFF", false)...))
	write(t, c, closing(1000, "", false))
	require.NoError(t, c.Answer())
	_, err := c.Write(message(10, false))
	require.ErrorIs(t, err, net.ErrClosed)
	assert.Equal(t, append(want, closing(1007, "close reason is not UTF-8", false)...), s.all())
}
