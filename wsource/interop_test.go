//go:build !js

package wsource_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/wstest"
)

// Peers that speak WebSocket by the library alone, on either side.

// plainEcho sends each message back, in two fragments, and closes with 4000 after "bye".
func plainEcho(w http.ResponseWriter, r *http.Request) { plainEchoWith(w, r, nil) }

func plainEchoWith(w http.ResponseWriter, r *http.Request, o *websocket.AcceptOptions) {
	conn, err := websocket.Accept(w, r, o)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(-1)
	for {
		kind, data, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		if string(data) == "bye" {
			_ = conn.Close(4000, "goodbye")
			return
		}
		to, err := conn.Writer(context.Background(), kind)
		if err != nil {
			return
		}
		half := len(data) / 2
		_, _ = to.Write(data[:half])
		_, _ = to.Write(data[half:])
		if to.Close() != nil {
			return
		}
	}
}

func TestSubjectOfAPlainServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(wstest.Network)
		listener, err := network.Listen(host)
		require.NoError(t, err)
		server := &http.Server{Handler: http.HandlerFunc(plainEcho), ReadHeaderTimeout: time.Second}
		go func() { _ = server.Serve(listener) }()
		defer func() {
			assert.NoError(t, server.Close())
			settle()
			assert.Empty(t, network.Links())
		}()
		subject := wsource.NewSubject(address, wsource.TextCodec(), &wsource.SubjectConfig[string]{
			Reconnect: steady(), Dial: *on(network, nil),
		})
		subject.Next("queued")
		got, sub := listen(t, subject)
		lost := record(t, subject.Undelivered())
		settle()
		subject.Next("sent")
		time.Sleep(time.Hour) // the library answers the pings
		require.NoError(t, network.Link(1).Inject(wstest.Reset(wstest.ToServer, 0)))
		settle()
		subject.Next("after a reconnect")
		time.Sleep(2 * time.Second)
		assert.Equal(t, []string{"queued", "sent", "after a reconnect"}, got.Values())
		require.NoError(t, subject.Send(t.Context(), "bye"))
		assert.Equal(t, "goodbye", requireClose(t, got.ExpectEnd(t), 4000).Reason)
		assert.Len(t, fates(lost), 1, "of the last message it is unknown, since the peer has closed")
		sub.Unsubscribe()

		again, sub := listen(t, subject)
		subject.Next("again")
		settle()
		sub.Unsubscribe()
		settle()
		assert.Equal(t, []string{"again"}, again.Values())
		assert.Equal(t, 3, network.Dials())
	})
}

func TestServerOfAPlainClient(t *testing.T) {
	inBubble(t, func(t *testing.T, s *site) {
		conn, response, err := websocket.Dial(t.Context(), address, &websocket.DialOptions{HTTPClient: s.network.HTTPClient()})
		require.NoError(t, err)
		assert.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
		far := s.accept()
		require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte("hello")))
		assert.Equal(t, []string{"hello"}, far.heard())
		far.say("hello to you")
		_, data, err := conn.Read(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "hello to you", string(data))
		require.NoError(t, conn.Close(4001, "enough"))
		assert.Equal(t, "enough", requireClose(t, far.wait(), 4001).Reason)
	})
}
