package wsource_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/operators"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// TestCauseOfAClose ends a stream that is subscribed to a socket. The peer learns the
// code; this side finds the cause.
func TestCauseOfAClose(t *testing.T) {
	cause := errors.New("disk is full")
	feed := operators.Map(observable.Interval(time.Second), func(int) wsource.Message { return wsource.TextMessage("x") })
	ended := func(cause error) func() context.Context {
		return func() context.Context {
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(2500*time.Millisecond, func() { cancel(cause) })
			return ctx
		}
	}
	upstream := observable.Defer(func() observable.Observable[wsource.Message] {
		return operators.WithContext(feed, ended(nil)())
	})
	failing := operators.Concat(operators.Take(feed, 2), observable.Throw[wsource.Message](cause))
	coded := observable.Throw[wsource.Message](&wsource.CloseError{Code: 4001, Reason: "expired", Err: cause})
	for name, test := range map[string]struct {
		src  observable.Observable[wsource.Message]
		ctx  func() context.Context
		code wsource.StatusCode
		want error
	}{
		"failure":               {failing, context.Background, wsource.StatusInternalError, cause},
		"failure with a code":   {coded, context.Background, 4001, cause},
		"context":               {feed, ended(nil), wsource.StatusGoingAway, context.Canceled},
		"context with a cause":  {feed, ended(cause), wsource.StatusGoingAway, cause},
		"context further ahead": {upstream, context.Background, wsource.StatusGoingAway, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				client, server := s.pair(nil)
				got := record[wsource.Message](t, client)
				test.src.Subscribe(test.ctx(), server)
				assert.Equal(t, test.code, wsource.CloseStatus(got.ExpectEnd(t)))
				<-server.Done()
				assert.Equal(t, test.code, wsource.CloseStatus(server.Err()))
				assert.ErrorIs(t, server.Err(), test.want)
			})
		})
	}
}

// TestCloseReturnsWithTheFrameOnItsWay ends the connection in the moment in which Close
// has returned, as the end of the program does.
func TestCloseReturnsWithTheFrameOnItsWay(t *testing.T) {
	for name, end := range map[string]func(*wsource.Socket){
		"Close":        func(s *wsource.Socket) { _ = s.Close(wsource.StatusNormalClosure, "") },
		"Complete":     func(s *wsource.Socket) { s.Complete() },
		"Error":        func(s *wsource.Socket) { s.Error(&wsource.CloseError{Code: wsource.StatusNormalClosure}) },
		"Unsubscribed": func(s *wsource.Socket) { observable.Empty[wsource.Message]().Subscribe(context.Background(), s) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *site) {
				client, server := s.pair(nil)
				got := record[wsource.Message](t, server)
				for range 100 {
					client.Next(wsource.TextMessage("x"))
				}
				end(client)
				client.CloseNow()
				assert.NoError(t, got.ExpectEnd(t))
				assert.Len(t, got.Values(), 100)
			})
		})
	}
}

// TestCloseOfAStalledConnection returns after a quarter of a second.
func TestCloseOfAStalledConnection(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		client, _ := s.pair(nil)
		require.NoError(t, s.link().Inject(wstest.Stall(wstest.ToServer, 0)))
		// More than the connection takes.
		client.Next(wsource.BinaryMessage(make([]byte, 8<<20)))
		start := time.Now()
		client.Complete()
		assert.Equal(t, 250*time.Millisecond, time.Since(start))
		client.CloseNow()
	})
}

// TestCauseStaysWhateverThePeerAnswers closes because of an error. The cause stays on
// this side, with a close frame's code and the wrapping error.
func TestCauseStaysWhateverThePeerAnswers(t *testing.T) {
	cause := errors.New("disk is full")
	answers := map[string]func(p *peer, code wsource.StatusCode, reason string){
		"the same":      func(p *peer, code wsource.StatusCode, reason string) { p.write(closeFrame(uint16(code), reason)) },
		"no code":       func(p *peer, _ wsource.StatusCode, _ string) { p.write(frame{fin: true, opcode: opClose}) },
		"1000":          func(p *peer, _ wsource.StatusCode, _ string) { p.write(closeFrame(1000, "bye")) },
		"another code":  func(p *peer, _ wsource.StatusCode, _ string) { p.write(closeFrame(4002, "bye")) },
		"the end":       func(*peer, wsource.StatusCode, string) {},
		"a reset":       func(p *peer, _ wsource.StatusCode, _ string) { assert.NoError(p.t, p.conn.(*wstest.Conn).Reset()) },
		"nothing":       func(*peer, wsource.StatusCode, string) { time.Sleep(2 * wsource.DefaultCloseTimeout) },
		"a wrong frame": func(p *peer, _ wsource.StatusCode, _ string) { p.raw([]byte{0xFF, 0xFF}); settle() },
	}
	for name, err := range map[string]error{
		"an error":       cause,
		"a code":         &wsource.CloseError{Code: 4001, Err: cause},
		"a code, inside": fmt.Errorf("%w: %w", cause, &wsource.CloseError{Code: 4001}),
		"a code, beside": errors.Join(&wsource.CloseError{Code: 4001, Err: io.EOF}, cause),
		"a context":      fmt.Errorf("%w: %w", cause, context.Canceled),
	} {
		for answer, give := range answers {
			t.Run(name+", "+answer, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, socket := rawServer(t, nil)
					go func() {
						code, reason := p.readClose()
						give(p, code, reason)
						_ = p.conn.Close() // unless it was reset
					}()
					got := record(t, socket)
					socket.Error(err)
					<-socket.Done()
					assert.ErrorIs(t, socket.Err(), cause)
					assert.ErrorIs(t, got.ExpectEnd(t), cause)
					if answer == "another code" {
						assert.Equal(t, wsource.StatusCode(4002), wsource.CloseStatus(socket.Err()))
					}
					// Until the peer has ended.
					time.Sleep(2 * wsource.DefaultCloseTimeout)
				})
			})
		}
	}
}
