//go:build !js

package wsource

import (
	"net/http"

	"github.com/coder/websocket"
)

// inBrowser says that there is neither a listener nor a connection that frames can be
// written to.
const inBrowser = false

// libraryAccept returns the library's options for accepting a connection.
func libraryAccept(s *Socket, o *AcceptOptions) *websocket.AcceptOptions {
	return &websocket.AcceptOptions{
		Subprotocols:       o.Subprotocols,
		InsecureSkipVerify: true, // vet has looked at the origin
		CompressionMode:    o.Compression.mode(),
		OnPingReceived:     s.pingReceived,
		OnPongReceived:     s.pongReceived,
	}
}

// libraryDial returns the library's options for a handshake of shake.
func libraryDial(s *Socket, shake *handshake, o *DialOptions) *websocket.DialOptions {
	return &websocket.DialOptions{
		HTTPClient:      &http.Client{Transport: shake, CheckRedirect: shake.leave, Jar: o.Jar},
		HTTPHeader:      o.Header,
		Host:            o.Host,
		Subprotocols:    o.Subprotocols,
		CompressionMode: o.Compression.reading(),
		OnPingReceived:  s.pingReceived,
		OnPongReceived:  s.pongReceived,
	}
}
