package program

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bound is a listener that is bound to an address.
type bound struct {
	net.Listener

	address string
}

func (b bound) Addr() net.Addr  { return b }
func (b bound) Network() string { return "tcp" }
func (b bound) String() string  { return b.address }

func TestOnlyItsOwnNames(t *testing.T) {
	for _, test := range []struct {
		listener   net.Listener
		own, other string // hosts, with blanks between them
	}{
		{
			bound{nil, "127.0.0.1:9003"},
			"127.0.0.1:9003 localhost:9003 LOCALHOST:9003 [::1]:9003 127.0.0.2:9003 [::ffff:127.0.0.1]:9003",
			"elsewhere.example:9003 elsewhere.example 127.0.0.1:9004 localhost 127.0.0.1.elsewhere.example:9003 " +
				"localhost.elsewhere.example:9003 192.0.2.1:9003 0.0.0.0:9003 :9003 [::2]:9003",
		},
		{
			&named{bound{nil, "192.0.2.1:80"}, "shop.example"},
			"192.0.2.1 192.0.2.1:80 shop.example Shop.Example:80 localhost [::1] 127.0.0.1",
			"elsewhere.example 192.0.2.2 shop.example:8080 shop.example.elsewhere.example",
		},
		{&named{bound{nil, "[::]:80"}, ""}, "192.0.2.1 [2001:db8::1]:80 localhost", "elsewhere.example 192.0.2.1:81"},
		{bound{nil, "server.test:80"}, "server.test", "elsewhere.test"},
	} {
		handler := onlyFor(test.listener, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		ask := func(host string) *httptest.ResponseRecorder {
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
			r.Host = host
			handler.ServeHTTP(w, r)
			return w
		}
		for host := range strings.FieldsSeq(test.own) {
			assert.Equal(t, http.StatusOK, ask(host).Code, "%s of %s", host, test.listener.Addr())
		}
		for host := range strings.FieldsSeq(test.other) {
			w := ask(host)
			assert.Equal(t, http.StatusMisdirectedRequest, w.Code, "%s of %s", host, test.listener.Addr())
			assert.Contains(t, w.Body.String(), "This server is at "+test.listener.Addr().String())
		}
		assert.Equal(t, http.StatusMisdirectedRequest, ask("").Code)
	}
}

func TestHosts(t *testing.T) {
	for addr, wanted := range map[string][]string{"localhost:0": {"localhost"}, "127.0.0.1:0": {"127.0.0.1"}, ":0": nil} {
		flags := NewFlags("x", addr)
		var out strings.Builder
		listener, err := flags.Listen(t.Context(), &out, Browse)
		require.NoError(t, err)
		assert.Equal(t, wanted, Hosts(listener), addr)
		assert.Regexp(t, `^open http://(localhost|127\.0\.0\.1):[1-9][0-9]*/ in a browser`, out.String(), addr)
		require.NoError(t, listener.Close())
	}
	assert.Nil(t, Hosts(bound{nil, "shop.example:80"}), "of a listener of another kind")
}
