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

	"github.com/rxsocket/rxsocket/wsource/internal/conn"
	"github.com/rxsocket/rxsocket/wsource/internal/frame"
)

// What of the body of a refusal is read, and how long at most it is waited for.
const (
	bodyStart = 512
	bodyWait  = time.Second
)

// handshake is the round tripper of one Dial. It judges redirects, negotiates compression,
// and keeps what a refusal said and the upgraded connection.
type handshake struct {
	transport http.RoundTripper
	redirects Redirects
	secrets   http.Header    // of the options
	jar       http.CookieJar // or nil
	params    frame.Params   // of compression: the wish, then the outcome
	hops      int
	strayed   bool     // a redirect has led away from the first server
	conn      net.Conn // that the transport uses, if it tells
	stream    conn.Stream
	header    http.Header
	err       *HandshakeError
}

func (h *handshake) RoundTrip(req *http.Request) (*http.Response, error) {
	if offer := h.params.Offer(); offer != "" {
		req = req.Clone(req.Context())
		req.Header.Set(frame.ExtensionsHeader, offer)
	}
	resp, err := h.transport.RoundTrip(req)
	if refusal, ok := errors.AsType[*proxyRefusalError](err); ok {
		h.err = &HandshakeError{Status: refusal.status, Header: refusal.header, Body: refusal.body, Err: ErrProxy}
		return nil, err
	}
	if err != nil {
		return nil, hideURL(err, req.URL)
	}
	if resp == nil {
		return nil, errNoResponse
	}
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	h.header = resp.Header
	redirected, problem := h.redirected(req, resp)
	if problem == nil && redirected {
		return resp, nil
	}
	if problem == nil {
		problem = verify(req, resp)
	}
	var params frame.Params
	if problem == nil {
		params, problem = h.params.Check(resp.Header.Values(frame.ExtensionsHeader))
	}
	rwc, writable := resp.Body.(io.ReadWriteCloser)
	if problem == nil && !writable {
		problem = fmt.Errorf("the transport's response body cannot be written to: %T", resp.Body)
	}
	if problem != nil {
		if cookies := resp.Cookies(); h.jar != nil && len(cookies) > 0 {
			h.jar.SetCookies(req.URL, cookies) // the HTTP client does so for what it is given
		}
		h.err = &HandshakeError{Status: resp.StatusCode, Header: resp.Header, Body: startOf(resp), Err: problem}
		return nil, problem
	}
	h.stream, h.params = conn.NewStream(rwc, h.conn), params
	resp.Body, resp.Header = standIn{}, resp.Header.Clone()
	resp.Header.Del(frame.ExtensionsHeader) // the library has offered none
	return resp, nil
}

// startOf reads the start of a refusal's body and closes it.
func startOf(resp *http.Response) string {
	defer resp.Body.Close() //nolint:errcheck // nothing more is wanted of it
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		return "" // what follows is not a body, and may never come
	case resp.StatusCode >= http.StatusMultipleChoices && resp.StatusCode < http.StatusBadRequest:
		return "" // it repeats the Location, which may hold secrets
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

// hiddenError is an error whose own text may hold a secret.
type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }
func (e *hiddenError) Unwrap() error { return e.err }

// hideURL returns the error of a request without the parts of its URL that may be secret.
func hideURL(err error, u *url.URL) error {
	for {
		ue, ok := errors.AsType[*url.Error](err) // which shows the whole URL
		if !ok {
			break
		}
		if err = ue.Err; err == nil {
			err = errors.New("the request failed")
		}
	}
	text := err.Error()
	shown := text
	if u.User != nil {
		shown = strings.ReplaceAll(shown, u.User.String()+"@", "")
		if password, _ := u.User.Password(); password != "" {
			shown = strings.ReplaceAll(shown, ":"+password+"@", "@")
		}
	}
	if u.RawQuery != "" {
		shown = strings.ReplaceAll(shown, "?"+u.RawQuery, "?...")
	}
	if fragment := u.EscapedFragment(); fragment != "" {
		shown = strings.ReplaceAll(shown, "#"+fragment, "")
	}
	if shown == text {
		return err
	}
	return &hiddenError{shown, err}
}

// acceptGUID is what RFC 6455, section 1.3, has appended to the key.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

var (
	// errNotWebSocket: the server's answer is not that of a WebSocket server.
	errNotWebSocket = errors.New("the server did not upgrade the connection to WebSocket")
	// errNoResponse: a round tripper broke its contract.
	errNoResponse = errors.New("the transport returned neither a response nor an error")
)

// verify reports what is wrong with the response to an opening handshake (RFC 6455,
// section 4.1). The library checks the same, but after a failure waits for a body that an
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
