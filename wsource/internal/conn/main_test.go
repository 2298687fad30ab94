package conn_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// errBroken is the error of a stream that fails.
var errBroken = errors.New("broken")

// stream is a byte stream that keeps the writes it gets, and fails when it is told to.
type stream struct {
	reads  []string // then errBroken
	writes [][]byte
	room   int // the bytes it takes before it fails; less than 0 for all
	closed int
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.reads) == 0 {
		return 0, errBroken
	}
	n := copy(p, s.reads[0])
	s.reads = s.reads[1:]
	return n, nil
}

func (s *stream) Write(p []byte) (int, error) {
	n := len(p)
	if s.room >= 0 {
		n = min(n, s.room)
		s.room -= n
	}
	s.writes = append(s.writes, bytes.Clone(p[:n]))
	if n < len(p) {
		return n, errBroken
	}
	return n, nil
}

func (s *stream) Close() error {
	s.closed++
	return nil
}

func (s *stream) all() []byte { return bytes.Join(s.writes, nil) }

// writer returns a Writer without compression on a stream.
func writer(rwc io.ReadWriteCloser, client bool) *conn.Writer {
	return conn.NewWriter(streamOf(rwc), client, frame.Params{})
}

// send writes a message alone.
func send(w *conn.Writer, payload []byte) error {
	w.Begin()
	err := w.Message(frame.Binary, payload, nil)
	return errors.Join(err, w.End())
}

// message returns a frame of a server that is a message of so many bytes.
func message(size int) []byte {
	h := frame.Header{Opcode: frame.Binary, Final: true}
	return frame.AppendFrame(nil, h, payload(size), nil)
}

func payload(size int) []byte { return bytes.Repeat([]byte{byte(size)}, size) }

// space returns a payload behind the room for its header.
func space(payload []byte) []byte { return append(make([]byte, frame.Room), payload...) }

// received returns the messages in the written bytes, to their end.
func received(t *testing.T, written []byte, client bool, params frame.Params) (messages [][]byte) {
	t.Helper()
	r := frame.NewReader(bytes.NewReader(written), frame.Config{Client: client, Params: params})
	for {
		h, err := r.Next()
		if errors.Is(err, frame.ErrCut) {
			return messages
		}
		require.NoError(t, err)
		data, err := r.Message(h, 1<<30, nil).ReadAll(nil)
		require.NoError(t, err)
		messages = append(messages, data)
	}
}

// streamOf returns the Stream over rwc.
func streamOf(rwc io.ReadWriteCloser) *conn.Stream {
	s := conn.NewStream(rwc, nil)
	return &s
}
