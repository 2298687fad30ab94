package frame_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// readMessages reads whole messages until there is an error.
func readMessages(tb testing.TB, r *frame.Reader, limit int64) (all [][]byte, err error) {
	tb.Helper()
	for {
		h, err := r.Next()
		if err != nil {
			return all, err
		}
		data, err := r.Message(h, limit, noControl(tb)).ReadAll(nil)
		if err != nil {
			return all, err
		}
		all = append(all, data)
	}
}

// inflater returns a client's Reader of compressed messages.
func inflater(frames []byte, size int, takeover bool) *frame.Reader {
	return frame.NewReader(&pieces{data: frames, size: size},
		frame.Config{Client: true, Params: frame.WithTakeover(takeover)})
}

// levels are those at which the standard library makes blocks of different kinds.
func levels() []int {
	return []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, flate.DefaultCompression, flate.BestCompression}
}

func packed(payload []byte) raw { return raw{opcode: 2, rsv: rsv1, payload: payload} }

func TestMessagesOfTheStandardLibraryAreDecompressed(t *testing.T) {
	for _, level := range levels() {
		for _, size := range []int{1, 100, 5000, 70_000} {
			for name, data := range samples(size) {
				payload := deflated(t, level, data)
				for _, cut := range []int{max(1, size/1000), 1 << 20} {
					got, err := readMessages(t, inflater(stream(true, packed(payload), packed(payload)), cut, false), noLimit)
					require.ErrorIs(t, err, frame.ErrCut)
					require.Len(t, got, 2)
					require.True(t, bytes.Equal(data, got[0]) && bytes.Equal(data, got[1]), "%s %d %d", name, level, size)
				}
			}
		}
	}
}

func TestMessagesThatReferToThoseBefore(t *testing.T) {
	for name, data := range samples(90_000) {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, flate.BestCompression)
		require.NoError(t, err)
		var frames []byte
		for at, size := 0, 1; at < len(data); size = size*3/2 + 1 {
			n := min(size, len(data)-at)
			_, _ = w.Write(data[at : at+n])
			require.NoError(t, w.Flush())
			frames = append(frames, packed(bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xFF, 0xFF})).bytes(false)...)
			b.Reset()
			at += n
		}
		got, err := readMessages(t, inflater(frames, 100, true), noLimit)
		require.ErrorIs(t, err, frame.ErrCut)
		assert.True(t, bytes.Equal(data, bytes.Join(got, nil)), name)
		if name == "text" {
			_, err = readMessages(t, inflater(frames, 100, false), noLimit)
			requireCode(t, err, frame.CodeInvalidPayload)
		}
	}
}

// requireCode requires an error that closes the connection with that code.
func requireCode(tb testing.TB, err error, code uint16) {
	tb.Helper()
	e, ok := errors.AsType[*frame.Error](err)
	require.True(tb, ok, "%v", err)
	require.Equal(tb, code, e.Code, e.Problem)
}

// final compresses data so that it ends with a final block, as a file does.
func final(tb testing.TB, data string) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	require.NoError(tb, err)
	_, err = w.Write([]byte(data))
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return b.Bytes()
}

func TestFinalBlocks(t *testing.T) {
	hello := final(t, "hello, hello, hello")
	again := deflated(t, flate.BestSpeed, []byte("again"))
	for name, test := range map[string]struct {
		payload []byte
		want    string
	}{
		"of RFC 7692, section 7.2.3.4":  {[]byte{0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}, "Hello"},
		"at the end, with a byte more":  {append(bytes.Clone(hello), 0), "hello, hello, hello"},
		"at the very end":               {hello, "hello, hello, hello"},
		"in the middle":                 {bytes.Join([][]byte{hello, again}, nil), "hello, hello, helloagain"},
		"several":                       {bytes.Join([][]byte{hello, hello, hello, {0}}, nil), "hello, hello, hellohello, hello, hellohello, hello, hello"},
		"stored, with its length":       {[]byte{1, 2, 0, 0xFD, 0xFF, 'o', 'k'}, "ok"},
		"stored, empty, without length": {[]byte{1}, ""},
	} {
		for _, takeover := range []bool{false, true} {
			for _, size := range sizes() {
				t.Run(fmt.Sprint(name, takeover, size), func(t *testing.T) {
					frames := stream(true, packed(test.payload), packed(again), packed(test.payload))
					got, err := readMessages(t, inflater(frames, size, takeover), noLimit)
					require.ErrorIs(t, err, frame.ErrCut)
					assert.Equal(t, []string{test.want, "again", test.want}, texts(got))
				})
			}
		}
	}
}

func texts(messages [][]byte) []string {
	var all []string
	for _, m := range messages {
		all = append(all, string(m))
	}
	return all
}

func TestExamplesOfRFC7692(t *testing.T) {
	hello := []byte{0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}
	for name, test := range map[string]struct {
		frames []raw
		want   []string
	}{
		"7.2.3.1, one frame": {[]raw{packed(hello)}, []string{"Hello"}},
		"7.2.3.1, two fragments": {
			[]raw{{opcode: 2, open: true, rsv: rsv1, payload: hello[:3]}, {payload: hello[3:]}}, []string{"Hello"},
		},
		"7.2.3.2, context takeover": {
			[]raw{packed(hello), packed([]byte{0xf2, 0x00, 0x11, 0x00, 0x00})}, []string{"Hello", "Hello"},
		},
		"7.2.3.3, a stored block": {
			[]raw{packed([]byte{0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00})}, []string{"Hello"},
		},
		"7.2.3.5, two blocks": {
			[]raw{packed([]byte{0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00})}, []string{"Hello"},
		},
		"7.2.3.6, an empty message":     {[]raw{packed([]byte{0}), packed(hello)}, []string{"", "Hello"}},
		"an empty message, by no bytes": {[]raw{packed(nil), packed(hello)}, []string{"", "Hello"}},
		"fragments without bytes": {[]raw{
			{opcode: 2, open: true, rsv: rsv1}, {open: true}, {open: true, payload: hello}, {},
		}, []string{"Hello"}},
		"uncompressed between": {[]raw{
			packed(hello), {opcode: 2, payload: []byte("plain")}, packed([]byte{0xf2, 0x00, 0x11, 0x00, 0x00}),
		}, []string{"Hello", "plain", "Hello"}},
	} {
		for _, size := range sizes() {
			got, err := readMessages(t, inflater(stream(true, test.frames...), size, true), noLimit)
			require.ErrorIs(t, err, frame.ErrCut, name)
			assert.Equal(t, test.want, texts(got), name)
		}
	}
}

