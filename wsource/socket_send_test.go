package wsource_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
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

// requireSend requires that err is a send error with the outcome, and returns it.
func requireSend(t *testing.T, err error, outcome wsource.Outcome) *wsource.SendError {
	t.Helper()
	var se *wsource.SendError
	require.ErrorAs(t, err, &se)
	require.Equal(t, outcome, se.Outcome, "%v", err)
	return se
}

func TestSocketIsAnObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
		got := record[wsource.Message](t, server)
		operators.Map(observable.Range(1, 2000), func(i int) wsource.Message {
			return wsource.TextMessage(fmt.Sprint(i))
		}).Subscribe(t.Context(), client)
		require.NoError(t, got.ExpectEnd(t), "Complete closes normally, after the messages sent")
		require.Len(t, got.Values(), 2000)
		for i, m := range got.Values() {
			require.Equal(t, fmt.Sprint(i+1), m.String())
		}
	})
}

func TestErrorOnTheSink(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		code   wsource.StatusCode
		reason string
	}{
		"any error":       {io.ErrNoProgress, wsource.StatusInternalError, "internal error"},
		"nil":             {nil, wsource.StatusInternalError, "internal error"},
		"a close error":   {fmt.Errorf("x: %w", &wsource.CloseError{Code: 4001, Reason: "why"}), 4001, "why"},
		"one not to send": {&wsource.CloseError{Code: wsource.StatusAbnormalClosure}, wsource.StatusInternalError, "internal error"},
		"a long reason": {
			&wsource.CloseError{Code: 4001, Reason: string(make([]byte, 124))}, wsource.StatusInternalError, "internal error",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := newSite(t, wsource.AcceptOptions{}).pair(nil)
				server.Error(test.err)
				<-client.Done()
				ce := requireClose(t, client.Err(), test.code)
				assert.Equal(t, test.reason, ce.Reason)
				<-server.Done()
				assert.Equal(t, test.reason, requireClose(t, server.Err(), test.code).Reason)
				server.Error(io.ErrNoProgress) // after the end it does nothing
				server.Complete()
			})
		})
	}
}

func TestSendTellsTheOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		got := record[wsource.Message](t, server)
		ctx, cancel := context.WithCancelCause(t.Context())
		require.NoError(t, client.Send(ctx, wsource.TextMessage("1")))
		require.NoError(t, client.Send(context.Background(), wsource.TextMessage("2")))
		settle()
		assert.Equal(t, []string{"1", "2"}, texts(got.Values()))

		se := requireSend(t, client.Send(ctx, wsource.TextMessage("\xFF")), wsource.Unsent)
		require.ErrorIs(t, se, wsource.ErrInvalidUTF8)
		var argument *observable.ArgumentError
		require.ErrorAs(t, client.Send(nil, wsource.TextMessage("")), &argument) //nolint:staticcheck // the case of the test
		require.ErrorAs(t, client.Send(ctx, wsource.Message{Type: 2}), &argument)

		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		// A message that the network does not take whole, so that it stays half written;
		// then one that waits behind it.
		big := wsource.BinaryMessage(make([]byte, 2*wstest.DefaultBuffer))
		results := make(chan error, 2)
		go func() { results <- client.Send(ctx, big) }()
		settle()
		go func() { results <- client.Send(ctx, wsource.TextMessage("behind")) }()
		settle()
		cancel(io.ErrNoProgress)
		for range 2 {
			var se *wsource.SendError
			require.ErrorAs(t, <-results, &se)
			require.ErrorIs(t, se, io.ErrNoProgress)
			if se.Message.Type == wsource.Binary {
				assert.Equal(t, wsource.Unknown, se.Outcome)
			} else {
				assert.Equal(t, wsource.Unsent, se.Outcome)
				assert.Equal(t, "behind", se.Message.String())
			}
		}
		require.ErrorIs(t, client.Send(ctx, wsource.TextMessage("late")), io.ErrNoProgress)

		s.link().Resume(wstest.ToServer)
		client.Complete()
		require.NoError(t, got.ExpectEnd(t))
		assert.Len(t, got.Values(), 3, "the message whose outcome was unknown arrived, the one behind it did not")
		se = requireSend(t, client.Send(context.Background(), wsource.TextMessage("x")), wsource.Unsent)
		require.ErrorIs(t, se, wsource.ErrClosed)
	})
}

// TestEverySendHasOneOutcome breaks the connection at many points of a burst, and
// accounts for each message: reported as sent, unsent or unknown, exactly once, in
// agreement with the arrivals.
func TestEverySendHasOneOutcome(t *testing.T) {
	const n = 200
	// Short, and some that fill the wire's buffer.
	size := func(i int) int { return 10 + i*i%3000 }
	for cut := 0; cut < 250_000; cut += 7919 {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
			client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
			got, lost := record[wsource.Message](t, server), record(t, client.Undelivered())
			require.NoError(t, s.link().Inject(wstest.Cut(wstest.ToServer, cut)))
			taken := n // messages after the end are dropped
			for i := range n {
				client.Next(wsource.BinaryMessage(bytes.Repeat([]byte{byte(i)}, size(i))))
				// Its report may still be on the way to lost.
				if client.State() == wsource.Closed {
					taken = min(taken, i)
				}
			}
			requireClose(t, got.ExpectEnd(t), wsource.StatusAbnormalClosure)
			require.NoError(t, lost.ExpectEnd(t), "Undelivered completes")
			arrived := len(got.Values())
			outcomes := map[byte]wsource.Outcome{}
			for _, se := range lost.Values() {
				i := se.Message.Data[0]
				require.NotContains(t, outcomes, i, "told twice")
				outcomes[i] = se.Outcome
			}
			for i := range n {
				outcome, told := outcomes[byte(i)]
				if i < arrived && told {
					require.Equal(t, wsource.Unknown, outcome, "message %d arrived", i)
				}
			}
			// The operating system has taken and lost the messages that neither arrived
			// nor were reported. Two writes can be lost so: the write that crosses the
			// cut, and the next one, to which the peer answers that nobody reads any
			// more.
			inSystem, behind := 0, false
			for i := arrived; i < taken; i++ {
				if _, told := outcomes[byte(i)]; told {
					behind = true
					continue
				}
				require.False(t, behind, "message %d is lost without a word behind one that is told", i)
				inSystem += size(i)
			}
			require.LessOrEqual(t, inSystem, 2*32<<10, "two writes of the size that the wire holds back")
			requireClose(t, client.Err(), wsource.StatusAbnormalClosure)
		})
	}
}

