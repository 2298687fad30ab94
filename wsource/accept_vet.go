package wsource

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxTarget is how many bytes the target and the Host of a request may have: the socket
// keeps them.
const maxTarget = 64 << 10

// keySize is the length of a handshake's key (RFC 6455, section 4.1).
const keySize = 16

// vet looks at what of a handshake can be judged before the connection is taken over. It
// answers a request that is refused, and returns nil for any other.
func vet(w http.ResponseWriter, r *http.Request, opts *AcceptOptions) *HandshakeError {
	if problem := opts.problem(); problem != "" {
		return refuse(w, r, opts.Hook, http.StatusInternalServerError, argument("Accept", "options", problem))
	}
	if status, err := checkRequest(r); err != nil {
		return refuse(w, r, opts.Hook, status, err)
	}
	if err := checkOrigin(r, opts.Origins); err != nil {
		return refuse(w, r, opts.Hook, http.StatusForbidden, err)
	}
	if inBrowser {
		return refuse(w, r, opts.Hook, http.StatusNotImplemented, errAccept)
	}
	if hijacker, innermost := hijackerOf(w); hijacker == nil {
		return refuse(w, r, opts.Hook, http.StatusNotImplemented, cannotHijack(innermost, nil))
	}
	return nil
}

// checkRequest tells what is wrong with a request as a handshake (RFC 6455, section 4.2.1),
// and the status that says so.
func checkRequest(r *http.Request) (status int, err error) {
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

// announcesBody reports whether a request says that a body follows, which may never come.
func announcesBody(r *http.Request) bool {
	return r.ContentLength != 0 || len(r.TransferEncoding) > 0
}

// refuse answers a handshake with the headers that go with the status, and tells the hook.
func refuse(w http.ResponseWriter, r *http.Request, hook Hook, status int, err error) *HandshakeError {
	header := w.Header()
	var connection []string
	switch status {
	case http.StatusMethodNotAllowed:
		header.Set("Allow", http.MethodGet) // RFC 9110, section 15.5.6
	case http.StatusUpgradeRequired:
		header.Set("Upgrade", "websocket")         // RFC 9110, section 15.5.22
		header.Set("Sec-WebSocket-Version", "13")  // RFC 6455, section 4.4
		connection = append(connection, "Upgrade") // RFC 9110, section 7.8
		if r.Close {
			connection = append(connection, "close") // or net/http drops the other option
		}
	case http.StatusBadRequest:
		header.Set("Sec-WebSocket-Version", "13")
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", "1")
	}
	text := err.Error()
	if refusal, ok := errors.AsType[*RefusalError](err); ok {
		text = refusal.answer(header)
	} else if status >= http.StatusInternalServerError {
		text = http.StatusText(status) // what is wrong here is no business of the client's
	}
	if announcesBody(r) {
		connection = appendNew(connection, "close")
	}
	if len(connection) > 0 {
		header.Set("Connection", strings.Join(connection, ", "))
	}
	if !announcesBody(r) || !answerWithoutBody(w, status, text) {
		http.Error(w, text, status)
	}
	return refused(hook, &HandshakeError{
		URL: requestURL(r), Remote: r.RemoteAddr, Status: status, Header: header.Clone(), Err: err,
	})
}

// answerWithoutBody keeps the HTTP server from waiting for a body, which it does before it
// answers and again afterwards. It reports whether it has answered the request itself: on the
// connection, where a middleware does not pass on the limit on the time. If neither can be
// done, the HTTP server's own limit remains.
func answerWithoutBody(w http.ResponseWriter, status int, text string) bool {
	if http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) == nil {
		return false
	}
	hijacker, _ := hijackerOf(w)
	if hijacker == nil {
		return false
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return false
	}
	defer conn.Close() //nolint:errcheck // nothing more is wanted of it
	response := http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: w.Header().Clone(),
		Body: io.NopCloser(strings.NewReader(text + "\n")), ContentLength: int64(len(text) + 1),
	}
	response.Header.Set("Content-Type", "text/plain; charset=utf-8")
	if conn.SetDeadline(time.Now().Add(answerTimeout)) == nil {
		_ = response.Write(conn) // a client that has gone misses nothing
	}
	return true
}

// appendNew appends an option unless it is there.
func appendNew(options []string, option string) []string {
	if slices.Contains(options, option) {
		return options
	}
	return append(options, option)
}

// requestURL returns the parts of a request's URL that may be shown.
func requestURL(r *http.Request) string {
	u := url.URL{Scheme: "ws", Host: shorten(r.Host), Path: shorten(r.URL.Path)}
	if r.TLS != nil {
		u.Scheme = "wss"
	}
	return u.String()
}
