package wire_test

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// forbidden are frames that RFC 6455 forbids.
var forbidden = map[string]struct {
	client bool
	frame  []byte
}{
	"masked":     {true, message(5, true)},
	"not masked": {false, message(5, false)},
	"too long":   {true, []byte{0x82, 126, 0, 125, 'x'}},
	"far":        {true, []byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 'x'}},
	"negative":   {true, []byte{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}},
	"reserved":   {true, []byte{0xA2, 0}},
	"opcode 3":   {true, []byte{0x83, 0}},
	"opcode 11":  {true, []byte{0x8B, 0}},
	"fragment":   {true, []byte{0x09, 0}},
	"long ping":  {true, []byte{0x89, 126, 0, 126}},
	"no message": {true, []byte{0x80, 0}},
	"in another": {true, []byte{0x01, 0, 0x89, 0, 0x00, 0, 0x81, 0}},
}

func TestForbiddenFrames(t *testing.T) {
	for _, chunk := range []int{1, 2, 3, 7, 100} {
		for name, test := range forbidden {
			want := append(message(300, !test.client), message(70_000, !test.client)...)
			all := append(bytes.Clone(want), test.frame...)
			s := &stream{}
			for part := range slices.Chunk(all[10:], chunk) {
				s.reads = append(s.reads, read{string(part), nil})
			}
			c := wire.New(s, nil, test.client, all[:10])
			got, err := io.ReadAll(c)
			var fe *wire.FrameError
			require.ErrorAs(t, err, &fe, "%s by %d", name, chunk)
			require.ErrorAs(t, c.ReadErr(), &fe)
			// Of its header, a part may have been read before the rest came.
			require.True(t, bytes.HasPrefix(got, want))
			require.Less(t, len(got)-len(want), 14)
			require.True(t, bytes.HasPrefix(all, got))
			_, err = c.Read(make([]byte, 10))
			require.ErrorAs(t, err, &fe, "it stays so")
		}
	}
}

// FuzzRead reads frames that are well-formed in pieces that data says, and checks that all of it arrives.
func FuzzRead(f *testing.F) {
	f.Add([]byte{1, 2, 3, 125, 126, 127}, true, 1)
	f.Add([]byte{255, 200, 7, 31, 255}, false, 1000)
	f.Fuzz(func(t *testing.T, data []byte, masked bool, piece int) {
		var want []byte
		for i, b := range data[:min(len(data), 50)] {
			want = append(want, message(int(b)*int(b)*(1+i%3)/3, masked)...)
		}
		s := &stream{}
		piece = 1 + (piece&0xFFFF+len(want)/1000)%4096
		for part := range slices.Chunk(want, piece) {
			s.reads = append(s.reads, read{string(part), nil})
		}
		got, err := io.ReadAll(bufio.NewReaderSize(wire.New(s, nil, !masked, nil), 5000))
		require.ErrorIs(t, err, wire.ErrCut)
		require.True(t, bytes.Equal(want, got))
	})
}
