package handshake

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// hop is a proxy's word on the origin of a request, and on its scheme and host.
type hop struct{ from, scheme, host string }

// ThroughProxies returns the request as it was made to the outermost of the proxies that
// are believed: with the client's address, the Host that it asked for, and TLS or not.
// The proxies tell that in the header Forwarded (RFC 7239) if forwarded is true, and
// otherwise in those that begin with X-Forwarded.
func ThroughProxies(r *http.Request, proxies []netip.Prefix, forwarded bool) *http.Request {
	peer, ok := peerOf(r)
	if !ok || !trusted(peer.Addr(), proxies) {
		return r
	}
	var scheme, host string
	client := peer
	hops := xForwardedHops
	if forwarded {
		hops = forwardedHops
	}
	for _, hop := range hops(r.Header) {
		if hop.scheme != "" {
			scheme = strings.ToLower(hop.scheme)
		}
		if hop.host != "" {
			host = hop.host
		}
		from, ok := addressOf(hop.from)
		if !ok {
			break // an obfuscated identifier, or a client's invention
		}
		client = from
		if !trusted(from.Addr(), proxies) {
			break
		}
	}
	seen := *r
	if client != peer {
		seen.RemoteAddr = client.String()
	}
	if host != "" {
		seen.Host = host
	}
	switch {
	case scheme == "http" || scheme == "ws":
		seen.TLS = nil
	case (scheme == "https" || scheme == "wss") && r.TLS == nil:
		seen.TLS = new(tls.ConnectionState) // nothing else is known of the TLS
	}
	return &seen
}

// peerOf returns the address that a request came from.
func peerOf(r *http.Request) (address netip.AddrPort, ok bool) {
	if address, ok = addressOf(r.RemoteAddr); ok {
		return address, true
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return thisMachine, local != nil && local.Network() == "unix"
}

// thisMachine is the address of a client that connects by a Unix socket, which has none
// of its own.
//
//nolint:gochecknoglobals // it is a constant
var thisMachine = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0)

// trusted reports whether an address is that of a proxy that is believed.
func trusted(address netip.Addr, proxies []netip.Prefix) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// addressOf reads an address with or without a port, which is 0 then; "unix:" is nginx's
// word for a Unix socket.
func addressOf(text string) (address netip.AddrPort, ok bool) {
	if text == "unix:" {
		return thisMachine, true
	}
	if address, err := netip.ParseAddrPort(text); err == nil {
		return netip.AddrPortFrom(address.Addr().Unmap(), address.Port()), true
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	only, err := netip.ParseAddr(inner)
	return netip.AddrPortFrom(only.Unmap(), 0), err == nil
}

// xForwardedHops returns the hops that the proxies on the way have told by
// X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host, the nearest first.
func xForwardedHops(header http.Header) []hop {
	from := listOf(header, "X-Forwarded-For")
	scheme, host := listOf(header, "X-Forwarded-Proto"), listOf(header, "X-Forwarded-Host")
	hops := make([]hop, max(len(from), 1))
	for i := range hops {
		if len(from) > 0 {
			hops[i].from = from[i]
		}
		// A list as long as that of the addresses has an element for each hop. Otherwise
		// the nearest proxy has had the last word.
		if last := i == len(hops)-1; last || len(scheme) == len(hops) {
			hops[i].scheme = elementOf(scheme, i, len(hops))
		}
		if last := i == len(hops)-1; last || len(host) == len(hops) {
			hops[i].host = elementOf(host, i, len(hops))
		}
	}
	slices.Reverse(hops)
	return hops
}

// elementOf returns element i of a list that should have n, and its last one if it has
// not.
func elementOf(list []string, i, n int) string {
	switch len(list) {
	case 0:
		return ""
	case n:
		return list[i]
	}
	return list[len(list)-1]
}

// listOf returns the elements of a header that is a list. A quote means nothing in it.
func listOf(header http.Header, name string) (list []string) {
	for _, line := range header.Values(name) {
		for element := range strings.SplitSeq(line, ",") {
			if element = strings.TrimSpace(element); element != "" {
				list = append(list, element)
			}
		}
	}
	return list
}

// forwardedHops returns the hops that the proxies on the way have told by Forwarded (RFC
// 7239), the nearest first.
func forwardedHops(header http.Header) (hops []hop) {
	for _, line := range slices.Backward(header.Values("Forwarded")) {
		for line != "" {
			var element string
			if line, element = cutLastElement(line); strings.Trim(element, blanks) != "" {
				hops = append(hops, forwardedHop(element))
			}
		}
	}
	return hops
}

// blanks are the characters that may stand around the elements and pairs of a header.
const blanks = " \t"

// cutLastElement cuts a line of Forwarded around its last comma that is in no quoted
// string. It reads from the end, since the nearest proxy writes there: a quote that a
// client has sent farther left does not change where the proxy's element begins.
func cutLastElement(line string) (before, element string) {
	quoted := false
	for i := len(line) - 1; i >= 0; i-- {
		switch {
		case line[i] == ',' && !quoted:
			return line[:i], line[i+1:]
		case line[i] == '"' && (!quoted || !endsEscaping(line[:i])):
			quoted = !quoted
		}
	}
	return "", line
}

// endsEscaping reports whether a text ends with a backslash that no other one escapes.
func endsEscaping(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}

// forwardedHop reads an element of Forwarded (RFC 7239, section 4). An element that is
// malformed, or says one thing twice, says nothing.
func forwardedHop(element string) (h hop) {
	for element = strings.TrimLeft(element, blanks+";"); element != ""; element = strings.TrimLeft(element, blanks+";") {
		name, value, rest, ok := cutPair(element)
		if !ok {
			return hop{}
		}
		var field *string
		switch strings.ToLower(name) {
		case "for":
			field = &h.from
		case "proto":
			field = &h.scheme
		case "host":
			field = &h.host
		default:
			field = new(string)
		}
		if *field != "" {
			return hop{}
		}
		*field, element = value, rest
	}
	return h
}

// cutPair cuts the first pair off an element of Forwarded. A value that is not quoted may
// have a port and the brackets of an address, as some proxies write it.
func cutPair(element string) (name, value, rest string, ok bool) {
	name, value, ok = strings.Cut(element, "=")
	if !ok || strings.ContainsAny(name, blanks+`";,`) {
		return "", "", "", false
	}
	if quoted, isQuoted := strings.CutPrefix(value, `"`); isQuoted {
		value, rest, ok = cutQuoted(quoted)
	} else {
		value, rest, _ = strings.Cut(value, ";")
		value = strings.TrimRight(value, blanks)
		ok = !strings.ContainsAny(value, blanks+`",`)
	}
	return name, value, rest, ok
}

// cutQuoted returns the value of a quoted string whose opening quote was cut off (RFC
// 9110, section 5.6.4), and the rest behind it.
func cutQuoted(text string) (value, rest string, ok bool) {
	var unescaped strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			rest = strings.TrimLeft(text[i+1:], blanks)
			return unescaped.String(), rest, rest == "" || rest[0] == ';'
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
		}
		unescaped.WriteByte(text[i])
	}
	return "", "", false
}

// clientAddr returns the address of a request's client, on a connection. If a proxy has
// told another one, it is that one.
func clientAddr(r *http.Request, conn net.Conn) net.Addr {
	own := conn.RemoteAddr()
	if own != nil && own.String() == r.RemoteAddr {
		return own
	}
	if address, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return net.TCPAddrFromAddrPort(address)
	}
	return own
}
