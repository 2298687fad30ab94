// Package inspect shows the sockets of a running program: one page with the state of each
// socket and with the named streams as moving marbles, and the same as JSON.
//
//	inspector := inspect.New(nil)
//	defer inspector.Close()
//	server := &wsource.Server{Options: wsource.AcceptOptions{Hook: inspector.Hook()}}
//	http.Handle("/inspect/", inspector)
//
// The hook makes sockets known: the sockets of a server, of Dial and of a Subject. The
// page shows the streams that operators.Named gives a name, from the first subscription
// after New on. [Inspector.Add] shows a line about anything else, such as a hub.
//
// # Access
//
// Requests from other machines are refused with 403, and so are requests through a proxy,
// unless the Config has Remote. A proxy is known by the headers that it adds: Forwarded,
// a header that begins with X-Forwarded-, X-Real-IP or Via. A proxy on this machine that
// adds none, as nginx with proxy_pass alone, looks like a local user: it must not pass
// this path on. A request has to name the server by an IP address, as localhost or by one
// of Hosts, so that no other site's name can be pointed here (DNS rebinding). Pages of
// other origins are refused. For further rules, put a middleware of the program's own
// around the Inspector.
//
// No data is shown. The page names a value's type, unless Show makes a text of the value:
// [ShowJSON] does, and hides fields by their names.
//
// # Costs
//
// A nil *Inspector is off: its Hook returns nil, and it answers each request with 404.
// While there is an Inspector, a message costs an update of its socket's counters, and a
// value of a named stream two atomic additions. The Inspector looks at values only for
// [WatchTime] after each request, and at most at PerSecond values of a stream; with more
// than [MaxShown] streams, only at values of streams that an answer has shown in that
// time. The benchmarks print the figures:
//
//	go test -run '^$' -bench 'Inspector|Named' ./wsource/inspect ./operators
//
// The constants bound the things that it keeps and shows. An Inspector starts no
// goroutine. It keeps no socket and no stream that is over in memory, only texts about
// the last ones.
//
// # The JSON
//
// GET state.json, beside the page, answers a [Snapshot]. Fields may be added; none
// changes its meaning while Version stays. The query of the request chooses the part to
// show:
//
//	since=N    marbles with a greater number than N; "marble" of the last answer
//	q=TEXT     sockets and streams with the text in their details
//	socket=ID  that socket, and the streams that belong to it
package inspect
