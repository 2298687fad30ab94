package frame_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// errControl is the error with which the peer's close frame ends the reading.
var errControl = errors.New("the peer has closed")

// outcome reads a stream to its end, in any way, and writes down the outcome.
func outcome(r *frame.Reader, limit int64, whole bool) (heard []byte, err error) {
	control := func(h frame.Header, p []byte) error {
		heard = append(append(heard, byte(h.Opcode)), p...)
		if h.Opcode == frame.Close {
			if _, _, err := frame.ParseClose(p); err != nil {
				return err
			}
			return errControl
		}
		return nil
	}
	for {
		h, err := r.Next()
		switch {
		case err != nil:
			return heard, err
		case h.Opcode.Control():
			p, err := r.Payload(h)
			if err == nil {
				err = control(h, p)
			}
			if err != nil {
				return heard, err
			}
		case h.Lone() && h.Length <= min(limit, frame.MaxPayload) && !whole:
			p, err := r.Payload(h)
			if err != nil {
				return heard, err
			}
			heard = append(append(heard, byte(h.Opcode)), p...)
		default:
			p, err := r.Message(h, limit, control).ReadAll(nil)
			if int64(len(p)) > limit {
				panic("more than the limit was returned")
			}
			if err != nil {
				return heard, err
			}
			heard = append(append(heard, byte(h.Opcode)), p...)
		}
	}
}

// FuzzReader reads arbitrary bytes in arbitrary pieces. The verdict is one, however they
// are cut and whether messages are read from the buffer or as a Message.
func FuzzReader(f *testing.F) {
	data := samples(300)["json"]
	f.Add(stream(true, raw{opcode: 1, payload: data}, raw{opcode: 9, payload: []byte("p")}, raw{opcode: 8, payload: []byte{3, 0xE8}}), true, 3, false)
	f.Add(stream(false, fragments(raw{opcode: 2, rsv: rsv1, payload: deflated(f, 1, data)}, 20)...), false, 7, true)
	f.Add(stream(false, raw{opcode: 1, open: true, payload: []byte("caf\xC3")}, raw{opcode: 10}, raw{payload: []byte("\xA9")}), false, 1, true)
	f.Add([]byte{0x82, 127, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3}, true, 1000, false)
	f.Fuzz(func(t *testing.T, data []byte, client bool, size int, takeover bool) {
		const limit = 5000
		c := frame.Config{Client: client, Params: frame.WithTakeover(takeover)}
		c.Params.Enabled = size%3 > 0
		first, firstErr := outcome(frame.NewReader(bytes.NewReader(data), c), limit, false)
		require.Error(t, firstErr)
		for _, cut := range []int{max(1, size%1000), 1} {
			for _, whole := range []bool{true, false} {
				c.Prefix = bytes.Clone(data[:min(len(data), max(0, size/1000%50))])
				r := frame.NewReader(&pieces{data: data[len(c.Prefix):], size: cut}, c)
				heard, err := outcome(r, limit, whole)
				require.Equal(t, first, heard)
				bad, ok := errors.AsType[*frame.Error](firstErr)
				if other, also := errors.AsType[*frame.Error](err); ok && also {
					require.Equal(t, bad.Code, other.Code, "%v and %v", bad, other)
				} else {
					require.Equal(t, firstErr, err)
				}
			}
		}
	})
}

// FuzzRoundTrip writes messages as data says, and reads them.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("\x01hello\x12world\xF3and so on, and so on"), true, 15, true, 10)
	f.Add(samples(3000)["text"], false, 8, false, 1000)
	f.Fuzz(func(t *testing.T, data []byte, client bool, bits int, takeover bool, size int) {
		direction := frame.Direction{Takeover: takeover, WindowBits: 8 + (bits&0xFF)%8}
		d, err := frame.NewDeflater(direction, flate.HuffmanOnly+(bits>>8&0xFF)%12)
		require.NoError(t, err)
		defer d.Release()
		var keys *frame.Keys
		if !client {
			keys = new(frame.Keys)
		}
		var out, want []byte
		next := func(n int) []byte {
			p := data[:min(n, len(data))]
			data = data[len(p):]
			return p
		}
		for len(data) > 0 {
			how := next(1)[0]
			h := frame.Header{Opcode: frame.Binary, Compressed: how&1 != 0}
			want = append(want, byte(frame.Binary))
			for packs := h.Compressed; !h.Final; h.Opcode, h.Compressed = frame.Continuation, false {
				piece := next(int(how) * 3)
				h.Final = how&2 == 0 || len(data) == 0
				how >>= 1
				want = append(want, piece...)
				if packs {
					piece = d.Append(nil, piece, h.Final)
				}
				if how&1 != 0 {
					out = append(out, frame.Seal(append(make([]byte, frame.Room), piece...), h, keys)...)
				} else {
					out = frame.AppendFrame(out, h, piece, keys)
				}
			}
		}
		r := frame.NewReader(&pieces{data: out, size: max(1, size)}, frame.Config{
			Client: client, Params: frame.Params{Enabled: true, Server: direction, Client: direction},
		})
		heard, err := outcome(r, noLimit, false)
		require.ErrorIs(t, err, frame.ErrCut)
		require.True(t, bytes.Equal(want, heard))
	})
}
