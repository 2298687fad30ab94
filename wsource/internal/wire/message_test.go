package wire_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// sizes are payloads on both sides of each limit: of the forms of a length, of the buffers, and of what is held back.
var sizes = []int{
	0, 1, 5, 125, 126, 242, 248, 256, 4096, 16_370, 16_384, 16_385, 32_754, 32_755, 32_768, 40_000, 65_535, 65_536, 200_001,
}

// payload returns bytes that tell where they belong.
func payload(size int) []byte {
	p := make([]byte, size)
	for i := range p {
		p[i] = byte(i*7 + i>>8 + size)
	}
	return p
}

// written makes a Conn write messages of all sizes, some of them together, and returns the bytes.
func written(t *testing.T, client bool) *stream {
	t.Helper()
	s := &stream{room: -1}
	c := wire.New(s, nil, client, nil)
	for i, size := range sizes {
		switch i % 5 {
		case 1:
			c.Hold()
		case 4:
			require.NoError(t, c.Flush())
			require.Len(t, s.all(), int(c.Accepted()))
		}
		require.NoError(t, c.Message([]wire.Opcode{wire.Text, wire.Binary}[i%2], payload(size)))
		require.NoError(t, c.Control(wire.Ping, []byte(strconv.Itoa(i))))
	}
	require.NoError(t, c.Flush())
	require.Equal(t, c.Accepted(), c.Written())
	require.Len(t, s.all(), int(c.Accepted()))
	return s
}

// receive takes a frame's payload, all at once if it is short and in parts if not.
func receive(t *testing.T, c *wire.Conn, f wire.Frame) []byte {
	t.Helper()
	if f.Length <= wire.MaxPayload {
		p, err := c.Payload(f)
		require.NoError(t, err)
		return p
	}
	var all []byte
	for f.Length > 0 {
		p := make([]byte, min(f.Length, 10_001))
		var err error
		f, err = c.ReadPayload(f, p)
		require.NoError(t, err)
		all = append(all, p...)
	}
	return all
}

func TestMessagesAndControlFramesAreReadAsTheyWereWritten(t *testing.T) {
	for _, client := range []bool{true, false} {
		for _, chunk := range []int{61, 255, 256, 257, 16_384, 1 << 20} {
			t.Run(strconv.FormatBool(client)+" "+strconv.Itoa(chunk), func(t *testing.T) {
				all := written(t, client).all()
				for _, prefix := range []int{0, 1, 600, 20_000} {
					s := &stream{}
					for part := range slices.Chunk(all[prefix:], chunk) {
						s.reads = append(s.reads, read{string(part), nil})
					}
					c := wire.New(s, nil, !client, bytes.Clone(all[:prefix]))
					for i, size := range sizes {
						f, ours, err := c.Next()
						require.NoError(t, err)
						require.True(t, ours)
						require.Equal(t, []wire.Opcode{wire.Text, wire.Binary}[i%2], f.Opcode)
						require.Equal(t, int64(size), f.Length)
						require.True(t, bytes.Equal(payload(size), receive(t, c, f)))
						f, ours, err = c.Next()
						require.NoError(t, err)
						require.True(t, ours)
						require.Equal(t, wire.Ping, f.Opcode)
						p, err := c.Payload(f)
						require.NoError(t, err)
						require.Equal(t, strconv.Itoa(i), string(p))
					}
					_, _, err := c.Next()
					require.ErrorIs(t, err, wire.ErrCut)
					require.ErrorIs(t, c.ReadErr(), wire.ErrCut)
				}
			})
		}
	}
}

func TestMaskingKeysDiffer(t *testing.T) {
	s := &stream{room: -1}
	c := wire.New(s, nil, true, nil)
	seen := map[uint32]bool{}
	for range 1000 {
		require.NoError(t, c.Message(wire.Binary, nil))
		f := s.writes[len(s.writes)-1]
		require.Len(t, f, 6)
		seen[binary.LittleEndian.Uint32(f[2:])] = true
	}
	assert.Greater(t, len(seen), 990)
}

