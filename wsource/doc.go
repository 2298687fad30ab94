// Package wsource makes WebSockets streams. A [Socket], on the side that dials and on the side that
// accepts alike, is an observable of the messages that arrive and an observer of the messages to
// send, so that everything in package operators, and RxGo, composes on it.
//
// # The client
//
// [Dial] opens one connection. [Connect] is the observable that dials at each subscription, so that a retry
// redials:
//
//	sockets := wsource.Connect("wss://feed.example/ticks", nil)
//	messages := operators.SwitchMap(sockets, func(s *wsource.Socket) observable.Observable[wsource.Message] { return s })
//	ticks := operators.TryMap(messages, decode)
//	lasting := operators.RetryBackoff(ticks, backoff.Config{})
//
// A socket can also stay in the hands of who dialled it, with Send for the outcome of one message, Next for a
// stream of them, and Close:
//
//	socket, err := wsource.Dial(ctx, "wss://chat.example", nil)
//	...
//	greetings.Subscribe(ctx, socket)
//	err = socket.Send(ctx, wsource.TextMessage("hello"))
//
// # The server
//
// [Server] is an http.Handler and the observable of the sockets it accepts; [Accept] upgrades one
// request. This server echoes:
//
//	server := new(wsource.Server)
//	server.Connections().Subscribe(ctx, observable.ObserverFuncs[*wsource.Socket]{
//		OnNext: func(s *wsource.Socket) { s.Subscribe(context.Background(), s) },
//	})
//	http.Handle("/echo", server)
//
// # Values instead of messages
//
// [Subject] is a WebSocket as a subject of typed values, through a [Codec]: lazy and shared as RxJS's webSocket,
// with an outbox that outlives a connection, and reconnecting by itself if told to.
//
// # Large messages
//
// A message need not be held whole. [Socket.SendReader] sends what an io.Reader has as one message, piece by piece, and
// [Socket.Readers] is the stream of the messages that arrive as readers, which are read while they do:
//
//	err := upload.SendReader(ctx, wsource.Binary, file)
//
//	sums := operators.TryMap(socket.Readers(), func(m *wsource.MessageReader) (string, error) { return sum(m) })
//
// There are 32 KiB of it in memory on the sending side, and what is in the reader's hands on the receiving one.
// Pings, pongs and a close frame go between the pieces; other messages have to wait for its end. A message that is cut
// off is never taken for a whole one: its sender is told [Partial], its reader gets an error in place of io.EOF.
// A [Subject] gives its socket for this in [Status]; what it receives itself is whole.
//
// # RxGo
//
// [Socket.Observable] is a socket as an rxgo.Observable, and observable.Via runs a chain of RxGo's operators on any
// stream, Connect's too: RxGo's Retry then redials. Of its operators, Debounce, BufferWithTime, FlatMap and
// TimeInterval cannot be observed again, and so have to stand behind its Retry, not before it.
//
// # How a connection ends
//
// A stream of messages completes after a close frame with 1000, from either side. Everything else is an
// error, a [*CloseError] with the code and reason: another code; 1005 for a close frame without one; 1006
// for a connection that broke, be it by an orderly end of the TCP connection, also in the middle of a message. A peer
// that breaks a rule is told with a close frame, before the connection is closed, also if it is in the middle of
// sending. The end of a subscriber's context, and Unsubscribe, end the subscription, not the socket; a socket
// that nobody wants any more has to be closed, as any connection has.
//
// # Limits
//
//	what                                       default        set by
//	a message that arrives                     1 MiB          ReadLimit; over it the peer is told 1009
//	one that is read while it arrives          ReadLimit      StreamLimit; likewise
//	the handshake, redirects included          10 s           DialOptions.HandshakeTimeout
//	redirects                                  10, to the same host, not from TLS to plain text   DialOptions.Redirects
//	the body of a refusal in an error          512 bytes, 1 s
//	the header of a handshake                  64 KiB, 10 s   by Server.Serve; elsewhere the http.Server's
//	the body of a handshake                    none; a request that announces one is refused with 400
//	the target of a handshake                  64 KiB; over it, 414
//	writing the response to a handshake        10 s
//	after a refusal, until the next handshake  10 s           by Server.Serve; elsewhere the http.Server's
//	the header that Socket.Request keeps       64 KiB
//	what waits to be sent on a connection      1,024 messages or 1 MiB, and one message in any case; then senders block
//	sockets of a server written to at a time   one a processor; one whose peer does not read holds up others for 2 ms
//	what is read ahead of the subscribers      1 message
//	closing: queue, close frame and answer     5 s            CloseTimeout
//	a message of SendReader while closing      half of that
//	a subscriber that is busy while closing    1 s
//	silence of the peer                        25 s, then a ping and 20 s   Heartbeat
//	a write of which no byte leaves            30 s           WriteTimeout; noticed up to 25 s later
//	connections of a server                    10,000         Server.MaxConnections
//	compression                                off            Compression
//	origins                                    the server's own, by scheme, host and port        AcceptOptions.Origins
//	memory of an idle accepted connection      8 KiB, with its goroutine
//	the rest of a close frame that has begun   5 s            by the library
//	the reason of a close frame                123 bytes      by the protocol
//
// Those of a [Subject], beside those of its connections, and of its [Topics]:
//
//	what                                       default        set by
//	what waits while there is no connection    1,024 messages or 1 MiB, and one message in any case   Outbox
//	the delay between attempts                 at random up to 100 ms, which doubles up to 30 s       Reconnect
//	attempts in a row                          no limit       Reconnect
//	how long a connection has to last to end the row          5 s   Reconnect.ResetAfter
//	the Retry-After of a server                believed up to 24 h
//	what is on its way and not confirmed       64 Ki messages and 8 MiB; then what is sent waits
//	when the peer is asked what has arrived    after 1 s, 256 messages or 64 KiB
//	what waits for a slow subscriber of a topic               256 values; then it slows the others     Buffer, Overflow
//
// # The library underneath
//
// The handshake, compression, fragments and the close frames of the peer are left to github.com/coder/websocket.
// Where it leaves RFC 6455 to its user, or departs from it, this package adds what is missing:
//
//   - Text messages and close reasons are checked to be UTF-8, and answered with 1007 (section 8.1).
//   - A connection that ends between two fragments, or inside a compressed frame, is an error. The library delivers
//     what it has as a whole message.
//   - Frames that are not masked from a client, or are from a server, lengths that are negative or not in their
//     shortest form (sections 5.1 and 5.2), and corrupt compressed data are answered with a close frame.
//   - A close frame is sent and answered behind the messages that were sent before, within CloseTimeout.
//   - A ping that arrives behind a stalled write is answered when the write is over, ahead of what is queued. In
//     the library it fails the reader after 5 s.
//   - A request is checked before the library sees it: origins by scheme, host and port, refusals with the
//     headers that their status wants, no body. A version other than 13 is answered with 426 (section 4.4), and
//     offers of compression that are malformed are declined (RFC 7692, section 7.1).
//   - The response to a handshake is written on the connection itself, past what a middleware holds back.
//   - A handshake ends by itself, follows redirects as it is told, and does not wait for the body of a failed
//     upgrade. An HTTP proxy is asked for a tunnel also without TLS (section 4.1).
//   - A server that keeps the context of its compression although it was asked not to is read with it.
//   - Messages that wait are written together, with one system call.
//   - Messages that are one frame, uncompressed, are written and read past the library, as its way takes several times as
//     long as that of a small message takes otherwise. So are pings and pongs.
//   - A fragment leaves when it is written; the library keeps the end of it until the message's last one.
//   - What comes of a frame that is cut does not reach a reader; the library gives it out still masked.
//
// What remains open: a compressed message that ends with a final deflate block breaks the connection at the next
// one, and one whose data ends too early, in frames that are whole, is delivered as far as it goes. A close frame, or
// a control frame between two fragments, of which a part has arrived and the rest does not within 5 s ends the
// connection with [StatusAbnormalClosure], whatever the heartbeat says. WebSocket has no check sum: a bit that the
// network has changed and TCP has not noticed can change a message, or make a ping of it, without a trace.
package wsource
