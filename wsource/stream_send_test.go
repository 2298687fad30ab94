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
	"sync/atomic"
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

// pieces is a reader that gives one piece at a time, and then what after says.
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

// ended is what a reader says at its end.
func ended() (int, error) { return 0, io.EOF }

// requireStream requires that err is a send error of a stream with the outcome, after so many bytes.
func requireStream(t *testing.T, err error, outcome wsource.Outcome, written int64) *wsource.StreamError {
	t.Helper()
	var se *wsource.StreamError
	require.ErrorAs(t, requireSend(t, err, outcome), &se)
	require.Equal(t, written, se.Bytes, "%v", err)
	return se
}

// compressions are all there are.
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
						// The library's own messages still fit, as its dictionary does.
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
					require.Equal(t, want, got.got())
				}
			})
		})
	}
}

func TestSendReaderIsCompressedWhenNegotiated(t *testing.T) {
	for compression, fewer := range map[wsource.Compression]bool{
		wsource.NoCompression: false, wsource.CompressMessages: true, wsource.CompressStream: false,
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
			assert.Len(t, got.got(), 1)
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
		assert.Equal(t, want, texts(got.got()))
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
		all = append(all, "\xC3") // which needs another byte
	}
	sent := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		err := io.ErrUnexpectedEOF // of one that ends the goroutine
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
		assert.Equal(t, []string{"behind"}, texts(got.got()), "only the one message has failed")
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
	// The peer learns that the message is not whole, and this side why.
	assert.Empty(t, got.got())
	ce := requireClose(t, got.wait(), wsource.StatusInternalError)
	assert.Equal(t, "a message was cut off", ce.Reason)
	<-client.Done()
	require.ErrorIs(t, requireClose(t, client.Err(), wsource.StatusInternalError), is)
	require.NoError(t, lost.wait())
	require.Len(t, lost.got(), 1)
	requireSend(t, lost.got()[0], wsource.Unsent)
	requireClose(t, lost.got()[0], wsource.StatusInternalError)
}

// stuck returns a reader that gives the pieces, and then blocks until the test lets it go.
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
					requireClose(t, got.wait(), wsource.StatusInternalError)
					<-client.Done()
				} else {
					assert.Equal(t, []string{"behind"}, texts(got.got()))
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

func TestCloseInMidMessage(t *testing.T) {
	for name, test := range map[string]struct {
		begun      bool // a part was written
		late       bool // the reader goes on in time
		code, want wsource.StatusCode
	}{
		"in time, begun":      {true, true, 1000, 1000},
		"in time, not begun":  {false, true, 4001, 4001},
		"stuck, begun, 1000":  {true, false, 1000, wsource.StatusInternalError},
		"stuck, begun, other": {true, false, 4001, 4001},
		"stuck, not begun":    {false, false, 1000, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newSite(t, wsource.AcceptOptions{}).pair(&wsource.DialOptions{CloseTimeout: 10 * time.Second})
				got := record[wsource.Message](t, server)
				var all []string
				if test.begun {
					all = []string{"some"}
				}
				r, letGo := stuck(all...)
				sent, queued := make(chan error, 1), make(chan error, 1)
				go func() { sent <- client.SendReader(t.Context(), wsource.Text, r) }()
				settle()
				go func() { queued <- client.SendReader(t.Context(), wsource.Text, strings.NewReader("queued")) }()
				settle()
				send(client, "behind")
				start := time.Now()
				require.NoError(t, client.Close(test.code, ""))
				if test.late {
					time.Sleep(4 * time.Second)
					letGo()
				}
				<-client.Done()
				<-server.Done()
				took := time.Since(start)
				assert.Equal(t, test.want, wsource.CloseStatus(got.wait()))
				assert.Equal(t, test.want, wsource.CloseStatus(client.Err()), "no time-out: there was a close frame")
				switch {
				case test.late:
					require.NoError(t, <-sent)
					require.NoError(t, <-queued)
					assert.Equal(t, []string{strings.Join(all, ""), "queued", "behind"}, texts(got.got()))
					return
				case test.begun:
					requireSend(t, <-queued, wsource.Unsent)
					assert.Empty(t, got.got())
				default:
					require.ErrorIs(t, requireSend(t, <-queued, wsource.Unsent), wsource.ErrClosed)
					assert.Equal(t, []string{"behind"}, texts(got.got()))
				}
				assert.InDelta(t, 5*time.Second, took, float64(time.Second))
				letGo()
				require.ErrorIs(t, requireSend(t, <-sent, map[bool]wsource.Outcome{true: wsource.Partial}[test.begun]), wsource.ErrClosed)
			})
		})
	}
}

