// Package browser is one live WebSocket of a browser: the WebSocket object of its page or
// worker, by package syscall/js, as a transport.Conn. It takes the place of package conn
// where a program is built for js/wasm, and has nothing but this comment elsewhere.
//
// A browser keeps the frames to itself. It makes the handshake, answers pings, compresses
// as it agrees with the server, and closes. It takes and gives whole messages. So there
// is no heartbeat, no message in pieces, and no close code but 1000 and 3000 to 4999
// (WHATWG WebSockets, section 3.1): where another is to be sent, the close frame has
// none.
//
// # Events
//
// The events of a WebSocket object come as calls from JavaScript (listen_js.go). The
// event loop stands still until such a call returns. So it only appends to a list and
// wakes a goroutine, and calls no code of users.
//
// # Receiving
//
// A browser reads on while a subscriber is busy, and there is no way to stop it. Messages
// wait in the inbox (inbox_js.go), and one goroutine delivers them from there. The inbox
// is bounded by bytes. When that is not enough, the connection ends with
// transport.ErrInboxFull, behind the messages in the inbox.
//
// # Sending
//
// A browser takes everything that it is sent, and bufferedAmount tells how much of that
// it still has. There is no event for it. So the outbox (outbox_js.go) hands over no more
// than a window, looks at bufferedAmount by a timer while something is on its way, and
// keeps the rest, for which it has the room of package conn. A message counts as sent
// when bufferedAmount says that all of it has left the browser.
//
// # The end
//
// The end that the close event tells is put behind the messages that came before it. The
// goroutine that delivers them ends the connection when it gets there (close_js.go); if
// it does not, the close timeout does. Nothing can break a connection off without a close
// frame: instead it is closed, and its events go unheard from then on.
//
// # Locks
//
// One mutex guards a Conn. It is not held while the Owner is called, save for its
// Failure. Calls of the WebSocket object run no code of users, so it is held for them.
package browser
