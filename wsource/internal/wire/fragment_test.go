package wire_test

import (
	"bytes"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// room returns a frame's payload behind the room for its header.
func room(payload []byte) []byte { return append(make([]byte, wire.FrameRoom), payload...) }

// unmask takes the mask off a frame whose header has that length, the key included.
func unmask(frame []byte, length int) []byte {
	payload := bytes.Clone(frame[length:])
	for i := range payload {
		payload[i] ^= frame[length-4+i%4]
	}
	return payload
}

func TestFragment(t *testing.T) {
	for size, header := range map[int]int{0: 2, 1: 2, 125: 2, 126: 4, 255: 4, 257: 4, 0xFFFF: 4, 0x10000: 10, 100_003: 10} {
		payload := make([]byte, size)
		for i := range payload {
			payload[i] = byte(i * 7)
		}
		for _, client := range []bool{false, true} {
			s := &stream{room: -1}
			c := wire.New(s, nil, client, nil)
			require.NoError(t, c.Fragment(wire.Text, false, true, room(payload)))
			require.NoError(t, c.Fragment(wire.Continuation, true, false, room(payload)))
			require.Len(t, s.writes, 2, "the header and the payload leave in one write")
			for i, first := range []byte{0x41, 0x80} {
				frame := s.writes[i]
				assert.Equal(t, first, frame[0])
				assert.Equal(t, client, frame[1]&0x80 != 0)
				if client {
					assert.True(t, bytes.Equal(payload, unmask(frame, header+4)), "%d bytes", size)
				} else {
					assert.True(t, bytes.Equal(payload, frame[header:]), "%d bytes", size)
				}
			}
			assert.Equal(t, c.Accepted(), c.Written())
			assert.Len(t, s.all(), int(c.Written()))
		}
	}
}

func TestFragmentAmongOthers(t *testing.T) {
	s := &stream{room: -1}
	c := wire.New(s, nil, false, nil)
	c.Hold()
	require.NoError(t, c.Control(wire.Ping, nil))
	require.NoError(t, c.Fragment(wire.Binary, false, false, room([]byte("x"))))
	require.NoError(t, c.Flush())
	require.NoError(t, c.CloseFrame(1011, ""))
	require.ErrorIs(t, c.Fragment(wire.Continuation, true, false, room(nil)), net.ErrClosed)
	assert.Equal(t, []byte{0x89, 0, 0x02, 1, 'x', 0x88, 2, 1011 >> 8, 1011 & 0xFF}, s.all())

	broken := &stream{room: 3}
	c = wire.New(broken, nil, false, nil)
	require.ErrorIs(t, c.Fragment(wire.Binary, false, false, room([]byte("more"))), errBroken)
	require.ErrorIs(t, c.Fragment(wire.Continuation, true, false, room([]byte("more"))), errBroken)
	assert.EqualValues(t, 3, c.Written())
}