func TestPeerThatDoesNotReadBlocksTheSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat, CloseTimeout: time.Second})
		lost := record(t, client.Undelivered())
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		count := func(size int) (sent int) {
			var n atomic.Int64
			blocked := make(chan struct{})
			go func() {
				defer close(blocked)
				for client.State() == wsource.Open {
					client.Next(wsource.BinaryMessage(make([]byte, size)))
					n.Add(1)
				}
			}()
			settle()
			sent = int(n.Load())
			client.Complete()
			<-blocked
			return sent
		}
		// 1 MiB in the outbox, and the content of the wire and the network's buffer.
		const size = 4 << 10
		sent := count(size)
		assert.GreaterOrEqual(t, sent, 1<<20/size)
		assert.LessOrEqual(t, sent, (1<<20+128<<10)/size)
		<-client.Done()
		require.ErrorIs(t, requireClose(t, client.Err(), wsource.StatusAbnormalClosure), wsource.ErrCloseTimeout)
		require.NoError(t, lost.ExpectEnd(t))
		for _, se := range lost.Values() {
			// Those came during the close.
			if se.Outcome == wsource.Unknown || !errors.Is(se, wsource.ErrClosed) {
				requireClose(t, se, wsource.StatusAbnormalClosure)
			}
		}
		s.link().Resume(wstest.ToServer)
		requireClose(t, record[wsource.Message](t, server).ExpectEnd(t), wsource.StatusAbnormalClosure)
	})
}

func TestOutboxIsBoundedInMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
		client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		var sent atomic.Int64
		// Its sender is stuck with it.
		go client.Next(wsource.BinaryMessage(make([]byte, 2*wstest.DefaultBuffer)))
		settle()
		go func() {
			for range 5000 {
				client.Next(wsource.TextMessage("x"))
				sent.Add(1)
			}
		}()
		settle()
		assert.EqualValues(t, 1023, sent.Load())
		// The context of a Send that waits for room ends the wait.
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, io.ErrNoProgress)
		defer cancel()
		require.ErrorIs(t, requireSend(t, client.Send(ctx, wsource.TextMessage("y")), wsource.Unsent), io.ErrNoProgress)
		client.CloseNow()
		s.link().Resume(wstest.ToServer)
		requireClose(t, record[wsource.Message](t, server).ExpectEnd(t), wsource.StatusAbnormalClosure)
	})
}

func TestPingsAreAnsweredWhileAWriteIsStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, server := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat, WriteTimeout: time.Hour}).rawClient("")
		got := record[wsource.Message](t, server)
		go server.Next(wsource.BinaryMessage(make([]byte, 4*wstest.DefaultBuffer)))
		settle()
		for i := range 100 { // longer than the library waits with an answer
			p.write(frame{fin: true, opcode: opPing, payload: fmt.Append(nil, i)}, textFrame("alive"))
			time.Sleep(time.Second)
		}
		assert.Len(t, got.Values(), 100)
		assert.Equal(t, opBinary, p.read().opcode)
		// Each has its own pong, except the oldest beyond 64.
		for i := 100 - 64; i < 100; i++ {
			require.Equal(t, frame{fin: true, opcode: opPong, payload: fmt.Append(nil, i)}, p.read())
		}
		p.write(closeFrame(1000, ""))
		code, _ := p.readClose()
		assert.Equal(t, wsource.StatusNormalClosure, code)
		require.NoError(t, got.ExpectEnd(t))
	})
}

func TestUndeliveredCallbackMayDoAnything(t *testing.T) {
	for name, do := range map[string]func(s *wsource.Socket){
		"CloseNow":        (*wsource.Socket).CloseNow,
		"Complete":        (*wsource.Socket).Complete,
		"Next":            func(s *wsource.Socket) { s.Next(wsource.TextMessage("again")) },
		"runtime.Goexit":  func(*wsource.Socket) { runtime.Goexit() },
		"waiting for end": func(s *wsource.Socket) { <-s.Done() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, wsource.AcceptOptions{Heartbeat: noBeat})
				client, server := s.pair(&wsource.DialOptions{Heartbeat: noBeat})
				lost := observabletest.NewRecorder[*wsource.SendError]()
				lost.OnNext(func(*wsource.SendError) {
					if len(lost.Values()) == 1 {
						do(client)
					}
				})
				client.Undelivered().Subscribe(context.Background(), lost)
				require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
				done := make(chan struct{})
				go func() {
					defer close(done)
					for range 10 {
						send(client, string(make([]byte, 30_000)))
					}
				}()
				settle()
				require.NoError(t, s.link().Inject(wstest.Reset(wstest.ToServer, 0)))
				s.link().Resume(wstest.ToServer)
				<-done
				<-client.Done()
				_ = record[wsource.Message](t, server).ExpectEnd(t)
				settle()
				if name != "runtime.Goexit" {
					assertEnded(t, lost, "Undelivered completes")
				}
			})
		})
	}
}
