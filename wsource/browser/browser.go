// Package browser has the browser's side of rxsocket: one ES module in plain JavaScript,
// served as it is.
//
//	mux.Handle("/rxsocket/", browser.Handler())
//
// A page then imports it:
//
//	import { connect, joinRoom } from "/rxsocket/rxsocket.js"
//	const shop = connect("/events")                   // the protocol of wsource/event
//	shop.on("order_confirmed").subscribe(show)
//	console.log(await shop.ask("stock", "apples"))
//	const lobby = joinRoom("/rooms/lobby")            // a room of wsource/hub
//	lobby.members.subscribe(list)
//
// The module reconnects by itself when a connection ends, after the time in the close
// reason (see wsource.Farewell) and a back-off with full jitter, and goes on with a
// session of wsource/session, if the page asks for one. RxJS's from takes its streams,
// and so does for await. The README beside it tells more.
package browser

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"time"
)

//go:embed rxsocket.js rxsocket.d.ts
var files embed.FS

// file is a file that the handler serves.
type file struct {
	data []byte
	kind string // its media type
	hash string // hash of the data, in hexadecimal digits
}

//nolint:gochecknoglobals // they do not change
var (
	script = load("rxsocket.js", "text/javascript; charset=utf-8")
	types  = load("rxsocket.d.ts", "text/plain; charset=utf-8") // for want of a media type
)

func load(name, kind string) *file {
	data, err := files.ReadFile(name)
	if err != nil { // it is embedded
		panic(err)
	}
	sum := sha256.Sum256(data)
	return &file{data: data, kind: kind, hash: hex.EncodeToString(sum[:16])}
}

// Version names the content of the module: 32 hexadecimal digits, which change with the
// module. A page that imports rxsocket.js?v= with it never asks for the module again.
func Version() string { return script.hash }

// Handler serves the module as rxsocket.js, and its types for TypeScript as
// rxsocket.d.ts, in any folder; anything else is not found. The response has an ETag, by
// which a browser asks whether the module is still the same (RFC 9110, section 8.8.3).
// With the query v=[Version] the response is cached for a year, as immutable (RFC 8246).
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var f *file
		switch path.Base(r.URL.Path) {
		case "rxsocket.js":
			f = script
		case "rxsocket.d.ts":
			f = types
		default:
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.kind)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("ETag", `"`+f.hash+`"`)
		h.Set("Cache-Control", "no-cache")
		if r.URL.Query().Get("v") == f.hash {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
	})
}
