package inspect

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed page.html page.css page.js
var files embed.FS

// kinds are the files of the page, with their types.
var kinds = map[string]string{
	"page.html": "text/html; charset=utf-8",
	"page.css":  "text/css; charset=utf-8",
	"page.js":   "text/javascript; charset=utf-8",
}

const (
	stateFile = "state.json"
	policy    = "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self'; style-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

// ServeHTTP serves the page at a path that ends with a slash, and its files below. The
// package's documentation says which requests it allows.
func (i *Inspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if i == nil || i.isClosed() {
		http.NotFound(w, r)
		return
	}
	file := "page.html"
	if !strings.HasSuffix(r.URL.Path, "/") {
		file = path.Base(r.URL.Path)
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if status, problem := i.refuse(r, file); problem != "" {
		http.Error(w, problem, status)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "it is only to be looked at", http.StatusMethodNotAllowed)
		return
	}
	if file == stateFile {
		i.serveState(w, r)
		return
	}
	kind := kinds[file]
	if kind == "" || strings.HasSuffix(r.URL.Path, "page.html") {
		http.NotFound(w, r)
		return
	}
	data, _ := files.ReadFile(file) // it is embedded
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

// serveState answers a snapshot.
func (i *Inspector) serveState(w http.ResponseWriter, r *http.Request) {
	want, err := parseQuery(r.URL.Query())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	data, err := json.Marshal(i.snapshot(want))
	if err != nil {
		http.Error(w, "the state does not encode", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data) // the client may have gone
}

// refuse returns the reason against giving a file to a request, or "".
func (i *Inspector) refuse(r *http.Request, file string) (status int, problem string) {
	switch {
	case !i.config.Remote && !isLocal(r):
		return http.StatusForbidden, "only this machine may look; see Remote of inspect.Config"
	case !i.isHost(r.Host):
		return http.StatusMisdirectedRequest, "this server has another name; see Hosts of inspect.Config"
	case !sameOrigin(r, file):
		return http.StatusForbidden, "pages of other origins may not look"
	}
	return 0, ""
}

// isLocal reports whether a request comes from this machine, and not by way of a proxy on
// it.
func isLocal(r *http.Request) bool {
	for name := range r.Header {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return false
		}
	}
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && remote.Addr().Unmap().IsLoopback()
}

// isHost reports whether a request names the server by an allowed name. A page whose own
// name was made to point here has an origin that matches the request's Host, so its
// origin proves nothing.
func (i *Inspector) isHost(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return strings.EqualFold(host, "localhost") ||
		slices.ContainsFunc(i.config.Hosts, func(name string) bool { return strings.EqualFold(host, name) })
}

// sameOrigin reports whether no page of another origin asks. Such a page may only link to
// this one.
func sameOrigin(r *http.Request, file string) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return file == "page.html" && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	from, err := url.Parse(origin)
	return err == nil && strings.EqualFold(from.Host, r.Host)
}

// query is the choice of a request.
type query struct {
	since uint64
	text  string // in lower case
	id    string // the ID of a socket
}

// parseQuery reads the query of a request.
func parseQuery(values url.Values) (*query, error) {
	want := &query{text: strings.ToLower(values.Get("q")), id: values.Get("socket")}
	if since := values.Get("since"); since != "" {
		n, err := strconv.ParseUint(since, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("since=%q is not the number of a marble", bounded(since))
		}
		want.since = n
	}
	return want, nil
}

// socket reports whether a socket is to be shown.
func (q *query) socket(s *Socket) bool {
	if q.id != "" && s.ID != q.id {
		return false
	}
	return q.has("socket "+s.ID, s.Remote, s.Key, s.Path, s.Subprotocol)
}

// stream reports whether a stream is to be shown.
func (q *query) stream(s *stream) bool {
	if q.id != "" && s.socket != q.id {
		return false
	}
	return q.has(s.name, "socket "+s.socket)
}

// has reports whether one of the texts has the query's text.
func (q *query) has(texts ...string) bool {
	return q.text == "" ||
		slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), q.text) })
}
