package wsource

import (
	"cmp"
	"context"
	"net/http"
	"slices"
)

// maxKeptHeader is how many bytes of a handshake's header a socket keeps.
const maxKeptHeader = 64 << 10

// keptRequest returns a copy of the request for as long as the socket lives, which may be
// long, and tens of thousands of them. It keeps the values of the request's context, not its
// end, and of the header no more than maxKeptHeader bytes. It lets go of the memory that
// the header was parsed in.
func keptRequest(r *http.Request) *http.Request {
	kept := r.WithContext(context.WithoutCancel(r.Context()))
	kept.Body, kept.GetBody, kept.Trailer = http.NoBody, nil, nil
	names, count := keptNames(r.Header)
	kept.Header = make(http.Header, len(names))
	all := make([]string, 0, count)
	for _, name := range names {
		from := len(all)
		all = append(all, r.Header[name]...)
		kept.Header[name] = all[from:len(all):len(all)]
	}
	return kept
}

// keptNames returns the names of the headers to keep, and how many values they have. If all
// are too much, the largest are left out.
func keptNames(header http.Header) (names []string, count int) {
	total := 0
	names = make([]string, 0, len(header))
	for name, values := range header {
		if !ofHandshake(name) {
			names = append(names, name)
			count += len(values)
			total += headerSize(name, values)
		}
	}
	if total <= maxKeptHeader {
		return names, count
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(headerSize(a, header[a]), headerSize(b, header[b])), cmp.Compare(a, b))
	})
	total, count = 0, 0
	for i, name := range names {
		if total += headerSize(name, header[name]); total > maxKeptHeader {
			return names[:i], count
		}
		count += len(header[name])
	}
	return names, count
}

// headerSize returns how many bytes a header takes, with a separator and the end of the
// line for each value.
func headerSize(name string, values []string) int {
	size := 0
	for _, value := range values {
		size += len(name) + len(value) + len(": \r\n")
	}
	return size
}

// ofHandshake reports whether a header says nothing but that the request is a handshake.
func ofHandshake(name string) bool {
	switch name {
	case "Connection", "Upgrade", "Sec-Websocket-Key", "Sec-Websocket-Version":
		return true
	}
	return false
}