// TestDataThatEndsTooEarly cuts compressed data at every byte, in frames that are whole.
func TestDataThatEndsTooEarly(t *testing.T) {
	for _, level := range levels() {
		for name, data := range samples(200) {
			payload := deflated(t, level, data)
			for at := 1; at < len(payload); at++ {
				if at == 1 && payload[0] == 0 {
					continue // this is the whole of an empty message
				}
				got, err := readMessages(t, inflater(stream(true, packed(payload[:at])), 1<<20, false), noLimit)
				if err == nil || len(got) > 0 {
					require.Failf(t, "delivered", "%s at level %d, cut at %d of %d", name, level, at, len(payload))
				}
				requireCode(t, err, frame.CodeInvalidPayload)
			}
		}
	}
}

// fromBits returns the bytes of bits in the order in which they are read.
func fromBits(text string) []byte {
	text = strings.ReplaceAll(text, " ", "")
	b := make([]byte, (len(text)+7)/8)
	for i, bit := range text {
		b[i/8] |= byte(bit-'0') << (i % 8)
	}
	return b
}

func TestCorruptData(t *testing.T) {
	for name, payload := range map[string][]byte{
		"reserved block type":       {0x07},
		"length of a stored block":  {0, 1, 0, 1, 0, 'x'},
		"distance before the start": {0xf2, 0x00, 0x11, 0x00, 0x00},
		"too many lengths":          {0xFC, 0xFF, 0xFF, 0xFF},
		// A code of two symbols, of two bits each, leaves half of the codes unused.
		"code that is incomplete": fromBits("0 01 00000 00000 0011 000 000 100 010" + strings.Repeat(" 000", 11) +
			" 010  11 01111111 00101011 11 10  01 000"),
	} {
		for _, size := range sizes() {
			r := inflater(stream(true, packed(payload)), size, true)
			_, err := readMessages(t, r, noLimit)
			requireCode(t, err, frame.CodeInvalidPayload)
			require.EqualError(t, err, "frame: compressed data is corrupt", name)
			_, again := r.Next()
			require.Equal(t, err, again, name)
		}
	}
}

// TestDataComesAsSoonAsItCan gives a reader the fragments one by one.
func TestDataComesAsSoonAsItCan(t *testing.T) {
	near, far := io.Pipe()
	r := frame.NewReader(near, frame.Config{Client: true, Params: frame.WithTakeover(true)})
	d, err := frame.NewDeflater(frame.Direction{Takeover: true, WindowBits: 15}, flate.BestSpeed)
	require.NoError(t, err)
	next, written := make(chan struct{}), make(chan error, 1)
	words := []string{"one", "two", "three", ""}
	go func() {
		for i, word := range words {
			f := raw{open: i < len(words)-1, payload: d.Append(nil, []byte(word), i == len(words)-1)}
			if i == 0 {
				f.opcode, f.rsv = 1, rsv1
			}
			if _, err := far.Write(f.bytes(false)); err != nil {
				written <- err
				return
			}
			<-next
		}
		written <- far.Close()
	}()
	h, err := r.Next()
	require.NoError(t, err)
	m, p := r.Message(h, noLimit, noControl(t)), make([]byte, 10)
	for _, word := range words[:3] {
		n, err := m.Read(p)
		require.NoError(t, err)
		require.Equal(t, word, string(p[:n]))
		next <- struct{}{}
	}
	_, err = m.Read(p)
	require.Equal(t, io.EOF, err)
	assert.Equal(t, len(words), m.Frames())
	next <- struct{}{}
	require.NoError(t, <-written)
}

// FuzzInflate compares with the standard library's decompressor.
func FuzzInflate(f *testing.F) {
	for _, data := range samples(300) {
		f.Add(deflated(f, flate.BestSpeed, data), 5)
		f.Add(deflated(f, flate.BestCompression, data), 1000)
		f.Add(final(f, string(data)), 3)
	}
	f.Fuzz(func(t *testing.T, payload []byte, size int) {
		const limit = 1 << 20
		rest := bytes.NewReader(append(bytes.Clone(payload), 0, 0, 0xFF, 0xFF, 1, 0, 0, 0xFF, 0xFF))
		theirs, theirErr := io.ReadAll(io.LimitReader(flate.NewReader(rest), limit+1))
		got, err := readMessages(t, inflater(stream(true, packed(payload)), max(1, size), false), limit)
		if len(got) == 0 {
			e, ok := errors.AsType[*frame.Error](err)
			require.True(t, ok)
			if theirErr == nil && rest.Len() == 0 && len(theirs) <= limit {
				// The added bytes complete a stored block, or a code, that is cut.
				require.Equal(t, "compressed data ends too early", e.Problem)
			}
			return
		}
		require.ErrorIs(t, err, frame.ErrCut)
		if theirErr != nil {
			return // an end without the bytes that the library needs behind it
		}
		require.True(t, bytes.HasPrefix(got[0], theirs))
	})
}
