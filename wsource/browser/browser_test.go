package browser_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxsocket/rxsocket/observable"
	"github.com/rxsocket/rxsocket/wsource"
	"github.com/rxsocket/rxsocket/wsource/browser"
	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// packages returns the folder of the npm packages that the scripts use.
func packages(t *testing.T) string {
	t.Helper()
	const folder = "nodetest/node_modules"
	for _, name := range []string{"/ws/package.json", "/rxjs/package.json"} {
		if _, err := os.Stat(folder + name); err != nil {
			browsertest.Missing(t, "npm --prefix nodetest install", err)
		}
	}
	return folder
}

var (
	verdict = regexp.MustCompile(`(?m)^(ok|not ok) - ([^:\n]+)(?:: (.*))?$`)
	totals  = regexp.MustCompile(`(?m)^scripts: (\d+) passed, 0 failed$`)
)

// report shows each case of a run as a subtest.
func report(t *testing.T, output string, err error) {
	t.Helper()
	for _, line := range verdict.FindAllStringSubmatch(output, -1) {
		t.Run(line[2], func(t *testing.T) {
			if line[1] != "ok" {
				t.Error(strings.ReplaceAll(line[3], "\\n", "\n"))
			}
		})
	}
	total := totals.FindString(output)
	if err != nil || total == "" {
		t.Errorf("the run has failed: %v\n%s", err, output)
	}
	fmt.Println(strings.Replace(total, "scripts", t.Name(), 1))
}

func TestInNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		browsertest.Missing(t, "Node.js", err)
	}
	packages(t)
	_, url := startSite(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	output, err := exec.CommandContext(ctx, node, "nodetest/run.mjs", url).CombinedOutput()
	report(t, string(output), err)
}

// page runs the scripts, and posts their output.
const page = `<!doctype html><title>test</title><script src="/rxjs.js"></script>
<script type="importmap">{"imports": {"rxsocket": "/rxsocket.js"}}</script>
<script type="module">
let output = "";
try {
	const { run } = await import("/cases.mjs");
	await run({ url: location.origin, rxjs, print: line => { output += line + "\n"; } });
} catch (error) { output += error.stack; }
fetch("/ran", { method: "POST", body: output });
</script>`

func TestInChromium(t *testing.T) {
	folder := packages(t)
	mux, url := startSite(t)
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page)
	})
	for path, file := range map[string]string{
		"/rxjs.js": folder + "/rxjs/dist/bundles/rxjs.umd.min.js", "/cases.mjs": "nodetest/cases.mjs",
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			http.ServeFile(w, r, file)
		})
	}
	outputs := make(chan string, 1)
	mux.HandleFunc("/ran", func(_ http.ResponseWriter, r *http.Request) {
		output, _ := io.ReadAll(r.Body)
		outputs <- string(output)
	})
	browsertest.Start(t, false).Call("Page.navigate", map[string]any{"url": url + "/page"}, nil)
	select {
	case output := <-outputs:
		report(t, output, nil)
	case <-time.After(time.Minute):
		report(t, "", errors.New("the page did not end in time"))
	}
}

// TestLeftPage leaves a page that the browser keeps: its socket ends, and it has another
// one when somebody comes back.
func TestLeftPage(t *testing.T) {
	b := browsertest.Start(t, false)
	sockets := new(wsource.Server)
	mux := http.NewServeMux()
	mux.Handle("/rxsocket.js", browser.Handler())
	mux.Handle("/live", sockets)
	mux.HandleFunc("/{page}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><script type="module">
			import { connect } from "/rxsocket.js";
			globalThis.states = [];
			if (location.pathname === "/page") connect("/live").status.subscribe(({ state, code }) => states.push(state + (code ?? "")));
		</script>`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	handled, ended := make(chan error, 1), make(chan wsource.StatusCode, 2)
	go func() {
		handled <- sockets.Handle(context.Background(), func(ctx context.Context, s *wsource.Socket) error {
			err := observable.ForEach(ctx, s, func(wsource.Message) {})
			ended <- wsource.CloseStatus(err)
			return err
		})
	}()
	t.Cleanup(func() {
		assert.NoError(t, sockets.Shutdown(context.Background()))
		assert.NoError(t, <-handled)
	})
	b.Open(server.URL + "/page")
	b.Until(`states.at(-1) === "open"`)
	b.Open(server.URL + "/other")
	select {
	case code := <-ended:
		assert.Equal(t, wsource.StatusNoStatusReceived, code)
	case <-time.After(time.Minute):
		t.Fatal("the socket stays open")
	}
	b.Evaluate(`history.back()`)
	b.Until(`location.pathname === "/page" && states.at(-1) === "open"`)
	assert.Equal(t, []any{"connecting", "open", "waiting1001", "connecting", "open"}, b.Evaluate(`states`))
}

func get(t *testing.T, method, url string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, url, nil)
	r.Header = header
	w := httptest.NewRecorder()
	browser.Handler().ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	w := get(t, "GET", "/any/folder/rxsocket.js", nil)
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "text/javascript; charset=utf-8", w.Header().Get("Content-Type"))
	assert.Equal(t, "no-cache", w.Header().Get("Cache-Control"))
	assert.Equal(t, `"`+browser.Version()+`"`, w.Header().Get("ETag"))
	assert.Contains(t, w.Body.String(), "export function connect(")

	w = get(t, "GET", "/rxsocket.js", http.Header{"If-None-Match": {w.Header().Get("ETag")}})
	assert.Equal(t, http.StatusNotModified, w.Code)
	assert.Empty(t, w.Body.String())

	w = get(t, "HEAD", "/rxsocket.js?v="+browser.Version(), nil)
	assert.Equal(t, "public, max-age=31536000, immutable", w.Header().Get("Cache-Control"))
	// The browser must not keep it for long.
	w = get(t, "GET", "/rxsocket.js?v=older", nil)
	assert.Equal(t, "no-cache", w.Header().Get("Cache-Control"))

	w = get(t, "GET", "/rxsocket.d.ts", nil)
	assert.Contains(t, w.Body.String(), "export function connect(")
	assert.NotEqual(t, `"`+browser.Version()+`"`, w.Header().Get("ETag"))
	assert.Equal(t, http.StatusNotFound, get(t, "GET", "/other.js", nil).Code)
	w = get(t, "POST", "/rxsocket.js", nil)
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
}
