package handshake

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// maxRedirects is how many redirects a handshake follows.
const maxRedirects = 10

// Redirects chooses the redirects that a handshake follows, up to maxRedirects of them.
type Redirects uint8

// The kinds of redirects.
const (
	// RedirectsSameHost follows those to the same host and port, and over to TLS there.
	RedirectsSameHost Redirects = iota
	RedirectsNone               // none
	// RedirectsAll follows every one, without headers that are none of the next server's
	// business.
	RedirectsAll
)

// errLocation: a redirect leads nowhere. Its Location may hold secrets.
var errLocation = errors.New("the Location of a redirect cannot be used")

// redirected reports whether the client is to follow the response to another server.
func (c *client) redirected(req *http.Request, resp *http.Response) (bool, error) {
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
	target, err := req.URL.Parse(location)
	if err != nil || URLProblem(target.String()) != "" {
		return false, errLocation
	}
	to := (&url.URL{Scheme: target.Scheme, Host: target.Host}).String()
	stray := ""
	switch {
	case secure(req.URL) && !secure(target):
		stray = "from TLS to plain text"
	case !sameHost(req.URL, target):
		stray = "to another host or port"
	}
	switch {
	case c.Redirects == RedirectsNone:
		return false, fmt.Errorf("%w: to %s: DialOptions.Redirects follows none", ErrRedirect, to)
	case c.Redirects == RedirectsSameHost && stray != "":
		return false, fmt.Errorf("%w: to %s: %s, which DialOptions.Redirects does not follow", ErrRedirect, to, stray)
	}
	c.strayed = c.strayed || stray != ""
	if c.hops++; c.hops > maxRedirects {
		return false, ErrTooManyRedirects
	}
	return true, nil
}

// leave takes headers out of the next request that are none of the next server's
// business. The HTTP client calls it, with most headers of the first request.
func (c *client) leave(req *http.Request, _ []*http.Request) error {
	for name, values := range c.Header {
		switch {
		case strings.EqualFold(name, "Referer"), c.strayed && !strings.EqualFold(name, "User-Agent"):
			delete(req.Header, name) // in whatever case it is
		case c.Jar == nil && len(req.Header.Values(name)) == 0:
			// The client takes a host in another case for another host.
			req.Header[name] = values
		}
	}
	req.Header.Del("Referer") // it has the query of the URL before
	if !c.strayed {
		return nil
	}
	for _, name := range [...]string{"Authorization", "Cookie", "Sec-WebSocket-Protocol"} {
		req.Header.Del(name)
	}
	return nil
}

func secure(u *url.URL) bool { return u.Scheme == "https" || u.Scheme == "wss" }

// sameHost reports whether a redirect stays at a host and port, or goes over to TLS
// there.
func sameHost(from, to *url.URL) bool {
	return sameAuthority(from, to) || !secure(from) && secure(to) && strings.EqualFold(from.Hostname(), to.Hostname())
}
