package wsource_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
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

// send sends texts.
func send(s *wsource.Socket, texts ...string) {
	for _, text := range texts {
		s.Next(wsource.TextMessage(text))
	}
}

func TestBothEndsAreStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		up, down := record[wsource.Message](t, server), record[wsource.Message](t, client)
		messages := []wsource.Message{
			wsource.TextMessage("héllo"), wsource.TextMessage(""), wsource.BinaryMessage([]byte{0, 0xFF}),
			wsource.BinaryMessage([]byte{}), wsource.BinaryMessage(bytes.Repeat([]byte("x"), 1<<20)),
			wsource.TextMessage(strings.Repeat("é", 100_000)),
		}
		for _, m := range messages {
			client.Next(m)
			server.Next(m)
		}
		settle() // the server drops its queue when the client closes
		client.Complete()
		require.NoError(t, up.ExpectEnd(t))
		require.NoError(t, down.ExpectEnd(t))
		assert.Equal(t, messages, up.Values())
		assert.Equal(t, messages, down.Values())
		assert.Equal(t, wsource.Closed, client.State())
		assert.NoError(t, client.Err())
	})
}

func TestFragmentsMakeOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := newSite(t, wsource.AcceptOptions{}).rawClient("")
		got := record[wsource.Message](t, server)
		// The é is cut in the middle, and a ping comes between the fragments.
		p.write(frame{opcode: opText, payload: []byte("caf\xC3")}, frame{fin: true, opcode: opPing, payload: []byte("?")},
			frame{opcode: opContinuation}, frame{fin: true, opcode: opContinuation, payload: []byte("\xA9!")},
			textFrame("next"))
		assert.Equal(t, frame{fin: true, opcode: opPong, payload: []byte("?")}, p.read())
		settle()
		assert.Equal(t, []string{"café!", "next"}, texts(got.Values()))
		server.Complete()
		code, _ := p.readClose()
		p.write(closeFrame(uint16(code), ""))
		require.NoError(t, got.ExpectEnd(t))
	})
}

func TestNothingIsLostBeforeAndBetweenSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		const n = 300
		for i := range n {
			send(client, fmt.Sprint(i))
		}
		settle()
		received := 0
		for received < n-100 {
			// Each subscriber takes some messages and leaves from its own callback.
			got, err := observable.Collect(t.Context(), operators.Take[wsource.Message](server, 1+received%3))
			require.NoError(t, err)
			for _, m := range got {
				require.Equal(t, fmt.Sprint(received), m.String())
				received++
			}
			time.Sleep(time.Millisecond)
		}
		last := record[wsource.Message](t, server)
		client.Complete()
		require.NoError(t, last.ExpectEnd(t))
		assert.Len(t, last.Values(), n-received)
		assert.Equal(t, fmt.Sprint(n-1), last.Values()[n-received-1].String())
	})
}

func TestSeveralSubscribersGetEachMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		all := record[wsource.Message](t, server)
		ctx, cancel := context.WithCancelCause(t.Context())
		leaving, cancelled := observabletest.NewRecorder[wsource.Message](), observabletest.NewRecorder[wsource.Message]()
		subscription := server.Subscribe(t.Context(), leaving)
		server.Subscribe(ctx, cancelled)
		send(client, "1")
		settle()
		subscription.Unsubscribe()
		cancel(io.ErrNoProgress)
		settle()
		late := record[wsource.Message](t, server)
		send(client, "2")
		client.Complete()

		require.NoError(t, all.ExpectEnd(t))
		assert.Equal(t, []string{"1", "2"}, texts(all.Values()))
		require.NoError(t, late.ExpectEnd(t))
		assert.Equal(t, []string{"2"}, texts(late.Values()))
		assert.Equal(t, []string{"1"}, texts(leaving.Values()))
		assert.False(t, leaving.Ended(), "an unsubscribe is silent")
		require.ErrorIs(t, cancelled.ExpectEnd(t), io.ErrNoProgress)
		assert.Equal(t, []string{"1"}, texts(cancelled.Values()))

		after := record[wsource.Message](t, server)
		require.NoError(t, after.ExpectEnd(t), "a late subscriber gets the end at once")
		assertEnded(t, after)
	})
}

func TestSubscriberThatCannotBeUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		var argument *observable.ArgumentError
		require.ErrorAs(t, server.Subscribe(t.Context(), nil).Err(), &argument)
		ended, cancel := context.WithCancelCause(t.Context())
		cancel(io.ErrNoProgress)
		got := observabletest.NewRecorder[wsource.Message]()
		server.Subscribe(ended, got)
		require.ErrorIs(t, got.ExpectEnd(t), io.ErrNoProgress)
		send(client, "still there")
		m, err := observable.FirstValue(t.Context(), observable.Observable[wsource.Message](server))
		require.NoError(t, err)
		assert.Equal(t, "still there", m.String())
	})
}

func TestSlowSubscriberSlowsThePeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, CloseTimeout: time.Hour})
		const size, n = 10_000, 400
		got := observabletest.NewRecorder[wsource.Message]().OnNext(func(wsource.Message) { time.Sleep(time.Second) })
		server.Subscribe(context.Background(), got)
		var sent atomic.Int64
		go func() {
			for range n {
				client.Next(wsource.BinaryMessage(make([]byte, size)))
				sent.Add(1)
			}
			client.Complete()
		}()
		time.Sleep(100*time.Second - time.Millisecond)
		taken := len(got.Values())
		assert.Equal(t, 100, taken, "one a second")
		// Between Next and the subscriber there is no more than the outbox, the wire and
		// the network hold.
		assert.Less(t, int(sent.Load())-taken, (1<<20+128<<10)/size)
		require.NoError(t, got.ExpectEnd(t))
		assert.Len(t, got.Values(), n)
		assert.EqualValues(t, n, sent.Load())
	})
}

func TestMemoryOfAPeerThatSendsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := newSite(t, wsource.AcceptOptions{}).rawClient("")
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		message := frame{fin: true, opcode: opBinary, payload: make([]byte, 1<<20), masked: true}.bytes()
		blocked := make(chan int)
		go func() {
			n := 0
			for range 100 {
				if _, err := p.conn.Write(message); err != nil {
					break
				}
				n++
			}
			blocked <- n
		}()
		settle() // nobody is subscribed
		runtime.GC()
		runtime.ReadMemStats(&after)
		assert.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(8<<20))
		server.CloseNow()
		assert.LessOrEqual(t, <-blocked, 1)
	})
}

func TestCallbackThatExits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		exiting := observabletest.NewRecorder[wsource.Message]()
		exiting.OnNext(func(wsource.Message) { runtime.Goexit() })
		server.Subscribe(t.Context(), exiting)
		send(client, "1")
		settle()
		require.ErrorIs(t, exiting.ExpectEnd(t), observable.ErrGoexit)

		rest := record[wsource.Message](t, server)
		send(client, "2", "3")
		client.Complete()
		require.NoError(t, rest.ExpectEnd(t))
		assert.Equal(t, []string{"2", "3"}, texts(rest.Values()), "the reader goes on")
	})
}

// TestGoexitOfOneOfTwoSubscribers has a subscriber end the goroutine that brings it a
// message, or the end: the next subscriber gets each message once, and the end.
func TestGoexitOfOneOfTwoSubscribers(t *testing.T) {
	for name, stream := range map[string]func(*wsource.Socket) observable.Observable[wsource.Message]{
		"socket": func(s *wsource.Socket) observable.Observable[wsource.Message] { return s },
		"subject": func(s *wsource.Socket) observable.Observable[wsource.Message] {
			return wsource.WrapSocket(s, wsource.Raw(), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				observabletest.Unhandled(t)
				client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
				messages := stream(client)
				first := observabletest.NewRecorder[wsource.Message]().OnNext(func(wsource.Message) { runtime.Goexit() })
				messages.Subscribe(t.Context(), first)
				messages.Subscribe(t.Context(), observable.ObserverFuncs[wsource.Message]{OnComplete: runtime.Goexit})
				second := record(t, messages)
				for _, text := range []string{"1", "2", "3"} {
					server.Next(wsource.TextMessage(text))
					settle()
				}
				assert.Equal(t, []string{"1"}, texts(first.Values()))
				assert.Equal(t, []string{"1", "2", "3"}, texts(second.Values()))
				server.Complete()
				settle()
				require.True(t, second.Ended())
				require.NoError(t, second.ExpectEnd(t))
			})
		})
	}
}

