package wsource

import (
	"context"
	"io"
	"net/http"

	"github.com/rxsocket/rxsocket/wsource/internal/browser"
	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/transport"
)

// inBrowser says that a browser's WebSocket is all that there is: no listener, and no
// connection that frames can be written to.
const inBrowser = true

// sendableCodes are those that a page may have in a close frame (WHATWG WebSockets, section
// 3.1): see StatusCode.sendable.
const sendableCodes = "1000 and 3000 to 4999 in a browser"

// liveConn is the connection of a Socket.
type liveConn = browser.Conn

// sendFragments tells that a browser sends whole messages only.
func (s *Socket) sendFragments(context.Context, bool, io.Reader) (transport.Outcome, int64, error) {
	return transport.Unsent, 0, &BrowserError{"Socket.SendReader", "a browser sends whole messages only: see Socket.Send"}
}

// Accept refuses every handshake before what follows is called.

func (s *Socket) openOn(conn.Stream, conn.Config) {}

func libraryAccept(*hijackWriter, *http.Request, *AcceptOptions) (string, error) {
	return "", errAccept
}
