package program

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// named is a listener with the host in the address that it was to listen on, which may be a name.
type named struct {
	net.Listener

	host string
}

// onlyFor answers requests that name the server as it may be named, and others with 421. A page
// elsewhere whose own name was made to point here (DNS rebinding) has an origin that matches the
// request's Host, so that the check of origins does not keep it out.
func onlyFor(listener net.Listener, next http.Handler) http.Handler {
	given := ""
	if n, ok := listener.(*named); ok {
		given = n.host
	}
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

// isName reports whether a server that is bound to an address, and was given a host for it, may be
// named by a host. A page under an IP address comes from the server at that address, so a server that
// is bound to all addresses of its machine need not know which ones those are.
func isName(host, bound, given string) bool {
	if host == "" {
		return false
	}
	if strings.EqualFold(host, "localhost") || strings.EqualFold(host, bound) || strings.EqualFold(host, given) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	own, _ := netip.ParseAddr(bound) // the zero address if it is a name
	return ip.IsLoopback() || own.IsUnspecified()
}

// split returns the host and the port of an address. HTTP's port needs not be said.
func split(address string) (host, port string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return strings.Trim(address, "[]"), "80"
	}
	return host, port
}
