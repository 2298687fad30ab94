package inspect_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/wsource/inspect"
)

// TestWhoMayLook sends requests from everywhere.
func TestWhoMayLook(t *testing.T) {
	local, remote := newInspector(t, nil), newInspector(t, &inspect.Config{Remote: true, Hosts: []string{"Ops.example"}})
	const state, page = "/inspect/state.json", "/inspect/"
	for name, test := range map[string]struct {
		path, from, host string
		header           http.Header
		local, remote    int // the status
	}{
		"this machine":         {path: state, local: 200, remote: 200},
		"by IPv6":              {path: state, from: "[::1]:9", host: "[::1]:80", local: 200, remote: 200},
		"by mapped IPv4":       {path: state, from: "[::ffff:127.0.0.1]:9", host: "127.0.0.1", local: 200, remote: 200},
		"another machine":      {path: state, from: "192.0.2.7:9", host: "192.0.2.1", local: 403, remote: 200},
		"the page, too":        {path: page, from: "192.0.2.7:9", host: "192.0.2.1", local: 403, remote: 200},
		"no address":           {path: state, from: "@", local: 403, remote: 200},
		"a proxy here":         {path: state, header: http.Header{"X-Forwarded-For": {"192.0.2.7"}}, local: 403, remote: 200},
		"another proxy":        {path: state, header: http.Header{"Forwarded": {"for=192.0.2.7"}}, local: 403, remote: 200},
		"one that says little": {path: state, header: http.Header{"X-Forwarded-Proto": {"https"}}, local: 403, remote: 200},
		"a rebound name":       {path: state, host: "evil.example", local: 421, remote: 421},
		"a rebound page":       {path: page, host: "evil.example:80", local: 421, remote: 421},
		"a name of its own":    {path: state, host: "ops.example:80", local: 421, remote: 200},
		"no name":              {path: state, host: "", local: 421, remote: 421},
		"its own page": {path: state, header: http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://localhost:8080"}},
			local: 200, remote: 200},
		"another origin": {path: state, header: http.Header{"Origin": {"http://evil.example"}}, local: 403, remote: 403},
		"another port":   {path: state, header: http.Header{"Origin": {"http://localhost:1"}}, local: 403, remote: 403},
		"no origin":      {path: state, header: http.Header{"Origin": {"null"}}, local: 403, remote: 403},
		"another site":   {path: state, header: http.Header{"Sec-Fetch-Site": {"cross-site"}}, local: 403, remote: 403},
		"the same site":  {path: state, header: http.Header{"Sec-Fetch-Site": {"same-site"}}, local: 403, remote: 403},
		"a link to the page": {path: page, header: http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}},
			local: 200, remote: 200},
		"a link to the state": {path: state, header: http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}},
			local: 403, remote: 403},
	} {
		t.Run(name, func(t *testing.T) {
			for i, status := range map[*inspect.Inspector]int{local: test.local, remote: test.remote} {
				r := request(http.MethodGet, test.path)
				if test.from != "" {
					r.RemoteAddr = test.from
				}
				if test.host != "" || name == "no name" {
					r.Host = test.host
				}
				maps.Copy(r.Header, test.header)
				w := answer(i, r)
				assert.Equal(t, status, w.Code, w.Body)
				assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
				if status != http.StatusOK {
					assert.NotContains(t, w.Body.String(), "sockets")
				}
			}
		})
	}
}

func TestFiles(t *testing.T) {
	i := newInspector(t, nil)
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/any/folder/": "text/html; charset=utf-8",
		"/any/page.js": "text/javascript; charset=utf-8", "/any/page.css": "text/css; charset=utf-8",
	} {
		w := answer(i, request(http.MethodGet, path))
		assert.Equal(t, http.StatusOK, w.Code, path)
		assert.Equal(t, kind, w.Header().Get("Content-Type"))
		assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		assert.Contains(t, w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
	}
	page := answer(i, request(http.MethodGet, "/")).Body.String()
	assert.False(t, strings.Contains(page, "<script>") || strings.Contains(page, "style="), "its policy has no inline scripts")
	for _, path := range []string{"/page.html", "/inspect", "/serve.go"} {
		assert.Equal(t, http.StatusNotFound, answer(i, request(http.MethodGet, path)).Code, path)
	}
	w := answer(i, request(http.MethodPost, "/state.json"))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	w = answer(i, request(http.MethodGet, "/state.json?since=-1"))
	assert.Equal(t, http.StatusBadRequest, w.Code)
	assert.Equal(t, "since=\"-1\" is not the number of a marble\n", w.Body.String())
}
