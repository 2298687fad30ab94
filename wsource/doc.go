// Package wsource makes WebSockets streams. A [Socket], on the side that dials and on the side that
// accepts alike, is an observable of the messages that arrive and an observer of the messages to
// send, so that everything in package operators, and RxGo, composes on it.
//
// # The client
//
// [Dial] opens one connection. [Messages] and [Connect] are observables that dial at each subscription,
// so that a retry redials:
//
//	ticks := operators.TryMap(wsource.Messages("wss://feed.example/ticks", nil), decode)
//	lasting := operators.RetryBackoff(ticks, backoff.Config{})
//
// A socket can also stay in the hands of who dialled it, with Send for the outcome of one message, and Close. A
// stream that is subscribed to it is sent, and its end closes the socket:
//
//	socket, err := wsource.Dial(ctx, "wss://chat.example", nil)
//	...
//	err = socket.Send(ctx, wsource.TextMessage("hello"))
//	err = wsource.SendAll(ctx, socket, greetings) // leaves it open
//	typed.Subscribe(ctx, socket)
//
// # The server
//
// [Server] is an http.Handler that accepts sockets. [Server.Answer] sends to each what the observable emits that
// belongs to it; this server echoes:
//
//	server := new(wsource.Server)
//	http.Handle("/echo", server)
//	...
//	err := server.Answer(ctx, func(s *wsource.Socket) observable.Observable[wsource.Message] { return s })
//
// [Server.Handle] calls a function for each on a goroutine of its own, [Server.Connections] is the observable of
// them, and [Accept] upgrades one request. Who may connect, as whom and for how long, is decided by Authorize of
// [AcceptOptions] before the upgrade, or by a subscriber of [Server.Requests]; proxies in front of the server are
// believed if Proxies lists them. What is done for one socket, and fails, closes that one with 1011.
// SERVERS.md, beside this file, is a guide for servers; README.md is one for clients.
//
// # Values instead of messages
//
// [Subject] is a WebSocket as a subject of typed values, through a [Codec]: lazy and shared as RxJS's webSocket,
// with an outbox that outlives a connection, and reconnecting by itself if told to. [Subject.Connections] is for
// what belongs to one of its connections, such as a login. [Requests] are questions to the peer, with their answers.
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
// # In a browser
//
// Built for js/wasm, the client's side runs on the WebSocket of a page or worker. The options
// that a browser has no place for are a [*BrowserError]. It sends no pings, no close codes but 1000 and
// 3000 to 4999, and no message in pieces; and it cannot be told to read more slowly, so that what waits
// for a slow subscriber is bounded by [ErrInboxFull]. The README of this package has a program, and
// lists the differences.
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
//	the header of a response to a handshake    64 KiB         MaxResponseHeaderBytes of DialOptions.Transport
//	redirects                                  10, to the same host, not from TLS to plain text   DialOptions.Redirects
//	the body of a refusal in an error          512 bytes, 1 s
//	the header of a handshake                  64 KiB, 10 s   by Server.Serve; elsewhere the http.Server's
//	the body of a handshake                    none; a request that announces one is refused with 400
//	the target of a handshake                  64 KiB; over it, 414
//	writing the response to a handshake        10 s
//	after a refusal, until the next handshake  10 s           by Server.Serve; elsewhere the http.Server's
//	the header that Socket.Request keeps       64 KiB
//	messages that arrive in a second           no limit       AcceptOptions.Rate; over it the peer waits, is not heard, or 1008
//	the time without a message of the peer     no limit       AcceptOptions.IdleTimeout; over it the peer is told 1001
//	what waits to be sent on a connection      1,024 messages or 1 MiB, and one message in any case; then senders block,
//	                                           or messages are dropped, or the peer is told 1013: AcceptOptions.Outbox
//	sockets of a server written to at a time   one a processor; one whose peer does not read holds up others for 2 ms
//	what is read ahead of the subscribers      1 message; in a browser, 16 times ReadLimit, then ErrInboxFull
//	closing: queue, close frame and answer     5 s            CloseTimeout
//	a message of SendReader while closing      half of that
//	a subscriber that is busy while closing    1 s
//	silence of the peer                        25 s, then a ping and 20 s   Heartbeat
//	a write of which no byte leaves            30 s           WriteTimeout; noticed up to 25 s later
//	connections of a server                    10,000; then 503                   Server.MaxConnections
//	connections of one key                     100; then 429  Server.MaxPerKey; the key is AcceptOptions.Authorize's
//	authorizing a handshake                    10 s, the end of its context; deciding on a Request likewise
//	compression                                off            Compression
//	origins                                    the server's own, by scheme, host and port        AcceptOptions.Origins
//	memory of an idle accepted connection      6 KiB, with its goroutine
//	the reason of a close frame                123 bytes      by the protocol
//
// Those of a [Subject], beside those of its connections, and of its [Topics]:
//
//	what                                       default        set by
//	what waits while there is no connection    1,024 messages or 1 MiB, and one message in any case   Outbox
//	the delay between attempts                 at random up to 100 ms, which doubles up to 30 s       Reconnect
//	attempts in a row                          no limit       Reconnect
//	how long a connection has to last to end the row          5 s   Reconnect.ResetAfter
//	the Retry-After of a server                believed up to 24 h, in a close reason too: see Farewell
//	what is on its way and not confirmed       64 Ki messages and 8 MiB; then what is sent waits
//	when the peer is asked what has arrived    after 1 s, 256 messages or 64 KiB
//	values kept for the first subscriber of a new Connection  256; then the peer is slowed
//	how long a request may take                10 s           RequestsConfig.Timeout
//	requests under way at a time               1,024; others wait for their turn              RequestsConfig.Max
//	the acknowledgement of a topic             10 s           TopicsConfig.AckTimeout
//	what waits for a slow subscriber of a topic               256 values; then it slows the others     Buffer, Overflow
//
// # The protocol
//
// The library github.com/coder/websocket makes the opening handshakes. What the package adds
// to them:
//
//   - A request is checked before the library sees it: origins by scheme, host and port,
//     refusals with the headers that their status wants, no body. A version other than 13 is
//     answered with 426 (section 4.4), and offers of compression that are malformed are
//     declined (RFC 7692, section 7.1).
//   - Compression is negotiated with its windows, both ways. A server that keeps the context
//     of its compression although it was asked not to is read with it.
//   - The response to a handshake is written on the connection itself, past what a middleware
//     holds back.
//   - A handshake ends by itself, follows redirects as it is told, and does not wait for the
//     body of a failed upgrade. An HTTP proxy is asked for a tunnel also without TLS (section
//     4.1).
//
// From then on every byte is read and written by this module's own implementation of RFC
// 6455 and RFC 7692, for these reasons:
//
//   - A message of one frame, which most are, takes a part of the time that a general reader
//     and writer take, without an allocation in between; an idle connection takes 2 KiB less.
//   - Frames that wait leave with one system call, whatever they are. It is known of each
//     whether it has left, so that a [SendError] says what is certain.
//   - A close frame is answered behind the messages that were sent before; a ping by a pong of
//     its own, also behind a stalled write or between two fragments. Neither has a time limit
//     of its own: the heartbeat judges, and CloseTimeout.
//   - Whatever the RFCs forbid is found at its first byte and answered with a close frame:
//     masks, reserved bits, lengths, fragments, text and close reasons that are not UTF-8
//     (1007), compressed data that is corrupt or ends too early.
//   - A stream that breaks off is an error wherever it does, also between two fragments and
//     inside a compressed frame.
//   - Compressed data may have final blocks (RFC 7692, section 7.2.3.4). Fragments of one
//     message are compressed, too, with the context if that is kept.
//
// The cases of the public Autobahn suite pass strictly on both sides, with and without
// compression: see CONTRIBUTING.md for how to run them.
//
// What remains open: WebSocket has no check sum. A bit that the network has changed and TCP
// has not noticed can change a message, or make a ping of it, without a trace.
package wsource
