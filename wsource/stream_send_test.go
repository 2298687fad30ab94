package wsource_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// readerFunc is a function as an io.Reader.
type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// pieces is a reader that gives one piece at a time, and then the result of after.
func pieces(after func() (int, error), all ...string) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if len(all) == 0 {
			return after()
		}
		n := copy(p, all[0])
		all = all[1:]
		return n, nil
	})
}

// ended is a reader's result at its end.
func ended() (int, error) { return 0, io.EOF }

// requireStream requires that err is a send error of a stream with the outcome, after so
// many bytes.
func requireStream(t *testing.T, err error, outcome wsource.Outcome, written int64) *wsource.StreamError {
	t.Helper()
	var se *wsource.StreamError
	require.ErrorAs(t, requireSend(t, err, outcome), &se)
	require.Equal(t, written, se.Bytes, "%v", err)
	return se
}

// compressions are all kinds of compression.
var compressions = []wsource.Compression{wsource.NoCompression, wsource.CompressMessages, wsource.CompressStream}

func TestSendReaderArrivesAsOneMessage(t *testing.T) {
	random := make([]byte, 300_000)
	rand.New(rand.NewSource(1)).Read(random)
	long, whole := strings.Repeat("naïve ✓ 𝄞 ", 10_000), strings.Repeat("as it is sent otherwise ", 200)
	for _, compression := range compressions {
		t.Run(fmt.Sprint("compression ", compression), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newSite(t, wsource.AcceptOptions{Compression: compression}).
					pair(&wsource.DialOptions{Compression: compression})
				for _, socket := range []*wsource.Socket{client, server} {
					other := map[*wsource.Socket]*wsource.Socket{client: server, server: client}[socket]
					got := record[wsource.Message](t, other)
					var want []wsource.Message
					one := func(m wsource.Message, r io.Reader) {
						want = append(want, m)
						require.NoError(t, socket.SendReader(t.Context(), m.Type, r))
						// A whole message still fits, as the dictionary does.
						want = append(want, wsource.TextMessage(whole))
						require.NoError(t, socket.Send(t.Context(), wsource.TextMessage(whole)))
					}
					for _, m := range []wsource.Message{
						wsource.TextMessage(""), wsource.TextMessage("é"), wsource.TextMessage(long),
						wsource.BinaryMessage([]byte{}), wsource.BinaryMessage(random), wsource.BinaryMessage(random[:600]),
					} {
						one(m, bytes.NewReader(m.Data))
						one(m, iotest.DataErrReader(bytes.NewReader(m.Data)))
						if len(m.Data) < 1000 {
							one(m, iotest.OneByteReader(bytes.NewReader(m.Data)))
						}
						one(m, iotest.HalfReader(bytes.NewReader(m.Data)))
					}
					settle()
					require.Equal(t, want, got.Values())
				}
			})
		})
	}
}

func TestSendReaderIsCompressedWhenNegotiated(t *testing.T) {
	for compression, fewer := range map[wsource.Compression]bool{
		wsource.NoCompression: false, wsource.CompressMessages: true, wsource.CompressStream: true,
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{Compression: compression})
			client, server := s.pair(&wsource.DialOptions{Compression: compression})
			got := record[wsource.Message](t, server)
			before := s.link().Passed(wstest.ToServer)
			require.NoError(t, client.SendReader(t.Context(), wsource.Text, strings.NewReader(strings.Repeat("x", 500_000))))
			passed := s.link().Passed(wstest.ToServer) - before
			assert.Equal(t, fewer, passed < 10_000, "%v: %d bytes", compression, passed)
			settle()
			assert.Len(t, got.Values(), 1)
		})
	}
}

func TestSendReaderKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		got := record[wsource.Message](t, server)
		var group sync.WaitGroup
		var want []string
		step := func(text string, slow bool) {
			want = append(want, text)
			group.Go(func() {
				if !slow {
					assert.NoError(t, client.Send(t.Context(), wsource.TextMessage(text)))
					return
				}
				r := pieces(func() (int, error) { time.Sleep(time.Minute); return 0, io.EOF }, text)
				assert.NoError(t, client.SendReader(t.Context(), wsource.Text, r))
			})
			settle()
		}
		for i := range 5 {
			step(fmt.Sprint("reader ", i), true)
			step(fmt.Sprint("reader again ", i), true)
			step(fmt.Sprint("whole ", i), false)
			send(client, "next")
			want = append(want, "next")
		}
		group.Wait()
		settle()
		assert.Equal(t, want, texts(got.Values()))
	})
}

func TestPiecesLeaveAsTheyComeAndPingsBetweenThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		beat := wsource.Heartbeat{Interval: 10 * time.Second, Timeout: 5 * time.Second}
		p, server := newSite(t, wsource.AcceptOptions{Heartbeat: beat}).rawClient("")
		more := make(chan string)
		sent := make(chan error, 1)
		go func() {
			sent <- server.SendReader(t.Context(), wsource.Text, readerFunc(func(b []byte) (int, error) {
				text, ok := <-more
				if !ok {
					return 0, io.EOF
				}
				return copy(b, text), nil
			}))
		}()
		settle()
		send(server, "behind")
		more <- "one"
		assert.Equal(t, frame{opcode: opText, payload: []byte("one")}, p.read())
		p.write(frame{fin: true, opcode: opPing, payload: []byte("?")})
		assert.Equal(t, frame{fin: true, opcode: opPong, payload: []byte("?")}, p.read(), "in the middle of a message")
		for range 100 { // the heartbeat goes on for as long as the reader takes
			ping := p.read()
			require.Equal(t, opPing, ping.opcode)
			p.write(frame{fin: true, opcode: opPong, payload: ping.payload})
		}
		assert.Equal(t, wsource.Open, server.State())
		more <- "two"
		assert.Equal(t, frame{opcode: opContinuation, payload: []byte("two")}, p.read())
		close(more)
		assert.Equal(t, frame{fin: true, opcode: opContinuation, payload: []byte{}}, p.read())
		require.NoError(t, <-sent)
		assert.Equal(t, textFrame("behind"), p.read())
		server.CloseNow()
	})
}

