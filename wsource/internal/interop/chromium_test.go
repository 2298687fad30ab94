package interop_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// startChromium opens a page of the site in a Chromium, as a peer until the test ends.
func startChromium(t *testing.T, s *site) *process {
	t.Helper()
	browser := browsertest.Start(t, false)
	input, commands := io.Pipe()
	events, output := io.Pipe()
	s.mux.HandleFunc("GET /page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><title>peer</title>
<script type="module" src="/peers/chromium.mjs"></script>`)
	})
	s.mux.HandleFunc("GET /peers/{file}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		http.ServeFile(w, r, "peers/"+r.PathValue("file"))
	})
	s.mux.HandleFunc("GET /input", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		flusher := http.NewResponseController(w)
		_ = flusher.Flush()
		buffer := make([]byte, 1<<16)
		for {
			n, err := input.Read(buffer)
			if err != nil {
				return
			}
			_, _ = w.Write(buffer[:n]) // if the page is gone, its process is, too
			_ = flusher.Flush()
		}
	})
	s.mux.HandleFunc("POST /output", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(output, r.Body)
	})

	p := attach(t, "Chromium", commands, events)
	t.Cleanup(func() {
		_ = commands.Close()
		_ = output.Close()
	})
	browser.Open(s.URL + "/page")
	return p
}