// TestOthersAreTheLibrarys reads frames that are not Next's: Read gives each to the library, and nothing behind the message.
func TestOthersAreTheLibrarys(t *testing.T) {
	for name, others := range map[string][]byte{
		"fragments":  append(append([]byte{0x02, 1, 'a'}, 0x89, 1, 'p'), 0x80, 2, 'b', 'c'),
		"compressed": {0xC2, 3, 1, 2, 3},
		"close":      {0x88, 2, 3, 0xE8},
		"large":      append([]byte{0xC2, 126, 0x9C, 0x40}, make([]byte, 40_000)...),
	} {
		for _, chunk := range []int{1, 4, 1 << 20} {
			s := &stream{}
			for part := range slices.Chunk(slices.Concat([]byte{0x81, 1, 'x'}, others, []byte{0x81, 1, 'y'}), chunk) {
				s.reads = append(s.reads, read{string(part), nil})
			}
			c := wire.New(s, nil, true, nil)
			f, ours, err := c.Next()
			require.NoError(t, err)
			require.True(t, ours)
			require.Equal(t, "x", string(receive(t, c, f)))
			got := []byte{}
			for len(got) < len(others) {
				_, ours, err := c.Next()
				require.NoError(t, err)
				require.False(t, ours, "%s by %d, after %d", name, chunk, len(got))
				p := make([]byte, 20_000)
				n, err := c.Read(p)
				require.NoError(t, err)
				got = append(got, p[:n]...)
			}
			require.Equal(t, others, got)
			f, ours, err = c.Next()
			require.NoError(t, err)
			require.True(t, ours)
			require.Equal(t, "y", string(receive(t, c, f)))
		}
	}
}

// TestForbiddenFramesAreNotNexts: what is wrong is found in one place, which is Read.
func TestForbiddenFramesAreNotNexts(t *testing.T) {
	for name, bad := range forbidden {
		s := &stream{reads: []read{{string(message(5, !bad.client)), nil}, {string(bad.frame), nil}}}
		c := wire.New(s, nil, bad.client, nil)
		f, ours, err := c.Next()
		require.NoError(t, err)
		require.True(t, ours)
		receive(t, c, f)
		for err == nil {
			if _, ours, err = c.Next(); err == nil {
				require.False(t, ours, name)
				_, err = c.Read(make([]byte, 100))
			}
		}
		var fe *wire.FrameError
		require.ErrorAs(t, err, &fe, name)
		require.ErrorAs(t, c.ReadErr(), &fe)
		_, _, err = c.Next()
		require.ErrorAs(t, err, &fe, "it stays so")
	}
}

// TestCutPayload: a stream that ends in a frame is cut wherever that is.
func TestCutPayload(t *testing.T) {
	for _, size := range []int{10, 200, 20_000} {
		all := message(size, false)
		for _, cut := range []int{1, 2, 3, len(all) / 2, len(all) - 1} {
			c := wire.New(&stream{reads: []read{{string(all[:cut]), nil}}}, nil, true, nil)
			f, ours, err := c.Next()
			switch {
			case err != nil:
			case size > wire.MaxPayload:
				_, err = c.ReadPayload(f, make([]byte, size))
			default:
				require.True(t, ours)
				_, err = c.Payload(f)
			}
			require.ErrorIs(t, err, wire.ErrCut)
			require.ErrorIs(t, c.ReadErr(), wire.ErrCut)
		}
	}
}

func TestDetachedMemoryStaysAsItIs(t *testing.T) {
	for _, size := range []int{100, 10_000} {
		all := slices.Concat(message(size, false), message(50, false), message(size+1, false), message(70, false))
		c := wire.New(&stream{reads: []read{{string(all[:size+30]), nil}, {string(all[size+30:]), nil}}}, nil, true, nil)
		f, _, err := c.Next()
		require.NoError(t, err)
		held := receive(t, c, f)
		c.Detach()
		for _, next := range []int{50, size + 1, 70} {
			f, _, err := c.Next()
			require.NoError(t, err)
			require.Equal(t, bytes.Repeat([]byte{byte(next)}, next), receive(t, c, f))
		}
		require.Equal(t, bytes.Repeat([]byte{byte(size)}, size), held)
	}
}

