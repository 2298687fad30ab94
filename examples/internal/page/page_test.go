package page_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"

	"github.com/rxsocket/rxsocket/examples/internal/page"
	"github.com/rxsocket/rxsocket/wsource/browser"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMount(t *testing.T) {
	mux := http.NewServeMux()
	const html = `<style>a</style><script type="module">b</script><script src="rxsocket.js"></script><script>c</script>`
	page.Mount(mux, []byte(html))
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	w := get("/")
	assert.Equal(t, html, w.Body.String())
	assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	assert.Equal(t, "default-src 'none'; connect-src 'self'; img-src 'self' data:"+
		"; script-src 'self' 'sha256-PiPoFgA5WUoziU9lZOGxNIu9egCI1CxKy3PurtWcAJ0='"+
		" 'sha256-Ln0sA6lQeuJl7PW1NWiFpTOTogKdJBOUmXJloaJa78Y='"+
		"; style-src 'self' 'sha256-ypeBEsobvcr6wjGzmiPcTaeG7/gUfE5yuYB3ha/uSLs='"+
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", w.Header().Get("Content-Security-Policy"))

	w = get("/style.css")
	assert.Equal(t, "text/css; charset=utf-8", w.Header().Get("Content-Type"))
	assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	assert.Contains(t, w.Body.String(), "prefers-color-scheme: dark")
	assert.Contains(t, get("/rxsocket.js?v="+browser.Version()).Header().Get("Cache-Control"), "immutable")
	assert.Equal(t, http.StatusNotFound, get("/favicon.ico").Code)
}
