package frame_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

func TestFramesAreWrittenAsRFC6455Says(t *testing.T) {
	for _, n := range lengths() {
		for _, f := range []raw{{opcode: 1}, {opcode: 2, open: true, rsv: rsv1}, {}, {opcode: 9}} {
			f.payload = bytes.Repeat([]byte("x"), n)
			h := frame.Header{Opcode: frame.Opcode(f.opcode), Final: !f.open, Compressed: f.rsv != 0}
			want := append([]byte("before"), f.bytes(false)...)
			require.True(t, bytes.Equal(want, frame.AppendFrame([]byte("before"), h, f.payload, nil)))
			space := append(make([]byte, frame.Room), f.payload...)
			require.True(t, bytes.Equal(want[6:], frame.Seal(space, h, nil)))

			keys := new(frame.Keys)
			unmask(t, f, frame.AppendFrame(nil, h, f.payload, keys))
			unmask(t, f, frame.Seal(space, h, keys))
			require.True(t, bytes.Equal(bytes.Repeat([]byte("x"), n), f.payload), "the payload is not changed")

			h.Length = int64(n)
			b, key := frame.AppendHeader(nil, h, keys)
			part := slices.Concat(b, f.payload)
			half := len(b) + n/3
			frame.Mask(part[half:], frame.Mask(part[len(b):half], key))
			unmask(t, f, part)
		}
	}
}

// unmask requires that b is the frame, masked.
func unmask(t *testing.T, f raw, b []byte) {
	t.Helper()
	want := f.bytes(true)
	at := len(want) - len(f.payload)
	require.Len(t, b, len(want))
	require.Equal(t, want[:at-4], b[:at-4])
	key := b[at-4 : at]
	got := bytes.Clone(b[at:])
	for i := range got {
		got[i] ^= key[i%4]
	}
	require.True(t, bytes.Equal(f.payload, got))
}

func TestMaskingKeysDiffer(t *testing.T) {
	seen := make(map[string]bool)
	for range 3 {
		keys := new(frame.Keys)
		for range 1000 {
			seen[string(frame.AppendFrame(nil, frame.Header{Opcode: frame.Ping, Final: true}, nil, keys)[2:])] = true
		}
	}
	assert.Greater(t, len(seen), 2990)
}

func FuzzMask(f *testing.F) {
	f.Add(bytes.Repeat([]byte("payload"), 20), uint32(0x04030201), 3)
	f.Fuzz(func(t *testing.T, p []byte, key uint32, cut int) {
		want := bytes.Clone(p)
		for i := range want {
			want[i] ^= byte(key >> (8 * (i % 4)))
		}
		if cut < 0 || cut > len(p) {
			cut = len(p)
		}
		frame.Mask(p[cut:], frame.Mask(p[:cut], key))
		require.True(t, bytes.Equal(want, p))
	})
}
