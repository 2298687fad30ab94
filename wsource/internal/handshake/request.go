package handshake

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxTarget is how many bytes the target and the Host of a request may have: the socket
// keeps them.
const maxTarget = 64 << 10

// keySize is the length of a handshake's key (RFC 6455, section 4.1).
const keySize = 16

// maxShown is how many bytes an error shows of a text that the peer has chosen.
const maxShown = 200

// CheckRequest returns the problem with a request as a handshake (RFC 6455, section
// 4.2.1), and the status that says so.
func CheckRequest(r *http.Request) (status int, err error) {
	keys, versions := r.Header.Values("Sec-WebSocket-Key"), r.Header.Values("Sec-WebSocket-Version")
	switch {
	case r.ProtoMajor > 1:
		return http.StatusHTTPVersionNotSupported, fmt.Errorf("WebSocket needs HTTP/1.1, and the request came by %s", r.Proto)
	case !r.ProtoAtLeast(1, 1):
		return http.StatusUpgradeRequired, fmt.Errorf("WebSocket needs HTTP/1.1, and the request came by %s", r.Proto)
	case !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket"):
		return http.StatusUpgradeRequired, errors.New("the request is no WebSocket handshake: " +
			"it needs the headers Upgrade: websocket and Connection: Upgrade")
	case r.Method != http.MethodGet:
		return http.StatusMethodNotAllowed, fmt.Errorf("the method of a handshake is GET, not %q", shorten(r.Method))
	case announcesBody(r):
		return http.StatusBadRequest, errors.New("the handshake announces a body")
	case len(r.RequestURI)+len(r.Host) > maxTarget:
		return http.StatusRequestURITooLong, fmt.Errorf("the request's target is over %d bytes", maxTarget)
	case len(versions) == 1 && versions[0] != "" && versions[0] != "13":
		return http.StatusUpgradeRequired, fmt.Errorf("the version of WebSocket is %q, not 13", shorten(versions[0]))
	case len(versions) != 1 || versions[0] != "13":
		return http.StatusBadRequest, errors.New("the handshake needs one Sec-WebSocket-Version, which is 13")
	case len(keys) != 1 || !validKey(keys[0]):
		return http.StatusBadRequest, errors.New("the handshake needs one Sec-WebSocket-Key, of 16 bytes in base64")
	}
	return 0, nil
}

func validKey(key string) bool {
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key))
	return err == nil && len(decoded) == keySize
}

// announcesBody reports whether a request announces a body, which may never come.
func announcesBody(r *http.Request) bool {
	return r.ContentLength != 0 || len(r.TransferEncoding) > 0
}

// hasToken reports whether a header that is a list has the token, in any case.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for item := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(item), token) {
				return true
			}
		}
	}
	return false
}

// RequestURL returns the parts of a request's URL that may be shown.
func RequestURL(r *http.Request) string {
	u := url.URL{Scheme: "ws", Host: shorten(r.Host), Path: shorten(r.URL.Path)}
	if r.TLS != nil {
		u.Scheme = "wss"
	}
	return u.String()
}

// shorten cuts a text that the peer has chosen, for an error.
func shorten(s string) string {
	if len(s) > maxShown {
		return s[:maxShown] + "..."
	}
	return s
}

// maxKeptHeader is how many bytes of a handshake's header a socket keeps.
const maxKeptHeader = 64 << 10

// KeptRequest returns a copy of the request for as long as the socket lives. That may be
// long, and there may be tens of thousands of sockets. It keeps the values of the
// request's context, not its end, and of the header no more than maxKeptHeader bytes. It
// lets go of the memory that the header was parsed in.
func KeptRequest(r *http.Request) *http.Request {
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

// keptNames returns the names of the headers to keep, and how many values they have. If
// all are too much, the largest are left out.
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

// ofHandshake reports whether a header says no more than that the request is a handshake.
func ofHandshake(name string) bool {
	switch name {
	case "Connection", "Upgrade", "Sec-Websocket-Key", "Sec-Websocket-Version":
		return true
	}
	return false
}
