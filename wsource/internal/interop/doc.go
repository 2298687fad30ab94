// Package interop has no code but tests: sockets of wsource talk to other people's
// software, as a server and as a client.
//
// A peer is a process: a script in the folder peers, one for each library, that obeys
// commands. The scenarios are written once, in Go; a script is an adapter and has none.
// A command comes in a line of JSON on standard input:
//
//	{"do": "listen", "id": 1, "protocols": ["chat"], "deflate": null}
//	{"do": "dial", "id": 1, "url": "ws://127.0.0.1:4711", "protocols": [], "deflate": {}}
//	{"do": "send", "id": 1, "type": "text", "data": "hello", "times": 1}
//	{"do": "send", "id": 1, "type": "binary", "data": "AAH/", "times": 1000}
//	{"do": "parts", "id": 1, "parts": ["a message ", "in fragments"]}
//	{"do": "count", "id": 1, "to": 10000}
//	{"do": "ping", "id": 1, "texts": ["one", "another behind it"]}
//	{"do": "close", "id": 1, "code": 4001, "reason": "enough"}
//	{"do": "cut", "id": 1}
//	{"do": "forget", "id": 1}
//
// The id stands for one listener or dial and its connection. "deflate" has the parameters
// of permessage-deflate by their names in RFC 7692; null is no compression. "times"
// repeats the data, so that a large message makes a short line. "count" sends the numbers
// below "to", each as a text. A close with the code 0 has none. "cut" breaks the
// connection off without a close frame; "forget" gives up everything of the id. Events
// come in lines of JSON on standard output:
//
//	{"event": "ready", "version": "8.23.0"}
//	{"event": "listening", "id": 1, "port": 4711}
//	{"event": "open", "id": 1, "protocol": "chat", "compressed": false}
//	{"event": "message", "id": 1, "type": "text", "data": "hello"}
//	{"event": "message", "id": 1, "type": "binary", "size": 1048576, "crc32": 3632233996}
//	{"event": "pong", "id": 1, "data": "one"}
//	{"event": "close", "id": 1, "code": 4001, "reason": "enough"}
//	{"event": "failed", "id": 1, "error": "what went wrong"}
//
// A message of more than 64 KiB is told by its size and its checksum. RxJS has the
// commands "subscribe" and "unsubscribe" besides, with a "topic", and the events "value"
// and "end" of a topic, for multiplex.
//
// A new peer is a script, a row in the table of peers_test.go, and a row in the table of
// wsource/README.md, which a test compares. A scenario that a peer cannot do is a limit
// in its row, with the reason.
package interop