// TestBrokenConnectionIsAnError breaks connections at every point of a conversation. A
// cut is an error on both sides, and never a message or a completion.
func TestBrokenConnectionIsAnError(t *testing.T) {
	message := bytes.Repeat([]byte("x"), 100)
	for name, frames := range map[string][]frame{
		"between messages":  {{fin: true, opcode: opBinary, payload: message}},
		"between fragments": {{opcode: opBinary, payload: message}, {opcode: opContinuation, payload: message}},
	} {
		for _, direction := range []wstest.Direction{wstest.ToServer, wstest.ToClient} {
			for _, reset := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %v reset %v", name, direction, reset), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { breakAfter(t, frames, direction, reset) })
				})
			}
		}
	}
}

func breakAfter(t *testing.T, frames []frame, direction wstest.Direction, reset bool) {
	t.Helper()
	var p *peer
	var socket *wsource.Socket
	if direction == wstest.ToServer {
		p, socket = newSite(t, wsource.AcceptOptions{}).rawClient("")
	} else {
		p, socket = rawServer(t, nil)
	}
	got := record[wsource.Message](t, socket)
	p.write(frames...)
	if reset {
		require.NoError(t, p.conn.(*wstest.Conn).Reset())
	} else {
		require.NoError(t, p.conn.Close())
	}
	ce := requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
	if reset {
		require.ErrorIs(t, ce, syscall.ECONNRESET)
	} else {
		require.ErrorIs(t, ce, io.ErrUnexpectedEOF)
	}
	want := 0
	if frames[0].fin {
		want = 1
	}
	assert.Len(t, got.Values(), want)
	assertEnded(t, got)
	assert.Equal(t, ce, socket.Err())
}

// TestCutMessageIsNoMessage cuts a conversation after each byte, with and without
// compression.
func TestCutMessageIsNoMessage(t *testing.T) {
	text := strings.Repeat("compressible text ", 40)
	for _, compression := range []wsource.Compression{wsource.NoCompression, wsource.CompressMessages, wsource.CompressStream} {
		t.Run(fmt.Sprint("compression ", compression), func(t *testing.T) {
			total := converse(t, compression, text, -1)
			for cut := range total {
				converse(t, compression, text, cut)
			}
		})
	}
}

// converse sends a text over a connection that is cut after some bytes, and returns the
// number of bytes that passed.
func converse(t *testing.T, compression wsource.Compression, text string, cut int) (total int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Compression: compression})
		client, server := s.pair(&wsource.DialOptions{Compression: compression})
		got := record[wsource.Message](t, server)
		before := s.link().Passed(wstest.ToServer)
		if cut >= 0 {
			require.NoError(t, s.link().Inject(wstest.Cut(wstest.ToServer, cut)))
		}
		send(client, text)
		settle()
		total = s.link().Passed(wstest.ToServer) - before
		if cut < 0 {
			assert.Equal(t, []string{text}, texts(got.Values()))
			return
		}
		requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
		assert.Empty(t, got.Values(), "cut after %d bytes", cut)
		<-client.Done()
		requireClose(t, client.Err(), wsource.StatusAbnormalClosure)
	})
	return total
}

// slowCodec takes its time to decode, and then notes the message as it is by then.
type slowCodec struct {
	wait time.Duration
	seen chan string
}

func (slowCodec) Name() string { return "slow" }

func (c slowCodec) Decode(_ wsource.MessageType, data []byte) (string, error) {
	time.Sleep(c.wait)
	c.seen <- string(data)
	return string(data), nil
}

func (slowCodec) Encode(v string) (wsource.Message, error) { return wsource.TextMessage(v), nil }

// TestMessageStaysWhileOthersRead closes a socket while a codec is busy with a message:
// the reads of the close handshake do not overwrite the message.
func TestMessageStaysWhileOthersRead(t *testing.T) {
	for _, size := range []int{10, 5_000, 40_000} {
		synctest.Test(t, func(t *testing.T) {
			p, server := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat}).rawClient("")
			codec := slowCodec{3 * time.Second, make(chan string, 1)}
			got := record[string](t, wsource.WrapSocket(server, wsource.Codec[string, string](codec), nil))
			first := strings.Repeat("a", size)
			p.write(textFrame(first))
			settle()
			require.NoError(t, server.Close(wsource.StatusNormalClosure, ""))
			settle()
			for range 3 {
				p.write(textFrame(strings.Repeat("b", size)))
			}
			p.write(closeFrame(1000, ""))
			require.NoError(t, got.ExpectEnd(t))
			// Equal would print both messages.
			require.True(t, first == <-codec.seen, "the message has changed")
			<-server.Done()
		})
	}
}
