package wsource_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// lenient allows larger streams than other messages.
var lenient = wsource.AcceptOptions{StreamLimit: 1 << 30, ReadLimit: 1000}

// readAll is the stream of whole messages that a socket's readers give.
func readAll(s *wsource.Socket) observable.Observable[wsource.Message] {
	return operators.TryMap(s.Readers(), func(m *wsource.MessageReader) (wsource.Message, error) {
		data, err := io.ReadAll(m)
		return wsource.Message{Type: m.Type, Data: data}, err
	})
}

// reading subscribes a function to a socket's readers.
func reading(s *wsource.Socket, f func(*wsource.MessageReader)) *observabletest.Recorder[*wsource.MessageReader] {
	got := observabletest.NewRecorder[*wsource.MessageReader]().OnNext(f)
	s.Readers().Subscribe(context.Background(), got)
	return got
}

func TestReadersGiveTheMessages(t *testing.T) {
	for _, compression := range compressions {
		t.Run(fmt.Sprint("compression ", compression), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				options := lenient
				options.Compression = compression
				client, server := newSite(t, options).pair(&wsource.DialOptions{Compression: compression})
				want := []wsource.Message{
					wsource.TextMessage("héllo"), wsource.TextMessage(""), wsource.BinaryMessage([]byte{0, 0xFF}),
					wsource.BinaryMessage([]byte{}), wsource.BinaryMessage(bytes.Repeat([]byte("x"), 1<<20)),
					wsource.TextMessage(strings.Repeat("é", 100_000)),
				}
				go func() {
					for _, m := range want {
						client.Next(m)
						assert.NoError(t, client.SendReader(t.Context(), m.Type, bytes.NewReader(m.Data)))
					}
					client.Complete()
				}()
				settle() // the first one waits for a subscriber
				got := record(t, readAll(server))
				require.NoError(t, got.ExpectEnd(t))
				require.Len(t, got.Values(), 2*len(want))
				for i, m := range got.Values() {
					assert.Equal(t, want[i/2], m)
				}
			})
		})
	}
}

// TestReadersWithoutStreamLimit subscribes after a message was read without a subscriber.
func TestReadersWithoutStreamLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		send(client, "one", "two", "three", "four")
		settle()
		m, err := observable.FirstValue(t.Context(), readAll(server))
		require.NoError(t, err)
		assert.Equal(t, "one", m.String())
		settle()
		m, err = observable.FirstValue(t.Context(), observable.Observable[wsource.Message](server))
		require.NoError(t, err)
		assert.Equal(t, "two", m.String())
		settle()
		var stale *wsource.MessageReader
		got := reading(server, func(m *wsource.MessageReader) {
			stale = m
			n, err := m.Read(make([]byte, 2))
			assert.NoError(t, err)
			assert.Equal(t, 2, n)
		})
		client.Complete()
		require.NoError(t, got.ExpectEnd(t))
		assert.Len(t, got.Values(), 2, "a message that is not read is dropped")
		_, err = stale.Read(make([]byte, 1))
		require.ErrorIs(t, err, wsource.ErrReaderOver)
	})
}

func TestWholeMessagesWithStreamLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, lenient).pair(nil)
		send(client, "one", "two")
		settle()
		got := record[wsource.Message](t, server) // after the first message has begun
		settle()
		assert.Equal(t, []string{"one", "two"}, texts(got.Values()))
		send(client, strings.Repeat("x", 1001))
		ce := requireClose(t, got.ExpectEnd(t), wsource.StatusMessageTooBig)
		assert.Equal(t, "a message has more than 1000 bytes", ce.Reason)
	})
}

func TestOneKindOfSubscriberAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, lenient).pair(nil)
		first := observabletest.NewRecorder[*wsource.MessageReader]()
		reader := server.Readers().Subscribe(context.Background(), first)
		require.ErrorIs(t, record(t, server.Readers()).ExpectEnd(t), wsource.ErrSubscribed)
		require.ErrorIs(t, record[wsource.Message](t, server).ExpectEnd(t), wsource.ErrSubscribed)
		reader.Unsubscribe()
		messages := observabletest.NewRecorder[wsource.Message]()
		whole := server.Subscribe(context.Background(), messages)
		require.ErrorIs(t, record(t, server.Readers()).ExpectEnd(t), wsource.ErrSubscribed)
		record[wsource.Message](t, server) // messages may have several subscribers
		send(client, "message")
		settle()
		assert.Equal(t, []string{"message"}, texts(messages.Values()))
		whole.Unsubscribe()
		require.ErrorIs(t, record(t, server.Readers()).ExpectEnd(t), wsource.ErrSubscribed)
		assert.Empty(t, first.Values())
		assert.False(t, first.Ended())

		subject := wsource.WrapSocket(client, wsource.TextCodec(), nil)
		values := record[string](t, subject)
		require.ErrorIs(t, record(t, client.Readers()).ExpectEnd(t), wsource.ErrSubscribed)
		server.Complete()
		require.NoError(t, values.ExpectEnd(t))
		require.NoError(t, record(t, client.Readers()).ExpectEnd(t), "after the end, a second subscription is allowed, and has nothing")
	})
}

func TestReadersCanBeSubscribedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, lenient).pair(nil)
		send(client, "1", "2", "3", "4")
		client.Complete()
		// Each run takes one message, and the next run begins after it.
		again := operators.Repeat(operators.Take(readAll(server), 1), 3)
		got, err := observable.Collect(t.Context(), again)
		require.NoError(t, err)
		assert.Equal(t, []string{"1", "2", "3"}, texts(got))
		got, err = observable.Collect(t.Context(), readAll(server))
		require.NoError(t, err)
		assert.Equal(t, []string{"4"}, texts(got))
	})
}

func TestNothingIsReadButWhatTheSubscriberReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		beat := wsource.Heartbeat{Interval: time.Second, Timeout: time.Second}
		client, server := newSite(t, wsource.AcceptOptions{StreamLimit: 1 << 30, Heartbeat: beat}).
			pair(&wsource.DialOptions{Heartbeat: noBeat, WriteTimeout: 2 * time.Minute})
		const size = 4 << 20
		var sent, read atomic.Int64
		got := reading(server, func(m *wsource.MessageReader) {
			for p := make([]byte, 100_000); ; {
				n, err := io.ReadFull(m, p)
				read.Add(int64(n))
				if err != nil {
					return
				}
				time.Sleep(time.Minute) // the heartbeat does not judge meanwhile
				assert.Less(t, sent.Load()-read.Load(), int64(2*wstest.DefaultBuffer))
			}
		})
		require.NoError(t, client.SendReader(t.Context(), wsource.Binary, readerFunc(func(p []byte) (int, error) {
			n := min(len(p), int(size-sent.Load()))
			sent.Add(int64(n))
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		})))
		client.Complete()
		require.NoError(t, got.ExpectEnd(t))
		assert.EqualValues(t, size, read.Load())
	})
}

func TestHeartbeatFindsAPeerThatIsGoneInMidMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: wsource.Heartbeat{Interval: 10 * time.Second, Timeout: 5 * time.Second}})
		p, server := s.rawClient("")
		var at time.Duration
		start := time.Now()
		got := reading(server, func(m *wsource.MessageReader) {
			_, err := io.ReadAll(m)
			at = time.Since(start)
			assert.ErrorIs(t, requireClose(t, err, wsource.StatusAbnormalClosure), wsource.ErrHeartbeat)
		})
		p.write(frame{opcode: opBinary, payload: []byte("some")})
		require.ErrorIs(t, got.ExpectEnd(t), wsource.ErrHeartbeat)
		assert.Equal(t, 15*time.Second, at)
	})
}

