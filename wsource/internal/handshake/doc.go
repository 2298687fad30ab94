// Package handshake makes opening handshakes (RFC 6455, section 4): it judges, answers
// and refuses those of clients, and makes those with servers, through proxies and
// redirects. It knows nothing of a connection's later life. The options and the types of
// errors that a user sees are those of package wsource, which hands over the values that
// a handshake needs.
package handshake

import "errors"

// The causes that errors of this package wrap.
var (
	// ErrOrigin: the Origin of a handshake is not allowed.
	ErrOrigin = errors.New("the origin is not allowed")
	// ErrTooManyRedirects: a handshake was redirected more often than maxRedirects.
	ErrTooManyRedirects = errors.New("too many redirects")
	// ErrRedirect: the options do not follow a redirect of the handshake.
	ErrRedirect = errors.New("the redirect is not followed")
	// ErrProxy: a proxy refused to connect to the server.
	ErrProxy = errors.New("the proxy refused to connect to the server")
	// ErrNotHTTP: the server's answer is no HTTP response.
	ErrNotHTTP = errors.New("the server does not speak HTTP")
	// ErrHeaderTooBig: the header of a response, of the server or a proxy, is over the
	// limit.
	ErrHeaderTooBig = errors.New("the header of the response is over the limit")
)
