package conn_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

func TestABatchLeavesInOneWrite(t *testing.T) {
	s := &stream{room: -1}
	w := writer(s, false)
	require.NoError(t, send(w, payload(10)))
	require.Len(t, s.writes, 1)
	w.Begin()
	require.NoError(t, w.Message(frame.Binary, payload(20), nil))
	require.NoError(t, w.Control(frame.Pong, []byte("p")))
	require.NoError(t, w.Message(frame.Binary, payload(30), nil))
	require.Len(t, s.writes, 1)
	assert.EqualValues(t, 12+22+3+32, w.Accepted())
	assert.EqualValues(t, 12, w.Written())
	require.NoError(t, w.End())
	require.Len(t, s.writes, 2)
	assert.Equal(t, w.Accepted(), w.Written())
	w.Begin()
	require.NoError(t, w.End())
	require.Len(t, s.writes, 2, "nothing is no write")
	assert.Equal(t, bytes.Join([][]byte{message(10), message(20), {0x8A, 1, 'p'}, message(30)}, nil), s.all())
}

func TestABatchIsBounded(t *testing.T) {
	s := &stream{room: -1}
	w := writer(s, false)
	w.Begin()
	var want []byte
	for range 100 {
		require.NoError(t, w.Message(frame.Binary, payload(1000), nil))
		want = append(want, message(1000)...)
		require.LessOrEqual(t, w.Accepted()-w.Written(), int64(32<<10))
	}
	require.NoError(t, w.Message(frame.Binary, payload(100_000), nil))
	want = append(want, message(100_000)...)
	assert.Equal(t, w.Accepted(), w.Written(), "a message over the bound by itself is not copied")
	require.NoError(t, w.End())
	assert.Equal(t, want, s.all())
	for _, part := range s.writes {
		assert.NotEmpty(t, part)
		assert.LessOrEqual(t, len(part), 128<<10)
	}
}

func TestTheCloseFrameComesLast(t *testing.T) {
	closing := func(code uint16, reason string) []byte {
		return frame.AppendFrame(nil, frame.Header{Opcode: frame.Close, Final: true}, frame.AppendClose(nil, code, reason), nil)
	}
	for name, test := range map[string]struct {
		ping   []byte
		code   uint16
		reason string
		want   []byte
	}{
		"alone":          {nil, 1001, "bye", closing(1001, "bye")},
		"without a code": {nil, frame.CodeNoStatus, "", []byte{0x88, 0}},
		"behind a ping":  {[]byte("?"), 1000, "", append([]byte{0x89, 1, '?'}, closing(1000, "")...)},
	} {
		t.Run(name, func(t *testing.T) {
			s := &stream{room: -1}
			w := writer(s, false)
			require.NoError(t, send(w, payload(10)))
			require.NoError(t, w.Close(test.ping, test.code, test.reason))
			assert.Equal(t, [][]byte{message(10), test.want}, s.writes, "it leaves at once")
			accepted := w.Accepted()
			require.NoError(t, w.Close(nil, 1002, ""))
			require.ErrorIs(t, send(w, payload(10)), net.ErrClosed, "nobody is to believe that it was sent")
			require.ErrorIs(t, w.Fragment(frame.Binary, true, space(nil)), net.ErrClosed)
			w.Begin()
			require.NoError(t, w.Control(frame.Pong, nil))
			require.NoError(t, w.End())
			assert.Len(t, s.writes, 2)
			assert.Equal(t, accepted, w.Accepted())
			assert.Equal(t, accepted, w.Written(), "the close frame does not count")
		})
	}
}

func TestAClientMasks(t *testing.T) {
	s := &stream{room: -1}
	w := writer(s, true)
	seen := map[uint32]bool{}
	for i := range 1000 {
		var err error
		switch i % 3 {
		case 0:
			err = send(w, []byte("hello"))
		case 1:
			err = w.Fragment(frame.Binary, true, space([]byte("hello")))
		default:
			w.Begin()
			err = w.Control(frame.Ping, []byte("hello"))
			require.NoError(t, w.End())
		}
		require.NoError(t, err)
		f := s.writes[i]
		require.Len(t, f, 11)
		seen[binary.LittleEndian.Uint32(f[2:])] = true
		for j := range f[6:] {
			f[6+j] ^= f[2+j%4]
		}
		require.Equal(t, "hello", string(f[6:]))
	}
	assert.Greater(t, len(seen), 990, "the keys differ")
	require.NoError(t, w.Close(nil, 1000, "é"))
	f := s.writes[1000]
	for j := range f[6:] {
		f[6+j] ^= f[2+j%4]
	}
	assert.Equal(t, "\x03\xE8é", string(f[6:]))
}

// TestAWriteThatFails breaks the stream after each number of bytes: no more than these
// are said to be written, and nothing is written after them.
func TestAWriteThatFails(t *testing.T) {
	for _, room := range []int{0, 1, 11, 12, 13, 33, 34, 40_000, 60_000} {
		s := &stream{room: room}
		w := writer(s, false)
		w.Begin()
		require.NoError(t, w.Message(frame.Binary, payload(10), nil))
		require.NoError(t, w.Message(frame.Binary, payload(20), nil))
		require.ErrorIs(t, w.Message(frame.Binary, payload(70_000), nil), errBroken)
		require.ErrorIs(t, w.Control(frame.Ping, nil), errBroken)
		require.ErrorIs(t, w.End(), errBroken)
		require.ErrorIs(t, send(w, payload(1)), errBroken, "the peer would take it for the rest of the frame before")
		require.ErrorIs(t, w.Fragment(frame.Binary, true, space(nil)), errBroken)
		require.ErrorIs(t, w.Close(nil, 1000, ""), errBroken)
		assert.EqualValues(t, room, w.Written())
		assert.Len(t, s.all(), room)
	}
}

