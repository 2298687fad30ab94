package handshake

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
)

// nullOrigin is the Origin of a page that has none of its own, such as one in a sandbox
// (RFC 6454, section 7.3).
const nullOrigin = "null"

// webOrigin is an origin of RFC 6454, section 4, in one spelling: lower case, the port
// written out where the scheme has a default one, an IPv6 address in its short form.
type webOrigin struct{ scheme, host, port string }

// parseOrigin reads the value of an Origin header.
func parseOrigin(value string) (o webOrigin, ok bool) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return webOrigin{}, false
	}
	o = newOrigin(u.Scheme, u.Host)
	return o, o.host != "" || defaultPort(o.scheme) == "" // file:// has no host
}

// newOrigin returns the origin of a scheme and an authority, a host with or without a
// port.
func newOrigin(scheme, authority string) webOrigin {
	host, port := splitAuthority(strings.ToLower(authority))
	scheme = strings.ToLower(scheme)
	if port == "" {
		port = defaultPort(scheme)
	}
	return webOrigin{scheme, host, port}
}

// splitAuthority separates a host and its port; an IPv6 address keeps its brackets.
func splitAuthority(authority string) (host, port string) {
	host, port = authority, ""
	if i := strings.LastIndexByte(authority, ':'); i >= 0 && !strings.Contains(authority[i:], "]") {
		host, port = authority[:i], authority[i+1:]
	}
	if address, ok := bracketed(host); ok {
		host = "[" + address.String() + "]"
	}
	return host, port
}

// bracketed returns the IPv6 address that host holds in brackets, if it is one.
func bracketed(host string) (address netip.Addr, ok bool) {
	inner, opened := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !opened || !closed {
		return address, false
	}
	address, err := netip.ParseAddr(inner)
	return address, err == nil && address.Is6()
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	}
	return ""
}

// matches reports whether a pattern of origins allows the origin.
func (o webOrigin) matches(pattern string) bool {
	scheme, authority, hasScheme := strings.Cut(strings.ToLower(pattern), "://")
	if hasScheme {
		if !glob(scheme, o.scheme) {
			return false
		}
	} else {
		authority = scheme
		if o.scheme != "http" && o.scheme != "https" {
			return false
		}
	}
	if host, port := splitAuthority(authority); strings.HasPrefix(host, "[") {
		if _, ok := bracketed(host); ok { // an address, and no class of characters
			return host == o.host && (glob(port, o.port) || port == "" && o.port == defaultPort(o.scheme))
		}
	}
	if o.port == defaultPort(o.scheme) && glob(authority, o.host) {
		return true
	}
	return o.port != "" && glob(authority, o.host+":"+o.port)
}

// glob matches a pattern that PatternProblem has checked.
func glob(pattern, s string) bool {
	ok, err := path.Match(pattern, s)
	return ok && err == nil
}

// PatternProblem returns the problem with a pattern of origins, or "".
func PatternProblem(pattern string) string {
	scheme, authority, hasScheme := strings.Cut(pattern, "://")
	if !hasScheme {
		scheme, authority = "", pattern
	}
	host, port := splitAuthority(authority)
	if _, ok := bracketed(host); ok {
		authority = port
	}
	for _, part := range []string{scheme, authority} {
		if _, err := path.Match(part, ""); err != nil {
			return fmt.Sprintf("has a malformed origin pattern: %q", pattern)
		}
	}
	return ""
}

// CheckOrigin returns an error with ErrOrigin if a browser's page may not connect from
// its origin (RFC 6455, section 10.2): the origin is not the request's own host, and no
// pattern allows it.
func CheckOrigin(r *http.Request, patterns []string) error {
	values := r.Header.Values("Origin")
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return nil // the client is no browser
	}
	if len(values) == 1 && originAllowed(r, values[0], patterns) {
		return nil
	}
	own := "not known, since the request has no Host"
	if r.Host != "" {
		own = fmt.Sprintf("%q", shorten(r.Host))
	}
	return fmt.Errorf("%w: %q: the server's own Host is %s, and none of Origins allows it",
		ErrOrigin, shorten(strings.Join(values, ", ")), own)
}

func originAllowed(r *http.Request, value string, patterns []string) bool {
	if value == nullOrigin {
		return slices.Contains(patterns, nullOrigin)
	}
	origin, ok := parseOrigin(value)
	if !ok {
		return false
	}
	return ownOrigin(r, origin) || slices.ContainsFunc(patterns, origin.matches)
}

// ownOrigin reports whether the origin is that of the request's own host. A page that
// came without TLS does not pass if the request came with TLS. The reverse passes: a
// proxy in front of the server may have ended the TLS.
func ownOrigin(r *http.Request, origin webOrigin) bool {
	switch {
	case r.Host == "":
		return false
	case origin.scheme == "https", origin.scheme == "http" && r.TLS == nil:
		return origin == newOrigin(origin.scheme, r.Host)
	}
	return false
}

// sameAuthority reports whether two URLs name one host and port.
func sameAuthority(a, b *url.URL) bool {
	return newOrigin(a.Scheme, a.Host).authority() == newOrigin(b.Scheme, b.Host).authority()
}

func (o webOrigin) authority() string { return net.JoinHostPort(strings.Trim(o.host, "[]"), o.port) }
