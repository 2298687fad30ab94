package frame_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// lazyPieces is a stream that comes in random pieces, and often has to be waited for.
type lazyPieces struct {
	rest   []byte
	random *rand.Rand
	waits  int
}

func (s *lazyPieces) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 1+s.random.IntN(9000))], s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *lazyPieces) ReadLazy(m frame.Memory) (int, error) {
	var others [][]byte // memory of other connections
	for s.random.IntN(3) == 0 {
		clear(m.Take()) // its earlier use is over
		m.Return()
		others = append(others, frame.NewReader(nil, frame.Config{}).Take())
		s.waits++
	}
	n, err := s.Read(m.Take())
	for _, memory := range others {
		clear(memory)
	}
	return n, err
}

// TestALazyStream gives the same messages as any other.
func TestALazyStream(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		var stream []byte
		var want [][]byte
		for range 40 {
			p := make([]byte, random.IntN([]int{10, 300, 5000, 20_000, 70_000}[random.IntN(5)]))
			for i := range p {
				p[i] = byte(random.IntN(256))
			}
			want = append(want, p)
			for _, f := range fragments(raw{opcode: 2, payload: p}, 1+random.IntN(30_000)) {
				stream = append(stream, f.bytes(true)...)
			}
		}
		s := &lazyPieces{rest: stream, random: random}
		r := frame.NewReader(s, frame.Config{})
		for i := range want {
			r.Await()
			h, err := r.Next()
			require.NoError(t, err)
			var got []byte
			switch {
			case h.Lone() && h.Length <= frame.MaxPayload && i%3 > 0:
				got, err = r.Payload(h)
			default:
				got, err = r.Message(h, 1<<20, nil).ReadAll(nil)
			}
			require.NoError(t, err)
			require.True(t, bytes.Equal(want[i], got), fmt.Sprint("message ", i, " with seed ", seed))
			if i%7 == 0 {
				r.Detach()
			}
		}
		_, err := r.Next()
		require.ErrorIs(t, err, frame.ErrCut)
		assert.Positive(t, s.waits)
	}
}

// asking is a stream that notes how much is read at once.
type asking struct {
	bytes.Reader
	asked []int
}

func (s *asking) Read(p []byte) (int, error) {
	s.asked = append(s.asked, len(p))
	if len(p) > 5000 { // as a message comes, and not the next one with it
		p = p[:5000]
	}
	return s.Reader.Read(p)
}

// TestMessagesOfAFewKilobytesTakeOneRead checks that, once there was one.
func TestMessagesOfAFewKilobytesTakeOneRead(t *testing.T) {
	s := new(asking)
	r := frame.NewReader(s, frame.Config{Client: true})
	for i := range 4 {
		s.asked = nil
		s.Reset(raw{opcode: 2, payload: make([]byte, 4096)}.bytes(false))
		r.Await()
		h, err := r.Next()
		require.NoError(t, err)
		p, err := r.Payload(h)
		require.NoError(t, err)
		assert.Len(t, p, 4096)
		if i > 0 {
			assert.Len(t, s.asked, 1, "message %d", i)
		}
	}
}
