package frame_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math"
	"runtime"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// fragments cuts a payload into fragments of up to n bytes.
func fragments(first raw, n int) []raw {
	rest, all := first.payload, []raw(nil)
	for f := first; ; f = (raw{}) {
		k := min(n, len(rest))
		f.payload, rest = rest[:k], rest[k:]
		f.open = len(rest) > 0
		all = append(all, f)
		if !f.open {
			return all
		}
	}
}

func TestMessagesInFragments(t *testing.T) {
	for name, data := range samples(20_000) {
		for _, client := range []bool{true, false} {
			for _, size := range []int{10, 1 << 20} {
				for _, n := range []int{1000, 16_384} {
					payload := deflated(t, flate.BestSpeed, data)
					frames := fragments(raw{opcode: 2, payload: data}, n)
					count := len(frames)
					packedFrames := fragments(raw{opcode: 2, rsv: rsv1, payload: payload}, n)
					r := frame.NewReader(&pieces{data: stream(client, append(frames, packedFrames...)...), size: size},
						frame.Config{Client: client, Params: frame.WithTakeover(false)})
					for _, count := range []int{count, len(packedFrames)} {
						h, err := r.Next()
						require.NoError(t, err)
						m := r.Message(h, int64(len(data)), noControl(t))
						got, err := m.ReadAll([]byte("before "))
						require.NoError(t, err)
						require.True(t, bytes.Equal(append([]byte("before "), data...), got), name)
						require.Equal(t, count, m.Frames())
						_, err = m.Read(make([]byte, 1))
						require.Equal(t, io.EOF, err)
					}
				}
			}
		}
	}
}

func TestReadersOfMessages(t *testing.T) {
	data := samples(5000)["text"]
	for _, rsv := range []byte{0, rsv1} {
		payload := data
		if rsv != 0 {
			payload = deflated(t, flate.BestCompression, data)
		}
		r := frame.NewReader(&pieces{data: stream(true, fragments(raw{opcode: 1, rsv: rsv, payload: payload}, 999)...), size: 77},
			frame.Config{Client: true, Params: frame.WithTakeover(true)})
		h, err := r.Next()
		require.NoError(t, err)
		m := r.Message(h, noLimit, noControl(t))
		require.Equal(t, frame.Text, m.Opcode)
		require.NoError(t, iotest.TestReader(m, data))
	}
}

func TestControlFramesBetweenFragments(t *testing.T) {
	for _, size := range sizes() {
		r := frame.NewReader(&pieces{data: stream(false,
			raw{opcode: 2, open: true, payload: []byte("a")}, raw{opcode: 9, payload: []byte("1")}, raw{opcode: 10, payload: []byte("2")},
			raw{open: true, payload: []byte("b")}, raw{opcode: 8, payload: []byte("\x03\xE8")}, raw{payload: []byte("c")},
		), size: size}, frame.Config{})
		h, err := r.Next()
		require.NoError(t, err)
		closed, heard := errors.New("closed"), ""
		got, err := r.Message(h, noLimit, func(h frame.Header, p []byte) error {
			if heard += string(p); h.Opcode == frame.Close {
				return closed
			}
			return nil
		}).ReadAll(nil)
		require.Equal(t, closed, err)
		require.Equal(t, "ab", string(got))
		require.Equal(t, "12\x03\xE8", heard)
		require.NoError(t, r.Err(), "control may read on")
	}
}

func TestTextInFragmentsIsCheckedAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		frames []raw
		good   string
	}{
		"in the first": {[]raw{{opcode: 1, open: true, payload: []byte("caf\xE9!")}}, "caf"},
		"cut, cannot be any more": {[]raw{
			{opcode: 1, open: true, payload: []byte("x\xE0")}, {open: true, payload: []byte("\x80")},
		}, "x\xE0"},
		"at the end": {[]raw{{opcode: 1, open: true, payload: []byte("x")}, {payload: []byte("\xC3")}}, "x\xC3"},
		"alone":      {[]raw{{opcode: 1, payload: []byte("x\xFFy")}}, "x"},
		"compressed": {[]raw{{opcode: 1, rsv: rsv1, open: true, payload: append(deflated(t, 1, []byte("x\xFF")), 0, 0, 0xFF, 0xFF)}}, "x"},
	} {
		for _, size := range sizes() {
			near, far := io.Pipe() // the pipe stays open: the rest never comes
			go func() { _, _ = io.Copy(far, &pieces{data: stream(true, test.frames...), size: size}) }()
			r := frame.NewReader(near, frame.Config{Client: true, Params: frame.WithTakeover(true)})
			h, err := r.Next()
			require.NoError(t, err)
			got, err := r.Message(h, noLimit, noControl(t)).ReadAll(nil)
			requireCode(t, err, frame.CodeInvalidPayload)
			assert.True(t, bytes.HasPrefix(got, []byte(test.good)), name)
			assert.LessOrEqual(t, len(got), len(test.good)+1, "the first bytes of a character may have been returned before")
			require.NoError(t, near.Close())
		}
	}
	text := []byte("κόσμε \U0001F600")
	for n := 1; n < len(text); n++ {
		r := frame.NewReader(bytes.NewReader(stream(true, fragments(raw{opcode: 1, payload: text}, n)...)), frame.Config{Client: true})
		h, err := r.Next()
		require.NoError(t, err)
		got, err := r.Message(h, noLimit, noControl(t)).ReadAll(nil)
		require.NoError(t, err)
		require.Equal(t, text, got)
	}
}

