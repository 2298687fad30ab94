//go:build !js

package browser_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxsocket/rxsocket/wsource/browser/browsertest"
)

// The tests of this package that are built for js/wasm run in JavaScript environments,
// each with the server of peer_test.go on loopback. The tests here run them, and show
// each of them as a subtest.

// program is the test binary for js/wasm, built once for all tests.
var program = sync.OnceValues(func() ([]byte, error) {
	// go test remembers the result of a test until a file changes that the test has
	// looked at.
	for _, pattern := range []string{"*_js*.go", "../../*_js*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if _, err := os.Stat(name); err != nil {
				return nil, err
			}
		}
	}
	folder, err := os.MkdirTemp("", "browser")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // the system clears it up
	name := filepath.Join(folder, "test.wasm")
	build := exec.Command("go", "test", "-c", "-o", name, ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=-buildvcs=false")
	if output, err := build.CombinedOutput(); err != nil {
		return nil, errors.New(string(output))
	}
	return os.ReadFile(name)
})

// support returns the name of a file that comes with Go for programs in js/wasm.
func support(t *testing.T, name string) string {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	return filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", name)
}

// start serves the peer, and the files that a page needs to run the program. It returns
// the server's URL, and a channel with the output of that page and whether it went well.
func start(t *testing.T) (url string, ran <-chan string) {
	t.Helper()
	wasm, err := program()
	require.NoError(t, err)
	outputs := make(chan string, 1)
	peer := newPeer()
	mux := http.NewServeMux()
	mux.Handle("/", peer)
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
	})
	script := support(t, "wasm_exec.js")
	mux.HandleFunc("/wasm_exec.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, script) })
	mux.HandleFunc("/test.wasm", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		_, _ = w.Write(wasm)
	})
	mux.HandleFunc("/ran", func(w http.ResponseWriter, r *http.Request) {
		output, _ := io.ReadAll(r.Body)
		outputs <- r.URL.Query().Get("code") + "\n" + string(output)
		w.WriteHeader(http.StatusNoContent)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		peer.stop()
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL, outputs
}

// page runs the program, and posts its output.
const page = `<!doctype html><title>test</title><script src="wasm_exec.js"></script><script>
let output = "", decoder = new TextDecoder();
globalThis.fs.writeSync = (fd, data) => { output += decoder.decode(data, {stream: true}); return data.length; };
const ended = code => fetch("ran?code=" + code, {method: "POST", body: output});
const go = new Go();
go.argv = ["test", "-test.v"];
go.env = {PEER: location.origin};
go.exit = code => ended(code);
WebAssembly.instantiateStreaming(fetch("test.wasm"), go.importObject)
	.then(program => go.run(program.instance))
	.catch(e => { output += e; ended(1); });
</script>`

func TestInNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		browsertest.Missing(t, "Node.js", err)
	}
	var options string // Node.js 20 and 21 have WebSockets behind a flag
	for _, options = range []string{"", "--experimental-websocket"} {
		probe := exec.Command(node, "-p", "typeof WebSocket")
		probe.Env = append(os.Environ(), "NODE_OPTIONS="+options)
		var kind []byte
		if kind, err = probe.Output(); err == nil && strings.TrimSpace(string(kind)) == "function" {
			break
		}
		err = errors.Join(err, errors.New("this Node.js has no WebSocket; 22 has"))
	}
	if err != nil {
		browsertest.Missing(t, "a WebSocket", err)
	}
	url, _ := start(t)
	wasm, err := program()
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "test.wasm")
	require.NoError(t, os.WriteFile(name, wasm, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, node, "--stack-size=8192", support(t, "wasm_exec_node.js"), name, "-test.v")
	// There is little room.
	run.Env = []string{"PATH=" + os.Getenv("PATH"), "NODE_OPTIONS=" + options, "PEER=" + url}
	output, err := run.CombinedOutput()
	report(t, string(output), err)
}

func TestInChromium(t *testing.T) {
	url, ran := start(t)
	browsertest.Start(t, false).Call("Page.navigate", map[string]any{"url": url + "/page"}, nil)
	select {
	case text := <-ran:
		code, text, _ := strings.Cut(text, "\n")
		var err error
		if code != "0" {
			err = errors.New("exit code " + code)
		}
		report(t, text, err)
	case <-time.After(2 * time.Minute):
		t.Fatal("the page has not come to its end")
	}
}

// verdict is the line that ends the output of a test.
var verdict = regexp.MustCompile(`(?m)^--- (PASS|FAIL|SKIP): (\S+)`)

// report shows each test of the program as a subtest.
func report(t *testing.T, output string, err error) {
	t.Helper()
	found := verdict.FindAllStringSubmatch(output, -1)
	failed := err != nil || len(found) == 0
	for _, test := range found {
		t.Run(test[2], func(t *testing.T) {
			switch test[1] {
			case "FAIL":
				failed = true
				t.Fail()
			case "SKIP":
				t.Skip("the program has skipped it")
			}
		})
	}
	if failed {
		// The output has no line for the test that failed.
		t.Fatalf("%v\n%s", err, strings.ReplaceAll("\n"+output, "\n", "\n| "))
	}
}
