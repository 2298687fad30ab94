package stress_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// attackers is how many attack at once.
const attackers = 20

// echo answers each message with itself.
func echo(ctx context.Context, socket *wsource.Socket) error {
	return observable.ForEach(ctx, socket, socket.Next)
}

// visit has a good client ask and be answered until stop is closed, and then 10 times
// more. It returns how many answers it got.
func (f *fort) visit(ctx context.Context, stop <-chan struct{}) (answers int, err error) {
	client, err := wsource.Dial(ctx, "ws://"+f.addr, nil)
	if err != nil {
		return 0, err
	}
	defer client.CloseNow()
	got := make(chan string, 1)
	client.Subscribe(context.Background(), observable.ObserverFuncs[wsource.Message]{
		OnNext: func(m wsource.Message) { got <- m.String() }, OnError: func(error) {},
	})
	for more := 10; more > 0; answers++ {
		select {
		case <-stop:
			more--
		default:
		}
		question := fmt.Sprint(answers)
		client.Next(wsource.TextMessage(question))
		select {
		case answer := <-got:
			if answer != question {
				return answers, fmt.Errorf("asked %s, got %s", question, answer)
			}
		case <-client.Done():
			return answers, client.Err()
		case <-ctx.Done():
			return answers, context.Cause(ctx)
		}
	}
	return answers, client.Close(wsource.StatusNormalClosure, "")
}

// flood writes data again and again, at most so many times, and reports whether the peer
// ended that. It reads nothing.
func flood(conn net.Conn, data []byte, times int) (ended bool) {
	for range times {
		if _, err := conn.Write(data); err != nil {
			return true
		}
	}
	return false
}

// closeCode reads up to the close frame, and returns its code; 0 if none comes.
func closeCode(r io.Reader) wsource.StatusCode {
	reader := frame.NewReader(r, frame.Config{Client: true})
	for {
		h, err := reader.Next()
		if err != nil {
			return 0
		}
		if h.Opcode != frame.Close {
			if _, err := reader.Message(h, 1<<30, func(frame.Header, []byte) error { return nil }).ReadAll(nil); err != nil {
				return 0
			}
			continue
		}
		payload, err := reader.Payload(h)
		if err != nil || len(payload) < 2 {
			return 0
		}
		return wsource.StatusCode(binary.BigEndian.Uint16(payload))
	}
}

// bomb returns a message of a client that unfolds to so many bytes.
func bomb(t *testing.T, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(make([]byte, size))
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	return framesOf(frame.Header{Opcode: frame.Binary, Final: true, Compressed: true}, bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xFF, 0xFF}), 1)
}

