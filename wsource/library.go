//go:build !js

package wsource

import (
	"context"
	"io"
	"net/http"

	"github.com/coder/websocket"

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// inBrowser says that a browser's WebSocket is all that there is: no listener, and no
// connection that frames can be written to.
const inBrowser = false

// sendableCodes are those that may stand in a close frame: see StatusCode.sendable.
const sendableCodes = "1000 to 1003, 1007 to 1014, 3000 to 4999"

// liveConn is the connection of a Socket.
type liveConn = conn.Conn

// openOn gives the socket its connection. The socket is complete but for that, and so is the
// config but for who it belongs to.
func (s *Socket) openOn(stream conn.Stream, config conn.Config) {
	config.Owner, config.Monitor = (*socketOwner)(s), s.monitor()
	s.conn.Open(stream, config)
}

// sendFragments sends a message in fragments.
func (s *Socket) sendFragments(ctx context.Context, binary bool, r io.Reader) (transport.Outcome, int64, error) {
	return s.conn.SendReader(ctx, binary, r)
}

// The library makes the handshakes, and nothing else. The connection that it gets is a
// standIn: what it makes of that can be dropped, and touches no byte of the real one.

// libraryAccept makes the handshake with a client, and returns the subprotocol.
func libraryAccept(w *hijackWriter, r *http.Request, o *AcceptOptions) (subprotocol string, err error) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       o.Subprotocols,
		InsecureSkipVerify: true, // vet has looked at the origin
	})
	if err != nil {
		return "", err
	}
	defer conn.CloseNow() //nolint:errcheck // the standIn's
	return conn.Subprotocol(), nil
}

// libraryDial makes the handshake with a server by way of shake, and returns the
// subprotocol.
func libraryDial(ctx context.Context, url string, shake *handshake, o *DialOptions) (subprotocol string, err error) {
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: shake, CheckRedirect: shake.leave, Jar: o.Jar},
		HTTPHeader:   o.Header,
		Host:         o.Host,
		Subprotocols: o.Subprotocols,
	})
	if err != nil {
		return "", err
	}
	defer conn.CloseNow() //nolint:errcheck // the standIn's
	return conn.Subprotocol(), nil
}