func TestEndOfTheConnectionInMidMessage(t *testing.T) {
	for name, end := range map[string]func(s *site, client, server *wsource.Socket){
		"the peer's Close": func(_ *site, _, server *wsource.Socket) { server.Complete() },
		"its CloseNow":     func(_ *site, _, server *wsource.Socket) { server.CloseNow() },
		"CloseNow":         func(_ *site, client, _ *wsource.Socket) { client.CloseNow() },
		"a reset": func(s *site, _, server *wsource.Socket) {
			assert.NoError(s.t, s.link().Inject(wstest.Reset(wstest.ToClient, 0)))
			send(server, "x")
		},
		"a peer that breaks the rules": func(s *site, _, server *wsource.Socket) {
			assert.NoError(s.t, s.link().Inject(wstest.Corrupt(wstest.ToClient, 0, 0xF)))
			send(server, "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{})
				client, server := s.pair(nil)
				got := record[wsource.Message](t, server)
				r, letGo := stuck("some")
				sent := make(chan error, 1)
				go func() { sent <- client.SendReader(t.Context(), wsource.Text, r) }()
				settle()
				lost := record(t, client.Undelivered())
				send(client, "behind")
				start := time.Now()
				end(s, client, server)
				<-client.Done()
				assert.Less(t, time.Since(start), 2*time.Second, "nobody waits for the reader")
				<-server.Done()
				assert.Empty(t, got.got())
				require.NoError(t, lost.wait())
				assert.Len(t, lost.got(), 1)
				letGo()
				requireStream(t, <-sent, wsource.Partial, 4)
				requireStream(t, client.SendReader(t.Context(), wsource.Text, nil), wsource.Unsent, 0)
				requireStream(t, client.SendReader(t.Context(), wsource.Text, r), wsource.Unsent, 0)
			})
		})
	}
}

func TestSendReaderWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		got := record[wsource.Message](t, server)
		r, letGo := stuck("some")
		sent := make(chan error, 2)
		go func() { sent <- client.SendReader(t.Context(), wsource.Text, r) }()
		settle()
		for range 1023 { // beside the one that has the turn
			send(client, "x")
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, io.ErrNoProgress)
		defer cancel()
		never := readerFunc(func([]byte) (int, error) { panic("it is not asked") })
		require.ErrorIs(t, requireStream(t, client.SendReader(ctx, wsource.Text, never), wsource.Unsent, 0), io.ErrNoProgress)
		require.ErrorIs(t, client.SendReader(ctx, wsource.Text, never), io.ErrNoProgress)
		go func() { sent <- client.SendReader(t.Context(), wsource.Text, strings.NewReader("last")) }()
		settle()
		letGo()
		require.NoError(t, <-sent)
		require.NoError(t, <-sent)
		settle()
		all := texts(got.got())
		require.Len(t, all, 1025)
		assert.Equal(t, "some", all[0])
		assert.Equal(t, "last", all[1024])
		// What cannot be sent at all is not waited with.
		var argument *observable.ArgumentError
		require.ErrorAs(t, client.SendReader(nil, wsource.Text, never), &argument) //nolint:staticcheck // what is tested
		require.ErrorAs(t, client.SendReader(ctx, wsource.Text, nil), &argument)
		require.ErrorAs(t, client.SendReader(t.Context(), 2, never), &argument)
	})
}

func TestStalledStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		sent := make(chan error, 1)
		var read atomic.Int64
		go func() {
			sent <- client.SendReader(t.Context(), wsource.Binary, readerFunc(func(p []byte) (int, error) {
				read.Add(int64(len(p)))
				return len(p), nil
			}))
		}()
		settle()
		assert.Less(t, read.Load(), int64(2*wstest.DefaultBuffer), "a slow peer slows the reader")
		client.Complete()
		<-client.Done()
		require.ErrorIs(t, client.Err(), wsource.ErrCloseTimeout)
		requireSend(t, <-sent, wsource.Partial)
		s.link().Resume(wstest.ToServer)
		<-server.Done()
	})
}

// TestCutStreamIsNoMessage cuts the connection after each byte of a streamed message.
func TestCutStreamIsNoMessage(t *testing.T) {
	text := strings.Repeat("compressible text ", 40)
	converse := func(t *testing.T, compression wsource.Compression, cut int) (total int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{Compression: compression})
			client, server := s.pair(&wsource.DialOptions{Compression: compression})
			got := record[wsource.Message](t, server)
			before := s.link().Passed(wstest.ToServer)
			if cut >= 0 {
				require.NoError(t, s.link().Inject(wstest.Reset(wstest.ToServer, cut)))
			}
			err := client.SendReader(t.Context(), wsource.Text, pieces(ended, text[:200], text[200:600], text[600:]))
			settle()
			total = s.link().Passed(wstest.ToServer) - before
			if cut < 0 {
				require.NoError(t, err)
				assert.Equal(t, []string{text}, texts(got.got()))
				return
			}
			requireClose(t, got.wait(), wsource.StatusAbnormalClosure)
			assert.Empty(t, got.got(), "cut after %d bytes", cut)
			<-client.Done()
			requireClose(t, client.Err(), wsource.StatusAbnormalClosure)
			// The write that crosses the cut succeeds, so it may be the last one.
			if err != nil {
				var se *wsource.SendError
				require.ErrorAs(t, err, &se)
				require.Equal(t, cut == 0, se.Outcome == wsource.Unsent, "%v after %d bytes", err, cut)
			}
		})
		return total
	}
	for _, compression := range compressions {
		t.Run(fmt.Sprint("compression ", compression), func(t *testing.T) {
			total := converse(t, compression, -1)
			for cut := range total {
				converse(t, compression, cut)
			}
		})
	}
}
