package wsource_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// forAMinute admits every client for a minute.
func forAMinute(*http.Request) (wsource.Admission, error) {
	return wsource.Admission{Until: time.Now().Add(time.Minute)}, nil
}

// TestRenewOfAClosingSocket has the admission end, or this side or the peer close, while
// the other side does not answer the close frame: Renew says ErrClosed as Close does.
func TestRenewOfAClosingSocket(t *testing.T) {
	for name, begin := range map[string]func(p *peer, s *wsource.Socket){
		"the admission ends": func(*peer, *wsource.Socket) { time.Sleep(time.Minute) },
		"this side closes":   func(_ *peer, s *wsource.Socket) { s.ContextEnded(context.Canceled) },
		"the peer closes, and takes nothing": func(p *peer, s *wsource.Socket) {
			go s.Next(wsource.BinaryMessage(make([]byte, 1<<20)))
			settle()
			p.write(closeFrame(1000, ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubbleWith(t, wsource.AcceptOptions{Heartbeat: noBeat}, func(t *testing.T, s *site) {
				p, socket := s.rawClient("")
				require.NoError(t, socket.Renew(time.Now().Add(time.Minute)))
				record[wsource.Message](t, socket)
				begin(p, socket)
				settle()
				require.Equal(t, wsource.Closing, socket.State())
				for _, until := range []time.Time{{}, time.Now(), time.Now().Add(time.Hour)} {
					require.ErrorIs(t, socket.Renew(until), wsource.ErrClosed)
				}
				require.ErrorIs(t, socket.Close(wsource.StatusNormalClosure, ""), wsource.ErrClosed)
				<-socket.Done()
				require.ErrorIs(t, socket.Renew(time.Time{}), wsource.ErrClosed)
			})
		})
	}
}

// TestRenewAtTheEnd renews admissions at the very moment of their end: either Renew fails
// and the socket ends, or it succeeds and the socket goes on.
func TestRenewAtTheEnd(t *testing.T) {
	renewed, late := 0, 0
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			server := &wsource.Server{Options: wsource.AcceptOptions{Authorize: forAMinute, Heartbeat: noBeat}}
			r := run(t, server, handling(func(ctx context.Context, socket *wsource.Socket) error {
				until := time.Now().Add(time.Minute)
				time.Sleep(time.Minute)
				if err := socket.Renew(until.Add(time.Minute)); err != nil {
					late++
					assert.ErrorIs(t, err, wsource.ErrClosed)
				} else {
					renewed++
					time.Sleep(30 * time.Second)
					assert.NoError(t, context.Cause(ctx), "the socket goes on")
				}
				<-ctx.Done()
				return nil
			}))
			client := r.dial()
			<-client.Done()
			requireClose(t, client.Err(), wsource.StatusAuthorizationExpired)
			require.NoError(t, server.Shutdown(t.Context()))
		})
	}
	assert.Positive(t, renewed)
	assert.Positive(t, late)
	t.Log(renewed, "renewed,", late, "late")
}
