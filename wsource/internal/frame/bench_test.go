package frame_test

import (
	"bytes"
	"compress/flate"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// endless is a stream of the same bytes again and again.
type endless struct {
	data []byte
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.data[e.at:])
	e.at = (e.at + n) % len(e.data)
	return n, nil
}

// BenchmarkLone reads messages that are one frame, binary and masked.
func BenchmarkLone(b *testing.B) {
	for name, size := range map[string]int{"128B": 128, "4KiB": 4 << 10} {
		b.Run(name, func(b *testing.B) {
			frames := bytes.Repeat(raw{opcode: 2, payload: make([]byte, size)}.bytes(true), 1000)
			r := frame.NewReader(&endless{data: frames}, frame.Config{})
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r.Await()
				h, err := r.Next()
				if err != nil || !h.Lone() {
					b.Fatal(err)
				}
				if _, err := r.Payload(h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// readAgain reads messages into the same memory.
func readAgain(b *testing.B, data []byte, c frame.Config) {
	b.Helper()
	r := frame.NewReader(&endless{data: data}, c)
	var memory []byte
	b.ReportAllocs()
	for b.Loop() {
		h, err := r.Next()
		if err != nil {
			b.Fatal(err)
		}
		if memory, err = r.Message(h, noLimit, nil).ReadAll(memory[:0]); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(memory)))
}

// BenchmarkFragmented reads messages of 4 KiB in four fragments.
func BenchmarkFragmented(b *testing.B) {
	part := make([]byte, 1<<10)
	readAgain(b, stream(false, raw{opcode: 2, open: true, payload: part}, raw{open: true, payload: part},
		raw{open: true, payload: part}, raw{payload: part}), frame.Config{})
}

// BenchmarkCompressed reads compressed messages of JSON.
func BenchmarkCompressed(b *testing.B) {
	for name, size := range map[string]int{"128B": 128, "4KiB": 4 << 10, "256KiB": 256 << 10} {
		payload := deflated(b, flate.DefaultCompression, samples(size)["json"])
		for kind, takeover := range map[string]bool{"Takeover": true, "NoTakeover": false} {
			b.Run(name+kind, func(b *testing.B) {
				readAgain(b, stream(false, packed(payload)), frame.Config{Params: frame.WithTakeover(takeover)})
			})
		}
	}
}

// BenchmarkAppendFrame makes frames, masked and not.
func BenchmarkAppendFrame(b *testing.B) {
	for name, size := range map[string]int{"128B": 128, "4KiB": 4 << 10} {
		for side, keys := range map[string]*frame.Keys{"Client": new(frame.Keys), "Server": nil} {
			b.Run(name+side, func(b *testing.B) {
				payload := make([]byte, size)
				var dst []byte
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					dst = frame.AppendFrame(dst[:0], frame.Header{Opcode: frame.Binary, Final: true}, payload, keys)
				}
			})
		}
	}
}

// BenchmarkDeflate compresses messages of JSON.
func BenchmarkDeflate(b *testing.B) {
	message := samples(4 << 10)["json"]
	for kind, takeover := range map[string]bool{"Takeover": true, "NoTakeover": false} {
		b.Run(kind, func(b *testing.B) {
			d, err := frame.NewDeflater(frame.WithTakeover(takeover).Server, flate.BestSpeed)
			require.NoError(b, err)
			var dst []byte
			b.SetBytes(int64(len(message)))
			b.ReportAllocs()
			for b.Loop() {
				dst = d.Append(dst[:0], message, true)
			}
		})
	}
}

// BenchmarkStandardInflate measures compress/flate on the data of BenchmarkCompressed.
func BenchmarkStandardInflate(b *testing.B) {
	for name, size := range map[string]int{"128B": 128, "4KiB": 4 << 10, "256KiB": 256 << 10} {
		b.Run(name, func(b *testing.B) {
			data := final(b, string(samples(size)["json"]))
			source := &endless{data: data}
			r := flate.NewReader(&byByte{endless: source})
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, r.(flate.Resetter).Reset(&byByte{endless: source}, nil))
				_, err := io.Copy(io.Discard, r)
				require.NoError(b, err)
			}
		})
	}
}

type byByte struct{ *endless }

func (b *byByte) ReadByte() (byte, error) {
	c := b.data[b.at]
	b.at = (b.at + 1) % len(b.data)
	return c, nil
}