// TestFailedMessage breaks the stream after each number of bytes: of nothing is more than these said to be written.
func TestFailedMessage(t *testing.T) {
	for _, room := range []int{0, 1, 11, 12, 13, 33, 40_000, 60_000} {
		s := &stream{room: room}
		c := wire.New(s, nil, false, nil)
		c.Hold()
		require.NoError(t, c.Message(wire.Binary, make([]byte, 10)))
		require.NoError(t, c.Message(wire.Binary, make([]byte, 20)))
		require.ErrorIs(t, c.Message(wire.Binary, make([]byte, 70_000)), errBroken)
		assert.Equal(t, int64(room), c.Written())
		assert.Len(t, s.all(), room)
		require.ErrorIs(t, c.Flush(), errBroken)
		require.ErrorIs(t, c.CloseFrame(1000, ""), errBroken)
		assert.Len(t, s.all(), room)
	}
	c := wire.New(&stream{room: -1}, nil, false, nil)
	require.NoError(t, c.CloseFrame(1000, ""))
	require.ErrorIs(t, c.Message(wire.Text, nil), net.ErrClosed, "nobody is to believe that it was sent")
}

// TestWritersTakeTurns has many write at once: every frame comes whole.
func TestWritersTakeTurns(t *testing.T) {
	s := &stream{room: -1}
	c := wire.New(s, nil, false, nil)
	const writers, each = 8, 200
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				assert.NoError(t, c.Message(wire.Binary, payload(50)))
				runtime.Gosched()
			}
		})
	}
	all.Wait()
	r := wire.New(&stream{reads: []read{{string(s.all()), nil}}}, nil, true, nil)
	for range writers * each {
		f, ours, err := r.Next()
		require.NoError(t, err)
		require.True(t, ours)
		require.Equal(t, payload(50), receive(t, r, f))
	}
}

// TestWaitingForATurnBlocks: time goes on in a bubble where writers wait behind a stalled peer, and all get their turn.
func TestWaitingForATurnBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := wire.New(near, nil, false, nil)
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { assert.NoError(t, c.Message(wire.Binary, payload(50))) })
		}
		synctest.Wait()
		got := make([]byte, 5*52)
		_, err := io.ReadFull(far, got)
		require.NoError(t, err)
		all.Wait()
		require.NoError(t, near.Close())
		require.NoError(t, far.Close())
	})
}

// FuzzMask holds masking against the plain loop of RFC 6455, in two parts.
func FuzzMask(f *testing.F) {
	f.Add([]byte("hello, this is more than thirty-two bytes, and an odd number"), 7)
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		s := &stream{room: -1}
		require.NoError(t, wire.New(s, nil, true, nil).Message(wire.Binary, p))
		frame := s.all()
		header := len(frame) - len(p)
		key := frame[header-4 : header]
		for i, v := range frame[header:] {
			require.Equal(t, p[i], v^key[i%4])
		}
		c := wire.New(&stream{reads: []read{{string(frame), nil}}}, nil, false, nil)
		head, ours, err := c.Next()
		require.NoError(t, err)
		require.True(t, ours)
		got := make([]byte, len(p))
		cut = (cut&0xFFFF + len(p)) % (len(p) + 1)
		head, err = c.ReadPayload(head, got[:cut])
		require.NoError(t, err)
		_, err = c.ReadPayload(head, got[cut:])
		require.NoError(t, err)
		require.Equal(t, len(p), len(got))
		require.True(t, bytes.Equal(p, got))
	})
}

func BenchmarkNext(b *testing.B) {
	frames := bytes.Repeat(message(128, true), 1000)
	c := wire.New(&endless{frames: frames}, nil, false, nil)
	b.ReportAllocs()
	for b.Loop() {
		f, _, err := c.Next()
		if err == nil {
			_, err = c.Payload(f)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// endless is a stream of the same frames, again and again.
type endless struct {
	stream
	frames []byte
	at     int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.frames[e.at:])
	e.at = (e.at + n) % len(e.frames)
	return n, nil
}
