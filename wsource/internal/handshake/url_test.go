package handshake_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/internal/handshake"
)

// FuzzRedact checks that the shown parts of a URL hold neither its user, its query nor
// its fragment.
func FuzzRedact(f *testing.F) {
	f.Add("ws", "user", "secret", "host:80", "/path", "token=secret", "fragment")
	f.Add("WSS", "us:er", "p@ss/", "[::1]:80", "//a?b", "#", "é")
	f.Add("/", "", "", "host", "", "", "")
	f.Fuzz(func(t *testing.T, scheme, user, password, host, path, query, fragment string) {
		const mark = "S3CR3T"
		u := url.URL{
			Scheme: scheme, User: url.UserPassword(mark+user, mark+password), Host: host, Path: path,
			RawQuery: mark + query, Fragment: mark + fragment,
		}
		if strings.Contains(scheme+host+path, mark) {
			t.Skip()
		}
		require.NotContains(t, handshake.Redact(u.String()), mark)
		require.NotPanics(t, func() { handshake.Redact(path + query) })
	})
}
