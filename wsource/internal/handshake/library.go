//go:build !js

package handshake

import (
	"context"
	"net/http"

	"github.com/coder/websocket"
)

// The library makes the handshakes, and nothing else. The connection that it gets is a
// standIn: the library's own connection on top can be dropped, and touches no byte of the
// real one.

// libraryAccept makes the handshake with a client, and returns the subprotocol.
func libraryAccept(w *hijackWriter, r *http.Request, subprotocols []string) (subprotocol string, err error) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       subprotocols,
		InsecureSkipVerify: true, // CheckOrigin has looked at the origin
	})
	if err != nil {
		return "", err
	}
	defer conn.CloseNow() //nolint:errcheck // the standIn's
	return conn.Subprotocol(), nil
}

// libraryDial makes the handshake with a server by way of c, and returns the subprotocol.
func libraryDial(ctx context.Context, url string, c *client) (subprotocol string, err error) {
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: c, CheckRedirect: c.leave, Jar: c.Jar},
		HTTPHeader:   c.Header,
		Host:         c.Host,
		Subprotocols: c.Subprotocols,
	})
	if err != nil {
		return "", err
	}
	defer conn.CloseNow() //nolint:errcheck // the standIn's
	return conn.Subprotocol(), nil
}