// TestHostilePeers has many peers do things that no good one does. Meanwhile a good
// client is answered, and when they have gone the server takes as much as before.
func TestHostilePeers(t *testing.T) {
	huge := bomb(t, 8<<20)
	require.Less(t, len(huge), 10<<10)
	for name, test := range map[string]struct {
		options wsource.AcceptOptions
		attack  func(t *testing.T, f *fort)
	}{
		"connections that say nothing": {attack: func(_ *testing.T, f *fort) {
			for range 10 {
				f.connect()
			}
		}},
		"handshakes that come byte by byte": {attack: func(_ *testing.T, f *fort) {
			conn := f.connect()
			for _, b := range []byte(f.upgrade("")[:100]) {
				flood(conn, []byte{b}, 1)
			}
		}},
		"handshakes without an end": {attack: func(t *testing.T, f *fort) {
			conn := f.connect()
			head := strings.TrimSuffix(f.upgrade(""), "\r\n")
			assert.False(t, flood(conn, []byte(head), 1))
			line := "X-More: " + strings.Repeat("more", 250) + "\r\n"
			assert.True(t, flood(conn, []byte(line), 100_000), "it is cut off")
		}},
		"bodies that are announced": {attack: func(t *testing.T, f *fort) {
			for _, extra := range []string{"Content-Length: 1000000000\r\n", "Transfer-Encoding: chunked\r\n"} {
				conn := f.connect()
				flood(conn, []byte(f.upgrade(extra)), 1)
				answer, _ := io.ReadAll(conn)
				assert.Contains(t, string(answer), http.StatusText(http.StatusBadRequest))
			}
		}},
		"connects with a reset": {attack: func(t *testing.T, f *fort) {
			for i := range 50 { // 1,000 in all
				conn := f.connect()
				flood(conn, []byte(f.upgrade("")[:i*5%len(f.upgrade(""))]), 1)
				if i%2 == 0 {
					flood(conn, []byte(f.upgrade("")), 1)
				}
				assert.NoError(t, conn.SetLinger(0))
				_ = conn.Close()
			}
		}},
		"peers that never read, but for pongs": {
			options: wsource.AcceptOptions{WriteTimeout: 500 * time.Millisecond},
			attack: func(t *testing.T, f *fort) {
				conn, _ := f.enter("")
				data := framesOf(frame.Header{Opcode: frame.Binary, Final: true}, make([]byte, 60<<10), 1)
				data = append(data, framesOf(frame.Header{Opcode: frame.Pong, Final: true}, nil, 1)...)
				assert.True(t, flood(conn, data, 10_000), "it is cut off")
			},
		},
		"ping floods": {attack: func(t *testing.T, f *fort) {
			conn, _ := f.enter("")
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			flood(conn, framesOf(frame.Header{Opcode: frame.Ping, Final: true}, make([]byte, 125), 100), 30)
		}},
		"ping floods without reading": {
			options: wsource.AcceptOptions{WriteTimeout: 500 * time.Millisecond},
			attack: func(t *testing.T, f *fort) {
				conn, _ := f.enter("")
				flood(conn, framesOf(frame.Header{Opcode: frame.Ping, Final: true}, make([]byte, 125), 100), 30)
			},
		},
		"pong floods": {attack: func(t *testing.T, f *fort) {
			conn, _ := f.enter("")
			flood(conn, framesOf(frame.Header{Opcode: frame.Pong, Final: true}, make([]byte, 125), 100), 50)
		}},
		"fragments of one byte": {attack: func(t *testing.T, f *fort) {
			conn, reader := f.enter("")
			flood(conn, framesOf(frame.Header{Opcode: frame.Binary}, []byte{0}, 1), 1)
			assert.True(t, flood(conn, framesOf(frame.Header{Opcode: frame.Continuation}, []byte{0}, 1000), 100) ||
				closeCode(reader) == wsource.StatusMessageTooBig)
		}},
		"fragments of nothing": {
			options: wsource.AcceptOptions{IdleTimeout: 500 * time.Millisecond},
			attack: func(t *testing.T, f *fort) {
				conn, reader := f.enter("")
				flood(conn, framesOf(frame.Header{Opcode: frame.Binary}, nil, 1), 1)
				flood(conn, framesOf(frame.Header{Opcode: frame.Continuation}, nil, 100), 50)
				assert.Equal(t, wsource.StatusGoingAway, closeCode(reader))
			},
		},
		"bombs": {
			options: wsource.AcceptOptions{Compression: wsource.CompressMessages},
			attack: func(t *testing.T, f *fort) {
				conn, reader := f.enter("Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n")
				flood(conn, huge, 1)
				assert.Equal(t, wsource.StatusMessageTooBig, closeCode(reader))
			},
		},
		"lengths without data": {attack: func(t *testing.T, f *fort) {
			conn, reader := f.enter("")
			header, _ := frame.AppendHeader(nil, frame.Header{Opcode: frame.Binary, Final: true, Length: math.MaxInt64}, new(frame.Keys))
			flood(conn, header, 1)
			assert.Equal(t, wsource.StatusMessageTooBig, closeCode(reader))
			conn, _ = f.enter("")
			header, _ = frame.AppendHeader(nil, frame.Header{Opcode: frame.Binary, Final: true, Length: 64 << 10}, new(frame.Keys))
			flood(conn, header, 1)
		}},
		"close floods": {attack: func(t *testing.T, f *fort) {
			conn, reader := f.enter("")
			flood(conn, framesOf(frame.Header{Opcode: frame.Close, Final: true}, []byte{0x03, 0xE8}, 1000), 20)
			assert.Contains(t, []wsource.StatusCode{wsource.StatusNormalClosure, 0}, closeCode(reader))
		}},
		"floods over the rate": {
			options: wsource.AcceptOptions{Authorize: func(r *http.Request) (a wsource.Admission, err error) {
				if r.Header.Get("X-Attacker") != "" {
					a.Options = &wsource.AcceptOptions{Rate: wsource.Rate{Messages: 100, Overflow: observable.OverflowFail}}
				}
				return a, nil
			}},
			attack: func(t *testing.T, f *fort) {
				conn, reader := f.enter("X-Attacker: yes\r\n")
				go func() { _ = flood(conn, framesOf(frame.Header{Opcode: frame.Binary, Final: true}, nil, 1000), 20) }()
				assert.Equal(t, wsource.StatusPolicyViolation, closeCode(reader))
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			options := test.options
			options.ReadLimit, options.CloseTimeout = 64<<10, time.Second
			options.Heartbeat = wsource.Heartbeat{Interval: 100 * time.Millisecond}
			f := newFort(t, &wsource.Server{Options: options}, echo)
			ctx, cancel := context.WithTimeoutCause(context.Background(), patience, errors.New("no answer"))
			defer cancel()
			over := make(chan struct{})
			close(over)
			// After that the server has everything that it keeps.
			_, err := f.visit(ctx, over)
			require.NoError(t, err)
			require.Eventually(t, func() bool { return f.Len() == 0 }, patience, time.Millisecond)
			before := use()

			stop, visited := make(chan struct{}), make(chan error, 1)
			var answers atomic.Int64
			go func() {
				n, err := f.visit(ctx, stop)
				answers.Store(int64(n))
				visited <- err
			}()
			// At its end the attackers close their connections.
			t.Run("attack", func(t *testing.T) {
				own := &fort{f.Server, t, f.addr}
				var all sync.WaitGroup
				for range attackers {
					all.Go(func() { test.attack(t, own) })
				}
				all.Wait()
			})
			close(stop)
			assert.NoError(t, <-visited)
			t.Logf("%d answers", answers.Load())
			require.Eventually(t, func() bool { return f.Len() == 0 }, patience, time.Millisecond)
			assertReturns(t, before, 512<<10)
		})
	}
}
