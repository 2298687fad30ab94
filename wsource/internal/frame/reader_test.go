package frame_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// lengths are the lengths at the limits of a header's forms, and of the buffers.
func lengths() []int {
	return []int{0, 1, 125, 126, 127, 240, 256, 300, frame.MaxPayload, frame.MaxPayload + 1, 1<<16 - 1, 1 << 16, 100_000}
}

// payloadOf reads the payload of a frame of any length.
func payloadOf(tb testing.TB, r *frame.Reader, h frame.Header) []byte {
	tb.Helper()
	if h.Length <= frame.MaxPayload {
		p, err := r.Payload(h)
		require.NoError(tb, err)
		return bytes.Clone(p)
	}
	p := make([]byte, h.Length)
	half := len(p) / 2
	h, err := r.ReadPayload(h, p[:half])
	require.NoError(tb, err)
	require.Equal(tb, int64(len(p)-half), h.Length)
	_, err = r.ReadPayload(h, p[half:])
	require.NoError(tb, err)
	return p
}

func TestFramesAreReadAsTheyCome(t *testing.T) {
	for _, client := range []bool{true, false} {
		for _, size := range sizes() {
			var frames []raw
			for i, n := range lengths() {
				payload := bytes.Repeat([]byte("0123456789abcdef!"), n/17+1)[:n]
				frames = append(frames, raw{opcode: byte(1 + i%2), payload: payload})
				if n <= frame.MaxControl {
					frames = append(frames, raw{opcode: 9, payload: payload}, raw{opcode: 10, payload: payload}, raw{opcode: 8, payload: payload})
				}
			}
			data := stream(client, frames...)
			for _, prefix := range []int{0, 5, len(data)} {
				r := frame.NewReader(&pieces{data: data[prefix:], size: size},
					frame.Config{Client: client, Prefix: bytes.Clone(data[:prefix])})
				for _, f := range frames {
					r.Await()
					require.True(t, r.Buffered())
					h, err := r.Next()
					require.NoError(t, err)
					require.Equal(t, frame.Header{Opcode: frame.Opcode(f.opcode), Final: true, Length: int64(len(f.payload))}, h)
					require.Equal(t, f.opcode < 8, h.Lone())
					require.True(t, bytes.Equal(f.payload, payloadOf(t, r, h)))
				}
				r.Await()
				require.False(t, r.Buffered())
				require.ErrorIs(t, r.Err(), frame.ErrCut)
			}
		}
	}
}

func TestViolations(t *testing.T) {
	text, open := raw{opcode: 1, payload: []byte("text")}, raw{opcode: 1, open: true, payload: []byte("te")}
	head := func(client bool, head ...byte) []byte {
		if !client {
			head[1] |= 0x80
		}
		return head
	}
	for _, client := range []bool{true, false} {
		masked, other := "a frame of the client is not masked", text.bytes(false)
		if client {
			masked, other = "a frame of the server is masked", text.bytes(true)
		}
		for name, test := range map[string]struct {
			data    []byte
			deflate bool
			problem string
		}{
			"masks":             {other, false, masked},
			"bit 1":             {stream(client, raw{opcode: 1, rsv: 4}), false, "a reserved bit of a frame is set"},
			"bit 2":             {stream(client, raw{opcode: 1, rsv: 2}), true, "a reserved bit of a frame is set"},
			"bit 3":             {stream(client, raw{opcode: 1, rsv: 1}), true, "a reserved bit of a frame is set"},
			"packed ping":       {stream(client, raw{opcode: 9, rsv: 4}), true, "a frame other than a message's first is marked as compressed"},
			"packed fragment":   {stream(client, open, raw{rsv: 4}), true, "a frame other than a message's first is marked as compressed"},
			"opcode 3":          {stream(client, raw{opcode: 3}), false, "the opcode of a frame is reserved"},
			"opcode 7, open":    {stream(client, raw{opcode: 7, open: true}), false, "the opcode of a frame is reserved"},
			"opcode 11":         {stream(client, raw{opcode: 11}), false, "the opcode of a frame is reserved"},
			"opcode 15":         {stream(client, raw{opcode: 15}), false, "the opcode of a frame is reserved"},
			"open ping":         {stream(client, raw{opcode: 9, open: true}), false, "a control frame is fragmented"},
			"open close":        {stream(client, raw{opcode: 8, open: true}), false, "a control frame is fragmented"},
			"long ping":         {stream(client, raw{opcode: 9, payload: make([]byte, 126)}), false, "a control frame has more than 125 bytes"},
			"very long pong":    {head(client, 0x8A, 127), false, "a control frame has more than 125 bytes"},
			"message inside":    {stream(client, open, text), false, "a message begins inside another"},
			"nothing to go on":  {stream(client, raw{}), false, "a fragment continues no message"},
			"after the end":     {stream(client, open, raw{}, raw{}), false, "a fragment continues no message"},
			"2 bytes for 125":   {head(client, 0x82, 126, 0, 125, 0, 0, 0, 0), false, "the length of a frame is not in its shortest form"},
			"8 bytes for 65535": {head(client, 0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0), false, "the length of a frame is not in its shortest form"},
			"negative":          {head(client, 0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), false, "the length of a frame is negative"},
		} {
			for _, size := range sizes() {
				t.Run(fmt.Sprint(name, client, size), func(t *testing.T) {
					data := append(stream(client, text, raw{opcode: 9, payload: []byte("ping")}), test.data...)
					data = append(data, stream(client, text)...)
					r := frame.NewReader(&pieces{data: data, size: size},
						frame.Config{Client: client, Params: frame.Params{Enabled: test.deflate}})
					var err error
					count := 0
					for err == nil {
						var h frame.Header
						if h, err = r.Next(); err == nil {
							_, err = r.Payload(h)
							count++
						}
					}
					requireCode(t, err, frame.CodeProtocolError)
					require.Equal(t, "frame: "+test.problem, err.Error())
					before := map[string]int{"packed fragment": 1, "message inside": 1, "after the end": 2}[name]
					require.Equal(t, 2+before, count, "the frames before it are read")
					_, again := r.Next()
					require.Equal(t, err, again)
					require.Equal(t, err, r.Err())
					require.False(t, r.Buffered())
					r.Await()
				})
			}
		}
	}
}

