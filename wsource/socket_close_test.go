package wsource_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable/observabletest"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// codes are the close codes of the matrix, and whether they may be sent.
var codes = map[wsource.StatusCode]bool{
	0: false, 999: false, 1000: true, 1001: true, 1002: true, 1003: true, 1004: false, 1005: false, 1006: false, 1007: true,
	1008: true, 1009: true, 1010: true, 1011: true, 1012: true, 1013: true, 1014: true, 1015: false, 1016: false,
	2999: false, 3000: true, 3999: true, 4000: true, 4999: true, 5000: false, 65535: false,
}

// TestCloseCodes closes with each code from each side. Both see the same: 1000 completes,
// every other code is an error with code and reason, and a code that may not be sent
// changes nothing.
func TestCloseCodes(t *testing.T) {
	for code, sendable := range codes {
		for _, fromClient := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d from client %v", code, fromClient), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
					closer, other := server, client
					if fromClient {
						closer, other = client, server
					}
					closing(t, closer, other, code, sendable)
				})
			})
		}
	}
}

func closing(t *testing.T, closer, other *wsource.Socket, code wsource.StatusCode, sendable bool) {
	t.Helper()
	near, far := record[wsource.Message](t, closer), record[wsource.Message](t, other)
	send(closer, "last")
	err := closer.Close(code, "the réason")
	if !sendable {
		var invalid *wsource.InvalidCloseError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, code, invalid.Code)
		assert.Equal(t, wsource.Open, closer.State())
		closer.Complete()
		require.NoError(t, far.ExpectEnd(t))
		return
	}
	require.NoError(t, err)
	require.ErrorIs(t, closer.Close(code, ""), wsource.ErrClosed)
	for _, side := range []*observabletest.Recorder[wsource.Message]{near, far} {
		err := side.ExpectEnd(t)
		assert.Equal(t, code, wsource.CloseStatus(err))
		if code == wsource.StatusNormalClosure {
			require.NoError(t, err)
		} else {
			assert.Equal(t, "the réason", requireClose(t, err, code).Reason)
		}
	}
	assert.Equal(t, []string{"last"}, texts(far.Values()))
	assert.Equal(t, wsource.Closed, closer.State())
	require.ErrorIs(t, closer.Close(code, ""), wsource.ErrClosed)
}

// TestCloseCodesOnTheWire has a hand-made peer close with each code, and reads the
// answer.
func TestCloseCodesOnTheWire(t *testing.T) {
	for code, sendable := range codes {
		for _, client := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d from client %v", code, client), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, socket := rawPeer(t, client)
					got := record[wsource.Message](t, socket)
					p.write(closeFrame(uint16(code), "why"))
					answer, reason := p.readClose()
					err := got.ExpectEnd(t)
					switch {
					case code == wsource.StatusNormalClosure:
						require.NoError(t, err)
						assert.Equal(t, code, answer)
					case sendable:
						assert.Equal(t, "why", requireClose(t, err, code).Reason)
						assert.Equal(t, code, answer)
						assert.Equal(t, "why", reason)
					default:
						requireClose(t, err, wsource.StatusProtocolError)
						assert.Equal(t, wsource.StatusProtocolError, answer)
					}
					p.readEnd()
				})
			})
		}
	}
}

// rawPeer connects a hand-made peer of either role.
func rawPeer(t *testing.T, client bool) (*peer, *wsource.Socket) {
	t.Helper()
	if client {
		return newSite(t, wsource.AcceptOptions{Heartbeat: noBeat}).rawClient("")
	}
	return rawServer(t, &wsource.DialOptions{Heartbeat: noBeat})
}

func TestCloseWithoutACode(t *testing.T) {
	for _, client := range []bool{true, false} {
		t.Run(fmt.Sprint("from client ", client), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, socket := rawPeer(t, client)
				got := record[wsource.Message](t, socket)
				p.write(frame{fin: true, opcode: opClose})
				code, _ := p.readClose()
				assert.Equal(t, wsource.StatusNoStatusReceived, code)
				requireClose(t, got.ExpectEnd(t), wsource.StatusNoStatusReceived)
			})
			synctest.Test(t, func(t *testing.T) { // an answer without a code agrees
				p, socket := rawPeer(t, client)
				got := record[wsource.Message](t, socket)
				require.NoError(t, socket.Close(4000, "why"))
				code, reason := p.readClose()
				assert.Equal(t, wsource.StatusCode(4000), code)
				assert.Equal(t, "why", reason)
				p.write(frame{fin: true, opcode: opClose})
				assert.Equal(t, "why", requireClose(t, got.ExpectEnd(t), 4000).Reason)
			})
			// And with another code the peer's counts.
			synctest.Test(t, func(t *testing.T) {
				p, socket := rawPeer(t, client)
				got := record[wsource.Message](t, socket)
				socket.Complete()
				p.readClose()
				p.write(textFrame("still delivered"), closeFrame(4001, "mine"))
				assert.Equal(t, "mine", requireClose(t, got.ExpectEnd(t), 4001).Reason)
				assert.Equal(t, []string{"still delivered"}, texts(got.Values()))
				p.readEnd()
			})
		})
	}
}

func TestCloseReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		got := record[wsource.Message](t, server)
		var invalid *wsource.InvalidCloseError
		require.ErrorAs(t, client.Close(4000, strings.Repeat("x", wsource.MaxReason+1)), &invalid)
		require.ErrorAs(t, client.Close(4000, "\xFF"), &invalid)
		assert.Equal(t, wsource.Open, client.State())
		longest := strings.Repeat("é", wsource.MaxReason/2) + "x"
		require.NoError(t, client.Close(4000, longest))
		assert.Equal(t, longest, requireClose(t, got.ExpectEnd(t), 4000).Reason)
	})
	for _, client := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			p, socket := rawPeer(t, client)
			got := record[wsource.Message](t, socket)
			p.write(closeFrame(1000, "\xFF"))
			code, reason := p.readClose()
			assert.Equal(t, wsource.StatusInvalidPayload, code, "RFC 6455, section 8.1")
			assert.Equal(t, "close reason is not UTF-8", reason)
			require.ErrorIs(t, requireClose(t, got.ExpectEnd(t), wsource.StatusInvalidPayload), wsource.ErrInvalidUTF8)
			p.readEnd()
		})
	}
}

func TestPeerThatDoesNotAnswerTheClose(t *testing.T) {
	for name, test := range map[string]struct {
		set  time.Duration
		want time.Duration
	}{"default": {0, wsource.DefaultCloseTimeout}, "short": {100 * time.Millisecond, 100 * time.Millisecond}, "long": {time.Minute, time.Minute}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, socket := rawServer(t, &wsource.DialOptions{CloseTimeout: test.set, Heartbeat: noBeat})
				got := record[wsource.Message](t, socket)
				started := time.Now()
				socket.Complete()
				assert.Equal(t, wsource.Closing, socket.State())
				p.readClose()
				ce := requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
				require.ErrorIs(t, ce, wsource.ErrCloseTimeout)
				assert.Equal(t, test.want, time.Since(started))
			})
		})
	}
}

func TestCloseNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		near, far := record[wsource.Message](t, client), record[wsource.Message](t, server)
		client.CloseNow()
		client.CloseNow()
		require.ErrorIs(t, requireClose(t, near.ExpectEnd(t), wsource.StatusAbnormalClosure), wsource.ErrClosed)
		require.ErrorIs(t, requireClose(t, far.ExpectEnd(t), wsource.StatusAbnormalClosure), io.ErrUnexpectedEOF)
	})
}

// TestEndWhileASubscriberIsBusy ends sockets whose reader is inside a callback.
func TestEndWhileASubscriberIsBusy(t *testing.T) {
	for name, test := range map[string]struct {
		within func(s *wsource.Socket) // the end in the callback
		after  func(s *wsource.Socket) // the end outside it
		most   time.Duration           // the longest time of the end
		code   wsource.StatusCode
	}{
		"CloseNow outside":            {nil, (*wsource.Socket).CloseNow, 0, wsource.StatusAbnormalClosure},
		"CloseNow inside":             {(*wsource.Socket).CloseNow, nil, 0, wsource.StatusAbnormalClosure},
		"Complete inside":             {(*wsource.Socket).Complete, nil, time.Second, wsource.StatusNormalClosure},
		"Error inside":                {func(s *wsource.Socket) { s.Error(io.EOF) }, nil, time.Second, wsource.StatusInternalError},
		"Complete outside":            {nil, (*wsource.Socket).Complete, time.Second, wsource.StatusNormalClosure},
		"the peer's, which is waited": {nil, nil, 0, wsource.StatusAbnormalClosure},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat}).pair(nil)
				peerEnd := record[wsource.Message](t, client)
				got := observabletest.NewRecorder[wsource.Message]()
				started := make(chan time.Time, 1)
				got.OnNext(func(wsource.Message) {
					started <- time.Now()
					if test.within != nil {
						test.within(server)
					}
					if test.within == nil && test.after == nil {
						client.CloseNow()
						return
					}
					<-server.Done() // only another goroutine can find the end then
				})
				server.Subscribe(t.Context(), got)
				send(client, "1", "2")
				begun := <-started
				if test.after != nil {
					test.after(server)
				}
				<-server.Done()
				assert.LessOrEqual(t, time.Since(begun), test.most)
				assert.Equal(t, test.code, wsource.CloseStatus(got.ExpectEnd(t)))
				_ = peerEnd.ExpectEnd(t)
			})
		})
	}
}

