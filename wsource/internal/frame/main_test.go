package frame_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// raw is one frame as it is on the wire, right or wrong.
type raw struct {
	opcode  byte
	open    bool // not the last of its message
	rsv     byte // the three reserved bits
	payload []byte
}

// The reserved bit that marks a message as compressed.
const rsv1 = 4

// bytes returns the frame's bytes, masked or not.
func (f raw) bytes(masked bool) []byte {
	first := f.opcode | f.rsv<<4
	if !f.open {
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
	if !masked {
		return append(b, f.payload...)
	}
	b[1] |= 0x80
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, key[:]...)
	for i, v := range f.payload {
		b = append(b, v^key[i%4])
	}
	return b
}

// stream joins the bytes of frames for a Reader on that side.
func stream(client bool, frames ...raw) []byte {
	var b []byte
	for _, f := range frames {
		b = append(b, f.bytes(!client)...)
	}
	return b
}

// pieces is a stream that comes in pieces of a size, and then ends.
type pieces struct {
	data []byte
	size int
	err  error // the error at the end; nil for io.EOF
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		return 0, io.EOF
	}
	n := copy(b, p.data[:min(p.size, len(p.data))])
	p.data = p.data[n:]
	return n, nil
}

// The sizes of the pieces that a stream is cut into.
func sizes() []int { return []int{1, 2, 3, 7, 64, 255, 256, 257, 1000, 1 << 14, 1 << 20} }

// deflated compresses by the standard library, as a message without context takeover.
func deflated(tb testing.TB, level int, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, level)
	require.NoError(tb, err)
	_, err = w.Write(data)
	require.NoError(tb, err)
	require.NoError(tb, w.Flush())
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xFF, 0xFF})
}

var (
	samplesLock sync.Mutex
	samplesMade = make(map[int]map[string][]byte)
)

// samples are data of several kinds, of at least that size. No test changes them.
func samples(size int) map[string][]byte {
	samplesLock.Lock()
	defer samplesLock.Unlock()
	if samplesMade[size] == nil {
		samplesMade[size] = newSamples(size)
	}
	return samplesMade[size]
}

// newSamples returns data of several kinds, of about that size.
func newSamples(size int) map[string][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, size)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	words := strings.Fields("the quick brown fox jumps over a lazy dog while κόσμε waits for Ἑλλάς and \U0001F600 to come")
	var text, json strings.Builder
	for text.Len() < size {
		text.WriteString(words[random.IntN(len(words))])
		text.WriteByte(' ')
	}
	for i := 0; json.Len() < size; i++ {
		json.WriteString(`{"id":` + strings.Repeat("1", 1+i%7) + `,"name":"` + words[random.IntN(len(words))] + `","ok":true},`)
	}
	letters := make([]byte, size)
	for i := range letters {
		letters[i] = "abcdefgh"[random.IntN(8)]
	}
	return map[string][]byte{
		"noise": noise, "text": []byte(text.String()), "json": []byte(json.String()),
		"letters": letters, "zeros": make([]byte, size),
	}
}

// noControl is for messages without control frames between fragments.
func noControl(tb testing.TB) func(frame.Header, []byte) error {
	tb.Helper()
	return func(h frame.Header, _ []byte) error {
		tb.Errorf("a control frame came: %v", h)
		return nil
	}
}

const noLimit = 1 << 40