func TestMessageThatBreaksOff(t *testing.T) {
	data := samples(3000)["json"]
	for _, f := range []raw{
		{opcode: 2, payload: data}, {opcode: 2, rsv: rsv1, payload: deflated(t, 6, data)}, {opcode: 2, rsv: rsv1, payload: deflated(t, 0, data)},
	} {
		whole := stream(true, fragments(f, 200)...)
		for at := 4; at < len(whole); at++ {
			r := frame.NewReader(bytes.NewReader(whole[:at]), frame.Config{Client: true, Params: frame.WithTakeover(false)})
			h, err := r.Next()
			require.NoError(t, err)
			got, err := r.Message(h, noLimit, noControl(t)).ReadAll(nil)
			require.ErrorIs(t, err, frame.ErrCut)
			require.True(t, bytes.HasPrefix(data, got))
		}
	}
}

func TestLimit(t *testing.T) {
	data := samples(10_000)["text"][:10_000]
	for _, f := range []raw{{opcode: 2, payload: data}, packed(deflated(t, 1, data)), packed(deflated(t, 0, data))} {
		for _, n := range []int{100, 1 << 20} {
			frames := stream(true, fragments(f, n)...)
			for _, size := range sizes() {
				for _, limit := range []int64{10_000, noLimit, math.MaxInt64} {
					got, err := readMessages(t, inflater(frames, size, false), limit)
					require.ErrorIs(t, err, frame.ErrCut)
					require.True(t, bytes.Equal(data, got[0]))
				}
				for _, limit := range []int64{0, 1, 9999} {
					r := inflater(frames, size, false)
					h, err := r.Next()
					require.NoError(t, err)
					got, err := r.Message(h, limit, noControl(t)).ReadAll(nil)
					requireCode(t, err, frame.CodeTooBig)
					require.LessOrEqual(t, int64(len(got)), limit)
				}
			}
		}
	}
}

// TestAnnouncedLengths announces lengths whose data never comes.
func TestAnnouncedLengths(t *testing.T) {
	huge := []byte{0x82, 127, 1 << 6, 0, 0, 0, 0, 0, 0, 0}
	second := append(stream(true, raw{opcode: 2, open: true, payload: []byte("a")}), huge...)
	second[3] = 0x80 // the second continues the first
	const limit = 1 << 20
	third := stream(true, raw{opcode: 2, open: true, payload: make([]byte, limit/2)}, raw{open: true, payload: make([]byte, limit/2-1)})
	third = append(third, 0x80, 2)
	emptiness := fragments(packed(bytes.Repeat([]byte{0, 0, 0, 0xFF, 0xFF}, (8*limit+1<<10)/5+1)), 1<<20)
	last := &emptiness[len(emptiness)-1]
	head := last.bytes(false)
	head = head[:len(head)-len(last.payload)]
	packedHuge := bytes.Clone(huge)
	packedHuge[0] |= 0x40
	for name, data := range map[string][]byte{
		"first": huge, "second": second, "third": third, "compressed": packedHuge,
		"emptiness": append(stream(true, emptiness[:len(emptiness)-1]...), head...),
	} {
		near, far := io.Pipe()
		go func() { _, _ = far.Write(data) }()
		r := frame.NewReader(near, frame.Config{Client: true, Params: frame.WithTakeover(true)})
		h, err := r.Next()
		require.NoError(t, err)
		_, err = r.Message(h, limit, noControl(t)).ReadAll(nil)
		requireCode(t, err, frame.CodeTooBig)
		assert.EqualError(t, err, "frame: a message has more than 1048576 bytes", name)
		require.NoError(t, near.Close())
	}
}

// allocated returns how many bytes of memory f takes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestMemoryIsTakenForWhatComesOnly(t *testing.T) {
	// 256 MiB are announced, and allowed, and 100 bytes come.
	announced := append([]byte{0x82, 127, 0, 0, 0, 0, 0x10, 0, 0, 0}, make([]byte, 100)...)
	bomb := stream(true, packed(deflated(t, flate.BestSpeed, make([]byte, 8<<20))))
	require.Less(t, len(bomb), 100_000)
	bomb2 := stream(true, packed(bytes.Repeat([]byte{0, 0, 0, 0xFF, 0xFF}, 100_000)))
	for name, test := range map[string]struct {
		data  []byte
		limit int64
		most  uint64
	}{
		"announced": {announced, 1 << 30, 200 << 10},
		"bomb":      {bomb, 100_000, 700 << 10},
		"emptiness": {bomb2, 1000, 400 << 10},
	} {
		assert.Less(t, allocated(func() {
			_, err := readMessages(t, inflater(test.data, 1<<20, false), test.limit)
			require.Error(t, err)
		}), test.most, name)
	}
}

func TestAMessageIsNotCopiedToLookForMore(t *testing.T) {
	data := make([]byte, 1<<20)
	for name, frames := range map[string][]raw{
		"one frame": {{opcode: 2, payload: data}}, "fragments": fragments(raw{opcode: 2, payload: data}, 100_000),
	} {
		all := stream(true, frames...)
		assert.Less(t, allocated(func() {
			got, err := readMessages(t, inflater(all, 1<<20, false), noLimit)
			require.ErrorIs(t, err, frame.ErrCut)
			require.Len(t, got[0], len(data))
		}), uint64(4<<20), name)
		memory := make([]byte, 0, len(data))
		assert.Less(t, allocated(func() {
			r := inflater(all, 1<<20, false)
			h, err := r.Next()
			require.NoError(t, err)
			got, err := r.Message(h, noLimit, noControl(t)).ReadAll(memory)
			require.NoError(t, err)
			require.Len(t, got, len(data))
		}), uint64(64<<10), name)
	}
}