func TestReaderThatFails(t *testing.T) {
	boom := errors.New("boom")
	for name, test := range map[string]struct {
		after func() (int, error)
		is    error
	}{
		"error":          {func() (int, error) { return 0, boom }, boom},
		"wrapped io.EOF": {func() (int, error) { return 0, fmt.Errorf("no: %w", io.EOF) }, io.EOF},
		"panic":          {func() (int, error) { panic(boom) }, boom},
		"nothing":        {func() (int, error) { return 0, nil }, io.ErrNoProgress},
		"bad count":      {func() (int, error) { return 1 << 30, io.ErrNoProgress }, wsource.ErrReaderCount},
		"bad text":       {func() (int, error) { return 0, io.EOF }, wsource.ErrInvalidUTF8},
		"runtime.Goexit": {func() (int, error) { runtime.Goexit(); return 0, nil }, observable.ErrGoexit},
	} {
		for _, at := range []string{"first", "middle"} {
			t.Run(name+" "+at, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { failingReader(t, test.after, test.is, name, at == "first") })
			})
		}
	}
}

func failingReader(t *testing.T, after func() (int, error), is error, name string, first bool) {
	t.Helper()
	client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
	got := record[wsource.Message](t, server)
	lost := record(t, client.Undelivered())
	var all []string
	if !first {
		all = []string{"some"}
	}
	switch {
	case name == "bad text" && first:
		all = []string{"\xFFx"}
	case name == "bad text":
		all = append(all, "\xC3") // it needs another byte
	}
	sent := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		err := io.ErrUnexpectedEOF // for a reader that ends the goroutine
		defer func() { sent <- err }()
		err = client.SendReader(t.Context(), wsource.Text, readerFunc(func(p []byte) (int, error) {
			<-started
			if len(all) == 0 {
				return after()
			}
			n := copy(p, all[0])
			all = all[1:]
			return n, nil
		}))
	}()
	settle()
	send(client, "behind")
	close(started)
	err := <-sent
	settle()
	exited := name == "runtime.Goexit"
	if first {
		if !exited {
			require.ErrorIs(t, requireStream(t, err, wsource.Unsent, 0), is)
		}
		assert.Equal(t, []string{"behind"}, texts(got.Values()), "only the one message has failed")
		assert.Equal(t, wsource.Open, client.State())
		return
	}
	if !exited {
		written := int64(4)
		if name == "bad text" {
			written = 5
		}
		require.ErrorIs(t, requireStream(t, err, wsource.Partial, written), is)
	}
	// The peer learns that the message is not whole, and this side learns the cause.
	assert.Empty(t, got.Values())
	ce := requireClose(t, got.ExpectEnd(t), wsource.StatusInternalError)
	assert.Equal(t, "a message was cut off", ce.Reason)
	<-client.Done()
	require.ErrorIs(t, requireClose(t, client.Err(), wsource.StatusInternalError), is)
	require.NoError(t, lost.ExpectEnd(t))
	require.Len(t, lost.Values(), 1)
	requireSend(t, lost.Values()[0], wsource.Unsent)
	requireClose(t, lost.Values()[0], wsource.StatusInternalError)
}

// stuck returns a reader that gives the pieces, and then blocks until the test lets it
// go.
func stuck(all ...string) (r io.Reader, letGo func()) {
	blocked := make(chan struct{})
	return pieces(func() (int, error) { <-blocked; return 0, io.EOF }, all...), func() { close(blocked) }
}

func TestContextOfSendReader(t *testing.T) {
	for name, begun := range map[string]bool{"before it has begun": false, "when it has begun": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
				got := record[wsource.Message](t, server)
				ctx, cancel := context.WithCancelCause(t.Context())
				var all []string
				if begun {
					all = []string{"some"}
				}
				r, letGo := stuck(all...)
				sent, queued := make(chan error, 1), make(chan error, 1)
				go func() { sent <- client.SendReader(ctx, wsource.Binary, r) }()
				settle()
				go func() { queued <- client.SendReader(ctx, wsource.Binary, strings.NewReader("never read")) }()
				settle()
				send(client, "behind")
				cancel(io.ErrNoProgress)
				require.ErrorIs(t, requireStream(t, <-queued, wsource.Unsent, 0), io.ErrNoProgress)
				settle()
				if begun {
					requireClose(t, got.ExpectEnd(t), wsource.StatusInternalError)
					<-client.Done()
				} else {
					assert.Equal(t, []string{"behind"}, texts(got.Values()))
				}
				assert.Empty(t, sent, "a reader that is asked is waited for")
				letGo()
				if begun {
					require.ErrorIs(t, requireStream(t, <-sent, wsource.Partial, 4), io.ErrNoProgress)
				} else {
					require.ErrorIs(t, requireStream(t, <-sent, wsource.Unsent, 0), io.ErrNoProgress)
				}
			})
		})
	}
}
