// Package page serves the page of an example: one HTML file with a script and a style of
// its own, beside the style sheet that all pages share and the browser's side of
// rxsocket.
package page

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the style sheet
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/rxsocket/rxsocket/wsource/browser"
)

//go:embed style.css
var style []byte

// Mount serves a page at /, the shared style sheet at /style.css, and the module of
// package browser at /rxsocket.js, for a page to refer to:
//
//	<link rel="stylesheet" href="style.css">
//	<script type="module">import { connect } from "./rxsocket.js"
//
// The page's content security policy names its own scripts and styles by their hashes. No
// other scripts run but those of the same server, and nothing is loaded from elsewhere.
func Mount(mux *http.ServeMux, html []byte) {
	policy := "default-src 'none'; connect-src 'self'; img-src 'self' data:" +
		"; script-src 'self'" + hashes(html, inlineScript) + "; style-src 'self'" + hashes(html, inlineStyle) +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "no-referrer")
		serve(w, r, "text/html; charset=utf-8", html)
	})
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		serve(w, r, "text/css; charset=utf-8", style)
	})
	mux.Handle("GET /rxsocket.js", browser.Handler())
}

func serve(w http.ResponseWriter, r *http.Request, kind string, data []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

var (
	inlineScript = regexp.MustCompile(`(?s)<script\b[^>]*>(.*?)</script>`)
	inlineStyle  = regexp.MustCompile(`(?s)<style\b[^>]*>(.*?)</style>`)
)

// hashes returns the hashes of elements' texts as a content security policy has them.
func hashes(html []byte, elements *regexp.Regexp) string {
	var list strings.Builder
	for _, element := range elements.FindAllSubmatch(html, -1) {
		if len(element[1]) == 0 {
			continue // the browser loads it
		}
		sum := sha256.Sum256(element[1])
		list.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	return list.String()
}
