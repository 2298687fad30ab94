package frame_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// deflater returns a Deflater.
func deflater(tb testing.TB, takeover bool, bits, level int) *frame.Deflater {
	tb.Helper()
	d, err := frame.NewDeflater(frame.Direction{Takeover: takeover, WindowBits: bits}, level)
	require.NoError(tb, err)
	return d
}

func TestWhatIsCompressedIsDecompressed(t *testing.T) {
	for _, level := range levels() {
		for _, takeover := range []bool{true, false} {
			for _, n := range []int{1, 300, 10_000, 1 << 20} {
				var frames []byte
				var want []string
				d := deflater(t, takeover, 15, level)
				for _, size := range []int{0, 1, 500, 20_000, 0} {
					for _, name := range []string{"text", "noise", "json"} {
						message := samples(size)[name]
						if n == 1 {
							message = message[:min(len(message), 300)]
						}
						want = append(want, string(message))
						opcode, rsv := byte(2), byte(rsv1)
						for rest, final := message, false; !final; opcode, rsv = 0, 0 {
							piece := rest[:min(n, len(rest))]
							rest = rest[len(piece):]
							final = len(piece) < n
							frames = append(frames, raw{opcode: opcode, rsv: rsv, open: !final, payload: d.Append(nil, piece, final)}.bytes(false)...)
						}
					}
				}
				got, err := readMessages(t, inflater(frames, 1000, takeover), noLimit)
				require.ErrorIs(t, err, frame.ErrCut)
				require.Equal(t, len(want), len(got))
				for i := range want {
					require.True(t, want[i] == string(got[i]), "%d: %d bytes at level %d", i, len(want[i]), level)
				}
				d.Release()
			}
		}
	}
}

func TestTakeoverMakesMessagesSmaller(t *testing.T) {
	data := samples(3000)["text"]
	for takeover, smaller := range map[bool]bool{true: true, false: false} {
		d := deflater(t, takeover, 15, flate.BestSpeed)
		first, second := len(d.Append(nil, data, true)), len(d.Append(nil, data, true))
		assert.Equal(t, smaller, second < first/2, "%d and %d", first, second)
	}
}

// TestWindowIsKeptTo looks at every distance in data compressed with a small window, and
// decompresses it by the standard library.
func TestWindowIsKeptTo(t *testing.T) {
	for _, bits := range []int{8, 9, 11, 15} {
		for _, level := range []int{flate.BestSpeed, flate.DefaultCompression} {
			for _, takeover := range []bool{true, false} {
				t.Run(fmt.Sprint(bits, level, takeover), func(t *testing.T) {
					d := deflater(t, takeover, bits, level)
					var all, want []byte
					for _, size := range []int{100, 1000, 50, 7, 256, 257, 0, 5000} {
						for _, name := range []string{"text", "zeros", "json"} {
							data := samples(size)[name]
							if takeover {
								data = append(data, samples(400)["json"]...)
							}
							payload := d.Append(nil, data, true)
							want = append(want, data...)
							all = append(append(all, payload...), 0, 0, 0xFF, 0xFF)
							farthest := farthestDistance(t, payload)
							require.LessOrEqual(t, farthest, 1<<bits)
						}
					}
					got, err := io.ReadAll(flate.NewReader(bytes.NewReader(append(all, 1, 0, 0, 0xFF, 0xFF))))
					require.NoError(t, err)
					require.True(t, bytes.Equal(want, got))
				})
			}
		}
	}
}

func TestLevelsThatThereAreNot(t *testing.T) {
	for _, level := range []int{-3, 10} {
		_, err := frame.NewDeflater(frame.Direction{}, level)
		require.ErrorContains(t, err, "compression level")
	}
}
