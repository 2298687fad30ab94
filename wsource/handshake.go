package wsource

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 prescribes it; nothing depends on its strength
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/wsource/internal/wire"
)

// What of the body of a refusal is read, and how long at most it is waited for.
const (
	bodyStart = 512
	bodyWait  = time.Second
)

// handshake is the round tripper of one Dial. It bounds the redirects, keeps what a
// refusal said and puts the wire under an upgraded connection.
type handshake struct {
	transport http.RoundTripper
	hops      int
	conn      net.Conn // that the transport uses, if it tells
	wire      *wire.Conn
	header    http.Header
	err       *HandshakeError
}

func (h *handshake) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := h.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	h.header = resp.Header
	redirected, problem := h.redirected(req, resp)
	if problem == nil && redirected {
		return resp, nil
	}
	if problem == nil {
		problem = verify(req, resp)
	}
	rwc, writable := resp.Body.(io.ReadWriteCloser)
	if problem == nil && !writable {
		problem = fmt.Errorf("the transport's response body cannot be written to: %T", resp.Body)
	}
	if problem != nil {
		h.err = &HandshakeError{Status: resp.StatusCode, Header: resp.Header, Body: startOf(resp), Err: problem}
		return nil, problem
	}
	h.wire = wire.New(rwc, h.conn, true, nil)
	resp.Body = h.wire
	return resp, nil
}

// redirected reports whether the client is to follow the response to another server.
func (h *handshake) redirected(req *http.Request, resp *http.Response) (bool, error) {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
	default:
		return false, nil
	}
	location := resp.Header.Get("Location")
	if location == "" {
		return false, nil
	}
	if _, err := req.URL.Parse(location); err != nil {
		return false, errLocation
	}
	if h.hops++; h.hops > maxRedirects {
		return false, ErrTooManyRedirects
	}
	return true, nil
}

// startOf reads the start of a refusal's body and closes it.
func startOf(resp *http.Response) string {
	defer resp.Body.Close() //nolint:errcheck // nothing more is wanted of it
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return "" // what follows is not a body, and may never come
	}
	timer := time.AfterFunc(bodyWait, func() { _ = resp.Body.Close() })
	defer timer.Stop()
	start, _ := io.ReadAll(io.LimitReader(resp.Body, bodyStart)) // what came of it
	return string(start)
}

// redact returns the parts of a URL that may be shown. Of one that is not for WebSocket, it cannot be known
// which parts those are.
func redact(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme) {
		return "an invalid URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// acceptGUID is what RFC 6455, section 1.3, has appended to the key.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

var (
	// errNotWebSocket: the server's answer is not that of a WebSocket server.
	errNotWebSocket = errors.New("the server did not upgrade the connection to WebSocket")
	// errLocation: a redirect leads nowhere. Its Location may hold secrets.
	errLocation = errors.New("the Location of a redirect cannot be parsed")
)

// verify reports what is wrong with the response to an opening handshake (RFC 6455,
// section 4.1). The library checks much of the same, but after a failure waits for a body that an
// upgraded connection does not have.
func verify(req *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return errNotWebSocket
	}
	for _, need := range [...]struct{ header, token string }{{"Upgrade", "websocket"}, {"Connection", "upgrade"}} {
		if !hasToken(resp.Header, need.header, need.token) {
			return fmt.Errorf("%w: its %s header is %q", errNotWebSocket, need.header, resp.Header.Get(need.header))
		}
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + acceptGUID)) //nolint:gosec // as above
	if resp.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return fmt.Errorf("%w: its Sec-WebSocket-Accept header does not match the key", errNotWebSocket)
	}
	const protocol = "Sec-WebSocket-Protocol"
	if chosen := resp.Header.Get(protocol); chosen != "" && !hasToken(req.Header, protocol, chosen) {
		return fmt.Errorf("the server chose subprotocol %q, which was not offered", chosen)
	}
	return verifyExtensions(req, resp)
}

// verifyExtensions reports what is wrong with the extensions that the server chose.
func verifyExtensions(req *http.Request, resp *http.Response) error {
	offered := len(req.Header.Values(extensionsHeader)) > 0
	chosen := splitExtensions(resp.Header.Values(extensionsHeader))
	if len(chosen) > 1 || slices.ContainsFunc(chosen, func(e string) bool { return !offered || !validDeflate(e, true) }) {
		return fmt.Errorf("the server chose extensions that were not offered: %q", strings.Join(chosen, ", "))
	}
	return nil
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
