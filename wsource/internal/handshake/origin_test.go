package handshake_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
)

// originError has pages of origins connect to a host, and returns the refusal, or nil.
func originError(host string, origins []string, secure bool, patterns ...string) error {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Host = host
	r.Header["Origin"] = origins
	if secure {
		r.TLS = new(tls.ConnectionState)
	}
	return handshake.CheckOrigin(r, patterns)
}

// TestOwnOrigin checks which pages are the server's own: those of the same scheme, host
// and port (RFC 6454, section 5).
func TestOwnOrigin(t *testing.T) {
	for _, test := range []struct {
		host, origin string
		plain, tls   bool // whether it passes without and with TLS
	}{
		{"a.test", "http://a.test", true, false},
		{"a.test", "https://a.test", true, true},
		{"A.test", "https://a.TEST", true, true},
		{"a.test:80", "http://a.test", true, false},
		{"a.test", "http://a.test:80", true, false},
		{"a.test:443", "https://a.test", true, true},
		{"a.test", "https://a.test:443", true, true},
		{"a.test:", "https://a.test", true, true},
		{"a.test:8080", "http://a.test:8080", true, false},
		{"a.test:8080", "https://a.test:8080", true, true},
		{"a.test:8080", "https://a.test", false, false},
		{"a.test", "http://a.test:443", false, false},
		{"a.test:443", "http://a.test", false, false},
		{"a.test:80", "https://a.test", false, false},
		{"[::1]", "https://[::1]:443", true, true},
		{"[::1]:80", "http://[::1]", true, false},
		{"[0:0:0:0:0:0:0:1]", "https://[::1]", true, true},
		{"[::1]", "https://[::2]", false, false},
		{"127.0.0.1:1234", "http://127.0.0.1:1234", true, false},
		{"a.test", "https://b.test", false, false},
		{"a.test", "https://a.test.b.test", false, false},
		{"a.test", "https://a.test@b.test", false, false},
		{"a.test", "ftp://a.test", false, false},
		{"a.test", "a.test", false, false},
		{"a.test", "//a.test", false, false},
		{"a.test", "https://a.test https://b.test", false, false},
		{"a.test", "null", false, false},
		{"", "null", false, false},
		{"", "https://", false, false},
		{"", "file://", false, false},
		{"null", "null", false, false},
		{"a.test", "%zz", false, false},
		{"a.test", "", true, true},
	} {
		for _, secure := range []bool{false, true} {
			passes := test.plain && !secure || test.tls && secure
			err := originError(test.host, []string{test.origin}, secure)
			if passes {
				assert.NoError(t, err, "%+v TLS %v", test, secure)
			} else {
				assert.ErrorIs(t, err, handshake.ErrOrigin, "%+v TLS %v", test, secure)
			}
		}
	}
}

func TestOriginPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, origin string
		passes          bool
	}{
		{"page.test", "http://page.test", true},
		{"page.test", "https://page.test:443", true},
		{"PAGE.test", "https://page.TEST", true},
		{"page.test", "https://page.test:8443", false},
		{"page.test:8443", "https://page.test:8443", true},
		{"page.test:443", "https://page.test", true},
		{"page.test:443", "http://page.test", false},
		{"https://page.test:443", "https://page.test", true},
		{"https://page.test", "https://page.test:443", true},
		{"https://page.test", "http://page.test", false},
		{"https://page.test:80", "http://page.test", false},
		{"*.page.test", "https://a.page.test", true},
		{"*.page.test", "https://page.test", false},
		{"*.page.test", "https://a.page.test.evil.test", false},
		{"*.page.test", "https://evil.test/.page.test", false},
		{"localhost:*", "http://localhost:3000", true},
		{"localhost:*", "http://localhost", true},
		{"*://page.test", "http://page.test", true},
		{"*", "https://any.test:1", true},
		{"*", "null", false},
		{"*", "http://", false},
		{"null", "null", true},
		{"page.test", "app://page.test", false},
		{"app://page.test", "app://page.test", true},
		{"app://*", "app://page", true},
		{"file://", "file://", true},
		{"[::1]", "http://[::1]", true},
		{"[::1]", "http://1", false},
		{"[::1]:3000", "http://[::1]:3000", true},
		{"[::1]:3000", "http://[::1]", false},
		{"[::1]:*", "http://[0::1]:3000", true},
		{"https://[0:0::1]:443", "https://[::1]", true},
		{"https://[::1]", "http://[::1]", false},
		{"[ab].page.test", "http://a.page.test", true},
	} {
		err := originError("server.test", []string{test.origin}, false, "other.test", test.pattern)
		if test.passes {
			assert.NoError(t, err, "%+v", test)
		} else {
			assert.ErrorIs(t, err, handshake.ErrOrigin, "%+v", test)
		}
	}
}

// TestRefusedOriginsNameTheHost has the refusal show the two sides of the comparison:
// behind a proxy, the Host is often not the one that the page's author believes.
func TestRefusedOriginsNameTheHost(t *testing.T) {
	err := originError("127.0.0.1:8080", []string{"https://site.test"}, false)
	require.ErrorContains(t, err, `"https://site.test"`)
	require.ErrorContains(t, err, `Host is "127.0.0.1:8080"`)
	require.ErrorContains(t, originError("", []string{"null"}, false), "no Host")
	long := originError(strings.Repeat("h", 9999), []string{strings.Repeat("o", 9999)}, false)
	assert.Less(t, len(long.Error()), 1000)

	err = originError("site.test", []string{"http://site.test", "https://evil.test"}, false)
	require.ErrorIs(t, err, handshake.ErrOrigin, "one of two origins may be anybody's")
}