func TestStreamThatBreaksOff(t *testing.T) {
	broken := errors.New("broken")
	for _, f := range []raw{{opcode: 9, payload: []byte("ping")}, {opcode: 2, payload: make([]byte, 300)}} {
		for _, client := range []bool{true, false} {
			data := stream(client, f)
			for _, end := range []struct{ from, to error }{
				{io.EOF, frame.ErrCut}, {io.ErrUnexpectedEOF, frame.ErrCut}, {fmt.Errorf("of TLS: %w", io.EOF), frame.ErrCut}, {broken, broken},
			} {
				for at := range data {
					r := frame.NewReader(&pieces{data: data[:at], size: 5, err: end.from}, frame.Config{Client: client})
					h, err := r.Next()
					if err == nil {
						_, err = r.Payload(h)
					}
					require.ErrorIs(t, err, end.to)
					require.NotErrorIs(t, err, io.EOF)
					require.NotErrorIs(t, err, io.ErrUnexpectedEOF)
					_, again := r.Next()
					require.Equal(t, err, again)
				}
			}
		}
	}
}

// idle is a stream that returns nothing, again and again.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestStreamThatReturnsNothing(t *testing.T) {
	_, err := frame.NewReader(idle{}, frame.Config{}).Next()
	require.ErrorIs(t, err, io.ErrNoProgress)
}

func TestTextIsCheckedWhileItComes(t *testing.T) {
	for _, text := range []string{"caf\xE9!", "\xED\xA0\x80", "\xF0\x9D\x84", "ok\xC3", "\xC0\x80"} {
		for _, client := range []bool{true, false} {
			for _, size := range sizes() {
				r := frame.NewReader(&pieces{data: stream(client, raw{opcode: 1, payload: []byte(text)}), size: size}, frame.Config{Client: client})
				h, err := r.Next()
				require.NoError(t, err)
				_, err = r.Payload(h)
				requireCode(t, err, frame.CodeInvalidPayload)
			}
		}
	}
	// The rest of this text never comes.
	data := stream(true, raw{opcode: 1, payload: append([]byte("ab\xE0\x80"), make([]byte, 100)...)})
	near, far := io.Pipe()
	defer near.Close()
	go func() { _, _ = far.Write(data[:6]) }()
	r := frame.NewReader(near, frame.Config{Client: true})
	h, err := r.Next()
	require.NoError(t, err)
	_, err = r.Payload(h)
	requireCode(t, err, frame.CodeInvalidPayload)
}

func TestValidTextInPieces(t *testing.T) {
	text := []byte("κόσμε \U0001F600 ok")
	for _, size := range sizes() {
		r := frame.NewReader(&pieces{data: stream(false, raw{opcode: 1, payload: text}), size: size}, frame.Config{})
		h, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, text, payloadOf(t, r, h))
	}
}

func TestPayloadOfALongFrame(t *testing.T) {
	r := frame.NewReader(bytes.NewReader(stream(true, raw{opcode: 2, payload: make([]byte, frame.MaxPayload+1)})), frame.Config{Client: true})
	h, err := r.Next()
	require.NoError(t, err)
	_, err = r.Payload(h)
	requireCode(t, err, frame.CodeTooBig)
}

func TestDetachedMemoryStaysAsItIs(t *testing.T) {
	for _, size := range []int{100, frame.MaxPayload} {
		a, b := bytes.Repeat([]byte("a"), size), bytes.Repeat([]byte("b"), size)
		r := frame.NewReader(bytes.NewReader(stream(true, raw{opcode: 2, payload: a}, raw{opcode: 2, payload: b})), frame.Config{Client: true})
		h, err := r.Next()
		require.NoError(t, err)
		first, err := r.Payload(h)
		require.NoError(t, err)
		r.Detach()
		h, err = r.Next()
		require.NoError(t, err)
		require.True(t, bytes.Equal(b, payloadOf(t, r, h)))
		require.True(t, bytes.Equal(a, first))
	}
}

func TestALoneFrameCostsNoAllocation(t *testing.T) {
	for _, size := range []int{0, 128, 4 << 10, frame.MaxPayload} {
		for _, opcode := range []byte{1, 2, 9} {
			if opcode == 9 && size > 125 {
				continue
			}
			r := frame.NewReader(&endless{data: raw{opcode: opcode, payload: make([]byte, size)}.bytes(true)}, frame.Config{})
			assert.Zero(t, testing.AllocsPerRun(1000, func() {
				h, err := r.Next()
				if err == nil {
					_, err = r.Payload(h)
				}
				if err != nil {
					t.Error(err)
				}
			}), "opcode %d, %d bytes", opcode, size)
		}
	}
}

func TestLastRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := io.Pipe()
		r := frame.NewReader(near, frame.Config{Client: true})
		assert.Zero(t, r.LastRead())
		go func() {
			time.Sleep(time.Minute)
			_, _ = far.Write([]byte{0x89, 0})
		}()
		_, err := r.Next()
		require.NoError(t, err)
		time.Sleep(time.Second)
		assert.Equal(t, time.Minute, r.LastRead())
		assert.Equal(t, time.Minute+time.Second, r.Age())
		r.Touch()
		assert.Equal(t, r.Age(), r.LastRead())
	})
}
