package wsource_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
)

// TestProxyByAUnixSocket has a proxy on this machine connect by a Unix socket: it counts
// as 127.0.0.1.
func TestProxyByAUnixSocket(t *testing.T) {
	for name, test := range map[string]struct {
		proxy  string
		said   http.Header // the proxy's headers
		remote string      // the address that the server sees
		host   string
	}{
		"in the list": {
			"127.0.0.1/32", http.Header{"X-Forwarded-For": {"9.9.9.9, 1.2.3.4"}, "X-Forwarded-Host": {"site.test"}},
			"1.2.3.4:0", "site.test",
		},
		"behind another one": {
			"127.0.0.1/32", http.Header{"X-Forwarded-For": {"1.2.3.4, unix:"}, "X-Forwarded-Host": {"site.test"}},
			"1.2.3.4:0", "site.test",
		},
		"without a word of the client": {"127.0.0.1/32", http.Header{}, "", "site.internal"},
		"not in the list": {
			"10.0.0.0/8", http.Header{"X-Forwarded-For": {"1.2.3.4"}, "X-Forwarded-Host": {"site.test"}}, "", "site.internal",
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			listener, err := net.Listen("unix", path) //nolint:noctx // it does not block
			require.NoError(t, err)
			server := &wsource.Server{Options: wsource.AcceptOptions{Proxies: []netip.Prefix{netip.MustParsePrefix(test.proxy)}}}
			sockets := make(chan *wsource.Socket, 1)
			server.Connections().Subscribe(context.Background(), observable.ObserverFuncs[*wsource.Socket]{
				OnNext: func(s *wsource.Socket) { sockets <- s },
			})
			go func() { _ = server.Serve(listener) }()
			client, err := wsource.Dial(t.Context(), "ws://site.internal", &wsource.DialOptions{
				Header: test.said,
				Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "unix", path)
				}},
			})
			require.NoError(t, err)
			defer client.CloseNow()
			s := <-sockets
			assert.Equal(t, test.host, s.Request().Host)
			if test.remote != "" {
				assert.Equal(t, test.remote, s.RemoteAddr().String())
				assert.Equal(t, test.remote, s.Request().RemoteAddr)
			} else {
				assert.Equal(t, "unix", s.RemoteAddr().Network())
			}
			require.NoError(t, server.Shutdown(context.Background()))
		})
	}
}
