package program

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// named is a listener with the host of the address that it was given, which may be a
// name.
type named struct {
	net.Listener

	host string
}

// Hosts returns the name in -addr of a listener of [Flags.Listen], if it has one, for a
// handler that checks the Host by itself.
func Hosts(listener net.Listener) []string {
	if n, ok := listener.(*named); ok && n.host != "" {
		return []string{n.host}
	}
	return nil
}

// onlyFor answers requests that name the server by one of its names, and others with 421.
// A page elsewhere may have its own name point here (DNS rebinding). Its origin then
// matches the request's Host, so that the check of origins does not keep it out.
func onlyFor(listener net.Listener, next http.Handler) http.Handler {
	given := Hosts(listener)
	bound, port := split(listener.Addr().String())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, to := split(r.Host)
		if to == port && isName(host, bound, given) {
			next.ServeHTTP(w, r)
			return
		}
		problem := fmt.Sprintf("This server is at %s. It does not answer for %q.", listener.Addr(), r.Host)
		http.Error(w, problem, http.StatusMisdirectedRequest)
	})
}

// isName reports whether a host may name a server that is bound to an address, and was
// given a host for it. A page under an IP address comes from the server at that address,
// so a server that is bound to all addresses of its machine need not know which ones
// those are.
func isName(host, bound string, given []string) bool {
	if host == "" {
		return false
	}
	isHost := func(name string) bool { return strings.EqualFold(host, name) }
	if isHost("localhost") || isHost(bound) || slices.ContainsFunc(given, isHost) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	own, _ := netip.ParseAddr(bound) // the zero address if it is a name
	return ip.IsLoopback() || own.IsUnspecified()
}

// split returns the host and the port of an address. The port of HTTP may be left out.
func split(address string) (host, port string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return strings.Trim(address, "[]"), "80"
	}
	return host, port
}