// TestMessageThatBreaksOff ends messages in the middle, in every possible way.
func TestMessageThatBreaksOff(t *testing.T) {
	for name, test := range map[string]struct {
		typ  byte
		end  func(t *testing.T, p *peer, server *wsource.Socket)
		code wsource.StatusCode
		is   error
		told bool // the peer gets a close frame
		good string
	}{
		"an orderly end": {opBinary, func(t *testing.T, p *peer, _ *wsource.Socket) {
			t.Helper()
			assert.NoError(t, p.conn.Close())
		}, wsource.StatusAbnormalClosure, io.ErrUnexpectedEOF, false, "some"},
		"a reset": {opBinary, func(t *testing.T, p *peer, _ *wsource.Socket) {
			t.Helper()
			assert.NoError(t, p.conn.(*wstest.Conn).Reset())
		}, wsource.StatusAbnormalClosure, syscall.ECONNRESET, false, "some"},
		"half a frame": {opBinary, func(t *testing.T, p *peer, _ *wsource.Socket) {
			t.Helper()
			p.raw(frame{opcode: opContinuation, payload: []byte("more"), masked: true}.bytes()[:8])
			assert.NoError(t, p.conn.Close())
		}, wsource.StatusAbnormalClosure, io.ErrUnexpectedEOF, false, "somemo"},
		"a close frame": {opBinary, func(_ *testing.T, p *peer, _ *wsource.Socket) {
			p.write(closeFrame(1011, "a message was cut off"))
		}, wsource.StatusInternalError, nil, true, "some"},
		"CloseNow": {opBinary, func(_ *testing.T, _ *peer, server *wsource.Socket) {
			server.CloseNow()
		}, wsource.StatusAbnormalClosure, wsource.ErrClosed, false, "some"},
		"another message": {opBinary, func(_ *testing.T, p *peer, _ *wsource.Socket) {
			p.write(textFrame("no"))
		}, wsource.StatusProtocolError, nil, true, "some"},
		"too many bytes": {opBinary, func(_ *testing.T, p *peer, _ *wsource.Socket) {
			p.write(frame{opcode: opContinuation, payload: make([]byte, 97)})
		}, wsource.StatusMessageTooBig, wsource.ErrMessageTooBig, true, "some"},
		"a bad byte": {opText, func(_ *testing.T, p *peer, _ *wsource.Socket) {
			p.write(frame{opcode: opContinuation, payload: []byte("good\xFFbad")})
		}, wsource.StatusInvalidPayload, wsource.ErrInvalidUTF8, true, "somegood"},
		"half a character": {opText, func(_ *testing.T, p *peer, _ *wsource.Socket) {
			p.write(frame{opcode: opContinuation, payload: []byte("é\xC3")}, frame{opcode: opContinuation, fin: true})
		}, wsource.StatusInvalidPayload, wsource.ErrInvalidUTF8, true, "someé\xC3"},
	} {
		for _, ignored := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ignored ", ignored), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, server := newSite(t, wsource.AcceptOptions{StreamLimit: 100}).rawClient("")
					got := reading(server, func(m *wsource.MessageReader) {
						if ignored { // and the socket finds it
							return
						}
						data, err := io.ReadAll(m)
						assert.Equal(t, test.good, string(data))
						ce := requireClose(t, err, test.code)
						if test.is != nil {
							assert.ErrorIs(t, ce, test.is)
						}
						_, again := m.Read(make([]byte, 1))
						assert.Equal(t, err, again)
					})
					p.write(frame{opcode: test.typ, payload: []byte("some")})
					settle()
					test.end(t, p, server)
					if test.told {
						code, _ := p.readClose()
						assert.Equal(t, test.code, code)
						assert.NoError(t, p.conn.Close())
					}
					requireClose(t, got.ExpectEnd(t), test.code)
					assert.Len(t, got.Values(), 1)
				})
			})
		}
	}
}

// TestCutMessageNeverEnds cuts a conversation after each byte.
func TestCutMessageNeverEnds(t *testing.T) {
	text := strings.Repeat("compressible text ", 40)
	for _, compression := range compressions {
		t.Run(fmt.Sprint("compression ", compression), func(t *testing.T) {
			total := 0
			for cut := -1; cut < total; cut++ {
				synctest.Test(t, func(t *testing.T) {
					s := newSite(t, wsource.AcceptOptions{Compression: compression, StreamLimit: 1 << 20})
					client, server := s.pair(&wsource.DialOptions{Compression: compression})
					var errs []error
					got := reading(server, func(m *wsource.MessageReader) {
						_, err := io.Copy(io.Discard, m)
						errs = append(errs, err)
					})
					before := s.link().Passed(wstest.ToServer)
					if cut >= 0 {
						require.NoError(t, s.link().Inject(wstest.Cut(wstest.ToServer, cut)))
					}
					send(client, text)
					settle()
					if cut < 0 {
						total = s.link().Passed(wstest.ToServer) - before
						require.Equal(t, []error{nil}, errs)
						return
					}
					requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
					for _, err := range errs {
						requireClose(t, err, wsource.StatusAbnormalClosure)
					}
					<-client.Done()
				})
			}
			assert.Positive(t, total)
		})
	}
}
