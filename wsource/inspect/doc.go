// Package inspect shows what a running program does with its sockets: one page with the state of
// each socket and with the named streams as moving marbles, and the same as JSON.
//
//	inspector := inspect.New(nil)
//	defer inspector.Close()
//	server := &wsource.Server{Options: wsource.AcceptOptions{Hook: inspector.Hook()}}
//	http.Handle("/inspect/", inspector)
//
// The hook makes sockets known: those of a server, of Dial and of a Subject. Streams are those
// that operators.Named gives a name, from the subscriptions on that come after New. [Inspector.Add]
// shows a line about anything else, such as a hub.
//
// # Who may look
//
// Requests from other machines are refused with 403, and so are those that a proxy has passed on,
// unless the Config has Remote. A proxy is known by what it adds: Forwarded, a header that begins with X-Forwarded-,
// X-Real-IP or Via. One on this machine that adds none, as nginx with proxy_pass alone, cannot be told from who
// sits here: it must not pass this path on. A request has to name the server by an IP address, as localhost or
// by one of Hosts, so that no other site's name can be pointed here (DNS rebinding). Pages of
// other origins are refused. Who may look beyond that is decided by a middleware of the program's
// own, around the Inspector.
//
// No data is shown. A value is told by its type, unless Show makes a text of it: [ShowJSON] does,
// and hides fields by their names.
//
// # What it costs
//
// A nil *Inspector is one that is off: Hook returns nil, and it answers each request with 404. While
// there is an Inspector, a message costs an update of its socket's counters, and a value of a
// named stream two atomic additions. Values are looked at while somebody does: for [WatchTime]
// after each request, and at most PerSecond of a stream; where there are more than [MaxShown] streams, of
// those that an answer has shown in that time. The benchmarks print the figures:
//
//	go test -run '^$' -bench 'Inspector|Named' ./wsource/inspect ./operators
//
// What is kept and shown is bounded: see the constants. An Inspector starts no goroutine. It
// keeps no socket and no stream in memory that is over, but texts about the last ones.
//
// # The JSON
//
// GET state.json, beside the page, answers a [Snapshot]. Fields may be added; none changes its
// meaning while Version stays. The query of the request chooses what is shown:
//
//	since=N    marbles with a greater number than N; "marble" of the last answer
//	q=TEXT     sockets and streams that have the text in what is told of them
//	socket=ID  that socket, and the streams that belong to it
package inspect