func TestFragments(t *testing.T) {
	for size, header := range map[int]int{0: 2, 1: 2, 125: 2, 126: 4, 0xFFFF: 4, 0x10000: 10, 100_003: 10} {
		s := &stream{room: -1}
		w := writer(s, false)
		require.NoError(t, w.Fragment(frame.Text, false, space(payload(size))))
		require.NoError(t, w.Fragment(frame.Continuation, true, space(payload(size))))
		require.Len(t, s.writes, 2, "the header and the payload leave in one write")
		for i, first := range []byte{0x01, 0x80} {
			assert.Equal(t, first, s.writes[i][0])
			assert.Equal(t, payload(size), append([]byte{}, s.writes[i][header:]...))
		}
		assert.Equal(t, w.Accepted(), w.Written())
		assert.Len(t, s.all(), int(w.Written()))
	}
}

// TestCompressedMessages sends messages whole and in fragments, in turn: one compressor
// serves both, and refers to the messages sent.
func TestCompressedMessages(t *testing.T) {
	for _, params := range []frame.Params{{}, frame.WithTakeover(false), frame.WithTakeover(true)} {
		for _, client := range []bool{true, false} {
			t.Run(fmt.Sprint(params, client), func(t *testing.T) {
				s := &stream{room: -1}
				w := conn.NewWriter(streamOf(s), client, params)
				var want [][]byte
				for i := range 20 {
					text := []byte(strings.Repeat(fmt.Sprint("as before ", i%3), 60*(i%7)))
					want = append(want, text, text)
					require.NoError(t, send(w, text))
					opcode := frame.Binary
					for at := 0; at < len(text); at += 500 {
						require.NoError(t, w.Fragment(opcode, false, space(text[at:min(len(text), at+500)])))
						opcode = frame.Continuation
					}
					require.NoError(t, w.Fragment(opcode, true, space(nil)))
				}
				got := received(t, s.all(), !client, params)
				require.Len(t, got, len(want))
				for i := range want {
					require.Equal(t, string(want[i]), string(got[i]))
				}
				assert.Equal(t, w.Accepted(), w.Written())
				assert.Equal(t, params.Enabled, len(s.all()) < 10_000, "%d bytes", len(s.all()))
			})
		}
	}
}

// TestWhatIsTooShortToCompress sends a message that is too short to compress as it is.
func TestWhatIsTooShortToCompress(t *testing.T) {
	for _, test := range []struct {
		params     frame.Params
		size       int
		compressed bool
	}{
		{frame.WithTakeover(false), 511, false},
		{frame.WithTakeover(false), 512, true},
		{frame.WithTakeover(true), 127, false},
		{frame.WithTakeover(true), 128, true},
	} {
		s := &stream{room: -1}
		w := conn.NewWriter(streamOf(s), false, test.params)
		require.NoError(t, send(w, payload(test.size)))
		require.NoError(t, w.Fragment(frame.Binary, true, space(payload(test.size))))
		for _, f := range s.writes {
			assert.Equal(t, test.compressed, f[0]&0x40 != 0, "%d bytes", test.size)
		}
		require.NoError(t, w.Close(nil, 1000, ""))
		w.Release()
	}
}

// TestReleaseEndsTheWriting, but waits for a write in progress.
func TestReleaseEndsTheWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		w := conn.NewWriter(streamOf(near), false, frame.WithTakeover(true))
		sent := make(chan error, 1)
		go func() { sent <- send(w, payload(100)) }()
		synctest.Wait()
		w.Release()
		synctest.Wait()
		_, err := io.ReadFull(far, make([]byte, 102))
		require.NoError(t, err)
		require.NoError(t, <-sent)
		synctest.Wait()
		require.ErrorIs(t, send(w, payload(1000)), net.ErrClosed)
		require.NoError(t, near.Close())
		require.NoError(t, far.Close())
	})
}

// TestOneWritesAtATime has many goroutines write at once: every frame comes whole.
func TestOneWritesAtATime(t *testing.T) {
	s := &stream{room: -1}
	w := writer(s, false)
	const writers, each = 8, 200
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			for range each {
				if i%2 == 0 {
					assert.NoError(t, send(w, payload(50)))
				} else {
					assert.NoError(t, w.Fragment(frame.Binary, true, space(payload(50))))
				}
				runtime.Gosched()
			}
		})
	}
	all.Wait()
	got := received(t, s.all(), true, frame.Params{})
	require.Len(t, got, writers*each)
	for _, data := range got {
		require.Equal(t, payload(50), data)
	}
}

// TestWaitingToWriteBlocks: time goes on in a bubble where writers wait behind a stalled
// peer, and each gets the permit.
func TestWaitingToWriteBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		w := writer(near, false)
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { assert.NoError(t, send(w, payload(50))) })
		}
		synctest.Wait()
		writing, written := w.Progress()
		assert.True(t, writing)
		assert.Zero(t, written)
		_, err := io.ReadFull(far, make([]byte, 5*52))
		require.NoError(t, err)
		all.Wait()
		writing, written = w.Progress()
		assert.False(t, writing)
		assert.EqualValues(t, 5*52, written)
		require.NoError(t, near.Close())
		require.NoError(t, far.Close())
	})
}
