package handshake

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// AnswerTimeout bounds the writing of the response to a handshake.
const AnswerTimeout = 10 * time.Second

// Refuse answers a handshake with a text, the headers that go with the status, and own.
// The headers of own take the place of the status's. It returns the header of the answer.
func Refuse(w http.ResponseWriter, r *http.Request, status int, own http.Header, text string) http.Header {
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
			// Or net/http drops the Upgrade option.
			connection = append(connection, "close")
		}
	case http.StatusBadRequest:
		header.Set("Sec-WebSocket-Version", "13")
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", "1")
	}
	maps.Copy(header, own)
	if announcesBody(r) {
		connection = appendNew(connection, "close")
	}
	if len(connection) > 0 {
		header.Set("Connection", strings.Join(connection, ", "))
	}
	if !announcesBody(r) || !answerWithoutBody(w, status, text) {
		http.Error(w, text, status)
	}
	return header.Clone()
}

// answerWithoutBody keeps the HTTP server from waiting for a body, which it does before
// it answers and again afterwards. Where a middleware does not pass on the limit on the
// time, it answers the request itself, on the connection, and reports true. If neither
// can be done, the HTTP server's own limit remains.
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
	if conn.SetDeadline(time.Now().Add(AnswerTimeout)) == nil {
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
