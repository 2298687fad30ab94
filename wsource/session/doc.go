// Package session is a conversation that outlives its connections. A [Session] is a
// wsource.Subject on either side: an observable of the values that arrive, and an
// observer of the values to send. When its connection breaks, both sides keep the
// messages that the other has not acknowledged. The next connection goes on where the
// last one broke: each message is delivered once, in order, or the session says which are
// missing.
//
//	client := session.New("wss://chat.example/live", wsource.JSON[Event, Command](), nil)
//	client.Subscribe(ctx, view)
//
//	sessions := session.NewServer(wsource.JSON[Command, Event](), nil)
//	err := sessions.Handle(ctx, server, func(ctx context.Context, s *session.Session[Command, Event]) error {
//		return observable.ForEach(ctx, s, func(c Command) { s.Next(answer(c)) })
//	})
//
// [Session.Status] tells the state of the session, once for each connection: it is
// [Fresh], [Recovered], or there is a [Gap]; it has [Expired], was [TakenOver] or has
// [Failed]. There is no reconnect of which it says nothing.
//
// A session is to its Subject what a connection is to another one. So wsource.Requests,
// wsource.Topics and Subject.Multiplex work on [Session.Subject], and notice nothing of a
// connection that was resumed: a request under way gets its answer, a topic is not
// subscribed again. A session that has expired is to them a connection that has ended. An
// event.Conn speaks over a session of messages. [Session.Peer] joins a room of package
// hub: values said there are encoded once, and numbered by each session.
//
// # Several servers
//
// With a [Store] ([ServerConfig.Store]) a client finds its session on each server that
// has the same one, and after a server's restart. A server that stops puts its sessions
// in. A client that comes to another server while the first one lives takes its session
// along. A callback that runs comes to its end before, for at most three seconds. The
// messages that either side has not acknowledged go with it, and so do the answers that
// the callback has sent. The old server's program sees [TakenOver], and the new
// server calls its handler. If the old handler has returned, the new one is not called:
// then only the remaining messages and the end go to the client. The state of a handler
// does not go along: its variables, and everything that the client has asked it for,
// topics, streams and answers that are due included. The client is told [Recovered] all
// the same, so a message of the handler's has to tell it to ask again. The sessions of a
// server that is killed are lost, and their clients are told so. Messages cost nothing
// more with a Store than without: it is asked only when a client shows a token that the
// server does not know.
//
// # The protocol
//
// The subprotocol is rxsocket.session.v1 ([Subprotocol]). A client offers it, and a
// server that accepts it speaks as follows. Text and binary messages of the application
// go as they are. A control message is a text message whose first character is NUL
// (U+0000). A text message of the application that begins with NUL gets a second one in
// front, which the receiver takes off. So a text that begins with two NULs is a message
// of the application. An application's message costs no byte but in this case, and then
// one. It is the same for each receiver, so that one encoding serves many sessions.
//
// Behind the NUL a control message has a word and its fields, each after one space.
// Numbers are decimal, without a sign or leading zeros, and at most 2^53-1: JavaScript
// can count to that.
//
//	word and fields                   from      says
//	hello                             client    begin a session
//	resume TOKEN RECEIVED             client    go on with this one: I have received so many
//	fresh TOKEN TTL                   server    it has begun; TTL is in milliseconds
//	resumed TOKEN TTL RECEIVED NEXT   server    it goes on: I have received so many, and send NEXT next
//	expired                           server    there is no such session (any more)
//	go NEXT                           client    I have got the token, and send NEXT next
//	ack RECEIVED                      both      I have received so many
//	ask                               both      acknowledge all before this
//	end CODE REASON                   both      the session ends; close with this. REASON is the rest, and may be empty
//
// A minimal client in a browser remembers the token and two numbers, and handles a
// message so:
//
//	ws = new WebSocket(url, "rxsocket.session.v1")
//	ws.onopen = () => ws.send("\0" + (token ? `resume ${token} ${received}` : "hello"))
//	ws.onmessage = ({data}) => {
//	  if (typeof data !== "string" || data[0] !== "\0") return take(data)   // received++, unless it is a double
//	  if (data[1] === "\0") return take(data.slice(1))
//	  const [word, ...fields] = data.slice(1).split(" ")
//	  ...
//	}
//
// Positions. Each direction numbers the messages of the application from 1 on, in the
// order in which they go over the connection. The numbers are not sent. They are known
// from the handshake on: after fresh, both sides send number 1 next and have received 0.
// After resumed, the server sends NEXT next; after go, the client does. If NEXT is over
// the receiver's RECEIVED plus 1, the messages in between are lost: a gap. If it is less,
// the receiver drops the first messages, as it has them. A client sends nothing of the
// application before its go; the server may send right behind fresh or resumed.
//
// Acknowledgements. A side that has passed messages on to the application says so: after
// 256 messages, 64 KiB, or one second after the first that is not acknowledged, and at
// once when it is asked. RECEIVED counts all messages of the session, so that an
// acknowledgement that is lost is made good by the next one. A side has at most 4,096
// messages and 1 MiB on their way: sent on a connection and not acknowledged. One message
// may be larger if it is alone. So the receiver can always read on, up to this much,
// while the application is busy: an acknowledgement never waits behind a message for
// ever.
//
// Tokens. A token has 32 characters of base64url: 192 random bits, of which the first 48
// are the same in each token of a server that shares a [Store]. It travels in the first
// message of a connection, and so neither in the URL nor in a header: proxies and servers
// write these into logs, and browsers cannot set headers. A wsource.Tracer sees it: let
// wsource.TraceHook leave out texts that begin with NUL. Each connection brings another
// token. The old one stays valid until the client's go has confirmed the new one, so that
// a connection that breaks in between does not lose the session. A token is good only for
// the client that it was given to: for connections with the same key of
// wsource.Admission. For any other it is unknown, and the server says expired, as it does
// for a token that was replaced; it tells its own program more ([TokenError]). A server
// that cannot find out whether there is such a session says nothing, and closes the
// connection with 1013: the client comes again.
//
// Ends. A connection that ends without end is an interruption: the session waits for the
// next connection, for the TTL. A close frame with 1000 is taken for an end, for clients
// that know no better. A side that ends the session sends end behind its last message.
// The other one acknowledges all messages before it, asks for the acknowledgement of its
// own messages, and closes the connection with CODE when it has that. If the connection
// breaks before, it is resumed for that; if the session is then unknown, the other side
// had got the end, or it had expired.
//
//	code   who closes   why
//	1002   both         a control message is wrong, comes at the wrong time, or has a number that cannot be
//	1008   server       the client did not offer the subprotocol
//	1008   both         more than a window is on its way
//	1013   server       there are too many sessions, or this one cannot be looked up
//	4408   server       no hello or resume in time
//	4409   server       another connection has taken the session over, here or on another server: do not come back
//	4410   server       behind expired
//	4413   both         the session has ended since its outbox is full
//
// The client's states:
//
//	              dial, hello            fresh: go 1
//	[no session] ------------> [greets] -------------> [live] <----------.
//	   ^   ^                                           |   |             |
//	   |   | end, 4409, 4413, 1000                     |   | it breaks   | resumed: go NEXT
//	   |   '-------------------------------------------'   v             |
//	   |                             dial, resume        [waits] --> [resumes]
//	   |      expired, TTL over                            ^ |           |
//	   '---------------------------------------------------|-+-----------'
//	                                       it breaks again '-------------'
//
// The server's:
//
//	       hello: fresh            go: the token is confirmed
//	[no session] --> [live, both tokens] ----------------> [live, one token]
//	                     ^    |                               |        |
//	resume by either:    |    | it breaks                     |        | resume: the old connection
//	resumed              |    v                               |        | is closed with 4409
//	                     +-- [waits] <------------------------'        |
//	                     ^    | TTL over, end                          |
//	                     |    v                                        |
//	                     |  [no session]                               |
//	                     '---------------------------------------------'
//
// # Limits
//
//	limit                                      default        set by
//	messages kept until acknowledged           4,096 messages or 1 MiB, and one message in any case   Outbox; then senders block
//	how long they are kept                     as long as the session    Outbox.Age
//	how long a session waits for a connection  2 minutes      ServerConfig.TTL
//	sessions of a server                       10,000; then 1013         ServerConfig.MaxSessions
//	from the handshake to hello, or its answer 10 s
//	from end to the close frame                5 s, and before that the TTL (at a client 2 minutes) until all is acknowledged
package session
