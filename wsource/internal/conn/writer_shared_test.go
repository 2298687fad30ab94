package conn_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// prose returns a text of so many bytes that refers far back.
func prose(size int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "line %d of %d, ", i%400, i*i)
	}
	return b.Bytes()[:size]
}

// A message that was compressed for all connections is understood on each, as are the
// connection's own ones before and behind it: for each window, with context takeover
// or without, masked or not.
func TestSharedMessagesBesideOthers(t *testing.T) {
	sizes := []int{40, 200, 256, 257, 600, 5000, 40_000}
	shared := make([]*frame.Shared, len(sizes))
	for i, size := range sizes {
		shared[i] = frame.Share(prose(size))
	}
	for bits := 8; bits <= 15; bits++ {
		for _, takeover := range []bool{false, true} {
			for _, client := range []bool{false, true} {
				d := frame.Direction{Takeover: takeover, WindowBits: bits}
				params := frame.Params{Enabled: true, Server: d, Client: d}
				s := &stream{room: -1}
				w := conn.NewWriter(streamOf(s), client, params)
				var sent [][]byte
				w.Begin()
				for i, size := range sizes {
					for range 2 {
						require.NoError(t, w.Message(frame.Text, prose(size), nil))
						require.NoError(t, w.Message(frame.Text, prose(size), shared[i]))
						sent = append(sent, prose(size), prose(size))
					}
				}
				require.NoError(t, w.End())
				w.Release()
				for i, size := range sizes {
					used := bits == 15 || size <= 1<<bits
					// Shorter ones are not compressed, or come out the same.
					if !client && size >= 512 {
						assert.Equal(t, used, bytes.Contains(s.all(), shared[i].Packed()), "%d bits, %d bytes", bits, size)
					}
				}

				r := frame.NewReader(bytes.NewReader(s.all()), frame.Config{Client: !client, Params: params})
				for i, want := range sent {
					h, err := r.Next()
					require.NoError(t, err, "%d bits, takeover %v, message %d", bits, takeover, i)
					m := r.Message(h, 1<<20, nil)
					got, err := io.ReadAll(m)
					require.NoError(t, err, "%d bits, takeover %v, message %d", bits, takeover, i)
					require.True(t, bytes.Equal(want, got), "%d bits, takeover %v, message %d", bits, takeover, i)
				}
			}
		}
	}
}

// A payload that compression does not shorten is sent as it is.
func TestSharedMessageThatDoesNotShrink(t *testing.T) {
	shared := frame.Share(payload(1000))
	assert.NotNil(t, shared.Packed())
	assert.Same(t, &shared.Packed()[0], &shared.Packed()[0], "compressed once")
	assert.Nil(t, frame.Share([]byte{1}).Packed())
}
