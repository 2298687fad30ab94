// Package wsource makes WebSockets streams. A [Socket], on the side that dials and on the
// side that accepts alike, is an observable of the messages that arrive and an observer
// of the messages to send, so that everything in package operators, and RxGo, composes on
// it.
//
// # The client
//
// [Dial] opens one connection. [Messages] and [Connect] are observables that dial at each
// subscription, so that a retry redials:
//
//	ticks := operators.TryMap(wsource.Messages("wss://feed.example/ticks", nil), decode)
//	lasting := operators.RetryBackoff(ticks, backoff.Config{})
//
// The program that dialled a socket can also use it directly, with Send for the outcome
// of one message, and Close. The socket sends the values of a stream that it is
// subscribed to, and the end of that stream closes the socket:
//
//	socket, err := wsource.Dial(ctx, "wss://chat.example", nil)
//	...
//	err = socket.Send(ctx, wsource.TextMessage("hello"))
//	err = wsource.SendAll(ctx, socket, greetings) // leaves it open
//	typed.Subscribe(ctx, socket)
//
// # The server
//
// [Server] is an http.Handler that accepts sockets. [Server.Answer] sends the values of
// an observable to each socket; this server echoes:
//
//	server := new(wsource.Server)
//	http.Handle("/echo", server)
//	...
//	err := server.Answer(ctx, func(s *wsource.Socket) observable.Observable[wsource.Message] { return s })
//
// [Server.Handle] calls a function for each socket on a goroutine of its own,
// [Server.Connections] is the observable of the sockets, and [Accept] upgrades one
// request. Authorize of [AcceptOptions], or a subscriber of [Server.Requests], decides
// before the upgrade which clients may connect, under which key and for how long. Proxies
// in front of the server are believed if Proxies lists them. Code for one socket that
// fails closes that socket with 1011. SERVERS.md, beside this file, is a guide for
// servers; README.md is one for clients.
//
// # Values instead of messages
//
// [Subject] is a WebSocket as a subject of typed values, through a [Codec]: lazy and
// shared as RxJS's webSocket, with an outbox that outlives a connection, and reconnecting
// by itself if told to. [Subject.Connections] is for tasks of one of its connections,
// such as a login. [Requests] are questions to the peer, with their answers.
//
// # Large messages
//
// A message need not be held whole. [Socket.SendReader] sends the content of an io.Reader
// as one message, piece by piece. [Socket.Readers] is the stream of the arriving messages
// as readers, which read a message while it arrives:
//
//	err := upload.SendReader(ctx, wsource.Binary, file)
//
//	sums := operators.TryMap(socket.Readers(), func(m *wsource.MessageReader) (string, error) { return sum(m) })
//
// The sending side holds 32 KiB of the message in memory, the receiving side only the
// bytes that the reader is reading. Pings, pongs and a close frame go between the pieces;
// other messages wait for its end. A message that is cut off is never taken for a whole
// one: its sender gets [Partial], its reader gets an error in place of io.EOF. A
// [Subject] gives its socket for this in [Status]; the messages that it receives itself
// are whole.
//
// # RxGo
//
// [Socket.Observable] is a socket as an rxgo.Observable, and observable.Via runs a chain
// of RxGo's operators on any stream, Connect's too: RxGo's Retry then redials. Of its
// operators, Debounce, BufferWithTime, FlatMap and TimeInterval cannot be observed again,
// and so must stand behind its Retry, not before it.
//
// # In a browser
//
// Built for js/wasm, the client's side runs on the WebSocket of a page or worker. An
// option that a browser has no place for is a [*BrowserError]. The browser sends no
// pings, no close codes but 1000 and 3000 to 4999, and no message in pieces. It cannot be
// told to read more slowly, so [ErrInboxFull] bounds the messages that wait for a slow
// subscriber. The README of this package has a program, and lists the differences.
//
// # How a connection ends
//
// A stream of messages completes after a close frame with 1000, from either side.
// Everything else is an error, a [*CloseError] with the code and reason: another code;
// 1005 for a close frame without one; 1006 for a connection that broke, also by an
// orderly end of the TCP connection or in the middle of a message. A peer that breaks a
// rule gets a close frame before the connection is closed, also in the middle of its
// sending. The end of a subscriber's context, and Unsubscribe, end the subscription, not
// the socket. A socket that nobody wants any more must be closed, as any connection.
//
// # Limits
//
//	limit                                   default            set by
//	an arriving message                     1 MiB              ReadLimit; then 1009
//	a message that is read as it arrives    ReadLimit          StreamLimit; then 1009
//	the handshake, redirects included       10 s               HandshakeTimeout
//	the header of a handshake's response    64 KiB             MaxResponseHeaderBytes of
//	                                                           DialOptions.Transport
//	redirects                               10, to the same    DialOptions.Redirects
//	                                        host, not from TLS
//	                                        to plain text
//	the body of a refusal in an error       512 bytes, 1 s
//	the header of a handshake               64 KiB, 10 s       Server.Serve; elsewhere
//	                                                           the http.Server
//	the body of a handshake                 none; 400 for a request that announces one
//	the target of a handshake               64 KiB; then 414
//	writing the response to a handshake     10 s
//	after a refusal, until the next         10 s               Server.Serve; elsewhere
//	handshake                                                  the http.Server
//	the header that Socket.Request keeps    64 KiB
//	messages that arrive in a second        none               AcceptOptions.Rate; then
//	                                                           the peer waits, loses
//	                                                           messages, or gets 1008
//	the time without a message of the peer  none               IdleTimeout; then 1001
//	messages that wait to be sent on a      1,024 or 1 MiB,    AcceptOptions.Outbox;
//	connection                              and one in any     then senders block, or
//	                                        case               messages are dropped, or
//	                                                           the peer gets 1013
//	sockets of a server written to at a     one a processor; a peer that does not
//	time                                    read holds up others for 2 ms
//	messages read ahead of the subscribers  1; in a browser, 16 times ReadLimit,
//	                                        then ErrInboxFull
//	closing: queue, close frame and answer  5 s                CloseTimeout
//	a message of SendReader while closing   half of that
//	a subscriber that is busy while closing 1 s
//	silence of the peer                     25 s, then a ping  Heartbeat
//	                                        and 20 s
//	a write of which no byte leaves         30 s               WriteTimeout; noticed up
//	                                                           to 25 s later
//	connections of a server                 10,000; then 503   Server.MaxConnections
//	connections of one Admission.Key        100; then 429      Server.MaxPerKey
//	authorizing a handshake, or deciding on 10 s, the end of its context
//	a Request
//	compression                             off                Compression
//	origins                                 the server's own,  AcceptOptions.Origins
//	                                        by scheme, host
//	                                        and port
//	memory of an idle accepted connection   6 KiB, with its goroutine
//	the reason of a close frame             123 bytes          the protocol
//
// A [Subject] has these limits, beside those of its connections; so have its [Topics]:
//
//	limit                                   default            set by
//	messages that wait without a connection 1,024 or 1 MiB,    Outbox
//	                                        and one in any
//	                                        case
//	the delay between attempts              random, up to      Reconnect
//	                                        100 ms, which
//	                                        doubles up to 30 s
//	attempts in a row                       none               Reconnect
//	the time of a connection that ends the  5 s                Reconnect.ResetAfter
//	row
//	the Retry-After of a server             believed up to 24 h, in a close reason too:
//	                                        see Farewell
//	messages on their way, not confirmed    64 Ki and 8 MiB; then later ones wait
//	the ping that asks for confirmation     after 1 s, 256 messages or 64 KiB
//	values kept for the first subscriber of 256; then the peer is slowed
//	a new Connection
//	the time of a request                   10 s               RequestsConfig.Timeout
//	requests under way at a time            1,024; then others RequestsConfig.Max
//	                                        wait for their turn
//	the acknowledgement of a topic          10 s               TopicsConfig.AckTimeout
//	values that wait for a slow subscriber  256; then it slows Buffer, Overflow
//	of a topic                              the others
//
// # The protocol
//
// The library github.com/coder/websocket makes the opening handshakes. The package adds
// to them:
//
//   - A request is checked before the library sees it: origins by scheme, host and port,
//     refusals with the headers that their status requires, no body. The answer to a
//     version other than 13 is 426 (section 4.4), and malformed offers of compression are
//     declined (RFC 7692, section 7.1).
//   - Compression is negotiated with its windows, both ways. A server may keep the
//     context of its compression although the client asked it not to: the client reads
//     with the context then.
//   - The response to a handshake is written on the connection itself, past the buffers
//     of a middleware.
//   - A handshake ends by itself, follows redirects as its options say, and does not wait
//     for the body of a failed upgrade. An HTTP proxy is asked for a tunnel also without
//     TLS (section 4.1).
//
// From then on this module's own implementation of RFC 6455 and RFC 7692 reads and writes
// every byte, for these reasons:
//
//   - A message of one frame, as most are, takes a part of the time of a general reader
//     and writer, without an allocation in between; an idle connection takes 2 KiB less.
//   - Frames of all kinds that wait leave with one system call. The outcome of each is
//     known, so that a [SendError] is certain.
//   - The answer to a close frame goes behind the messages that were sent before. Each
//     ping gets a pong of its own, also behind a stalled write or between two fragments.
//     Neither has a time limit of its own: the heartbeat and CloseTimeout judge.
//   - Every breach of the RFCs is found at its first byte and answered with a close
//     frame: masks, reserved bits, lengths, fragments, text and close reasons that are
//     not UTF-8 (1007), compressed data that is corrupt or ends too early.
//   - A stream that breaks off is an error at every byte, also between two fragments and
//     inside a compressed frame.
//   - Compressed data may have final blocks (RFC 7692, section 7.2.3.4). Fragments of one
//     message are compressed, too, with the context if it is kept.
//
// The cases of the public Autobahn suite pass strictly on both sides, with and without
// compression: see CONTRIBUTING.md for how to run them.
//
// One gap remains: WebSocket has no check sum. A bit that the network has changed and TCP
// has not noticed can change a message, or make a ping of it, without a trace.
package wsource
