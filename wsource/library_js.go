package wsource

import (
	"net/http"

	"github.com/coder/websocket"
)

// inBrowser says that there is neither a listener nor a connection that frames can be
// written to: a browser's WebSocket takes and gives whole messages.
const inBrowser = true

// The library of a browser has no such options, and is not called.
func libraryAccept(s *Socket, _ *AcceptOptions) *websocket.AcceptOptions {
	_, _ = s.pingReceived, s.pongReceived
	return nil
}

func libraryDial(_ *Socket, shake *handshake, o *DialOptions) *websocket.DialOptions {
	_ = &http.Client{Transport: shake, CheckRedirect: shake.leave}
	_ = o.Compression.reading()
	return nil
}