// TestCloseDeliversToTheEnd closes while the peer sends at full speed: messages sent
// before its close frame are delivered.
func TestCloseDeliversToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		got := observabletest.NewRecorder[wsource.Message]().OnNext(func(m wsource.Message) {
			if m.String() == "100" {
				server.Complete()
			}
		})
		server.Subscribe(context.Background(), got)
		record[wsource.Message](t, client)
		sent := make(chan int)
		lost := record(t, client.Undelivered())
		go func() {
			for n := 0; ; n++ {
				client.Next(wsource.TextMessage(fmt.Sprint(n)))
				// So this message may come after the end.
				if client.State() == wsource.Closed {
					sent <- n
					return
				}
			}
		}()
		require.NoError(t, got.ExpectEnd(t))
		n := <-sent
		require.NoError(t, lost.ExpectEnd(t))
		assert.InDelta(t, n, len(got.Values())+len(lost.Values()), 1)
		for i, m := range got.Values() {
			require.Equal(t, fmt.Sprint(i), m.String())
		}
		for _, se := range lost.Values() {
			require.Equal(t, wsource.Unsent, se.Outcome)
		}
	})
}

func TestCloseWithoutASubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		for range 10 {
			send(client, "nobody wants me")
		}
		settle()
		started := time.Now()
		server.Complete()
		<-server.Done()
		require.NoError(t, server.Err())
		assert.Zero(t, time.Since(started))
		<-client.Done()
		require.NoError(t, client.Err())
	})
}

func TestBothCloseAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{})
		client, server := s.pair(nil)
		delay := wstest.Delay(wstest.ToServer, 50*time.Millisecond)
		require.NoError(t, s.link().Inject(delay, wstest.Delay(wstest.ToClient, 50*time.Millisecond)))
		near, far := record[wsource.Message](t, client), record[wsource.Message](t, server)
		require.NoError(t, client.Close(4001, "client"))
		require.NoError(t, server.Close(4002, "server"))
		// Each ends with the other's reason.
		assert.Equal(t, "server", requireClose(t, near.ExpectEnd(t), 4002).Reason)
		assert.Equal(t, "client", requireClose(t, far.ExpectEnd(t), 4001).Reason)
	})
}

// TestStalledWriteAndTheEnd ends connections on which a write is stuck.
func TestStalledWriteAndTheEnd(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(p *peer)
		code wsource.StatusCode
	}{
		"FIN":       {func(p *peer) { _ = p.conn.(*wstest.Conn).CloseWrite() }, wsource.StatusAbnormalClosure},
		"RST":       {func(p *peer) { _ = p.conn.(*wstest.Conn).Reset() }, wsource.StatusAbnormalClosure},
		"close":     {func(p *peer) { p.write(closeFrame(4000, "bye")) }, 4000},
		"violation": {func(p *peer) { p.write(frame{fin: true, opcode: 0x3}) }, wsource.StatusProtocolError},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, server := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat}).rawClient("")
				got, lost := record[wsource.Message](t, server), record(t, server.Undelivered())
				for range 3 {
					go server.Next(wsource.BinaryMessage(make([]byte, 4*wstest.DefaultBuffer)))
				}
				settle()
				started := time.Now()
				test.end(p)
				requireClose(t, got.ExpectEnd(t), test.code)
				assert.LessOrEqual(t, time.Since(started), 5*time.Second)
				require.NoError(t, lost.ExpectEnd(t))
				assert.Len(t, lost.Values(), 3)
				outcomes := map[wsource.Outcome]int{}
				for _, se := range lost.Values() {
					outcomes[se.Outcome]++
				}
				assert.Equal(t, map[wsource.Outcome]int{wsource.Unknown: 1, wsource.Unsent: 2}, outcomes)
			})
		})
	}
}
