package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"net/http"
	"time"
)

//go:embed page.html
var pageHTML []byte

// newPage returns the handler of the page. Its one script and its one style sheet are named by their hashes in the
// content security policy; nothing else may run, and nothing may be loaded from elsewhere.
func newPage() http.Handler {
	policy := "default-src 'none'; connect-src 'self'; img-src data:" +
		"; script-src '" + hashOf(pageHTML, "script") + "'; style-src '" + hashOf(pageHTML, "style") + "'" +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(pageHTML))
	})
}

// hashOf returns the hash of an element's text as a content security policy has it.
func hashOf(page []byte, element string) string {
	_, rest, _ := bytes.Cut(page, []byte("<"+element+">"))
	text, _, _ := bytes.Cut(rest, []byte("</"+element+">"))
	sum := sha256.Sum256(text)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
