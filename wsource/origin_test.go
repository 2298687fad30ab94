package wsource_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource"
)

// originError has a page of an origin connect to a host, and returns the refusal.
func originError(host, origin string, secure bool, patterns ...string) error {
	r := handshakeRequest()
	r.Host = host
	r.Header["Origin"] = []string{origin}
	if secure {
		r.TLS = new(tls.ConnectionState)
	}
	// A request that passes the check of its origin is refused for its writer.
	_, err := wsource.Accept(httptest.NewRecorder(), r, &wsource.AcceptOptions{Origins: patterns})
	return err
}

// TestOwnOrigin checks which pages are the server's own: those of the same scheme, host and
// port (RFC 6454, section 5).
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
			err := originError(test.host, test.origin, secure)
			require.Error(t, err)
			assert.Equal(t, passes, !assert.ErrorIs(new(testing.T), err, wsource.ErrOrigin), "%+v TLS %v", test, secure)
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
		err := originError("server.test", test.origin, false, "other.test", test.pattern)
		require.Error(t, err)
		assert.Equal(t, test.passes, !assert.ErrorIs(new(testing.T), err, wsource.ErrOrigin), "%+v", test)
	}
}

// TestRefusedOriginsNameTheHost has the refusal say what was compared: behind a proxy, the
// Host is often not what the page's author believes.
func TestRefusedOriginsNameTheHost(t *testing.T) {
	err := originError("127.0.0.1:8080", "https://site.test", false)
	he := requireHandshake(t, err, http.StatusForbidden)
	assert.Contains(t, he.Error(), `"https://site.test"`)
	assert.Contains(t, he.Error(), `Host is "127.0.0.1:8080"`)
	assert.Contains(t, originError("", "null", false).Error(), "no Host")
	assert.Less(t, len(originError(strings.Repeat("h", 9999), strings.Repeat("o", 9999), false).Error()), 1000)

	r := handshakeRequest()
	r.Header["Origin"] = []string{"http://" + host, "https://evil.test"}
	_, err = wsource.Accept(httptest.NewRecorder(), r, nil)
	require.ErrorIs(t, err, wsource.ErrOrigin, "one of two origins may be anybody's")
}
