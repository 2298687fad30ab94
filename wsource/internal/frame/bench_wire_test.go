package frame_test

import (
	"bytes"
	"testing"

	"github.com/rxsocket/rxsocket/wsource/internal/frame"
	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

func BenchmarkLoneBesideWire(b *testing.B) {
	frames := bytes.Repeat(raw{opcode: 2, payload: make([]byte, 128)}.bytes(true), 1000)
	b.Run("frame", func(b *testing.B) {
		r := frame.NewReader(&endless{data: frames}, frame.Config{})
		b.ReportAllocs()
		for b.Loop() {
			h, err := r.Next()
			if err == nil {
				_, err = r.Payload(h)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("wire", func(b *testing.B) {
		r := wire.New(&endlessConn{endless{data: frames}}, nil, false, nil)
		b.ReportAllocs()
		for b.Loop() {
			h, _, err := r.Next()
			if err == nil {
				_, err = r.Payload(h)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

type endlessConn struct{ endless }

func (*endlessConn) Write(p []byte) (int, error) { return len(p), nil }
func (*endlessConn) Close() error                { return nil }
